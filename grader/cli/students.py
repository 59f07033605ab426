"""What students call beside pytest and `grader check`."""

import importlib.util
import json
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.shared import (
    DONE,
    NOT_FULL_MARKS,
    Plain,
    WrongUse,
    course_for,
    settings_of,
    topic_for,
)
from grader.course import CourseError, find_course


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
    settings = settings_of(seed, examples, in_process=not isolated, no_sandbox=False)
    try:
        Session(course, settings, console_for(plain=plain), plain=plain).run(first)
    except KeyboardInterrupt:
        typer.echo("")
    return DONE


def progress(plain: Plain = False) -> int:
    """Where you stand in each topic, and what to do next; judged anew from your files, with few examples."""
    from grader.progress import print_progress
    from grader.report.console import console_for

    print_progress(find_course(Path.cwd()), console_for(plain=plain), plain=plain)
    return DONE


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
    # a method's help is that of its class
    function = function.partition(".")[0] if function else first_unwritten(chosen)
    if function is None:
        names = ", ".join(functions_in(chosen))
        raise WrongUse(f"every function of {chosen.name} is begun: name one of {names}.")
    typer.echo(as_text(chosen, function, stage + more))
    return DONE


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

    course = find_course(Path.cwd()) if submission is None else course_for(submission)
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
    chosen = topic_for(file, topic)
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
        text = json.dumps(filled_notebook(notebook, source), indent=1, ensure_ascii=False)
    except SubmissionError as error:
        raise WrongUse(str(error)) from None
    except NoSuchCells as error:
        raise WrongUse(f"{file}: {error}.") from None
    write_atomically(target, text + "\n")
    typer.echo(f"wrote {target}")
    return DONE
