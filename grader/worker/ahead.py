"""Requests that are sent ahead: what a check asked of an earlier submission it will ask of this one.

A call that travels alone costs two changes of process, which is more than most calls take. But what a check asks depends on
its examples, and hardly ever on the answers (handles stand for caches and states). So the requests of a run that passed are
remembered, and in later runs they are sent many at a time, before the check comes to them. The worker makes the same calls in
the same order; the check goes through the answers as if it had asked one by one. What it really asks is compared with what was
sent, byte by byte: where they differ the run has gone astray, and begins again, one by one, in a new worker.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from grader.failure import Astray
from grader.worker.process import Ended, Expired, Process
from grader.worker.protocol import ProtocolError

_AHEAD = 32
"""Requests on their way at most: few changes of process, and few calls in vain after a failure."""
_LOOK_S = 0.01
"""To see an answer that is there already."""
_BYTES_AT_MOST = 2 << 20
_BYTES_OF_ALL = 64 << 20
_ASTRAY_AT_MOST = 3
"""Where so many runs have gone astray, and more than have not, another run's requests take the place."""
_CHANGES_AT_MOST = 1
"""After that what is asked depends on the answers."""


@dataclass
class _Script:
    """What a check asks, and how the runs fared that followed it."""

    requests: list[bytes] = field(default_factory=list)
    followed: int = 0
    astray: int = 0
    changes: int = 0


_scripts: dict[Any, _Script] = {}


class Ahead:
    """The requests of one run of a check.

    Where it goes astray it raises `Astray`: what was asked is not what was sent, or the worker was lost with requests on
    their way.

    Args:
        key: what is the same in every run that asks the same: check, seed, examples.
    """

    def __init__(self, key: Any) -> None:
        self._script = _scripts.setdefault(key, _Script())
        self._known = self._script.requests
        self._asked: list[bytes] = []
        self._sent = 0
        self._runs_since = 0.0

    @property
    def in_vain(self) -> bool:
        """Whether more was sent than was asked: then the worker is of no further use."""
        return self._sent > len(self._asked)

    def ask(self, worker: Process, frame: list[bytes], timeout_s: float) -> Any:
        """The answer to the next request of the run.

        Raises:
            Astray: the run is to begin again.
            Expired, Ended, ProtocolError: as `Process.ask`; nothing else was on its way.
        """
        number, request = len(self._asked), b"".join(frame)
        self._asked.append(request)
        foreseen = number < len(self._known) and self._known[number] == request
        if number < self._sent and not foreseen:
            self._note_astray()
            raise Astray
        if not foreseen:
            self._known = []  # from here on one by one
            self._sent = number + 1
            return worker.ask([request], timeout_s)
        try:
            if self._sent - number <= _AHEAD // 2:
                following = self._known[self._sent : number + _AHEAD]
                if self._sent == number:  # nothing is on its way
                    self._runs_since = time.monotonic()
                self._sent += len(following)
                worker.post([one] for one in following)
            # a call runs at the latest since the answer before it was taken: the judge's own work is not added to its limit
            run_s = time.monotonic() - self._runs_since
            answer = worker.take(max(timeout_s - run_s, _LOOK_S))
            self._runs_since = time.monotonic()
            return answer
        except (Expired, Ended, ProtocolError):
            if self.in_vain:  # perhaps it was asked for a handle that it has not
                self._note_astray()
                raise Astray from None
            raise

    def confirm(self) -> None:
        """The run has passed: the next one may ask the same."""
        script = self._script
        if self.in_vain:
            self._note_astray()
        elif script.requests:
            script.followed += self._asked == script.requests
        elif script.changes <= _CHANGES_AT_MOST:
            size = sum(map(len, self._asked))
            held = sum(len(one) for other in _scripts.values() for one in other.requests)
            if size <= _BYTES_AT_MOST and held + size <= _BYTES_OF_ALL:
                script.requests = self._asked

    def _note_astray(self) -> None:
        script = self._script
        script.astray += 1
        if script.astray >= _ASTRAY_AT_MOST and script.astray > script.followed:
            script.requests = []
            script.changes += 1
            script.followed = script.astray = 0
