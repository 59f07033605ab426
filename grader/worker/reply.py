"""What a worker answered to a call, examined before the judge uses it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.worker.program import GeneratorState, Outcome
from grader.worker.protocol import ProtocolError

_SPAWNED_AT_MOST = 10_000
_LARGEST = {"pos": 624, "buffer_pos": 4, "has_uint32": 1, "uinteger": 2**32 - 1}
"""Largest values in a state, others have 128 bits; numpy does not check its indices `pos` and `buffer_pos`."""


def outcome_of(reply: tuple[Any, ...], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outcome:
    """The outcome of a call with these arguments.

    Raises:
        ProtocolError: no honest worker answers so.
    """
    match reply:
        case ("outcome", value, tuple(modified), tuple(changed), bool(used), dict(states)):
            pass
        case _:
            raise ProtocolError("an answer of another kind")
    if not modified and not changed and not states:
        return Outcome(value, (), (), used)
    arguments: dict[int | str, Any] = dict(enumerate(args))
    arguments.update(kwargs)
    if not all(type(key) in (int, str) and key in arguments for key in (*modified, *states)):
        raise ProtocolError("an argument that was not passed")
    if not all(type(label) is str for label in changed):
        raise ProtocolError("a label that is no text")
    generators = {key: _generator_state(arguments[key], state) for key, state in states.items()}
    return Outcome(value, modified, changed, used, generators)


def _generator_state(rng: Any, theirs: Any) -> GeneratorState:
    match theirs:
        case (dict(state), int(spawned)) if 0 <= spawned <= _SPAWNED_AT_MOST:
            pass
        case _:
            raise ProtocolError("a generator's state")
    if not isinstance(rng, np.random.Generator) or not _alike(rng.bit_generator.state, state):
        raise ProtocolError("a generator's state")
    return GeneratorState(state, spawned)


def _alike(own: Any, theirs: Any, name: str = "") -> bool:
    """Whether two states have the same form, with every number in its range."""
    if type(own) is not type(theirs):
        return False
    if isinstance(own, dict):
        return own.keys() == theirs.keys() and all(
            _alike(own[key], theirs[key], key) for key in own
        )
    if isinstance(own, np.ndarray):
        return bool(own.shape == theirs.shape and own.dtype == theirs.dtype)
    if isinstance(own, int):
        return bool(0 <= theirs <= _LARGEST.get(name, 2**128 - 1))
    return bool(own == theirs)
