"""The worker's loop: answers the judge's requests over two descriptors of its own, inside the sandbox."""

import os
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from grader.worker.program import Host, NotDefined, Raised, Unrevealable
from grader.worker.protocol import Unsendable, encode, read_frame

_TEXT_AT_MOST = 4000


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
    _send(replies, ("ready",))
    while True:
        try:
            request = read_frame(lambda length: _read(requests, length), from_judge=True)
        except EOFError:
            return
        _send(replies, _answer(host, request))


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


def _read(descriptor: int, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = os.readv(descriptor, [view])
        if count == 0:
            raise EOFError
        view = view[count:]
    return data


def _send(descriptor: int, reply: tuple[Any, ...]) -> None:
    try:
        chunks = encode(reply, exact_layout=False)
    except Unsendable as problem:
        chunks = encode(("unsendable", _shortened(str(problem))), exact_layout=False)
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            view = view[os.write(descriptor, view) :]
