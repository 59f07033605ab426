"""A Report as Markdown: the step summary of a GitHub Actions job.

What a student wrote is shown in code fences that are longer than any run of backticks in it, or with every character that
Markdown or HTML knows escaped: it cannot end the table, the fence or the section that it stands in.
"""

import re

from grader.grading import CheckResult, Report
from grader.report.terminal import explanation, needs_words
from grader.report.visible import visible
from grader.report.where import in_words

_SIGNS = {"passed": "✅", "failed": "❌", "error": "❌", "missing": "⬜", "timeout": "⏱️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]#!|~@:$]|(?<=www)\.)")  # @, : and www. make links
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def markdown_summary(report: Report) -> str:
    """A table of the checks, then each one that needs words in a section to unfold; ends with an empty line."""
    passed = sum(check.verdict == "passed" for check in report.checks)
    how = f"graded {in_words(report.settings)}, with seed {report.settings.seed}"
    lines = [
        f"### {_text(report.submission)}: {report.points:g} of {report.max_points:g} points",
        "",
        f"{_text(report.topic)}: {passed} of {len(report.checks)} checks passed; {how}.",
        "",
        "| | check | points |",
        "|---|---|---:|",
        *(_row(check) for check in report.checks),
        "",
    ]
    for check in report.checks:
        if needs_words(check):
            lines += _section(check)
    return "\n".join(lines) + "\n"


def _row(check: CheckResult) -> str:
    sign = f"{_SIGNS[check.verdict]} {check.verdict}"
    return f"| {sign} | {_text(check.title)} | {check.points:g} of {check.max_points:g} |"


def _section(check: CheckResult) -> list[str]:
    text = explanation(check)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [
        "<details>",
        f"<summary>{_one_line(f'{check.title} ({check.name})').translate(_HTML)}</summary>",
        "",
        f"{fence}text",
        text,
        fence,
        "",
        "</details>",
        "",
    ]


def _text(text: str) -> str:
    """Plain text of one line; nothing in it is a sign of Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", _one_line(text)).translate(_HTML)


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())
