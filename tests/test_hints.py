"""`grader hint`: stages from the topic's text, none of them the code."""

from pathlib import Path

import pytest

from grader.build import build
from grader.cli import run
from grader.content.regions import regions
from grader.course import load_course
from grader.hints import first_unwritten, function_of, functions_in, hints_for

COURSE = load_course(Path(__file__).parent.parent)
OTHER = load_course(Path(__file__).parent / "courses/plain_numpy")
TOPICS = [*COURSE.topics, *OTHER.topics]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_function_has_hints_and_none_has_the_code(topic):
    """Three stages at least in this course; no line of a solution that the stub lacks."""
    source = topic.source.read_text(encoding="utf-8").split("\n")
    stub = topic.stub.read_text(encoding="utf-8")
    secret = {
        line.strip()
        for region in regions(source, "source")
        for line in source[region.begin + 1 : region.end]
        if len(line.strip()) > 20 and line.strip() not in stub
    }
    assert secret
    for function in functions_in(topic):
        hints = hints_for(topic, function)
        assert len(hints) >= (3 if topic in COURSE.topics else 2)
        text = "\n".join(hint.text for hint in hints)
        assert not [line for line in secret if line in text]


def test_the_stages_of_a_function():
    """What it does, what is looked at, the text, then each marked hint."""
    hints = hints_for(OTHER.topic("signals"), "moving_average")
    assert [hint.heading for hint in hints] == [
        "What it must do",
        "What the checks look at",
        "The text that leads to it",
        "Hint",
        "Hint",
    ]
    assert "Raises:" in hints[0].text
    assert "Each full window gives its mean." in hints[1].text
    assert "Only full windows count" in hints[2].text
    assert "cumulative" not in hints[2].text
    assert [hint.text.split(".")[0] for hint in hints[3:]] == [
        "the sum of a window is a difference of two\ncumulative sums",
        "a window of 1 changes nothing",
    ]


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course with a hint, built, as the working directory."""
    small_course.change(
        "solutions/01_doubling/doubling.py",
        "# Twice as much: $y = 2x$.",
        "# Twice as much: $y = 2x$.\n#\n# *Hint:* how often is x in 2x?",
    )
    build(load_course(small_course.root).topics)
    monkeypatch.chdir(small_course.root)
    return small_course


def test_stages_by_number_and_by_more(course, capsys):
    """`--more` is one stage more; the end is said."""
    assert run(["hint", "01", "double"]) == 0
    first = capsys.readouterr().out
    assert "double(x)" in first
    assert "how often" not in first
    assert "3 more: add --stage 2" in first
    assert run(["hint", "01", "double", "--stage", "2", "--more", "--more"]) == 0
    last = capsys.readouterr().out
    assert "how often is x in 2x?" in last
    assert "That was the last one." in last


def test_a_method_is_its_class(course, capsys):
    """Checks and reports write `Counter.step`; the help is that of the class."""
    assert run(["hint", "1", "Counter.step"]) == 0
    of_the_method = capsys.readouterr().out
    assert of_the_method.startswith("01_doubling: Counter\n")
    assert run(["hint", "01", "Counter"]) == 0
    assert capsys.readouterr().out == of_the_method


def test_the_first_unwritten_function(course, capsys):
    """It is meant where none is named; where all are begun, their names are asked for."""
    topic = load_course(course.root).topics[0]
    assert first_unwritten(topic) == "double"
    topic.stub.write_bytes(topic.source.read_bytes())
    assert first_unwritten(topic) is None
    assert run(["hint", "doubling"]) == 2
    assert "name one of double, Counter" in capsys.readouterr().err


def test_the_students_file_may_be_in_pieces(course):
    """Text that was deleted, or code that does not compile, is read from the notebook, if it is whole."""
    topic = load_course(course.root).topics[0]
    topic.stub.write_text("def double(x:\n", encoding="utf-8")
    assert "how often" in hints_for(topic, "double")[-1].text
    topic.notebook.write_text('{"cells": [', encoding="utf-8")
    assert [hint.heading for hint in hints_for(topic, "double")] == ["What the checks look at"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hint", "01", "triple"], "topic 01_doubling has no 'triple'; it has: double, Counter."),
        (["hint", "02"], "no topic '02'"),
        (["hint", "01", "double", "--stage", "0"], "--stage"),
    ],
)
def test_wrong_use(course, capsys, arguments, message):
    """One line that names what is there."""
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_without_the_files(course, capsys):
    """The line says where hints come from."""
    for name in ("doubling.py", "doubling.ipynb"):
        (course.exercise / name).unlink()
    assert run(["hint", "01"]) == 2
    assert "hints come from the text in it" in capsys.readouterr().err


def test_the_function_of_a_check():
    """By its name, the longest that fits."""
    topic = COURSE.topic("normalization")
    assert function_of("test_batch_norm_forward_eval", topic) == "batch_norm_forward"
