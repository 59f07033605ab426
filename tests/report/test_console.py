"""Consoles that show what they can: narrow encodings, screen readers."""

import codecs
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.build import build
from grader.cli import run
from grader.course import load_course
from grader.report.console import _readable

ROOT = Path(__file__).parent.parent.parent

GREEK = """
def double(x):
    print("\u03b3 \u2192 \u221e \u6f22")
    raise TypeError("\u03b3 \u2264 0 \u2014 caf\u00e9 \U0001f600")
"""


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course with titles that cp1252 lacks, built, as the working directory."""
    small_course.change("course.toml", '"Doubling"', '"Doubling: \u03b3 \u2192 2\u03b3"')
    build(load_course(small_course.root).topics)
    small_course.write("answer.py", GREEK)
    monkeypatch.chdir(small_course.root)
    return small_course


def ran(encoding, *arguments):
    """The exit code of a command, and all that it printed, on a console of that encoding."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
        timeout=120,
    )
    printed = done.stdout.decode(encoding) + done.stderr.decode(encoding)
    assert "Traceback" not in printed
    assert "UnicodeEncodeError" not in printed
    return done.returncode, printed


@pytest.mark.parametrize(("encoding", "word"), [("cp1252", "caf\u00e9"), ("ascii", "cafe")])
def test_a_narrow_console_reads_a_failure(course, encoding, word):
    """What it lacks is written in other letters."""
    code, printed = ran(encoding, "check", "--in-process", "answer.py", "--topic", "01")
    assert code == 1
    assert "gamma <= 0" in printed
    assert "gamma -> inf" in printed
    assert word in printed


def test_a_narrow_console_reads_the_other_commands(course):
    """Titles and hints too; `watch` is tried in its own tests."""
    code, printed = ran("cp1252", "progress")
    assert (code, "Doubling: gamma -> 2gamma" in printed) == (0, True)
    code, printed = ran("cp1252", "hint", "01", "double")
    assert (code, "What it must do" in printed) == (0, True)


def test_texts_of_this_course_have_a_fallback():
    """No letter of its titles, hints and messages becomes an escape on a console of cp1252."""
    codecs.register_error("test.readable", _readable)
    escape = re.compile(r"\\(?:x|u|U000)[0-9a-f]{2,}")
    for path in sorted(
        [*(ROOT / "exercises").rglob("*.py"), *(ROOT / "grader/checks").glob("*.py")]
    ):
        text = path.read_text(encoding="utf-8")
        shown = text.encode("cp1252", "test.readable").decode("cp1252")
        assert len(escape.findall(shown)) == len(escape.findall(text)), path


@pytest.mark.parametrize("arguments", [["progress"], ["check", "--in-process", "answer.py"]])
def test_no_color_is_heard(course, monkeypatch, capsys, arguments):
    """NO_COLOR (no-color.org) leaves no colour, even on a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    (course.root / "answer.py").rename(course.root / "doubling.py")
    run([one.replace("answer", "doubling") for one in arguments])
    colours = re.findall(r"\x1b\[[\d;]*m", capsys.readouterr().out)
    assert {code for one in colours for code in re.findall(r"\d+", one)} <= {"0", "1", "2"}


@pytest.mark.parametrize(
    "arguments", [["progress"], ["progress", "--plain"], ["hint", "01", "double"]]
)
def test_eighty_columns_are_enough(course, monkeypatch, capsys, arguments):
    """No line of a table is longer; a screen reader gets sentences without bars."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert ("----------" in out) == (arguments == ["progress"])


def test_plain_reports_are_sentences(course, capsys, monkeypatch):
    """No colour even where it is asked for, no columns; verdict and points first."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(["check", "--in-process", "--plain", "solutions/01_doubling/doubling.py"]) == 0
    out = capsys.readouterr().out
    assert "passed, 2 of 2 points: The double of every element.\n" in out
    assert "\x1b" not in out
    assert out.isascii()
