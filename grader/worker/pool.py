"""Workers started ahead, so that a submission does not wait for an interpreter and numpy."""

import atexit
import functools
import os

from grader.worker.process import Ended, Expired, Process
from grader.worker.protocol import ProtocolError
from grader.worker.sandbox import SandboxName
from grader.worker.selftest import SandboxUnavailable, usable_sandbox


class Pool:
    """Idle workers that have run nothing yet, started ahead.

    Args:
        sandbox: where they run; the best that passes the self-test, unless given.
        size: how many to keep ready.
    """

    def __init__(self, sandbox: SandboxName | None = None, *, size: int = 1) -> None:
        self.sandbox: SandboxName = usable_sandbox(sandbox)
        self._size = size
        self._idle: list[Process] = []
        self._owner = os.getpid()

    def take(self) -> Process:
        """An unused worker, for one submission.

        Raises:
            SandboxUnavailable: it cannot be started.
        """
        if self._owner != os.getpid():  # after a fork: the workers are the parent's
            for process in self._idle:
                process.abandon()
            self._idle, self._owner = [], os.getpid()
        process = self._idle.pop(0) if self._idle else Process(self.sandbox)
        try:
            process.ready()
        except (Ended, Expired, ProtocolError) as problem:
            text = process.output.decode(errors="replace").strip()
            raise SandboxUnavailable(f"A worker could not be started: {text or problem}") from None
        return process

    def refill(self) -> None:
        """Starts as many workers as were taken."""
        while len(self._idle) < self._size and self._owner == os.getpid():
            self._idle.append(Process(self.sandbox))

    def close(self) -> None:
        """Ends the idle workers."""
        while self._idle:
            process = self._idle.pop()
            process.close() if self._owner == os.getpid() else process.abandon()


@functools.cache
def the_pool(sandbox: SandboxName | None = None) -> Pool:
    """This process's own pool, closed when it ends.

    Raises:
        SandboxUnavailable: no sandbox works here.
    """
    pool = Pool(sandbox)
    atexit.register(pool.close)
    return pool
