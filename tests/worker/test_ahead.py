"""Requests that are sent ahead: the same calls in the same order, and the same verdicts, with fewer changes of process."""

import textwrap

import pytest

from grader import assert_close, cases, given, points, unpack
from grader.checks.check import Check
from grader.failure import Failure, StudentError, TimeLimit
from grader.student import InProcess, Student
from grader.worker import ahead
from grader.worker.client import Isolated
from grader.worker.process import Process


@points(1)
@given(case=cases(x="N D", gamma="D"))
def test_scaled(student, case):
    """Scaled, and the gradient."""
    out, cache = unpack(student.forward(case.x, case.gamma), "out", "cache", what="forward")
    assert_close(out, case.x * case.gamma, what="out")
    assert_close(student.backward(2 * case.x, cache), 2 * case.x * case.gamma, what="grad_x")


SCALED = Check.of(test_scaled)
del test_scaled
RIGHT = """
import os
import numpy as np
calls = []
def forward(x, gamma):
    calls.append("forward")
    return x * gamma, (x, gamma)
def backward(dout, cache):
    calls.append("backward")
    return dout * cache[1]
def told():
    return " ".join(calls)
"""


@pytest.fixture
def student(pool, monkeypatch):
    """A submission in a worker that is asked ahead; nothing is foreseen at first."""
    monkeypatch.setattr(ahead, "_scripts", {})
    backends = []

    def load(source, **limits):
        backend = Isolated(pool, ahead=True, **limits)
        backends.append(backend)
        backend.load([("answer.py", textwrap.dedent(source))], name="answer", stop_at_error=True)
        return Student(backend, filename="answer.py")

    yield load
    for backend in backends:
        backend.close()


@pytest.fixture
def posts(monkeypatch):
    """How many requests each write to a worker had."""
    counts = []
    post = Process.post

    def counted(self, frames):
        frames = list(frames)
        counts.append(len(frames))
        post(self, frames)

    monkeypatch.setattr(Process, "post", counted)
    return counts


def calls_of(student):
    student._begin(repeat=False)
    return student.told()


def test_the_same_calls_in_the_same_order(student, posts):
    """The first run asks one by one; the next one's requests travel together, and the worker makes the same calls."""
    made = []
    for _ in range(2):
        one = student(RIGHT)
        del posts[:]
        SCALED.run(one)
        made.append(list(posts))
        made.append(calls_of(one))
    assert made[1] == made[3]
    assert set(made[0]) == {1}
    assert sum(made[2]) == sum(made[0]) > 100
    assert len(made[2]) < sum(made[2]) / 4


EDITS = {
    "later only": ("return x * gamma,", "return x * gamma * (1 if x.shape[0] < 3 else 2),"),
    "one dtype only": (
        "return dout * cache[1]",
        "return dout * cache[1] if dout.dtype == np.float64 else cache[1]",
    ),
    "raises later": (
        "return dout * cache[1]",
        "assert dout.shape[1] < 4\n    return dout * cache[1]",
    ),
    "a global cache": (
        "return dout * cache[1]",
        (
            "g = globals().setdefault('g', cache[1])\n"
            "    return dout * (g if g.shape == cache[1].shape and len(dout) > 2 else cache[1])"
        ),
    ),
    "modifies later": (
        "return x * gamma,",
        "x += len(x) == 2\n    return (x - (len(x) == 2)) * gamma,",
    ),
    "counts": ("return dout * cache[1]", "return dout * cache[1] + (len(calls) == 60)"),
}


KEEPING = {"a global cache", "counts"}
"""What they fail depends on the calls before, so that their smallest case is another in a new worker."""


@pytest.mark.parametrize("name", EDITS)
def test_failures_are_the_same(student, name):
    """After a right answer has been judged, a wrong one is told what it is told in this process, with the same smallest case."""
    source = RIGHT.replace(*EDITS[name])
    assert source != RIGHT
    SCALED.run(student(RIGHT))
    here = InProcess()
    here.load([("answer.py", source)], name="answer", stop_at_error=True)
    said = []
    for one in (Student(here, filename="answer.py"), student(source), student(source)):
        with pytest.raises(Failure) as failure:
            SCALED.run(one)
        smallest = str(failure.value), repr(failure.value.case)
        said.append(failure.value.what if name in KEEPING else smallest)
    assert said[0] == said[1] == said[2]


def test_a_failure_leaves_no_calls_behind(student):
    """What was sent in vain is made by nobody who is judged later: the next run has a new worker."""
    SCALED.run(student(RIGHT))
    one = student(
        RIGHT.replace("return dout * cache[1]", "return dout * cache[1] + (dout.shape[0] == 3)")
    )
    with pytest.raises(Failure):
        SCALED.run(one, shrink=False)
    assert calls_of(one) == ""


OTHERS = {
    "a cache that is an array": RIGHT.replace(
        "return x * gamma, (x, gamma)", "return x * gamma, gamma"
    ).replace("cache[1]", "cache"),
    "None for a cache": RIGHT.replace(
        "return x * gamma, (x, gamma)", "global g; g = gamma; return x * gamma, None"
    ).replace("cache[1]", "g"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_requests(student, posts, name):
    """Who returns something else is asked something else: that run begins again, one by one, and passes."""
    SCALED.run(student(RIGHT))
    other = student(OTHERS[name])
    del posts[:]
    SCALED.run(other)
    assert set(posts[-50:]) == {1}
    SCALED.run(other)


def test_what_most_return_is_foreseen(student, posts):
    """After some runs have gone astray, and fewer have not, those of the other kind are followed."""
    SCALED.run(student(RIGHT))
    for _ in range(4):
        SCALED.run(student(OTHERS["a cache that is an array"]))
    one = student(OTHERS["a cache that is an array"])
    del posts[:]
    SCALED.run(one)
    assert len(posts) < sum(posts) / 4


SCRIBBLE = """
def scribble():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"x" * 99)
        except OSError:
            pass
"""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("os._exit(3)", "ended while backward ran: exit status 3"),
        ("scribble()", "could not be read"),
    ],
    ids=["ends", "writes what is no answer"],
)
def test_a_lost_worker(student, line, error):
    """It is the failure of the call that lost it, as one by one."""
    source = SCRIBBLE + RIGHT.replace(
        "    return dout * cache[1]", f"    if len(dout) == 2: {line}\n    return dout * cache[1]"
    )
    SCALED.run(student(RIGHT))
    one = student(source)
    with pytest.raises(StudentError, match=error):
        SCALED.run(one)
    one._begin(repeat=False)
    assert one.told() == ""


def test_an_endless_loop(student):
    """The time limit is that of a call, and the message names the call."""
    SCALED.run(student(RIGHT))
    check = Check(**{**vars(SCALED), "call_timeout_s": 0.5})
    source = RIGHT.replace("    return dout", "    while len(dout) == 2: pass\n    return dout")
    with pytest.raises(TimeLimit) as limit:
        check.run(student(source), shrink=False)
    assert "backward" in str(limit.value)


def test_forged_answers(student):
    """An answer more, in the right form, is read as an answer: to the next request, which it does not fit."""
    SCALED.run(student(RIGHT))
    forge = """
    import struct
    def backward(dout, cache):
        header = b'["t","outcome",1.0,["t"],["t"],false,["d"]]'
        frame = struct.pack("<IQ", len(header), 0) + header
        if len(dout) == 2:
            for n in range(3, 64):
                try:
                    os.write(n, frame)
                except OSError:
                    pass
        return dout * cache[1]
    """
    one = student(RIGHT + textwrap.dedent(forge))
    with pytest.raises(Failure):
        SCALED.run(one)


def test_large_arrays(student, pool):
    """More than the pipes hold, in both directions at once."""

    @points(1)
    @given(case=cases(x="1"))
    def test_large(student, case):
        """Large."""
        for n in range(4):
            x = (case.x + n).repeat(1 << 15)
            assert_close(student.forward(x, x)[0], x * x, what="out")

    check = Check.of(test_large)
    for _ in range(2):
        check.run(student(RIGHT), examples=0)
