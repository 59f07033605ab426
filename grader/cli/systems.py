"""A course in other systems: nbgrader, Gradescope."""

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.shared import DONE, WrongUse, without_nbgrader
from grader.course import find_course


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
        raise without_nbgrader(error) from None
    written = init_course(course, folder, course_id=course_id, db_url=db)
    typer.echo(f"{folder}: {len(written)} files written")
    return DONE
