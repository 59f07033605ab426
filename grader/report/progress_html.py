"""Where a student stands, as HTML for a notebook: a row per topic, then what to do next.

Colours are JupyterLab's own variables, so that light and dark themes both read well; elsewhere their fallbacks hold. Nothing is
told by colour alone.
"""

from collections.abc import Sequence
from html import escape

from grader.progress import Standing, what_next
from grader.report.visible import visible

_TEXT = "color: var(--jp-content-font-color1, inherit)"
_FAINT = "color: var(--jp-content-font-color2, inherit)"
_TRACK = "border: 1px solid var(--jp-border-color1, #8888); width: 8em; height: .8em"
_DONE, _PART = "var(--jp-success-color1, #2e7d32)", "var(--jp-brand-color1, #1976d2)"
_CELL = "padding: .15em .8em .15em 0; text-align: left; border: none"
_NUMBER = "padding: .15em .8em .15em 0; text-align: right; border: none; white-space: nowrap"
_COMMAND = "font-family: var(--jp-code-font-family, monospace); white-space: pre"


def progress_html(title: str, found: Sequence[Standing]) -> str:
    """The course's standing; everything from files is escaped.

    Args:
        title: the course's.
        found: of each topic, in order.
    """
    earned, total = sum(one.points for one in found), sum(one.topic.points for one in found)
    rows = "".join(map(_row, found))
    head = "".join(
        f'<th scope="col" style="{_CELL}">{word}</th>' for word in ("topic", "", "points", "")
    )
    return (
        f'<div class="grader-progress" style="{_TEXT}">'
        f"<p><b>{_text(title)}</b>: {earned:g} of {total:g} points</p>"
        f'<table style="border-collapse: collapse; {_TEXT}">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"{_next(found)}</div>"
    )


def _row(one: Standing) -> str:
    topic = one.topic
    state = "done" if one.done else one.note
    name = f"{topic.name[:2]} {_text(topic.title)}"
    return (
        f'<tr style="background: none"><th scope="row" style="{_CELL}; font-weight: normal">{name}</th>'
        f'<td style="{_CELL}">{_bar(one)}</td>'
        f'<td style="{_NUMBER}">{one.points:g} of {topic.points:g}</td>'
        f'<td style="{_CELL}; {_FAINT}">{_text(state)}</td></tr>'
    )


def _bar(one: Standing) -> str:
    percent = 100.0 * one.points / one.topic.points
    colour = _DONE if one.done else _PART
    return (
        f'<div role="img" aria-label="{percent:.0f} percent" style="{_TRACK}">'
        f'<div style="width: {percent:.4g}%; height: 100%; background: {colour}"></div></div>'
    )


def _next(found: Sequence[Standing]) -> str:
    first, *lines = what_next(found)
    commands = [line.strip() for line in lines if line.startswith("  grader ")]
    words = [line.strip() for line in lines if not line.startswith("  grader ")]
    return (
        f"<p><b>{_text(first)}</b></p>"
        + "".join(f"<p>{_text(line)}</p>" for line in words)
        + "".join(f'<div style="{_COMMAND}">{_text(line)}</div>' for line in commands)
    )


def _text(text: str) -> str:
    return escape(visible(text))
