"""Hostile programs: each has its outcome, and leaves everything around it as it was."""

import errno
import os
import re
import socket
import time
from pathlib import Path

import numpy as np
import pytest

from grader.failure import StudentError, TimeLimit
from grader.worker.client import Isolated, LoadTimeout, WorkerFailure
from grader.worker.pool import Pool
from grader.worker.process import OUTPUT_AT_MOST
from grader.worker.program import Raised

PROGRAMS = Path(__file__).with_name("programs")
X = np.arange(6.0).reshape(2, 3)


def programs():
    for path in sorted(PROGRAMS.glob("*/*.py")):
        yield pytest.param(path, id=f"{path.parent.name}/{path.stem}")


def outcome_of(source, pool, *, timeout_s):
    """What came of loading a program and calling its `answer` twice, in words, and what it printed."""
    backend = Isolated(pool, load_timeout_s=timeout_s, call_timeout_s=timeout_s)
    try:
        backend.load([("answer.py", source)], name="answer", stop_at_error=True)
        values = [backend.call("answer", None, [X.copy()], {}).value for _ in range(2)]
    except Raised as raised:
        shortened = len(raised.message) <= 4000 and len(raised.trace) <= 4000
        return " ".join(["raised" if shortened else "long", *raised.type_names]), backend.output
    except (TimeLimit, LoadTimeout):
        return "timeout", backend.output
    except WorkerFailure as failure:
        return failure.headline, backend.output
    except StudentError as failure:
        return f"error {failure.headline}", backend.output
    else:
        return "honest" if all(map(is_right, values)) else f"wrong {values!r:.1000}", backend.output
    finally:
        backend.close()


def is_right(value):
    return type(value) is np.ndarray and value.dtype == X.dtype and np.array_equal(value, 2 * X)


def meets(outcome, required):
    """Whether an outcome is the one that a program's docstring requires."""
    if " or " in required:
        return any(meets(outcome, either) for either in required.split(" or "))
    kind, _, text = required.partition(" ")
    if kind == "lost":  # a crash or an exception: the platform decides
        return "The program ended" in outcome or outcome.startswith("raised")
    if kind == "ended":
        return "The program ended while" in outcome and text in outcome
    if kind == "unread":
        return "could not be read" in outcome
    return outcome.startswith(kind) and text in outcome


@pytest.fixture(scope="module")
def pool():
    """A pool; when all is done no process is left, of those that it started or that the programs did."""
    pool = Pool(size=2)
    before = set(descendants(os.getpid()))
    yield pool
    pool.close()
    assert set(descendants(os.getpid())) <= before


def _bind(listener, name):
    """Takes the name, once the tests of another process are done with it."""
    for _ in range(1200):
        try:
            return listener.bind(name)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(0.1)
    return listener.bind(name)


@pytest.fixture(autouse=True)
def canaries(monkeypatch):
    """What a program could steal or leave behind: a variable, a socket; and what it must not: a process."""
    monkeypatch.setenv("GRADER_CANARY", "secret")
    with socket.socket(socket.AF_UNIX) as listener:
        _bind(listener, "\0grader-canary")
        listener.listen()
        yield


@pytest.mark.parametrize("path", list(programs()))
def test_program(path, pool):
    """It has the outcome that its docstring requires; one that would leave something behind, twice."""
    source = path.read_text(encoding="utf-8")
    required = re.search(r"^Outcome: (.*)$", source, re.MULTILINE)[1]
    timeout_s = 0.7 if required == "timeout" else 20.0
    for _ in range(2 if path.parent.name == "contamination" else 1):
        outcome, printed = outcome_of(source, pool, timeout_s=timeout_s)
        assert meets(outcome, required), f"{outcome[:1000]}\n{printed[:2000]}"
        assert len(printed) <= OUTPUT_AT_MOST


def descendants(process):
    """The processes that a process started, zombies included."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return children + [below for child in children for below in descendants(int(child))]


def test_enough_programs():
    """Every kind of attack has programs of its own."""
    kinds = {path.parent.name for path in PROGRAMS.glob("*/*.py")}
    assert kinds == {"contamination", "denial", "forgery", "injection", "protocol", "theft"}
    assert len(list(programs())) >= 40
