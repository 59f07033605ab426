"""The isolated backend: the same answers as in this process, and one kind of failure for whatever goes wrong."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from grader.failure import Failure, StudentError, TimeLimit
from grader.student import InProcess, Student, overwriting, reveal
from grader.worker.client import Isolated, LoadTimeout, WorkerFailure
from grader.worker.pool import Pool
from grader.worker.program import NotDefined, Raised
from grader.worker.selftest import SandboxUnavailable

SOURCE = """
import numpy as np

class Stopper:
    def __init__(self, *, patience):
        self.patience, self.best, self.log = patience, np.inf, []
    def step(self, loss, params):
        self.best = min(self.best, loss)
        self.params = params
        return loss > self.best
    def fail(self):
        raise KeyError("state")

def forward(x, gamma, *, eps=1e-5):
    return x * gamma + eps, {"x": x, "inner": [gamma, (1, "a")]}
def backward(dout, cache):
    return dout * cache["inner"][0], None
def draw(rng, n=3):
    rng.spawn(2)
    return rng.normal(size=n)
def layout(x):
    return [x.strides, x.flags.writeable, str(x.dtype)]
def modify(x):
    x += 1
    return x
def raises(x):
    raise ValueError("not so")
def many():
    return [0.5] * 1000, tuple(range(1000)), "t" * 1000
def lowest(dtype):
    return np.finfo(dtype).tiny
def options(a, *, b=None, c=(1, 2)):
    return [a, b, c]
def opaque():
    return {"f": opaque}
def module_level(x):
    return np.random.rand(2)
def hello():
    print("hello", flush=True)
"""


@pytest.fixture
def isolated(pool):
    backends = []

    def load(source, *, stop_at_error=True, **limits):
        backend = Isolated(pool, **limits)
        backends.append(backend)
        backend.load(
            [("answer.py", textwrap.dedent(source))], name="answer", stop_at_error=stop_at_error
        )
        return backend

    yield load
    for backend in backends:
        backend.close()


@pytest.fixture(scope="module")
def both(pool):
    """The same submission, in a worker and in this process."""
    backends = Isolated(pool), InProcess()
    for backend in backends:
        backend.load([("answer.py", SOURCE)], name="answer", stop_at_error=True)
    yield backends
    backends[0].close()


def stopped(stopper):
    step = stopper.step(1.0, [np.zeros(2)])
    return [step, stopper.best, stopper.patience, reveal(stopper.params), reveal(stopper.log)]


def overwritten(stopper):
    overwriting(stopper.step)(1.0, [np.zeros(2), np.ones(1, np.float32)])
    return [float(array.max()) for array in reveal(stopper.params)]


def drawn(student, rng):
    return [student.draw(rng), student.draw(rng, 2), rng.normal(), rng.spawn(1)[0].normal()]


CALLS = {
    "array": lambda s: reveal(s.forward(np.arange(6.0).reshape(2, 3), np.ones(3))),
    "option": lambda s: reveal(s.forward(np.arange(3.0), 2.0, eps=0.5)),
    "cache": lambda s: reveal(s.backward(np.ones(3), s.forward(np.arange(3.0), np.full(3, 2.0))[1])),
    "Fortran": lambda s: s.layout(np.asfortranarray(np.zeros((3, 4)))),
    "reversed": lambda s: s.layout(np.zeros((3, 4), np.float32)[::-1, ::2]),
    "modified": lambda s: s.modify(np.zeros(2)),
    "raises": lambda s: s.raises(1),
    "missing": lambda s: s.nothing(1),
    "signature": lambda s: s.raises(),
    "long": lambda s: reveal(s.many()),
    "dtype": lambda s: s.lowest(np.float32),
    "dtype object": lambda s: s.lowest(np.dtype("float64")),
    "options": lambda s: reveal(s.options([1, (2.0, "x")], b={"k": [None]}, c=())),
    "unrevealable": lambda s: reveal(s.opaque()),
    "global rng": lambda s: s.module_level(1),
    "instance": lambda s: stopped(s.Stopper(patience=2)),
    "overwritten": lambda s: overwritten(s.Stopper(patience=2)),
    "method raises": lambda s: s.Stopper(patience=2).fail(),
    "no attribute": lambda s: s.Stopper(patience=2).nothing,
    "rng": lambda s: drawn(s, np.random.default_rng(3)),
    "old rng": lambda s: drawn(s, np.random.Generator(np.random.MT19937(3))),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_same_as_in_process(both, call):
    """A check cannot tell where the code runs: values, layouts, exceptions and messages are the same."""
    seen = []
    for backend in both:
        student = Student(backend, filename="answer.py", signatures={"raises": "(x)"})
        student._begin(repeat=True)
        try:
            value = CALLS[call](student)
        except Failure as failure:
            seen.append((type(failure).__name__, str(failure)))
        else:
            seen.append(repr(value))
    assert seen[0] == seen[1]


def test_end_costs_one_example(isolated):
    """When the program ends, every use fails alike until the next example, which has a new worker."""
    backend = isolated(
        "import os\nstate = []\ndef end():\n    os._exit(3)\ndef fine():\n    state.append(1)\n    return len(state)"
    )
    backend.call("fine", None, [], {})
    for name in ("end", "fine"):
        with pytest.raises(WorkerFailure, match="ended while end ran: exit status 3"):
            backend.call(name, None, [], {})
    backend.forget()
    assert backend.call("fine", None, [], {}).value == 1


def test_time_limit(isolated):
    """A call that does not come back is a TimeLimit, and then as after an end."""
    backend = isolated(
        "def loop():\n    while True: pass\ndef fine():\n    return 1", call_timeout_s=0.3
    )
    with pytest.raises(TimeLimit):
        backend.call("loop", None, [], {})
    backend.forget()
    assert backend.defines("fine")


def test_slow_loading(isolated):
    """Loading has a limit of its own."""
    with pytest.raises(LoadTimeout, match=r"not loaded within 0\.3 seconds") as caught:
        isolated("while True: pass", load_timeout_s=0.3)
    assert caught.value.verdict == "timeout"


def test_exception_while_loading(isolated):
    """A file stops at its first exception; a notebook goes on, with a note."""
    with pytest.raises(Raised, match="division") as caught:
        isolated("1 / 0")
    assert "answer.py" in caught.value.trace
    assert isolated("1 / 0", stop_at_error=False).notes == [
        "answer.py raised ZeroDivisionError: division by zero"
    ]


def test_output(isolated):
    """Both streams are kept, in order, and of much only the beginning."""
    backend = isolated(
        """
        import sys
        print("one")
        print("two", file=sys.stderr)
        def more():
            print("x" * 1_000_000)
        def last():
            print("y")
        """
    )
    assert backend.output == "one\ntwo\n"
    backend.call("more", None, [], {})
    backend.call("last", None, [], {})
    assert backend.output[:9] == "one\ntwo\nx"
    assert len(backend.output) == 64 * 1024
    assert "y" not in backend.output


def test_unsendable_answer(isolated):
    """An answer that does not travel is the student's error, and the worker goes on."""
    backend = isolated(
        "import numpy as np\ndef big():\n    return np.zeros(9 << 20)\ndef small():\n    return 1"
    )
    with pytest.raises(StudentError, match="The answer of big is more than 64 MiB"):
        backend.call("big", None, [], {})
    assert backend.call("small", None, [], {}).value == 1


def test_unsendable_argument(isolated):
    """An argument that does not travel is the check's mistake."""
    with pytest.raises(TypeError, match="a set cannot be passed to f"):
        isolated("def f(x): return x").call("f", None, [{1}], {})


def test_large_arrays(isolated):
    """Arrays larger than the pipe go there and back."""
    backend = isolated("def double(x):\n    return 2 * x")
    x = np.arange(4.0 * 2**20)
    assert np.array_equal(backend.call("double", None, [x], {}).value, 2 * x)


def test_nothing_shared(isolated):
    """Two submissions have a worker each; a closed one is gone."""
    first = isolated("import builtins\nbuiltins.mark = 1\ndef f(): return 1")
    second = isolated("def f():\n    return mark")
    with pytest.raises(Raised, match="mark"):
        second.call("f", None, [], {})
    first.close()
    with pytest.raises(WorkerFailure):
        first.defines("f")
    with pytest.raises(NotDefined):
        second.call("g", None, [], {})


def test_same_hashes(isolated):
    """Sets are iterated in the same order in every worker, so that a report can be reproduced."""
    source = "def order():\n    return ''.join({'alpha', 'beta', 'gamma', 'delta', 'epsilon'})"
    assert len({isolated(source).call("order", None, [], {}).value for _ in range(3)}) == 1


def test_worker_cannot_start(monkeypatch):
    """A worker that does not start is no student's fault, though the sandbox passed its self-test."""
    pool = Pool("bubblewrap")
    monkeypatch.setattr("grader.worker.bubblewrap.PYTHON", "/nowhere")
    with pytest.raises(SandboxUnavailable, match="could not be started"):
        pool.take()


def test_forked_judge(pool):
    """A forked judge starts workers of its own, and leaves its parent's alone."""
    pool.refill()
    child = os.fork()
    if child == 0:
        backend = Isolated(pool)
        backend.load([("answer.py", "def f(): return 1")], name="answer", stop_at_error=True)
        right = backend.call("f", None, [], {}).value == 1
        backend.close()
        pool.close()
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    backend = Isolated(pool)
    backend.load([("answer.py", "def f(): return 1")], name="answer", stop_at_error=True)
    assert backend.call("f", None, [], {}).value == 1
    backend.close()


def test_killed_judge():
    """When the judge is killed, its workers end, even in an endless loop."""
    script = """
        import grader.worker.client as client
        backend = client.Isolated()
        backend.load([("answer.py", "import os\\ndef f():\\n    while True: pass")], name="answer", stop_at_error=True)
        print(backend._worker._process.pid, flush=True)
        backend.call("f", None, [], {})
    """
    judge = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    bubblewrap = int(judge.stdout.readline())
    inside = Path(f"/proc/{bubblewrap}/task/{bubblewrap}/children").read_text().split()
    judge.send_signal(signal.SIGKILL)
    judge.communicate()
    deadline = time.monotonic() + 10
    while any(alive(process) for process in (bubblewrap, *inside)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
