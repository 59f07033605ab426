"""What `check(...)` shows in a cell: HTML in the colours of the theme, and nothing of a submission becomes HTML."""

import re
from xml.etree import ElementTree as ET

import pytest

from grader.grading import CheckResult, Misconception
from grader.report.cell_html import cell_html


def result(verdict, **parts):
    """The outcome of a check of two points."""
    points = 2.0 if verdict == "passed" else 0.0
    parts = {"message": "", "smallest_case": "", "misconception": None, **parts}
    return CheckResult(
        "test_a", "a < b & c", points, 2.0, verdict, parts.pop("message"),
        parts.pop("smallest_case"), parts.pop("misconception"), 0.0,
    )  # fmt: skip


WRONG = result(
    "failed",
    message="a is <b>1</b>\n<script>alert(1)</script>",
    smallest_case="x = <i>",
    misconception=Misconception("square", "a <u>mistake</u>"),
)


def test_what_is_read():
    """Verdict, title and points; the headline and what follows; the smallest case; the known mistake. All of it as text."""
    tree = ET.fromstring(cell_html(WRONG, ("the file <answer.py> was graded",)))
    assert [text.strip() for text in tree.itertext()] == [
        "failed:",
        "a < b & c (0 of 2 points)",
        "the file <answer.py> was graded",
        "a is <b>1</b>",
        "<script>alert(1)</script>",
        "The smallest case found that shows it:",
        "x = <i>",
        "A known mistake behaves just like this. a <u>mistake</u>",
    ]
    assert {one.tag for one in tree.iter()} == {"div", "p", "b", "i", "pre"}


@pytest.mark.parametrize("verdict", ["passed", "failed", "error", "missing", "timeout"])
def test_colours_are_the_themes_own(verdict):
    """Each is a variable of JupyterLab with a fallback, and the verdict is told in words."""
    html = cell_html(result(verdict, message="one\ntwo"))
    assert ET.fromstring(html).get("class") == f"grader-check grader-{verdict}"
    assert "".join(ET.fromstring(html).itertext()).startswith(f"{verdict}: ")
    colours = re.findall(r"(?:color|background|border-left): ([^;\"]+)", html)
    assert len(colours) == 4
    for colour in colours:
        assert re.match(r"(4px solid )?var\(--jp-[\w-]+, [#\w]+\)$", colour)
