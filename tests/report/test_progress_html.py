"""`progress()` in a notebook: HTML that is readable in light and dark themes, and safe."""

import re
import sys
from xml.etree import ElementTree as ET

import pytest

from grader.build import build
from grader.course import load_course
from grader.progress import Standing, progress
from grader.report.progress_html import progress_html


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course with a title that is no HTML, built, as the working directory."""
    small_course.change("course.toml", '"Doubling"', '"<i>Doubling</i> & more"')
    course = load_course(small_course.root)
    build(course.topics)
    monkeypatch.chdir(small_course.root)
    return course


def texts(html):
    """What is read, in order; fails where the HTML is not well formed."""
    return [text.strip() for text in ET.fromstring(html).itertext() if text.strip()]


def test_a_course_that_is_begun(course):
    """Points, a bar with a name, what is wrong, what to do next; nothing of a file becomes HTML."""
    topic = course.topics[0]
    html = progress_html("A & B", [Standing(topic, 1, note="<b>a loop?</b>")])
    words = texts(html)
    assert words[:2] == ["A & B", ": 1 of 3 points"]
    assert "01 <i>Doubling</i> & more" in words
    assert "1 of 3" in words
    assert "<b>a loop?</b>" in words
    assert any(word.startswith("grader watch 01") for word in words)
    assert 'aria-label="33 percent"' in html
    assert "width: 33.33%" in html


def test_a_course_that_is_done(course):
    """Said in words, not by colour alone."""
    words = texts(progress_html("A", [Standing(course.topics[0], 3)]))
    assert "done" in words
    assert words[-1].startswith("Nothing is left to do")


def test_colours_are_the_themes_own(course):
    """Each is a variable of JupyterLab with a fallback: none is right for a light and a dark page."""
    html = progress_html("A", [Standing(course.topics[0], 1), Standing(course.topics[0], 3)])
    colours = re.findall(r"(?:color|background|border): ([^;\"]+)", html)
    assert len(colours) > 5
    for colour in colours:
        assert re.match(r"(1px solid )?var\(--jp-[\w-]+, ", colour) or colour == "none"


def test_in_a_notebook_and_without_one(course, monkeypatch, capsys):
    """IPython gets HTML; plain Python prints sentences."""
    shown = []
    import IPython.display

    monkeypatch.setattr(IPython.display, "display", shown.append)
    progress()
    assert "0 of 3 points" in shown[0].data
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    progress()
    out = capsys.readouterr().out
    assert "01 <i>Doubling</i> & more: 0 of 3 points, not done yet\n" in out


def test_the_notebooks_door_leads_to_it(course, capsys, monkeypatch):
    """`from grader.notebook import check, progress` is all that a notebook imports."""
    from grader import notebook

    monkeypatch.setitem(sys.modules, "IPython.display", None)
    notebook.progress()
    assert "0 of 3 points\n" in capsys.readouterr().out
