"""The outcome of a check as a piece of HTML, for the output of a notebook's cell; styles inline, everything escaped.

Colours are JupyterLab's own variables, so that light and dark themes both read well; elsewhere their fallbacks hold. Words have
the colour of text, since the greens and oranges of a theme are too pale to be read: the verdict's colour is a bar beside them.
"""

from html import escape

from grader.course import Topic
from grader.grading import CheckResult
from grader.report.pointer import pointer
from grader.report.visible import visible

_BARS = {
    "passed": "var(--jp-success-color1, #2e7d32)",
    "missing": "var(--jp-warn-color1, #f57c00)",
}
_WRONG = "var(--jp-error-color1, #d32f2f)"
_TEXT = "color: var(--jp-content-font-color1, inherit)"
_LINE = "margin: .2em 0"
_PRE = (
    "white-space: pre-wrap; overflow-x: auto; margin: .4em 0; padding: .5em .8em; "
    f"background: var(--jp-layout-color2, #8881); {_TEXT}"
)


def cell_html(check: CheckResult, notes: tuple[str, ...] = (), topic: Topic | None = None) -> str:
    """Verdict, title and points; what is wrong, the smallest case, and the misconception if it is recognized.

    Args:
        check: the outcome.
        notes: what a reader must know beside it.
        topic: whose text the last line points into.
    """
    worth = f"({check.points:g} of {check.max_points:g} points)"
    verdict = f"<b>{escape(check.verdict)}:</b>"
    parts = [f'<p style="{_LINE}">{verdict} {_text(check.title)} {worth}</p>']
    parts += [f'<p style="{_LINE}"><i>{_text(note)}</i></p>' for note in notes]
    if check.message:
        headline, _, details = check.message.partition("\n")
        parts.append(f'<p style="{_LINE}"><b>{_text(headline)}</b></p>')
        if details:
            parts.append(f'<pre style="{_PRE}">{_text(details)}</pre>')
    if check.smallest_case:
        parts.append(f'<p style="{_LINE}">The smallest case found that shows it:</p>')
        parts.append(f'<pre style="{_PRE}">{_text(check.smallest_case)}</pre>')
    if check.misconception is not None:
        parts.append(
            f'<p style="{_LINE}">A known mistake behaves just like this. '
            f"{_text(check.misconception.text)}</p>"
        )
    if topic is not None and check.verdict not in ("passed", "missing"):
        where = pointer(topic, check.name, check.message.partition("\n")[0])
        parts += [f'<p style="{_LINE}">{_text(where)}</p>'] if where else []
    bar = _BARS.get(check.verdict, _WRONG)
    style = f"border-left: 4px solid {bar}; padding-left: .8em; {_TEXT}"
    name = f"grader-check grader-{check.verdict}"
    return f'<div class="{name}" style="{style}">{"".join(parts)}</div>'


def _text(text: str) -> str:
    return escape(visible(text))
