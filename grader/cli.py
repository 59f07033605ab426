"""The command `grader`: thin; what it does lies in the modules that it names."""

import contextlib
import importlib.util
import json as json_module  # `json` is an option
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.course import Course, CourseError, Topic, find_course

if TYPE_CHECKING:
    from grader.grading import Settings
    from grader.nbgrader.gradebook import ClassGradebook

DONE, NOT_FULL_MARKS, WRONG_USE, COULD_NOT_GRADE = 0, 1, 2, 3
"""Exit codes; scripts rely on them."""

_BadArguments: Any = typer.BadParameter.__mro__[2]
"""ClickException, of the click that this typer uses: the installed one or its own."""


class WrongUse(Exception):
    """The command cannot be carried out as it was given."""


app = typer.Typer(
    name="grader",
    help="An autograder for deep-learning exercises.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

export = typer.Typer(help="Write a topic for another system.", rich_markup_mode=None)
app.add_typer(export, name="export")

Plain = Annotated[
    bool, typer.Option("--plain", help="No colour, no columns: sentences for a screen reader.")
]


@app.command()
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
    if not file.is_file():
        raise WrongUse(f"{file} {'is a folder' if file.is_dir() else 'does not exist'}.")
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
    chosen = _topic_for(file, topic)
    settings = _settings(seed, examples, in_process=in_process, no_sandbox=no_sandbox)
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


@app.command("grade")
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
    course = find_course(config.course) if config.course else _course_for(folder / "submissions")
    if topic is not None:
        topic = course.topic(topic).name
    settings = _settings(
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
        raise _without_nbgrader(error) from None
    grades = ClassGradebook(url, course, folder)
    with contextlib.suppress(NothingToGrade):  # grading says it
        grades.expect({task.topic for task in find_tasks(folder, course, topic)})
    return grades


def _without_nbgrader(error: ImportError) -> WrongUse:
    return WrongUse(f"{error.name} is not installed: pip install 'gradus-dl[nbgrader]'.")


def _settings(seed: int, examples: int, *, in_process: bool, no_sandbox: bool) -> "Settings":
    import msgspec

    from grader.grading import Settings

    if in_process and no_sandbox:
        raise WrongUse("--in-process and --no-sandbox exclude each other.")
    settings = Settings(seed=seed, examples=examples, isolated=not in_process)
    if no_sandbox:
        settings = msgspec.structs.replace(settings, sandbox="none")
    return settings.resolved()


@export.command("gradescope")
def export_gradescope(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What it grades.")],
    out: Annotated[Path, typer.Option(metavar="ZIP", help="The autograder to upload.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random examples.")] = 0,
    examples: Annotated[
        int, typer.Option(min=0, help="Random examples per check, beside the edge cases.")
    ] = 25,
    visibility: Annotated[
        str,
        typer.Option(help="When students see their checks: visible, after_due_date, ..."),
    ] = "visible",
    no_sandbox: Annotated[
        bool,
        typer.Option(
            "--no-sandbox", help="Where no sandbox works, grade without protection: no refusal."
        ),
    ] = False,
) -> int:
    """Write an autograder zip for Gradescope: the engine and the topic's checks, no solutions."""
    from grader.gradescope.archive import NotInstalled, write_archive
    from grader.gradescope.order import Order
    from grader.report.gradescope import VISIBILITIES

    chosen = find_course(Path.cwd()).topic(topic)
    if visibility not in VISIBILITIES:
        raise WrongUse(f"--visibility {visibility}: expected one of {', '.join(VISIBILITIES)}.")
    order = Order(chosen.name, seed, examples, visibility, no_sandbox)
    try:
        write_archive(out, chosen, order)
    except NotInstalled as error:
        raise WrongUse(str(error)) from None
    except OSError as error:
        raise WrongUse(f"{out} cannot be written: {error.strerror}.") from None
    typer.echo(
        f"wrote {out}: upload it as the autograder of {chosen.name}, {chosen.points:g} points"
    )
    return DONE


_nbgrader = typer.Typer(help="The course in nbgrader.", rich_markup_mode=None)
app.add_typer(_nbgrader, name="nbgrader")


@_nbgrader.callback()
def _group() -> None:
    """The course in nbgrader."""


@_nbgrader.command("init")
def nbgrader_init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="nbgrader's course folder.")],
    course_id: Annotated[
        str | None, typer.Option(help="nbgrader's name of the course; from its title otherwise.")
    ] = None,
    db: Annotated[
        str | None, typer.Option(metavar="URL", help="The gradebook; SQLite in DIR otherwise.")
    ] = None,
) -> int:
    """Make a course folder for nbgrader's own commands; files that exist stay as they are."""
    course = find_course(Path.cwd())
    try:
        from grader.nbgrader.course_folder import init_course
    except ImportError as error:
        raise _without_nbgrader(error) from None
    written = init_course(course, folder, course_id=course_id, db_url=db)
    typer.echo(f"{folder}: {len(written)} files written")
    return DONE


@app.command("notebook")
def into_notebook(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="Where you wrote your answers.")],
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="NOTEBOOK",
            help="The notebook handed out; the one beside FILE, or the course's.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="NOTEBOOK", help="Where to write; beside FILE otherwise.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="The topic; guessed from the file.")] = None,
) -> int:
    """Put the functions of a .py file into the notebook that was handed out."""
    from grader.atomic import write_atomically
    from grader.choice import is_edited
    from grader.into_notebook import NoSuchCells, answered_otherwise, filled_notebook
    from grader.submission import SubmissionError, notebook_from, read_bytes, read_submission

    if file.suffix != ".py":
        raise WrongUse(f"{file} is no .py file.")
    chosen = _topic_for(file, topic)
    target = out or file.with_name(f"{chosen.module}.ipynb")
    template = into or (target if target.is_file() else chosen.notebook)
    try:
        source = read_submission(file, follow_links=True).cells[0].source
        notebook = notebook_from(read_bytes(template, follow_links=True), template.name)
        # where the notebook handed out is the one to write into, there is nothing to compare it with
        own = template == target and bool(answered_otherwise(notebook, source))
        if target.is_file() and (own or is_edited(target, chosen)):
            raise WrongUse(
                f"{target} holds work of its own: move it away, or write elsewhere with --out."
            )
        text = json_module.dumps(filled_notebook(notebook, source), indent=1, ensure_ascii=False)
    except SubmissionError as error:
        raise WrongUse(str(error)) from None
    except NoSuchCells as error:
        raise WrongUse(f"{file}: {error}.") from None
    write_atomically(target, text + "\n")
    typer.echo(f"wrote {target}")
    return DONE


@app.command()
def build(
    topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="Only this one.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file is out of date.")
    ] = False,
) -> int:
    """Generate stubs, notebooks and fingerprints from solutions/."""
    from grader.build import build as build_topics
    from grader.build import outdated

    course = find_course(Path.cwd())
    topics = [one for one in course.topics if one.source.is_file()]
    if topic is not None:
        topics = [course.topic(topic)]
    if not topics:
        raise CourseError(
            f"{course.root / 'solutions'} has no topic's source: nothing to generate."
        )
    if not check:
        for path in build_topics(topics):
            typer.echo(f"wrote {_shown(path, course)}")
        return DONE
    paths = list(outdated(topics))
    for path in paths:
        typer.echo(f"{_shown(path, course)} differs from its source: run `grader build`.", err=True)
    return WRONG_USE if paths else DONE


@app.command()
def verify(
    topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="Only this one.")] = None,
) -> int:
    """Prove that the course's content is sound."""
    from grader.verify import verify as problems_of

    course = find_course(Path.cwd())
    topics = course.topics if topic is None else (course.topic(topic),)
    problems = problems_of(course, topics, done=_say_if_sound)
    for problem in problems:
        typer.echo(str(problem), err=True)
    return WRONG_USE if problems else DONE


@app.command()
def figures(
    topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="Only this one.")] = None,
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A .py or .ipynb file, or a folder with a folder per topic; else what lies under exercises/.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pictures go.")] = Path(
        "figures"
    ),
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Run the code in a sandbox, as grading does.")
    ] = False,
) -> int:
    """Draw the lecture's pictures with your own functions. Exit code 0: all are drawn, 1: some are not."""
    if importlib.util.find_spec("matplotlib") is None:
        raise WrongUse("figures need matplotlib: pip install 'gradus-dl[figures]'.")
    from grader.figures.choice import chosen
    from grader.figures.drawing import draw_topic

    course = find_course(Path.cwd()) if submission is None else _course_for(submission)
    choice = chosen(course, topic, submission)
    code = DONE
    try:
        for each in choice.files:
            for outcome in draw_topic(course, each, choice, out, isolated=isolated):
                name = f"{each.name}: {outcome.drawing.title}"
                if outcome.problem:
                    typer.echo(f"{name}: not drawn: {outcome.problem}", err=True)
                    code = NOT_FULL_MARKS
                else:
                    typer.echo(f"{name}: {', '.join(map(str, outcome.files))}")
    except OSError as error:
        raise WrongUse(f"{error.filename or out}: {error.strerror}.") from None
    return code


@app.command()
def watch(
    topic: Annotated[
        str | None,
        typer.Argument(metavar="[TOPIC]", help="The first with something to write, if unsaid."),
    ] = None,
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Run your code in a sandbox, as grading does.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random examples.")] = 0,
    examples: Annotated[
        int, typer.Option(min=0, help="Random examples per check, beside the edge cases.")
    ] = 25,
    plain: Plain = False,
) -> int:
    """Answer on every save of an exercise. Keys: n next topic, h hint, l list, q quit."""
    from grader.report.console import console_for
    from grader.watch.session import Session, where_to_begin

    course = find_course(Path.cwd())
    if not (course.root / "exercises").is_dir():
        raise CourseError(f"{course.root} has no folder exercises: there is nothing to watch.")
    first = where_to_begin(course, Path.cwd()) if topic is None else course.topic(topic)
    settings = _settings(seed, examples, in_process=not isolated, no_sandbox=False)
    try:
        Session(course, settings, console_for(plain=plain), plain=plain).run(first)
    except KeyboardInterrupt:
        typer.echo("")
    return DONE


@app.command()
def progress(plain: Plain = False) -> int:
    """Where you stand in each topic, and what to do next; judged anew from your files, with few examples."""
    from grader.progress import print_progress
    from grader.report.console import console_for

    print_progress(find_course(Path.cwd()), console_for(plain=plain), plain=plain)
    return DONE


@app.command()
def hint(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Its name or number.")],
    function: Annotated[
        str | None, typer.Argument(metavar="[FUNCTION]", help="The first unwritten one, if unsaid.")
    ] = None,
    stage: Annotated[int, typer.Option(min=1, help="How many stages of help.")] = 1,
    more: Annotated[
        int, typer.Option("--more", "-m", count=True, help="One stage more; as often as you like.")
    ] = 0,
) -> int:
    """Help in stages, from the topic's own text; the last one is still not the code."""
    from grader.hints import as_text, first_unwritten, functions_in

    chosen = find_course(Path.cwd()).topic(topic)
    function = function or first_unwritten(chosen)
    if function is None:
        names = ", ".join(functions_in(chosen))
        raise WrongUse(f"every function of {chosen.name} is begun: name one of {names}.")
    typer.echo(as_text(chosen, function, stage + more))
    return DONE


new_app = typer.Typer(help="Skeletons of a topic or a course.", rich_markup_mode=None)
app.add_typer(new_app, name="new")


@new_app.command("topic")
def topic_skeleton(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as attention.")],
) -> int:
    """Add a topic to this course: source, checks and wrong answers, with TODOs for you."""
    from grader.new import new_topic

    course = find_course(Path.cwd())
    topic = new_topic(course, name)
    for path in (topic.source, topic.checks, topic.misconceptions):
        typer.echo(f"wrote {_shown(path, course)}")
    typer.echo(f"next: grader build, then grader verify {topic.name}")
    return DONE


@new_app.command("course")
def course_skeleton(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist.")],
    topic: Annotated[str, typer.Option(help="Its first topic.")] = "first_steps",
) -> int:
    """Begin a course of one topic."""
    from grader.new import new_course

    course = new_course(folder, topic)
    typer.echo(f"wrote {folder.as_posix()}, a course with the topic {course.topics[0].name}")
    typer.echo(f"next: cd {folder.as_posix()}, grader build, then grader verify")
    return DONE


def _say_if_sound(topic: Topic, problems: Sequence[object]) -> None:
    if not problems:
        typer.echo(f"{topic.name}: sound")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and exits; what is wrong is one line on stderr."""
    from grader.report.console import make_streams_readable

    make_streams_readable()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code."""
    try:
        code = typer.main.get_command(app).main(
            list(arguments), prog_name="grader", standalone_mode=False
        )
    except (WrongUse, CourseError) as error:
        return _refused(str(error))
    except _BadArguments as error:
        return _refused(error.format_message())
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("grader: interrupted", err=True)
        return 130
    except Exception as error:
        if type(error).__name__ != "SandboxUnavailable":  # its module needs numpy
            raise
        typer.echo(f"grader: {error}", err=True)
        return COULD_NOT_GRADE
    return code if isinstance(code, int) else DONE


def _refused(text: str) -> int:
    typer.echo(f"grader: {' '.join(text.split())}", err=True)
    return WRONG_USE


def _topic_for(file: Path, name: str | None) -> Topic:
    """The topic that a file answers, in the course of the working directory, else in the file's own."""
    course = _course_for(file)
    topic = course.topic_of(file) if name is None else course.topic(name)
    if topic is None:
        known = ", ".join(topic.name for topic in course.topics)
        raise WrongUse(f"{file.name} does not tell its topic: add --topic, one of {known}.")
    if not topic.checks.is_file():
        raise CourseError(f"{topic.checks} does not exist: topic {topic.name} has no checks.")
    return topic


def _course_for(file: Path) -> Course:
    try:
        return find_course(Path.cwd())
    except CourseError:
        if not any((folder / "course.toml").exists() for folder in file.absolute().parents):
            raise
        return find_course(file.parent)


def _shown(path: Path, course: Course) -> str:
    return path.relative_to(course.root).as_posix()
