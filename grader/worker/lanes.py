"""Several examples of a check side by side on one worker.

A call that travels alone costs two changes of process, which is more than most calls take. Here each example runs in a
greenlet of its own (a function that can be left in the middle): where it calls the student's code it is left until the
answer has come, and others run; so calls of many examples travel in one write, and judge and worker are busy at the same time.
What a check compares, and in which order an example's own calls are made, is as when it runs alone.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from greenlet import getcurrent, greenlet

from grader.limits import call_limit, time_left
from grader.worker.asking import Asking, answer_of, request
from grader.worker.process import Process
from grader.worker.protocol import ProtocolError

_TOGETHER = 16
"""Requests in one write: enough to make few changes of process, few enough that the worker begins while more are made."""


class _Request(NamedTuple):
    """What an example asks, to be sent when there are enough."""

    lane: "_Lane"
    label: str
    operation: str
    arguments: tuple[Any, ...]


class _Lane(Asking):
    """The backend of one example; its requests leave the greenlet, which goes on with their answers."""

    def __init__(self, number: int, main: greenlet) -> None:
        self.number = number
        self.fresh = True
        self._main = main

    def _ask(self, label: str, operation: str, *arguments: Any) -> tuple[Any, ...]:
        __tracebackhide__ = True
        return answer_of(label, self._main.switch(_Request(self, label, operation, arguments)))

    def _refuse(self, label: str, problem: ProtocolError | None = None) -> NoReturn:
        __tracebackhide__ = True
        raise problem or ProtocolError(label)

    def forget(self) -> None:
        """Nothing: a lane has one example."""


def all_pass(
    worker: Process, runs: Sequence[Callable[[Asking], bool]], call_timeout_s: float | None
) -> bool:
    """Whether each run, of an example on a backend of its own, tells that it passes; stops at one that does not.

    Args:
        worker: has loaded the submission; takes other requests afterwards, unless it is lost.
        runs: the examples.
        call_timeout_s: limit of each call; that of the check that runs, unless given.

    Raises:
        Expired, Ended, ProtocolError: the worker is lost.
    """
    main = getcurrent()
    ready: deque[tuple[greenlet, Any]] = deque(
        (greenlet(run), _Lane(number, main)) for number, run in enumerate(runs, 1)
    )
    asked: deque[greenlet] = deque()

    def take() -> None:
        allowed_s = call_limit() if call_timeout_s is None else call_timeout_s
        ready.append((asked.popleft(), worker.take(min(allowed_s, time_left()[0]))))

    while ready or asked:
        try:
            examples, frames = _next_requests(ready)
        except _DoesNotPass:
            while asked:
                take()
            return False
        if frames:
            worker.post(frames)
            asked.extend(examples)
        if asked and not ready:
            take()
            while asked and worker.has_answer:
                take()
    return True


class _DoesNotPass(Exception):
    """An example failed, or anything else happened in it."""


def _next_requests(
    ready: deque[tuple[greenlet, Any]],
) -> tuple[list[greenlet], list[list[bytes]]]:
    """Runs examples until so many requests were made as travel together; who made them, and their frames."""
    made: list[tuple[greenlet, _Request]] = []
    while ready and len(made) < _TOGETHER:
        example, answer = ready.popleft()
        try:
            result = example.switch(answer)
        except ProtocolError:
            raise
        except Exception as problem:
            raise _DoesNotPass from problem  # it shows again when the example runs alone
        if not example.dead:
            made.append((example, result))
        elif not result:
            raise _DoesNotPass
    frames = []
    for number, (_, (lane, label, operation, arguments)) in enumerate(made, 1):
        more = number < len(made)
        try:
            frame = request(
                label, operation, arguments, lane=lane.number, fresh=lane.fresh, more=more
            )
        except TypeError as problem:
            raise _DoesNotPass from problem
        lane.fresh = False
        frames.append(frame)
    return [example for example, _ in made], frames
