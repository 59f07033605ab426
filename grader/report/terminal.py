"""A Report in the terminal: every check in a line, the failing ones explained, the points."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.batch import Outcome
from grader.course import Topic
from grader.grading import CheckResult, Report
from grader.report.console import console_for
from grader.report.explanation import SCREEN, laid_out
from grader.report.pointer import pointer
from grader.report.visible import visible
from grader.report.where import WITHOUT_FULL_PROTECTION

STYLES = {
    "passed": "green",
    "failed": "red",
    "error": "red",
    "missing": "yellow",
    "timeout": "red",
}

_NAMED_AT_MOST = 3
"""Topics in a class's table by their names; 80 columns hold no more."""


def print_report(
    report: Report,
    console: Console | None = None,
    *,
    printed: str = "",
    topic: Topic | None = None,
    plain: bool = False,
) -> None:
    """Prints a report, and what the submission printed; only colour tells the verdicts apart twice, so it reads without.

    Args:
        report: what to print.
        console: where to; standard output unless given.
        printed: what the submission printed.
        topic: whose text the explanations point into.
        plain: no colour, no columns, a sentence per check: for screen readers.
    """
    console = console or console_for(plain=plain)
    console.print(Text(f"{visible(report.submission)}: {report.topic}", style="bold"))
    for note in report.notes:
        console.print(Text(visible(note), style="yellow"))
    for check in report.checks:
        console.print(check_line(check, plain=plain))
    told: dict[str, list[CheckResult]] = {}
    for check in report.checks:
        if needs_words(check):
            told.setdefault(explanation(check, topic, at_most=SCREEN), []).append(check)
    for text, (check, *others) in told.items():
        console.print()
        console.print(Text(f"{check.title}  ({check.name})", style="bold"))
        console.print(Text(text))
        if others:
            console.print(Text(f"  The same holds for {', '.join(one.name for one in others)}."))
    if printed:
        console.print(Text("\nThe submission printed (it costs nothing):", style="bold"))
        console.print(Text("\n".join(f"  {line}" for line in visible(printed).splitlines())))
    console.print()
    if where := WITHOUT_FULL_PROTECTION.get(report.settings.sandbox or None):
        console.print(Text(f"graded {where}"))
    console.print(Text(f"{report.points:g} of {report.max_points:g} points", style="bold"))


def print_class(outcomes: Sequence[Outcome], out: Path, console: Console | None = None) -> bool:
    """Prints a table of points and where the reports lie; whether every submission has one."""
    console = console or Console(highlight=False)
    topics = sorted({outcome.task.topic for outcome in outcomes})
    table = Table("student", *_headings(topics), "total")
    students: dict[str, dict[str, float]] = {}
    for outcome in outcomes:
        mine = students.setdefault(outcome.task.student, {})
        if outcome.report is not None:
            mine[outcome.task.topic] = outcome.report.points
    for student, points in students.items():
        cells = [f"{points[topic]:g}" if topic in points else "" for topic in topics]
        table.add_row(Text(visible(student)), *cells, f"{sum(points.values()):g}")
    console.print(table)
    missing = [outcome for outcome in outcomes if outcome.report is None]
    for outcome in missing:
        task = outcome.task
        console.print(
            Text(f"no report: {visible(str(task.path))}: {visible(outcome.problem)}", style="red")
        )
    console.print(Text(f"{out / 'report.html'}, {out / 'grades.csv'}"), soft_wrap=True)
    return not missing


def _headings(topics: Sequence[str]) -> Sequence[str]:
    """The topics' names; their numbers alone where the names would not fit a terminal."""
    numbers = [topic.partition("_")[0] for topic in topics]
    return numbers if len(topics) > _NAMED_AT_MOST and len(set(numbers)) == len(topics) else topics


def needs_words(check: CheckResult) -> bool:
    """Whether the verdict does not say it all: what is not written needs no words unless there are more than that."""
    return check.verdict != "passed" and (
        check.verdict != "missing" or not check.message.endswith("is not written yet.")
    )


def explanation(
    check: CheckResult, topic: Topic | None = None, *, at_most: int | None = None
) -> str:
    """Message, smallest case and misconception of a check, and where the topic explains it, as lines of plain text.

    Args:
        check: what came of it.
        topic: where it belongs; None for no pointer into its text.
        at_most: so many lines of 80 columns, as `laid_out` has it; None for all.
    """
    where = ""
    if topic is not None and check.verdict not in ("missing", "passed"):
        where = pointer(topic, check.name, visible(check.message).partition("\n")[0])
    return laid_out(
        check.message.splitlines(),
        check.smallest_case,
        "" if check.misconception is None else check.misconception.text,
        where,
        at_most=at_most,
    )


def check_line(check: CheckResult, *, plain: bool = False) -> Text:
    """The verdict, the points and the title of a check."""
    if plain:
        points = f"{check.points:g} of {check.max_points:g} points"
        return Text(f"{check.verdict}, {points}: {visible(check.title)}")
    line = Text()
    line.append(f"{check.verdict:>8}", style=STYLES[check.verdict])
    line.append(f"  {check.points:>4g} of {check.max_points:<4g} {check.title}")
    return line
