"""One screen: what fits, what is folded, what changed."""

import io
import re
import time
from dataclasses import replace

import pytest
from rich.console import Console

from grader.grading import Settings
from grader.watch.judging import Judge
from grader.watch.screen import changes, draw


@pytest.fixture
def runs(topic):
    """The run after a save of the stub, of the solution, of a wrong answer, and of no Python."""
    judge = Judge(topic, Settings(examples=0, isolated=False))
    source = topic.source.read_text(encoding="utf-8")
    texts = {
        "stub": topic.stub.read_text(encoding="utf-8"),
        "right": source,
        "wrong": source.replace("return _twice(x)", "print('here')\n    return x * x"),
        "no Python": "def double(x:",
    }
    found = {}
    for name, text in texts.items():
        topic.stub.write_text(text, encoding="utf-8")
        *_, found[name] = judge.run(topic.stub, time.monotonic())
    judge.close()
    return found


def drawn(*arguments, height=40, terminal=True, **options):
    """The screen as text."""
    file = io.StringIO()
    console = Console(
        file=file, width=80, height=height, force_terminal=terminal, color_system=None
    )
    draw(console, *arguments, **options)
    return file.getvalue()


def read(*arguments, **options):
    """The same as one reads it: without what moves the cursor."""
    return re.sub(r"\x1b\[\w", "", drawn(*arguments, **options))


def test_a_wrong_answer(topic, runs):
    """Checks with points, the change, the first failure in full, what it printed, the keys; all within 80 columns."""
    screen = read(topic, runs["wrong"], runs["right"])
    assert "passed     1 of 1    A counter goes up by one." in screen
    assert "failed     0 of 2    The double of every element." in screen
    assert "1 of 3 points   ###-------" in screen
    assert "since the last save:\n  -2 points\n  - test_double fails now\n" in screen
    assert "The double of every element.  (test_double)" in screen
    assert "double is 9 at [1], but should be -6." in screen
    assert "expected: [2. -6.]" in " ".join(screen.split()).replace(", ", " ")
    assert "it printed:\n  here\n" in screen
    assert screen.rstrip().endswith("n next topic   h hint   l list   q quit")
    assert max(map(len, screen.splitlines())) <= 80


def test_full_marks_and_the_stub(topic, runs):
    """What is gained is listed; the stub is told what is missing."""
    screen = read(topic, runs["right"], runs["stub"])
    assert "  +3 points\n  + test_double passes now\n  + test_counting passes now\n" in screen
    assert "Everything passes." in screen
    assert "`double` is not written yet." in read(topic, runs["stub"], None)


def test_a_low_terminal_folds_what_passes(topic, runs):
    """So that the failure stays in sight."""
    assert "passed  2 checks, 3 points" in drawn(topic, runs["right"], None, height=10)


def test_what_is_not_known_yet(topic, runs):
    """The points so far and what is still running; the failure's message before its smallest case."""
    run = replace(runs["wrong"], left="25 random examples of each are running", explained=set())
    screen = read(topic, run, runs["right"])
    assert "1 of 3 points   ###-------   25 random examples of each are running ..." in screen
    assert "double is 9 at [1], but should be -6." in screen
    assert "the smallest case that shows it is being searched ..." in screen
    run = replace(run, found={})
    assert "0 of 2 checks so far ..." in read(topic, run, None)


def test_a_low_terminal_cuts_the_failure_last(topic, runs):
    """The keys stay in sight; how much is missing is said."""
    screen = read(topic, runs["wrong"], runs["right"], height=16)
    assert "more lines" in screen
    assert "since the last save: -2 points, - test_double fails now\n" in screen
    assert len(screen.splitlines()) <= 16
    assert screen.rstrip().endswith("q quit")


def test_no_verdict(topic, runs):
    """The reason, and the points of the last good save."""
    screen = read(topic, runs["no Python"], runs["right"])
    assert "no verdict yet; after the last good save 3 of 3 points" in screen
    assert "doubling.py is not valid Python: line 1" in screen


def test_plain(topic, runs):
    """Nothing is cleared or drawn; a sentence per check."""
    screen = drawn(topic, runs["wrong"], runs["right"], plain=True)
    assert "\x1b" not in screen
    assert "failed, 0 of 2 points: The double of every element." in screen
    assert "###" not in screen
    assert "\x1b" in drawn(topic, runs["wrong"], runs["right"])


def test_nothing_changed(runs):
    """No heading without news."""
    assert changes(runs["right"], runs["right"]) == []
    assert changes(None, runs["right"]) == []
    assert changes(runs["right"], runs["no Python"]) == []
