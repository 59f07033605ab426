"""The command `grader`: thin; what it does lies in the modules that its commands name."""

import sys
from collections.abc import Sequence
from typing import Any

import typer

from grader.cli import authors, grading, students, systems
from grader.cli.shared import COULD_NOT_GRADE, DONE, WRONG_USE, WrongUse
from grader.course import CourseError

_BadArguments: Any = typer.BadParameter.__mro__[2]
"""ClickException, of the click that this typer uses: the installed one or its own."""

app = typer.Typer(
    name="grader",
    help="An autograder for deep-learning exercises.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(grading.check)
app.command("grade")(grading.grade_folder)
app.command("notebook")(students.into_notebook)
app.command()(authors.build)
app.command()(authors.verify)
app.command()(students.figures)
app.command()(students.watch)
app.command()(students.progress)
app.command()(students.hint)


def _group(name: str, words: str) -> typer.Typer:
    """A command with commands of its own, also where it has just one."""
    group = typer.Typer(help=words, rich_markup_mode=None)
    group.callback()(lambda: None)
    app.add_typer(group, name=name)
    return group


_group("export", "Write a topic for another system.").command("gradescope")(
    systems.export_gradescope
)
_group("nbgrader", "The course in nbgrader.").command("init")(systems.nbgrader_init)
new = _group("new", "Skeletons of a topic or a course.")
new.command("topic")(authors.topic_skeleton)
new.command("course")(authors.course_skeleton)


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
