"""A Report in the terminal: every check in a line, the failing ones explained, the points."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.batch import Outcome
from grader.grading import CheckResult, Report
from grader.report.visible import visible

_STYLES = {
    "passed": "green",
    "failed": "red",
    "error": "red",
    "missing": "yellow",
    "timeout": "red",
}


def print_report(report: Report, console: Console | None = None) -> None:
    """Prints a report; only colour tells the verdicts apart twice, so it reads without."""
    console = console or Console(highlight=False, soft_wrap=True)
    console.print(Text(f"{visible(report.submission)}: {report.topic}", style="bold"))
    for check in report.checks:
        console.print(_line(check))
    for check in report.checks:
        if check.verdict not in ("passed", "missing"):
            console.print()
            console.print(Text(f"{check.title}  ({check.name})", style="bold"))
            console.print(Text(explanation(check)))
    console.print()
    if not report.settings.isolated:
        console.print(Text("graded in this process, without a sandbox"))
    console.print(Text(f"{report.points:g} of {report.max_points:g} points", style="bold"))


def print_class(outcomes: Sequence[Outcome], out: Path, console: Console | None = None) -> bool:
    """Prints a table of points and where the reports lie; whether every submission has one."""
    console = console or Console(highlight=False)
    topics = sorted({outcome.task.topic for outcome in outcomes})
    table = Table("student", *topics, "total")
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


def explanation(check: CheckResult) -> str:
    """Message, smallest case and misconception of a check, as lines of plain text."""
    headline, *details = visible(check.message).splitlines() or [""]
    lines = [headline, *(f"  {line}" for line in details)]
    if check.smallest_case:
        lines += ["", "  the smallest case found that shows it:"]
        lines += [f"    {line}" for line in visible(check.smallest_case).splitlines()]
    if check.misconception is not None:
        lines += ["", f"  {check.misconception.text}"]
    return "\n".join(lines)


def _line(check: CheckResult) -> Text:
    line = Text()
    line.append(f"{check.verdict:>8}", style=_STYLES[check.verdict])
    line.append(f"  {check.points:>4g} of {check.max_points:<4g} {check.title}")
    return line
