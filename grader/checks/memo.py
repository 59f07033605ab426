"""Reference values that are computed once per process: every submission meets the same examples.

A value is found again only where nothing can differ: the same example of the same check, the reference's same code with the
same objects in its closure, on the same arrays. A reference that closes over something new in each run, such as a mask that
the student drew, is computed anew.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType
from typing import Any, TypeVar

from numpy.random import Generator

Value = TypeVar("Value")

_PLAIN = (type(None), bool, int, float, str)
_local = threading.local()


@dataclass
class _Replay:
    """The reference values of one example, in the order in which the check asks for them."""

    found: list[tuple[list[Any], Any]] = field(default_factory=list)
    turn: int = 0


_REPLAYS: dict[Any, _Replay] = {}


@contextlib.contextmanager
def remembering(example: Any) -> Iterator[None]:
    """Reference values asked for in the block are kept under the example's key."""
    replay = _REPLAYS.setdefault(example, _Replay())
    replay.turn = 0
    _local.replay = replay
    try:
        yield
    finally:
        _local.replay = None


def forget_values() -> None:
    """Drops all that is remembered."""
    _REPLAYS.clear()


def once(
    compute: Callable[[], Value],
    reference: Callable[..., Any],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    *others: Any,
) -> Value:
    """The value of `compute`, which depends on nothing else than what is given; treat it as read-only."""
    replay: _Replay | None = getattr(_local, "replay", None)
    if replay is None or not isinstance(reference, (FunctionType, BuiltinFunctionType)):
        return compute()
    key = [*_parts(reference), *_flat([inputs, options, *others])]
    turn = replay.turn
    replay.turn += 1
    if turn < len(replay.found):
        known, value = replay.found[turn]
        if _same(known, key):
            return value  # type: ignore[no-any-return]  # the key tells what it is
        return compute()
    value = compute()
    if turn == len(replay.found):
        replay.found.append((key, value))
    return value


def _parts(reference: FunctionType | BuiltinFunctionType) -> list[Any]:
    """What makes a function: itself when it is built in, else its code and what it closes over."""
    if isinstance(reference, BuiltinFunctionType):
        return [reference]
    cells = [cell.cell_contents for cell in reference.__closure__ or ()]
    defaults = [*(reference.__defaults__ or ()), *(reference.__kwdefaults__ or {}).items()]
    return [reference.__code__, *_flat([cells, defaults])]


def _flat(value: Any) -> list[Any]:
    """The leaves of lists, tuples, mappings and generators' states, with their lengths and keys."""
    if isinstance(value, Generator):
        value = value.bit_generator.state
    if isinstance(value, Mapping):
        return [len(value), *(part for item in value.items() for part in _flat(item))]
    if isinstance(value, (list, tuple)):
        return [len(value), *(part for item in value for part in _flat(item))]
    return [value]


def _same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        a is b or (type(a) is type(b) and type(a) in _PLAIN and a == b)
        for a, b in zip(one, other, strict=True)
    )
