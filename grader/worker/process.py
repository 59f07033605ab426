"""One worker process seen from the judge: frames there, as many frames back, each before a deadline."""

import math
import os
import select
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from grader.worker.protocol import PREFIX, ProtocolError, decode, lengths
from grader.worker.sandbox import SandboxName, end, launch

OUTPUT_AT_MOST = 64 * 1024

_START_S = 60.0
_FIRST_READ = 64 * 1024
_READ_AT_MOST = 1 << 20
_READS_AT_MOST = 16
_JOINED_AT_MOST = 1 << 18
_GRACE_S = 0.5
_CAUSES = {
    signal.SIGKILL: "it was killed (out of memory?)",
    signal.SIGSEGV: "it crashed (segmentation fault)",
    signal.SIGBUS: "it crashed (bus error)",
    signal.SIGABRT: "it crashed (abort)",
    signal.SIGXCPU: "it used up its processor time",
    signal.SIGSYS: "it made a forbidden system call",
}


class Expired(Exception):
    """The deadline has passed."""


class Ended(Exception):
    """The process is gone, or has closed its end; the text names the likely cause."""


class Process:
    """A worker process; after any exception from a method it is killed and of no further use.

    Args:
        sandbox: where it runs.
    """

    def __init__(self, sandbox: SandboxName) -> None:
        self._process, self._requests, self._replies, self._printed = launch(sandbox)
        self._poll = select.poll()
        self._poll.register(self._replies, select.POLLIN)
        self._poll.register(self._printed, select.POLLIN)
        self._outgoing: deque[memoryview] = deque()
        self._awaits_room = False
        self._asked = 0
        self._incoming = bytearray()
        self._begin = 0
        self._output = bytearray()
        self._silent = False
        self._ready = False
        self._open = True

    @property
    def output(self) -> bytes:
        """What the student's code printed so far, both streams, at most 64 KiB."""
        for _ in range(_READS_AT_MOST):
            if not self._open or not self._collect():
                break
        return bytes(self._output)

    def ready(self) -> None:
        """Waits until it can take its first request.

        Raises:
            Ended: it could not start; its output says why.
        """
        if not self._ready:
            self._asked = 1
            if self.take(_START_S) != ("ready",):
                self.close()
                raise Ended("no handshake")
            self._ready = True

    def ask(self, frame: list[bytes], timeout_s: float) -> Any:
        """The answer to a request.

        Raises:
            Expired: no answer within `timeout_s`, for writing and reading together.
            Ended: the process ended.
            ProtocolError: what came back is no frame.
        """
        self.post([frame])
        return self.take(timeout_s)

    def post(self, frames: Iterable[list[bytes]]) -> None:
        """Asks several at once: `take` gives the answers in turn, and writes meanwhile what does not fit into the pipe.

        Raises:
            Ended, ProtocolError: as `ask`.
        """
        self.ready()
        self._guarded(self._post, frames)

    def take(self, timeout_s: float) -> Any:
        """The next answer to what was posted; raises as `ask`."""
        return self._guarded(self._take, timeout_s)

    def close(self) -> None:
        """Kills it and everything in its sandbox."""
        if self._open:
            end(self._process)
            _ = self.output
            self.abandon()

    def abandon(self) -> None:
        """Closes this end only, where the worker belongs to the process that this one was forked from."""
        if self._open:
            self._open = False
            if self._process.returncode is None:
                self._process.returncode = 0  # not this process's to wait for
            for descriptor in (self._requests, self._replies, self._printed):
                os.close(descriptor)

    def _guarded(self, action: Callable[[Any], Any], argument: Any) -> Any:
        try:
            return action(argument)
        except EOFError:
            cause = self._cause()
            self.close()
            raise Ended(cause) from None
        except BaseException:
            self.close()
            raise

    def _post(self, frames: Iterable[list[bytes]]) -> None:
        if not self._asked and (self._incoming or self._look(0)[0]):
            self._read()  # an answer, or the end
            raise ProtocolError("an answer before the question")
        chunks: list[bytes] = []
        for frame in frames:
            chunks.extend(frame)
            self._asked += 1
        if len(chunks) > 1 and sum(map(len, chunks)) <= _JOINED_AT_MOST:
            chunks = [b"".join(chunks)]  # one write wakes the other end once
        self._outgoing.extend(map(memoryview, chunks))
        self._write()

    def _take(self, timeout_s: float) -> Any:
        deadline = time.monotonic() + timeout_s
        while (end := self._frame_end()) is None:
            answered, writable = self._wait(deadline)
            if writable:
                self._write()
            if answered:
                self._read()
        header = self._begin + PREFIX.size
        body = header + lengths(self._incoming, self._begin)[0]
        with memoryview(self._incoming) as data:
            answer = decode(bytes(data[header:body]), data[body:end], from_judge=False)
        self._begin = end
        self._asked -= 1
        if self._outgoing and not self._asked:
            raise ProtocolError("an answer before the question")
        if self._begin == len(self._incoming):
            self._incoming, self._begin = bytearray(), 0
        elif not self._asked:
            raise ProtocolError("more than one answer")
        return answer

    def _frame_end(self) -> int | None:
        """Where the next answer ends, once all of it is there."""
        if len(self._incoming) < self._begin + PREFIX.size:
            return None
        header, payload = lengths(self._incoming, self._begin)
        end = self._begin + PREFIX.size + header + payload
        return end if len(self._incoming) >= end else None

    def _write(self) -> None:
        """Writes what the pipe takes."""
        while self._outgoing:
            view = self._outgoing[0]
            try:
                written = os.write(self._requests, view)
            except BrokenPipeError:
                raise EOFError from None
            except BlockingIOError:
                break
            if written < len(view):
                self._outgoing[0] = view[written:]
            else:
                self._outgoing.popleft()
        if bool(self._outgoing) != self._awaits_room:
            self._awaits_room = not self._awaits_room
            if self._awaits_room:
                self._poll.register(self._requests, select.POLLOUT)
            else:
                self._poll.unregister(self._requests)

    def _read(self) -> None:
        """Takes what was answered, as far as it is there."""
        if self._begin:
            self._incoming, self._begin = self._incoming[self._begin :], 0
        part = os.read(self._replies, _READ_AT_MOST if self._incoming else _FIRST_READ)
        if not part:
            raise EOFError
        self._incoming += part

    def _wait(self, deadline: float) -> tuple[bool, bool]:
        """Waits until the worker has answered or is gone, or takes more; which of the two. Collects its output."""
        while (left := deadline - time.monotonic()) > 0:
            answered, printed, writable = self._look(math.ceil(left * 1000))
            if printed:
                self._collect()
            if answered or writable:
                return answered, writable
        raise Expired

    def _look(self, timeout_ms: int) -> tuple[bool, bool, bool]:
        """Whether there is an answer, output, room for more of the request."""
        answered = printed = writable = False
        for descriptor, _ in self._poll.poll(timeout_ms):
            if descriptor == self._replies:
                answered = True
            elif descriptor == self._printed:
                printed = True
            else:
                writable = True
        return answered, printed, writable

    def _collect(self) -> bool:
        """Takes what was printed, as far as it is there; False when nothing is, or never will be again."""
        try:
            part = os.read(self._printed, _FIRST_READ)
        except BlockingIOError:
            return False
        if not part and not self._silent:
            self._silent = True
            self._poll.unregister(self._printed)
        self._output += part[: OUTPUT_AT_MOST - len(self._output)]
        return bool(part)

    def _cause(self) -> str:
        """Why it is gone, in words."""
        try:
            code = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return "it closed its connection to the judge"
        number = -code if code < 0 else code - 128
        if number in set(_CAUSES):
            return _CAUSES[signal.Signals(number)]
        if number > 0:
            return f"it was ended by signal {number}"
        return f"exit status {code}: os._exit, a closed descriptor or a crash"
