"""The shipped course: every right answer has full marks, every stub none; each wrong answer is rejected by `grader verify`.

`benchmarks/seeds.py` runs the right answers over 200 seeds; here each meets one other than the students' own.
"""

from pathlib import Path

import pytest

from grader.course import load_course
from grader.diagnosis.fingerprints import fingerprints_of
from grader.diagnosis.misconceptions import load_misconceptions
from grader.grading import Settings, grade

ROOT = Path(__file__).parent.parent
COURSE = load_course(ROOT)
SETTINGS = Settings(seed=20, examples=4, isolated=False)
ANSWERS = sorted((Path(__file__).parent / "right_answers").glob("*/*.py"))


def topic_named(name):
    return next(topic for topic in COURSE.topics if topic.name == name)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_right_answers_have_full_marks(path):
    """However they are written."""
    report = grade(path, topic_named(path.parent.name), SETTINGS)
    assert [
        (check.name, check.message) for check in report.checks if check.verdict != "passed"
    ] == []
    assert report.points == report.max_points == 20


@pytest.mark.parametrize("topic", COURSE.topics, ids=lambda topic: topic.name)
def test_every_topic_has_five_right_answers_and_torch(topic):
    """In styles of their own."""
    names = {path.stem for path in ANSWERS if path.parent.name == topic.name}
    assert "torch_reference" in names
    assert len(names) >= 5


@pytest.mark.parametrize("topic", COURSE.topics, ids=lambda topic: topic.name)
def test_every_topic_has_a_bank(topic):
    """Thirty wrong answers or more; `grader verify` proves that each is rejected, and `make lint` runs it."""
    fingerprints = fingerprints_of(topic)
    assert len(fingerprints.misconceptions) == len(load_misconceptions(topic.misconceptions)) >= 30
    assert topic.fingerprints.stat().st_size < 200_000


@pytest.mark.parametrize("topic", COURSE.topics, ids=lambda topic: topic.name)
def test_every_stub_is_missing(topic):
    """A student who has written nothing has no points, and is told so calmly."""
    report = grade(topic.stub, topic, SETTINGS)
    assert {check.verdict for check in report.checks} == {"missing"}
    assert report.points == 0
