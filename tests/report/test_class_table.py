"""The class in the terminal: it fits 80 columns however many topics there are."""

import io
from pathlib import Path

from rich.console import Console

from grader.batch import Outcome, Task
from grader.report.terminal import print_class


def shown(topics):
    """The table of one student, on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    outcomes = [Outcome(Task("ada", topic, Path("ada.py")), None, "unread") for topic in topics]
    print_class(outcomes, Path("out"), console)
    return console.file.getvalue()


def test_few_topics_have_their_names():
    """As they are in course.toml."""
    assert "04_normalization" in shown(["04_normalization", "05_dropout"])


def test_many_topics_have_their_numbers():
    """Nothing is cut short."""
    topics = [f"{number:02}_a_topic_of_the_course" for number in range(1, 13)]
    text = shown(topics)
    heading = next(line for line in text.splitlines() if "student" in line)
    assert [word for word in heading.split() if word.isdigit()] == [t[:2] for t in topics]
    assert "…" not in text
    assert "total" in heading


def test_topics_without_numbers_keep_their_names():
    """A number tells them apart only where each has its own."""
    text = shown(["a_one", "a_two", "b_three", "c_four"])
    assert all(name in text for name in ("a_one", "a_two", "b_three", "c_four"))
