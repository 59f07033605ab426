"""One worker process seen from the judge: a frame there, a frame back, before a deadline."""

import math
import os
import select
import signal
import subprocess
import time
from typing import Any, NoReturn

from grader.worker.protocol import PREFIX, ProtocolError, decode, lengths
from grader.worker.sandbox import SandboxName, end, launch

OUTPUT_AT_MOST = 64 * 1024

_START_S = 60.0
_FIRST_READ = 64 * 1024
_READ_AT_MOST = 1 << 20
_READS_AT_MOST = 16
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
            if self._guarded([], _START_S) != ("ready",):
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
        self.ready()
        return self._guarded(frame, timeout_s)

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

    def _guarded(self, frame: list[bytes], timeout_s: float) -> Any:
        try:
            return self._exchange(frame, time.monotonic() + timeout_s)
        except EOFError:
            cause = self._cause()
            self.close()
            raise Ended(cause) from None
        except BaseException:
            self.close()
            raise

    def _exchange(self, frame: list[bytes], deadline: float) -> Any:
        if frame and self._look(0)[0]:
            self._refuse_answer(deadline)
        for chunk in frame:
            self._write(chunk, deadline)
        data = bytearray()
        self._read(data, PREFIX.size, deadline)
        header, payload = lengths(data)
        body = PREFIX.size + header
        self._read(data, body + payload, deadline)
        if len(data) > body + payload:
            raise ProtocolError("more than one answer")
        return decode(bytes(data[PREFIX.size : body]), memoryview(data)[body:], from_judge=False)

    def _write(self, chunk: bytes, deadline: float) -> None:
        view = memoryview(chunk)
        while view:
            try:
                view = view[os.write(self._requests, view) :]
            except BrokenPipeError:
                raise EOFError from None
            except BlockingIOError:
                self._poll.register(self._requests, select.POLLOUT)
                answered = self._wait(deadline)
                self._poll.unregister(self._requests)
                if answered:
                    self._refuse_answer(deadline)

    def _refuse_answer(self, deadline: float) -> NoReturn:
        """Something is there to be read although nothing was asked: an answer, or the end."""
        self._read(bytearray(), 1, deadline)
        raise ProtocolError("an answer before the question")

    def _read(self, data: bytearray, length: int, deadline: float) -> None:
        while len(data) < length:
            if self._wait(deadline):
                size = min(max(length - len(data), _FIRST_READ), _READ_AT_MOST)
                part = os.read(self._replies, size)
                if not part:
                    raise EOFError
                data += part

    def _wait(self, deadline: float) -> bool:
        """Waits until the worker has sent something or is gone (True), or takes more (False); collects its output."""
        while (left := deadline - time.monotonic()) > 0:
            answered, printed, writable = self._look(math.ceil(left * 1000))
            if printed:
                self._collect()
            if answered or writable:
                return answered
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
