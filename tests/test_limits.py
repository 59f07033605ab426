"""Time limits, in the main thread and elsewhere."""

import threading
import time

import pytest

from grader.failure import TimeLimit
from grader.limits import CALL_LIMIT_S, call_limit, interruptible, time_left, time_limit
from grader.worker.client import Isolated
from grader.worker.pool import Pool


def test_a_students_call_is_interrupted():
    """By a signal, whatever it does."""

    def loop():
        with time_limit(0.05), interruptible():
            while True:
                pass

    with pytest.raises(TimeLimit):
        loop()


def test_nothing_else_is_interrupted():
    """The judge's own work goes on, an import for instance; the next call of the student's is refused."""

    def judge():
        with time_limit(0.01):
            time.sleep(0.6)
            reached.append(True)
            with interruptible():
                reached.append(False)

    reached = []
    with pytest.raises(TimeLimit):
        judge()
    assert reached == [True]


def test_the_smaller_limit_holds():
    """A limit inside another one does not extend it; outside there is none."""
    with time_limit(50), time_limit(100):
        assert time_left()[0] <= 50
        assert time_left()[1] == 50
    assert time_left()[0] == float("inf")


def test_a_limit_goes_on_behind_an_inner_one():
    """The end of the inner one leaves the outer one's signal as it was."""

    def judge():
        with time_limit(0.3):
            with time_limit(50):
                pass
            with interruptible():
                while True:
                    pass

    with pytest.raises(TimeLimit):
        judge()


def test_in_another_thread_calls_of_a_worker_keep_it():
    """Signals do not reach threads, as those of a cluster's workers: the call is given what is left."""
    caught = []

    def judge():
        backend = Isolated(Pool("none", size=0))
        backend.load(
            [("a.py", "def loop():\n    while True: pass\n")], name="a", stop_at_error=True
        )
        began = time.monotonic()
        try:
            with time_limit(0.2):
                backend.call("loop", None, [], {})
        except TimeLimit as limit:
            caught.append((limit.headline, time.monotonic() - began))
        finally:
            backend.close()

    thread = threading.Thread(target=judge)
    thread.start()
    thread.join()
    [(headline, seconds)] = caught
    assert headline == "loop gave no answer within 0.2 seconds: is there an endless loop?"
    assert seconds < 10, "the call's own limit"


def test_a_check_may_allow_its_calls_more():
    """A call has its check's own limit, and outside of the check the usual one."""
    with time_limit(90, call_timeout_s=60):
        assert call_limit() == 60
        with time_limit(5):
            assert call_limit() == CALL_LIMIT_S
        assert call_limit() == 60
    assert call_limit() == CALL_LIMIT_S


def test_a_long_call_of_a_worker_has_the_limit_of_its_check(monkeypatch):
    """Longer than the usual one where the check says so, and no longer."""
    monkeypatch.setattr("grader.limits.CALL_LIMIT_S", 0.2)
    source = "import time\ndef train(s):\n    time.sleep(s)\n    return s\n"
    backend = Isolated(Pool("none", size=0))
    try:
        backend.load([("a.py", source)], name="a", stop_at_error=True)
        with time_limit(20, call_timeout_s=10):
            assert backend.call("train", None, [0.5], {}).value == 0.5
        with pytest.raises(TimeLimit, match=r"0\.3"), time_limit(20, call_timeout_s=0.3):
            backend.call("train", None, [30.0], {})
    finally:
        backend.close()
