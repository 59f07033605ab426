"""The worker's loop: answers the judge's requests over two descriptors of its own, inside the sandbox."""

import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from grader.worker.program import Host, NotDefined, Raised, Unrevealable
from grader.worker.protocol import PREFIX, Unsendable, encode, lengths, read_frame

_TEXT_AT_MOST = 4000
_READ = 64 * 1024
_JOINED_AT_MOST = 1 << 20
_WAIT_S = 0.01
_now = time.monotonic


def main(requests: int, replies: int) -> None:
    """Serves until the judge closes its end.

    Args:
        requests: descriptor to read from.
        replies: descriptor to write to.
    """
    # numbers drawn while a submission is loaded are the same every time
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    host = Host()
    received, answers = _Received(requests), _Answers(replies)
    answers.add(("ready",))
    while True:
        try:
            request = received.request()
        except EOFError:
            return
        answers.add(_answer(host, request), wait=received.has_more)


def _answer(host: Host, request: tuple[Any, ...]) -> tuple[Any, ...]:
    operation, fresh, *arguments = request
    if fresh:
        host.forget()
    try:
        return _OPERATIONS[operation](host, *arguments)
    except Raised as raised:
        return (
            "raised",
            [_shortened(name) for name in raised.type_names[:32]],
            _shortened(raised.message),
            _shortened(raised.trace),
            None if raised.mismatch is None else _shortened(raised.mismatch),
        )
    except NotDefined as missing:
        return ("undefined", _shortened(str(missing)))
    except Unrevealable as problem:
        return ("unrevealable", _shortened(str(problem)))
    except KeyboardInterrupt:  # the student's own: nobody sits at this keyboard
        return ("raised", ["KeyboardInterrupt", "BaseException"], "", "", None)


def _load(host: Host, cells: list[Any], name: str, stop_at_error: bool) -> tuple[Any, ...]:
    host.load(cells, name=name, stop_at_error=stop_at_error)
    np.random.seed()  # noqa: NPY002  # unlike any seed that the code sets again in its calls
    random.seed()
    host.forget()
    return ("loaded", [_shortened(note) for note in host.notes[:100]])


def _defines(host: Host, name: str) -> tuple[Any, ...]:
    return ("defines", host.defines(name))


def _call(
    host: Host,
    target: Any,
    method: str | None,
    args: Any,
    kwargs: Mapping[str, Any],
    keep: bool,
    overwrite: bool,
) -> tuple[Any, ...]:
    outcome = host.call(target, method, args, kwargs, keep=keep, overwrite=overwrite)
    generators = {key: tuple(state) for key, state in outcome.generators.items()}
    return (
        "outcome",
        outcome.value,
        outcome.modified,
        outcome.changed,
        outcome.global_rng,
        generators,
    )


def _attribute(host: Host, handle: Any, name: str) -> tuple[Any, ...]:
    return ("attribute", *host.attribute(handle, name))


def _reveal(host: Host, handle: Any) -> tuple[Any, ...]:
    return ("revealed", host.reveal(handle))


_OPERATIONS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "load": _load,
    "defines": _defines,
    "call": _call,
    "attribute": _attribute,
    "reveal": _reveal,
}


def _shortened(text: str) -> str:
    return text if len(text) <= _TEXT_AT_MOST else text[: _TEXT_AT_MOST - 1] + "…"


class _Received:
    """Requests that have arrived, several in one read where several are there."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._data = bytearray()
        self._begin = 0

    @property
    def has_more(self) -> bool:
        """Whether another request is there as a whole."""
        there = len(self._data) - self._begin
        return there >= PREFIX.size and there >= PREFIX.size + sum(lengths(self._data, self._begin))

    def request(self) -> Any:
        """The next one; EOFError when the judge has closed its end."""
        return read_frame(self._take, from_judge=True)

    def _take(self, length: int) -> bytearray:
        if len(self._data) - self._begin < length:
            del self._data[: self._begin]
            self._begin = 0
            while len(self._data) < length:
                part = os.read(self._descriptor, max(_READ, length - len(self._data)))
                if not part:
                    raise EOFError
                self._data += part
        self._begin += length
        return self._data[self._begin - length : self._begin]


class _Answers:
    """Answers on their way: several in one write where requests have come several at a time, but none waits for long."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._chunks: list[bytes] = []
        self._sent = _now()

    def add(self, answer: tuple[Any, ...], *, wait: bool = False) -> None:
        """An answer, which may wait for the next one."""
        try:
            self._chunks += encode(answer, exact_layout=False)
        except Unsendable as problem:
            self._chunks += encode(("unsendable", _shortened(str(problem))), exact_layout=False)
        if not wait or _now() - self._sent > _WAIT_S:
            self._send()

    def _send(self) -> None:
        chunks, self._chunks = self._chunks, []
        if sum(map(len, chunks)) <= _JOINED_AT_MOST:
            chunks = [b"".join(chunks)]
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._descriptor, view) :]
        self._sent = _now()
