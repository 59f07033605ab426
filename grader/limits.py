"""Time limits of checks.

A signal ends a student's call in this process. It interrupts nothing else: raised in the middle of an import of the judge's
own, it would leave half a module behind, for every later submission to stumble over. Calls of a worker keep the deadline
themselves (`time_left`), in every thread. What lies between the calls is the judge's own work, and ends.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from grader.failure import TimeLimit

CALL_LIMIT_S = 10.0
"""Limit of a single call of a student's function, unless its check allows more."""

_EVERY_S = 0.25
"""How often the signal comes: again and again, for student code that swallows what it raises."""

_local = threading.local()


@contextlib.contextmanager
def time_limit(timeout_s: float, *, call_timeout_s: float = CALL_LIMIT_S) -> Iterator[None]:
    """Raises `TimeLimit` in a student's call inside the block, once `timeout_s` seconds have passed.

    Args:
        timeout_s: limit of the whole block.
        call_timeout_s: limit of each call in it.
    """
    outer, outer_call = _limit(), call_limit()
    _local.limit = min(outer, (time.monotonic() + timeout_s, timeout_s))
    _local.call_timeout_s = call_timeout_s
    try:
        with _alarm(timeout_s):
            yield
    finally:
        _local.limit, _local.call_timeout_s = outer, outer_call


@contextlib.contextmanager
def interruptible(function: str = "") -> Iterator[None]:
    """A student's call, which a limit may end: the check's, or that of a single call.

    Args:
        function: its name, for the message.

    Raises:
        TimeLimit: the limit that this thread runs under has passed, before or in the block.
    """
    left, whole = time_left()
    if left <= 0:
        raise TimeLimit(whole)
    outer = getattr(_local, "call", None)
    _local.call = (time.monotonic() + call_limit(), function)
    try:
        yield
    finally:
        _local.call = outer


def time_left() -> tuple[float, float]:
    """Seconds until the limit that this thread runs under, and how long it was in all; infinite without one."""
    deadline, timeout_s = _limit()
    return deadline - time.monotonic(), timeout_s


def call_limit() -> float:
    """Seconds that a single call may take in this thread."""
    limit: float = getattr(_local, "call_timeout_s", CALL_LIMIT_S)
    return limit


def _limit() -> tuple[float, float]:
    limit: tuple[float, float] = getattr(_local, "limit", (float("inf"), float("inf")))
    return limit


@contextlib.contextmanager
def _alarm(timeout_s: float) -> Iterator[None]:
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer"):
        yield
        return

    def look(_signum: int, _frame: Any) -> None:
        call: tuple[float, str] | None = getattr(_local, "call", None)
        if call is None:
            return
        left, whole = time_left()
        if left <= 0:
            raise TimeLimit(whole)
        if time.monotonic() >= call[0]:
            raise TimeLimit(call_limit(), call[1])

    before = signal.signal(signal.SIGALRM, look)
    timer = signal.setitimer(signal.ITIMER_REAL, min(timeout_s, _EVERY_S), _EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(
            signal.ITIMER_REAL, *timer
        )  # of the limit around this one, if there is one
        signal.signal(signal.SIGALRM, before)
