"""Hostile programs in a class: no points for them, and every other student's report as if they were not there."""

import re
from pathlib import Path

import pytest

from grader.course import load_course
from grader.grading import Settings, grade

PROGRAMS = Path(__file__).with_name("programs")
CHECKS = '''\
import numpy as np
from grader import assert_close, points

X = np.arange(6.0).reshape(2, 3)


@points(2, timeout_s=1.0)
def test_double(student):
    """Every element is doubled."""
    assert_close(student.answer(X), 2 * X, what="answer")


@points(1, timeout_s=1.0)
def test_again(student):
    """So it is when asked again."""
    for _ in range(2):
        assert_close(student.answer(X), 2 * X, what="answer")
'''
INVISIBLE = set("\x1b\x00\u202e\u2066\u200b\ufeff\ud800\udfff")
HONEST = "def answer(x):\n    return x + x\n"
SLOW = ("denial/endless_loop", "protocol/half_reply")


def required(path):
    """The outcome that a program's docstring requires."""
    return re.search(r"^Outcome: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)[1]


def chosen(kind):
    """The programs of a kind; of those that wait for the clock only some."""
    for path in sorted((PROGRAMS / kind).glob("*.py")):
        if required(path) != "timeout" or f"{kind}/{path.stem}" in SLOW:
            yield path


@pytest.fixture(scope="module")
def topic(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    (root / "course.toml").write_text(
        'format = 1\ntitle = "A"\n[[topic]]\nname = "01_answer"\ntitle = "A"\npoints = 3\n'
    )
    for folder in ("exercises/01_answer", "solutions/01_answer"):
        (root / folder).mkdir(parents=True)
    (root / "exercises/01_answer/test_answer.py").write_text(CHECKS)
    (root / "solutions/01_answer/answer.py").write_text(HONEST)
    return load_course(root).topics[0]


def report(path, topic):
    """A report's JSON but for the seconds, and its points."""
    graded = grade(path, topic, Settings(isolated=True))
    return re.sub(rb'"seconds": [0-9.e-]+', b"", graded.to_json()), graded


@pytest.mark.parametrize(
    "kind", ["contamination", "denial", "forgery", "injection", "protocol", "theft"]
)
def test_class(kind, topic, tmp_path):
    """An honest score or none, a message wherever points are lost, and the next student's report unchanged."""
    honest = tmp_path / "answer.py"
    honest.write_text(HONEST)
    first, graded = report(honest, topic)
    assert graded.points == 3.0
    for number, path in enumerate(chosen(kind)):
        _, graded = report(path, topic)
        is_honest = required(path) == "honest"
        assert graded.points == (3.0 if is_honest else 0.0), path
        for check in graded.checks:
            assert (check.verdict == "passed") == is_honest, path
            assert check.message or check.verdict == "passed", path
            assert not set(check.message) & INVISIBLE, path
        if number % 8 == 0:
            assert report(honest, topic)[0] == first, path
