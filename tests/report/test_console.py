"""Consoles that show what they can: narrow encodings, screen readers."""

import os
import subprocess
import sys

import pytest

from grader.build import build
from grader.cli import run
from grader.course import load_course

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


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--in-process", "answer.py", "--topic", "01"],
        ["progress"],
        ["hint", "01", "double"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_encoding_is_too_narrow(course, encoding, arguments):
    """What a console lacks is written in other letters; nothing raises."""
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
    if arguments[0] == "check":
        assert done.returncode == 1
        assert "gamma <= 0" in printed
        assert "gamma -> inf" in printed
        assert ("caf\u00e9" if encoding == "cp1252" else "cafe") in printed
    else:
        assert done.returncode == 0
    if arguments[0] == "progress":
        assert "Doubling: gamma -> 2gamma" in printed


def test_plain_reports_are_sentences(course, capsys, monkeypatch):
    """No colour even where it is asked for, no columns; verdict and points first."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(["check", "--in-process", "--plain", "solutions/01_doubling/doubling.py"]) == 0
    out = capsys.readouterr().out
    assert "passed, 2 of 2 points: The double of every element.\n" in out
    assert "\x1b" not in out
    assert out.isascii()
