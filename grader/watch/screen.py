"""One screen: the checks with their points, what changed since the last save, the first failure in full."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from grader.course import Topic
from grader.grading import CheckResult
from grader.progress import bar
from grader.report.explanation import SCREEN, laid_out
from grader.report.terminal import STYLES, check_line, explanation
from grader.report.visible import visible
from grader.watch.runs import Run

KEYS = "n next topic   h hint   l list   q quit"
_NOW = {
    "passed": "passes",
    "failed": "fails",
    "error": "ends in an error",
    "missing": "is missing",
    "timeout": "times out",
}
_CHANGES_AT_MOST = 5
_PRINTED_AT_MOST = 5


def changes(before: Run | None, now: Run) -> list[str]:
    """What is another verdict than after the last save, the gained before the lost; the points first."""
    if before is None or not before.whole or not now.whole:
        return []
    old = {result.name: result.verdict for result in before.results}
    moved = [one for one in now.results if old.get(one.name, one.verdict) != one.verdict]
    moved.sort(key=lambda one: one.verdict != "passed")
    lines = [
        f"{'+' if one.verdict == 'passed' else '-'} {one.name} {_NOW[one.verdict]} now"
        for one in moved
    ]
    if len(lines) > _CHANGES_AT_MOST:
        lines = [*lines[: _CHANGES_AT_MOST - 1], f"and {len(lines) - _CHANGES_AT_MOST + 1} more"]
    difference = now.points - before.points
    return [f"{difference:+g} points", *lines] if difference else lines


def draw(
    console: Console,
    topic: Topic,
    run: Run | None,
    before: Run | None,
    *,
    panel: str = "",
    plain: bool = False,
) -> None:
    """Draws everything.

    Args:
        console: where to.
        topic: the topic.
        run: the run of this save; None while there is no file to judge.
        before: the last complete run before it.
        panel: a hint or the list, in the place of the failure.
        plain: nothing is cleared, no colour: for screen readers, and for output that is no terminal.
    """
    live = console.is_terminal and not plain
    body = _body(topic, run, panel)
    height = console.size.height if live else 10**6
    room = height - _rows(body, console.width) - 9
    lines = [_title(topic, run), *_verdicts(run, before, room, plain=plain)]
    if live:
        lines = [_cut(line, console.width) for line in lines]
    left = height - len(lines) - _rows(body, console.width) - 4
    lines += _news(changes(before, run) if run is not None else [], left)
    if live:
        body = _fitting(body, height - len(lines) - 4, console.width)
    lines += [Text(""), *body, Text(""), Text(KEYS, style="dim")]
    if live:
        _write_over(console, lines)
    else:
        console.print(*lines, sep="\n")


def _news(news: Sequence[str], room: int) -> list[Text]:
    """What changed, on one line where there is no room: the failure is more than that."""
    if not news:
        return []
    if len(news) + 1 <= room:
        head = Text("since the last save:", style="bold")
        return [head, *(Text(f"  {one}") for one in news)]
    moved = [one for one in news if not one.endswith("points")]
    words = [one for one in news if one.endswith("points")]
    words += [f"{moved[0]}, and {len(moved) - 1} more"] if len(moved) > 1 else moved
    return [Text("since the last save: ", style="bold").append(", ".join(words), style="not bold")]


def _write_over(console: Console, lines: Sequence[Text]) -> None:
    """Draws over the last screen, in one piece: nothing flickers."""
    if console.legacy_windows:
        console.clear()
        console.print(*lines, sep="\n")
        return
    with console.capture() as captured:
        console.print(*lines, sep="\n")
    text = captured.get().replace("\n", "\x1b[K\n")  # to the end of the row
    console.file.write(f"\x1b[H{text}\x1b[J")  # from the corner; nothing below


def _rows(lines: Sequence[Text], width: int) -> int:
    return sum(max(1, -(-len(line) // width)) for line in lines)


def _fitting(lines: list[Text], rows: int, width: int) -> list[Text]:
    """As many lines as there is room for, at least three; then how many are left."""
    shown = list(lines)
    while len(shown) > 3 and _rows(shown, width) > rows - (len(shown) < len(lines)):
        shown.pop()
    left = len(lines) - len(shown)
    return [*shown, Text(f"... {left} more lines", style="dim")] if left else shown


def _cut(line: Text, width: int) -> Text:
    """One row: what is too long ends in dots."""
    if len(line) > width:
        line.truncate(width - 3)
        line.append("...")
    return line


def _title(topic: Topic, run: Run | None) -> Text:
    text = Text(f"{topic.name}: {visible(topic.title)}", style="bold")
    if run is not None:
        clock = time.strftime("%H:%M:%S")
        text.append(
            f"   {visible(run.file.name)} at {clock}, {run.seconds:.2f} s", style="not bold dim"
        )
    return text


def _verdicts(run: Run | None, before: Run | None, room: int, *, plain: bool) -> list[Text]:
    if run is None:
        return []
    if run.note:
        last = f"; after the last good save {_points(before)}" if before is not None else ""
        return [Text(f"no verdict yet{last}")]
    lines = _folded(run.results, room, plain=plain)
    whole = sum(result.max_points for result in run.results)
    if not run.whole:
        return [
            *lines,
            Text(f"{len(run.found)} of {len(run.names)} checks so far ...", style="dim"),
        ]
    drawing = "" if plain else f"   {bar(run.points, whole)}"
    left = f"   {run.left} ..." if run.left else ""
    return [
        *lines,
        Text(f"{_points(run)}{drawing}", style="bold").append(left, style="not bold dim"),
    ]


def _points(run: Run) -> str:
    whole = sum(result.max_points for result in run.results)
    return f"{run.points:g} of {whole:g} points"


def _folded(results: Sequence[CheckResult], room: int, *, plain: bool) -> list[Text]:
    """A line per check; where there is no room, the passed and then the unwritten ones become a count."""
    counts: list[Text] = []
    shown = list(results)
    for verdict in ("passed", "missing"):
        these = [one for one in shown if one.verdict == verdict]
        if len(shown) + len(counts) > room and len(these) > 1:
            shown = [one for one in shown if one.verdict != verdict]
            points = sum(one.max_points for one in these)
            line = Text(f"{verdict:>8}", style=STYLES[verdict])
            counts.append(line.append(f"  {len(these)} checks, {points:g} points"))
    return [*counts, *(check_line(one, plain=plain) for one in shown)]


def _body(topic: Topic, run: Run | None, panel: str) -> list[Text]:
    if panel:
        return [Text(line) for line in panel.splitlines()]
    if run is None:
        return []
    if run.note:
        head, *rest = visible(run.note).splitlines()
        return [Text(head, style="yellow"), *(Text(f"  {line}") for line in rest)]
    lines = _failure(topic, run)
    if run.printed.strip():
        printed = visible(run.printed).rstrip().splitlines()
        lines += [Text(""), Text("it printed:", style="bold")]
        lines += [Text(f"  {line}") for line in printed[:_PRINTED_AT_MOST]]
        if len(printed) > _PRINTED_AT_MOST:
            lines.append(Text(f"  and {len(printed) - _PRINTED_AT_MOST} more lines"))
    return lines


def _failure(topic: Topic, run: Run) -> list[Text]:
    first = run.first_failure
    if first is None:
        done = "Everything passes. n goes on to the next topic." if run.complete else ""
        return [Text(done, style="green")] if done else []
    head = Text(f"{visible(first.title)}  ({first.name})", style="bold")
    if first.name not in run.explained and first.verdict in ("failed", "error"):
        searched = "the smallest case that shows it is being searched ..."
        words = laid_out([*first.message.splitlines(), searched], "", "", "", at_most=SCREEN)
    else:
        words = explanation(first, topic, at_most=SCREEN)
    return [head, *map(Text, words.splitlines())]
