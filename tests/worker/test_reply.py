"""A worker's answer to a call is examined before the judge uses it."""

import numpy as np
import pytest

from grader.worker.program import GeneratorState
from grader.worker.protocol import ProtocolError
from grader.worker.reply import outcome_of


def rng(bits):
    return np.random.Generator(getattr(np.random, bits)(1))


def changed(state, name, value):
    return {
        key: changed(item, name, value)
        if isinstance(item, dict)
        else value
        if key == name
        else item
        for key, item in state.items()
    }


def outcome_with(generator, state, spawned=0):
    return outcome_of(("outcome", None, (), (), False, {0: (state, spawned)}), [generator], {})


@pytest.mark.parametrize("bits", ["PCG64", "MT19937", "Philox", "SFC64"])
def test_advanced_generator(bits):
    """The state that an honest worker sends is accepted as it is."""
    generator = rng(bits)
    state = generator.bit_generator.state
    assert outcome_with(rng(bits), state, 3).generators == {0: GeneratorState(state, 3)}


@pytest.mark.parametrize(
    ("bits", "name", "value"),
    [
        ("MT19937", "pos", 10**6),  # numpy would read beyond its table
        ("MT19937", "pos", -1),
        ("MT19937", "key", np.zeros(3, np.uint32)),
        ("Philox", "buffer_pos", -(10**6)),
        ("Philox", "buffer", np.zeros(4)),
        ("PCG64", "state", 2**200),
        ("PCG64", "state", "0"),
        ("PCG64", "has_uint32", True),
        ("PCG64", "has_uint32", 2),
        ("PCG64", "uinteger", 2**32),
        ("SFC64", "uinteger", -1),
        ("PCG64", "bit_generator", "MT19937"),
    ],
)
def test_forged_generator(bits, name, value):
    """A state that numpy would trust, and should not, is refused."""
    state = changed(rng(bits).bit_generator.state, name, value)
    with pytest.raises(ProtocolError):
        outcome_with(rng(bits), state)


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
@pytest.mark.parametrize("number", [0, 1, 4, 624, 2**32 - 1, 2**128 - 1])
def test_accepted_states_are_numpys(bits, number):
    """Whatever state is accepted, numpy takes it, and draws from it."""
    for name in ("pos", "buffer_pos", "has_uint32", "uinteger", "state", "inc"):
        generator = rng(bits)
        state = changed(generator.bit_generator.state, name, number)
        if bits in ("PCG64", "PCG64DXSM") and name == "state":
            state = changed(generator.bit_generator.state, "inc", number)
        try:
            accepted = outcome_with(generator, state).generators[0].state
        except ProtocolError:
            continue
        generator.bit_generator.state = accepted
        generator.normal(size=1000)


@pytest.mark.parametrize("spawned", [-1, 10**12, "1", None])
def test_forged_spawn_count(spawned):
    """The judge spawns no more than a student could have meant to."""
    generator = rng("PCG64")
    with pytest.raises(ProtocolError):
        outcome_with(generator, generator.bit_generator.state, spawned)


@pytest.mark.parametrize(
    "reply",
    [
        ("outcome",),
        ("outcome", None, [], (), False, {}),
        ("outcome", None, (1,), (), False, {}),
        ("outcome", None, ("eps",), (), False, {}),
        ("outcome", None, (True,), (), False, {}),
        ("outcome", None, (), (1,), False, {}),
        ("outcome", None, (), (), 0, {}),
        ("outcome", None, (), (), False, {0: None}),
        ("outcome", None, (), (), False, {0: ({}, 0)}),
        ("outcome", None, (), (), False, {5: ({}, 0)}),
        ("outcome", None, (), (), False, {}, 20),
        ("loaded", []),
    ],
    ids=repr,
)
def test_other_answers(reply):
    """So is an answer of any other form."""
    with pytest.raises(ProtocolError):
        outcome_of(reply, [np.zeros(2)], {"gamma": 1.0})
