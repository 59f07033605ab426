"""`grader check` and `grader grade`: one submission, and a class."""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.shared import (
    COULD_NOT_GRADE,
    DONE,
    NOT_FULL_MARKS,
    Plain,
    WrongUse,
    course_for,
    settings_of,
    topic_for,
    without_nbgrader,
)
from grader.course import Course, find_course

if TYPE_CHECKING:
    from grader.nbgrader.gradebook import ClassGradebook


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .py or .ipynb file.")],
    topic: Annotated[
        str | None, typer.Option(help="The topic; guessed from the file's name or folder.")
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Run the code here, without a sandbox: your own.")
    ] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="A worker without protection: the Report says so.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random examples.")] = 0,
    examples: Annotated[
        int, typer.Option(min=0, help="Random examples per check, beside the edge cases.")
    ] = 25,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the Report here; - prints it.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML here.")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append a summary in Markdown here.")
    ] = None,
    github_summary: Annotated[
        bool,
        typer.Option("--github-summary", help="Append it to the file of $GITHUB_STEP_SUMMARY."),
    ] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="NAME=FILE", help="Write another form; may be given again."
        ),
    ] = None,
    plain: Plain = False,
) -> int:
    """Grade one file. Exit code 0: full marks, 1: not full marks, 2: wrong use, 3: could not grade."""
    if file.is_dir():
        raise WrongUse(
            f"{file} is a folder: name a .py or .ipynb file in it; `grader grade` takes a class's folder."
        )
    if not file.is_file():
        raise WrongUse(f"{file} does not exist.")
    from grader.extensions import NoSuchExtension
    from grader.grading import grade
    from grader.report.files import NoSuchFile, ReportFiles
    from grader.report.terminal import print_report

    try:
        files = ReportFiles(json=json, junit=junit, summary=summary, others=formats or ())
        if github_summary:
            files.add_github_summary(os.environ)
    except (NoSuchFile, NoSuchExtension) as error:
        raise WrongUse(str(error)) from None
    chosen = topic_for(file, topic)
    settings = settings_of(seed, examples, in_process=in_process, no_sandbox=no_sandbox)
    printed: list[str] = []
    # what code in this process prints must not get into the report
    with contextlib.redirect_stdout(sys.stderr if in_process else sys.stdout):
        report = grade(file, chosen, settings, printed=printed.append)
    if json == "-":
        print(report.to_json().decode())  # noqa: T201  # the output that was asked for
    else:
        print_report(report, printed="".join(printed), topic=chosen, plain=plain)
    try:
        files.write(report)
    except OSError as error:
        typer.echo(f"grader: {error.filename}: {error.strerror}", err=True)
        return COULD_NOT_GRADE
    return DONE if report.points == report.max_points else NOT_FULL_MARKS


def grade_folder(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The class's submissions.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where reports and grades go.")],
    topic: Annotated[str | None, typer.Option(help="Only this topic.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Judge processes; 0: one per core.")] = 0,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A dask.distributed scheduler.")
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(metavar="NAME[=ARGUMENT]", help="Where to grade, by an installed package."),
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Without a sandbox: only for code that you trust.")
    ] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="A worker without protection: the Report says so.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the random examples; nbgrader_config.py's, else 0."),
    ] = None,
    examples: Annotated[
        int | None,
        typer.Option(min=0, help="Random examples per check; nbgrader_config.py's, else 25."),
    ] = None,
    gradebook: Annotated[
        str | None, typer.Option(metavar="URL", help="Write the points into nbgrader's gradebook.")
    ] = None,
) -> int:
    """Grade a class. Exit code 0: every submission has a report, 1: one has none.

    In nbgrader's course folder (FOLDER is its submitted/) seed, examples and kept reports are those of nbgrader autograde.
    """
    if not folder.is_dir():
        raise WrongUse(f"{folder} is not a folder.")
    from grader.batch import NothingToGrade
    from grader.classroom import grade_class
    from grader.cluster import ClusterUnavailable
    from grader.executors import opened
    from grader.extensions import NoSuchExtension
    from grader.nbgrader.config_file import GradingConfig, grading_config
    from grader.report.terminal import print_class

    config = grading_config(folder.absolute().parent) or GradingConfig()
    course = find_course(config.course) if config.course else course_for(folder / "submissions")
    if topic is not None:
        topic = course.topic(topic).name
    settings = settings_of(
        seed if seed is not None else config.seed or 0,
        examples if examples is not None else _or(config.examples, 25),
        in_process=in_process,
        no_sandbox=no_sandbox,
    )
    grades = None if gradebook is None else _gradebook(gradebook, course, folder, topic)
    if cluster is not None and executor is not None:
        raise WrongUse("--cluster and --executor exclude each other.")
    place = executor if cluster is None else f"dask={cluster}"
    here = (None, os.cpu_count() or 1)
    try:
        with contextlib.nullcontext(here) if place is None else opened(place) as (pool, cores):
            outcomes = grade_class(
                folder,
                out,
                course,
                settings,
                topic=topic,
                jobs=jobs or cores,
                executor=pool,
                cache=config.cache,
            )
    except (ClusterUnavailable, NoSuchExtension) as error:
        raise WrongUse(str(error)) from None
    except NothingToGrade as error:
        raise WrongUse(str(error)) from None
    except OSError as error:
        typer.echo(
            f"grader: {error.filename or out}: {error.strerror}; what was graded is kept, run again to go on",
            err=True,
        )
        return COULD_NOT_GRADE
    if grades is not None:
        typer.echo(f"{grades.write(outcomes)} submissions written into the gradebook")
    return DONE if print_class(outcomes, out) else NOT_FULL_MARKS


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _gradebook(url: str, course: Course, folder: Path, topic: str | None) -> "ClassGradebook":
    """The gradebook, once it is known to take these grades: before hours of grading, not after them."""
    from grader.batch import NothingToGrade, find_tasks

    try:
        from grader.nbgrader.gradebook import ClassGradebook
    except ImportError as error:
        raise without_nbgrader(error) from None
    grades = ClassGradebook(url, course, folder)
    with contextlib.suppress(NothingToGrade):  # grading says it
        grades.expect({task.topic for task in find_tasks(folder, course, topic)})
    return grades
