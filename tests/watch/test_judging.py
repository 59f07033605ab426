"""A watched file has the verdict that grading gives it, however it came to be what it is."""

import time
from multiprocessing import Pipe
from pathlib import Path

import msgspec
import numpy as np
import pytest

from grader.content.text_rules import wrong_answer
from grader.course import load_course
from grader.diagnosis.misconceptions import load_misconceptions
from grader.grading import Settings, grade
from grader.watch.judging import Judge
from grader.watch.runs import Superseded

COURSE = Path(__file__).parent.parent / "courses/plain_numpy"
SETTINGS = Settings(examples=0, isolated=False)


def last(runs):
    """The run at its end."""
    *_, run = runs
    return run


def judged(judge, file, text):
    """The run after a save."""
    file.write_text(text, encoding="utf-8")
    return last(judge.run(file, time.monotonic()))


@pytest.fixture
def judge(topic):
    """Of the small topic; nothing newer ever comes."""
    judge = Judge(topic, SETTINGS)
    yield judge
    judge.close()


@pytest.mark.parametrize(("name", "forks"), [("signals", True), ("words", False)])
def test_verdicts_of_a_history_are_those_of_grading(tmp_path, name, forks):
    """Save after save, wrong answers among them: points and verdicts agree, and so does the first failure."""
    topic = load_course(COURSE).topic(name)
    settings = Settings(examples=4, isolated=False)
    judge = Judge(topic, settings, forks=forks)
    file = tmp_path / topic.stub.name
    wrong = [wrong_answer(one, topic).decode() for one in load_misconceptions(topic.misconceptions)]
    source, stub = (path.read_text(encoding="utf-8") for path in (topic.source, topic.stub))
    shifted = wrong[1].replace("\n\n", "\n\n# a line more\n", 1)
    for text in (stub, source, *wrong, wrong[1], shifted, source):
        run = judged(judge, file, text)
        report = grade(file, topic, settings)
        assert [(one.name, one.verdict) for one in run.results] == [
            (one.name, one.verdict) for one in report.checks
        ]
        assert run.points == report.points
        wrong_ones = [one for one in report.checks if one.verdict not in ("passed", "missing")]
        if wrong_ones:
            first = msgspec.structs.replace(run.first_failure, seconds=0)
            assert first == msgspec.structs.replace(wrong_ones[0], seconds=0)
    judge.close()


def test_only_what_changed_runs_again(topic, judge, monkeypatch):
    """A save that changes one function runs the checks of that function."""
    source = topic.source.read_text(encoding="utf-8")
    assert judged(judge, topic.stub, source).points == 3
    ran = []
    real = judge._crew.did
    monkeypatch.setattr(
        judge._crew,
        "did",
        lambda tasks: ran.extend(one.check for one in tasks if one.part == "edges") or real(tasks),
    )
    wrong = source.replace("return x + x", "return x * x")
    assert judged(judge, topic.stub, wrong).points == 1
    assert ran == ["test_double"]
    assert judged(judge, topic.stub, wrong + "\n# a comment\n").points == 1
    assert judged(judge, topic.stub, source).points == 3
    assert ran == ["test_double"] * 2
    text = topic.checks.read_text(encoding="utf-8")
    topic.checks.write_text(text.replace("Counter(4).step(), 5", "Counter(4).step(), 6"))
    assert judged(judge, topic.stub, source).points == 2
    assert sorted(ran[2:]) == ["test_counting", "test_double"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("def double(x:\n", "doubling.py is not valid Python: line 1"),
        ("\n\n1 / 0\n", "ZeroDivisionError"),
        ("\x00", "doubling.py is not valid Python"),
    ],
)
def test_what_cannot_be_judged_has_a_note(topic, judge, text, note):
    """And the next save is judged as if it had not been."""
    source = topic.source.read_text(encoding="utf-8")
    judged(judge, topic.stub, source)
    run = judged(judge, topic.stub, text)
    assert note in run.note
    assert (run.complete, run.results) == (False, [])
    assert judged(judge, topic.stub, source).points == 3


def test_a_file_that_is_gone_and_a_notebook_cut_short(topic, judge):
    """Said calmly; a notebook that becomes whole in the meantime is judged."""
    whole = topic.notebook.read_text(encoding="utf-8")
    assert "is not a notebook" in judged(judge, topic.notebook, whole[: len(whole) // 2]).note
    assert judged(judge, topic.notebook, whole).complete
    topic.stub.unlink()
    run = last(judge.run(topic.stub, time.monotonic()))
    assert run.note == "doubling.py is gone: save it again and it is judged."


def test_what_it_prints_is_kept(topic, judge):
    """Out of the screen's way, and not without bound; reading from the keyboard is an error, not a wait."""
    source = topic.source.read_text(encoding="utf-8")
    run = judged(judge, topic.stub, "print('loaded')\n" + source)
    assert run.printed.startswith("loaded\n")
    loud = source.replace("return _twice(x)", "print('n' * 10**6)\n    return _twice(x)")
    assert len(judged(judge, topic.stub, loud).printed) <= 2 * 2**16
    asks = source.replace("return _twice(x)", "return _twice(x) + len(input())")
    assert judged(judge, topic.stub, asks).first_failure.verdict == "error"


@pytest.fixture
def impatient(monkeypatch):
    """A loop is waited for as briefly as can be."""
    monkeypatch.setattr("grader.watch.work.CHECK_LIMIT_S", 0.5)
    monkeypatch.setattr("grader.watch.crew._PATIENCE_S", 2.0)


def test_endless_loops_end(topic, judge, impatient):
    """In a function, and while loading; the next save is judged."""
    source = topic.source.read_text(encoding="utf-8")
    loop = source.replace("return _twice(x)", "while True: pass")
    run = judged(judge, topic.stub, loop)
    assert [one.verdict for one in run.results] == ["timeout", "passed"]
    assert "was not loaded within" in judged(judge, topic.stub, f"while True: pass\n{source}").note
    assert judged(judge, topic.stub, source).points == 3


DEAF = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM}); "


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        (f"{DEAF}\n    while True: pass", "timeout", "is there an endless loop?"),
        ("import os; os._exit(3)", "error", "The whole process ended"),
    ],
)
def test_code_that_takes_its_process_with_it(topic, judge, impatient, code, verdict, words):
    """Costs the check in which it does so, and nothing else; while loading, it is the file that has no verdict."""
    source = topic.source.read_text(encoding="utf-8")
    run = judged(judge, topic.stub, source.replace("return _twice(x)", code))
    assert [one.verdict for one in run.results] == [verdict, "passed"]
    assert words in run.first_failure.message
    assert judged(judge, topic.stub, code.replace("    ", "") + "\n").note
    assert judged(judge, topic.stub, source).points == 3


def test_what_a_file_breaks_stays_with_it(topic, judge):
    """A submission that patches numpy, and the next one."""
    source = topic.source.read_text(encoding="utf-8")
    patched = f"{source}\n\nnp.allclose = np.array = np.abs = None\n"
    assert judged(judge, topic.stub, patched).complete
    assert judged(judge, topic.stub, source).points == 3
    assert np.array is not None


def test_something_newer_ends_a_run(topic):
    """And the children are there for the next one."""
    ours, theirs = Pipe()
    judge = Judge(topic, SETTINGS, ours)
    source = topic.source.read_text(encoding="utf-8")
    topic.stub.write_text(source.replace("return _twice(x)", "while True: pass"))
    theirs.send("newer")
    with pytest.raises(Superseded):
        last(judge.run(topic.stub, time.monotonic()))
    ours.recv()
    assert judged(judge, topic.stub, source).points == 3
    judge.close()


def test_the_checks_of_a_changed_function_come_first(topic, judge, monkeypatch):
    """What a student works on is answered before what a shared table makes run again."""
    source = topic.source.read_text(encoding="utf-8") + "\nSHARED = 1\n"
    judged(judge, topic.stub, source)
    order = []
    real = judge._crew.did
    monkeypatch.setattr(
        judge._crew, "did", lambda tasks: order.extend(one.check for one in tasks) or real(tasks)
    )
    changed = source.replace("SHARED = 1", "SHARED = 2").replace("self.value + self.by", "self.by")
    judged(judge, topic.stub, changed)
    assert order[:2] == ["test_counting", "test_double"]
