"""The outcome of a check as a piece of HTML, for the output of a notebook's cell; styles inline, everything escaped."""

from html import escape

from grader.grading import CheckResult
from grader.report.visible import visible

_COLOURS = {"passed": "#1a7f37", "missing": "#7a6000"}
_WRONG = "#b3261e"
_PRE = (
    "white-space: pre-wrap; overflow-x: auto; margin: .4em 0; padding: .5em .8em; background: #8881"
)


def cell_html(check: CheckResult, notes: tuple[str, ...] = ()) -> str:
    """Verdict, title and points; what is wrong, the smallest case, and the misconception if it is recognized."""
    colour = _COLOURS.get(check.verdict, _WRONG)
    worth = f"({check.points:g} of {check.max_points:g} points)"
    verdict = f'<b style="color: {colour}">{escape(check.verdict)}</b>'
    parts = [f'<p style="margin: .2em 0">{verdict} {_text(check.title)} {worth}</p>']
    parts += [f"<p><i>{_text(note)}</i></p>" for note in notes]
    if check.message:
        headline, _, details = check.message.partition("\n")
        parts.append(f'<p style="margin: .2em 0"><b>{_text(headline)}</b></p>')
        if details:
            parts.append(f'<pre style="{_PRE}">{_text(details)}</pre>')
    if check.smallest_case:
        parts.append('<p style="margin: .2em 0">The smallest case found that shows it:</p>')
        parts.append(f'<pre style="{_PRE}">{_text(check.smallest_case)}</pre>')
    if check.misconception is not None:
        parts.append(
            '<p style="margin: .2em 0">A known mistake behaves just like this. '
            f"{_text(check.misconception.text)}</p>"
        )
    return f'<div class="grader-check grader-{check.verdict}">{"".join(parts)}</div>'


def _text(text: str) -> str:
    return escape(visible(text))
