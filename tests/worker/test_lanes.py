"""Examples side by side on one worker: the same verdicts as one by one, with fewer changes of process."""

import textwrap
from functools import partial

import numpy as np
import pytest

from grader import assert_close, cases, given, points
from grader.checks.check import Check
from grader.failure import Failure, TimeLimit
from grader.student import InProcess, Student
from grader.worker.client import Isolated
from grader.worker.pool import Pool
from grader.worker.process import Process


@pytest.fixture(scope="module")
def pool():
    pool = Pool()
    yield pool
    pool.close()


@pytest.fixture
def load(pool):
    backends = []

    def load(source, **limits):
        backend = Isolated(pool, **limits)
        backends.append(backend)
        backend.load(cells(source), name="answer", stop_at_error=True)
        return backend

    yield load
    for backend in backends:
        backend.close()


def cells(source):
    return [("answer.py", textwrap.dedent(source))]


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


COUNTER = """
    import os, time
    import numpy as np
    calls = 0
    def square(x):
        global calls
        calls += 1
        return x * x, {"x": x}
    def root(cache):
        return cache["x"]
    def asked():
        return calls
    def same(x):
        return x
    BUFFER = np.zeros(3)
    def shared(x):
        BUFFER[:] = x
        return BUFFER
    def end_at(x, n):
        if x == n:
            os._exit(3)
        return x
    def hang_at(x, n):
        while x == n:
            pass
        return x
    def lie_at(x, n):
        if x == n:
            for descriptor in range(3, 64):
                try:
                    os.write(descriptor, b"x" * 100)
                except OSError:
                    pass
        return x
"""


def call(backend, name, *args):
    return backend.call(name, None, args, {}).value


def squared(number, backend):
    x = np.array([float(number)])
    value, cache = call(backend, "square", x)
    return value == number**2 and call(backend, "root", cache) == number


def test_calls_travel_together(load, posts):
    """Forty examples of two calls take a few writes; each example's cache is its own."""
    backend = load(COUNTER)
    del posts[:]
    assert backend.side_by_side([partial(squared, number) for number in range(40)])
    assert sum(posts) == 80
    assert len(posts) <= 8
    assert max(posts) > 8
    assert call(backend, "asked") == 40


def test_one_that_fails(load):
    """Then nothing is known of the others, and the worker goes on: it is the same one."""
    backend = load(COUNTER)
    runs = [partial(squared, number) for number in range(40)]
    runs[20] = lambda _: False
    assert not backend.side_by_side(runs)
    backend.forget()
    assert 0 < call(backend, "asked") <= 40
    runs[20] = lambda backend: call(backend, "same", 1) == 2
    assert not backend.side_by_side(runs)
    runs[20] = lambda backend: call(backend, "nothing")
    assert not backend.side_by_side(runs)
    runs[20] = lambda backend: call(backend, "same", object())
    assert not backend.side_by_side(runs)
    assert backend.side_by_side(runs[:20])


@pytest.mark.parametrize("name", ["end_at", "hang_at", "lie_at"])
def test_a_lost_worker(load, name):
    """It loses no verdict: the next example has a new one, and examples run one by one from then on."""
    backend = load(COUNTER, call_timeout_s=0.5)
    runs = [lambda backend, x=x: call(backend, name, x, 21) == x for x in range(40)]
    assert not backend.side_by_side(runs)
    backend.forget()
    assert call(backend, name, 3, 21) == 3
    assert not backend.side_by_side(runs[:3])


def test_large_arrays(load):
    """More than the pipes hold, in both directions at once."""
    backend = load(COUNTER)
    x = np.arange(1 << 18, dtype=float)
    assert backend.side_by_side(
        [
            lambda backend, n=n: np.array_equal(call(backend, "same", x + n), x + n)
            for n in range(40)
        ]
    )


def test_no_example_sees_another(load):
    """What an example returned is watched while others run, and only that."""
    backend = load(COUNTER)

    def changes(backend):
        first = backend.call("shared", None, [1.0], {})
        return first.changed == () and backend.call("shared", None, [2.0], {}).changed == (
            "shared",
        )

    assert backend.side_by_side([changes] * 20)


@points(1)
@given(case=cases(x="N D", gamma="D"))
def test_scaled(student, case):
    """Scaled, and the gradient."""
    out, cache = student.forward(case.x, case.gamma)
    assert_close(out, case.x * case.gamma, what="out")
    assert_close(student.backward(2 * case.x, cache), 2 * case.x * case.gamma, what="grad_x")


SCALED = Check.of(test_scaled)
del test_scaled
RIGHT = """
    import numpy as np
    def forward(x, gamma):
        return x * gamma, gamma
    def backward(dout, gamma):
        return dout * gamma
"""
EDITS = {
    "later only": ("return x * gamma,", "return x * gamma * (1 if x.shape[0] < 3 else 2),"),
    "one dtype only": (
        "return dout * gamma",
        "return dout * gamma if dout.dtype == np.float64 else gamma",
    ),
    "raises later": (
        "return dout * gamma",
        "assert dout.shape[1] < 4\n        return dout * gamma",
    ),
    "prints": (
        "return dout * gamma",
        "print(dout)\n        return dout * gamma + (len(dout) == 2)",
    ),
    "modifies later": (
        "return x * gamma,",
        "x += len(x) == 2\n        return (x - (len(x) == 2)) * gamma,",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_failures_are_the_same(load, name):
    """A check says of a wrong answer what it says in this process, with the same smallest case."""
    source = RIGHT.replace(*EDITS[name])
    assert source != RIGHT
    here = InProcess()
    here.load(cells(source), name="answer", stop_at_error=True)
    said = []
    for backend in (here, load(source)):
        with pytest.raises(Failure) as failure:
            SCALED.run(Student(backend, filename="answer.py"), seed=1)
        said.append((str(failure.value), repr(failure.value.case)))
    assert said[0] == said[1]


def test_a_right_answer(load, posts):
    """It passes, in few writes."""
    backend = load(RIGHT)
    del posts[:]
    SCALED.run(Student(backend, filename="answer.py"))
    assert sum(posts) > 4 * len(posts)


def test_kept_in_a_global(load):
    """The gradient of whoever called last is nobody's but the last one's."""
    source = RIGHT.replace(
        "return x * gamma, gamma", "global g; g = gamma\n        return x * gamma, 0"
    )
    backend = load(source.replace("return dout * gamma", "return dout * g"))
    student = Student(backend, filename="answer.py")

    examples = SCALED.edges(0)[1:12]

    def passes(example, student):
        SCALED.body(student=student, **example)
        return True

    assert all(passes(example, student) for example in examples)
    assert not student._all_pass([partial(passes, example) for example in examples])


def test_a_program_that_hangs_later(load):
    """The time limit is that of a call, one by one as side by side."""
    source = RIGHT.replace("return dout", "while len(dout) == 2: pass\n        return dout")
    check = Check(**{**vars(SCALED), "call_timeout_s": 0.3})
    with pytest.raises(TimeLimit):
        check.run(Student(load(source), filename="answer.py"), shrink=False)
