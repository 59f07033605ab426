"""Frames: every value comes back as it was sent, and nothing else is let in."""

import contextlib
import json
import math

import numpy as np
import pytest

from grader.worker.program import PLAIN_DTYPES, Handle, clone, clone_generator
from grader.worker.protocol import (
    HEADER_AT_MOST,
    PAYLOAD_AT_MOST,
    PREFIX,
    ProtocolError,
    Unsendable,
    decode,
    encode,
    lengths,
)


def sent(value, *, to_worker):
    frame = b"".join(encode(value, exact_layout=to_worker))
    header, payload = lengths(frame)
    body = PREFIX.size + header
    assert len(frame) == body + payload
    return decode(frame[PREFIX.size : body], bytearray(frame[body:]), from_judge=to_worker)


def same(first, second):
    if type(first) is not type(second):
        return False
    if isinstance(first, (np.ndarray, np.generic)):
        return (
            first.dtype == second.dtype
            and first.shape == second.shape
            and first.tobytes() == second.tobytes()
        )
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return same(list(first.items()), list(second.items()))
    return first == second or first != first


VALUES = [
    None, True, False, 0, -1, 2**200, 1.5, -0.0, math.inf, -math.inf, math.nan, 1e-320, 1 + 2j, complex(math.nan, -0.0),
    "", "text", "ü\u202e\0\n", "\ud800", "long" * 1000, [], (), {}, [1, (2.0, [None])], {"a": 1, 2: {"b": (1,)}, None: 3},
    np.float32(0.1), np.int64(3), np.bool_(True), np.float64("nan"), np.complex64(1j),
    [0.5] * 40, (math.nan,) * 40, list(range(40)), [2**70] * 40, [True] * 40, [1, 2.0] * 40,
    np.zeros(()), np.zeros((0, 3)), np.arange(24.0).reshape(2, 3, 4), Handle(7, ""), [Handle(1, ""), np.ones(3)],
]  # fmt: skip


@pytest.mark.parametrize("to_worker", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}-{value!r:.20}")
def test_values(value, to_worker):
    """Type, dtype, sign of zero and NaN survive, in both directions."""
    assert same(sent(value, to_worker=to_worker), value)


def test_handles():
    """A worker knows what a handle stands for; the judge is told, for messages."""
    assert sent(Handle(7, "dict"), to_worker=False) == Handle(7, "dict")
    assert sent(Handle(7, "dict"), to_worker=True) == Handle(7, "")


@pytest.mark.parametrize("dtype", sorted(PLAIN_DTYPES, key=str), ids=str)
def test_dtypes(dtype):
    """Arrays, scalars and the dtypes themselves travel."""
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for value in (array, array[1, 2]):
        assert same(sent(value, to_worker=False), value)
    assert sent([dtype, dtype.type], to_worker=True) == [dtype, dtype.type]


LAYOUTS = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "transposed": lambda a: a.T,
    "strided": lambda a: a[::2, 1::2],
    "reversed": lambda a: a[::-1, ::-1],
    "broadcast": lambda a: np.broadcast_to(a[0], a.shape),
    "empty": lambda a: a[:0].T,
    "one element": lambda a: a[1:2, 1:2],
}


@pytest.mark.parametrize("writeable", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_to_the_worker(layout, writeable):
    """An argument has the strides and flags that its copy in this process would have."""
    array = LAYOUTS[layout](np.arange(24.0).reshape(4, 6)).view()
    array.flags.writeable = writeable and array.flags.writeable
    there, here = clone(sent(array, to_worker=True)), clone(array)
    assert np.array_equal(there, array)
    assert there.flags.writeable == array.flags.writeable
    assert there.strides == here.strides


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_to_the_judge(layout):
    """An answer arrives in C order, in memory of its own."""
    array = LAYOUTS[layout](np.arange(24.0).reshape(4, 6))
    here = sent(array, to_worker=False)
    assert np.array_equal(here, array)
    assert here.flags.c_contiguous
    assert here.flags.owndata
    assert here.flags.writeable


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators(bits):
    """A generator draws and spawns there what it would here."""
    rng = np.random.Generator(getattr(np.random, bits)([1, 2]))
    rng.spawn(2)
    rng.integers(10, dtype=np.int32)  # leaves half a word behind
    there = sent(rng, to_worker=True)
    here = clone_generator(rng)
    assert np.array_equal(there.normal(size=9), here.normal(size=9))
    assert there.spawn(1)[0].integers(2**60) == here.spawn(1)[0].integers(2**60)


NESTED = ["leaf"]
for _ in range(40):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "object"),
        ({1, 2}, "set"),
        (np.array([None]), "object"),
        (np.zeros(2, "f8,f8"), "dtype"),
        (np.zeros((1,) * 9), "9 axes"),
        (np.datetime64("2026-01-01"), "datetime64"),
        (2**100_000, "bits"),
        (np.zeros(PAYLOAD_AT_MOST + 1, np.int8), "64 MiB"),
        (["text"] * HEADER_AT_MOST, "too many parts"),
        (NESTED, "nested"),
    ],
    ids=lambda value: value if type(value) is str else "",
)
def test_unsendable(value, reason):
    """What does not fit is refused before it is sent, in words."""
    with pytest.raises(Unsendable, match=reason):
        encode(value, exact_layout=False)


@pytest.mark.parametrize(
    ("header", "payload"),
    [(HEADER_AT_MOST + 1, 0), (0, PAYLOAD_AT_MOST + 1), (2**32 - 1, 2**64 - 1)],
)
def test_announced_lengths(header, payload):
    """Lengths beyond the limits are refused before anything is allocated."""
    with pytest.raises(ProtocolError, match="announced"):
        lengths(PREFIX.pack(header, payload))


BAD = [
    (["a", "float64", 2], 8), (["a", "float64", 1], 16), (["a", "float64", -1], 8), (["a", "float64", 1.0], 8),
    (["a", "float64", True], 8), (["a", "float64", 2**32, 2**32], 0), (["a", "float64", 0, 2**63], 0),
    (["a", "float64", *[1] * 9], 8), (["a", "object", 1], 8), (["a", "O", 1], 8), (["a", "float64,float64", 1], 16),
    (["a", ["float64"], 1], 8), (["a"], 0), (["v", "float64", 8, 0, True, 1, 8], 8), (["g", "PCG64"], 0),
    (["y", "float64"], 0),
    (["k", "float64"], 0), (["s", "object"], 8), (["s", "float64"], 4), (["s"], 0), (["u", 3], 2), (["u", -1], 0),
    (["u", True], 1),
    (["u", "1"], 1), (["p", "l", "float64", 2], 8), (["p", "l", "float32", 2], 8), (["p", "x", "float64", 1], 8),
    (["p", "l", "float64", -1], 0), (["p", "l", "int64", 2**40], 0), (["c", 1, 2], 0), (["c", 1.0], 0), (["h", -1, "x"], 0),
    (["h", True, "x"], 0), (["h", 1, 2], 0), (["d", 1], 0), (["d", ["l"], 1], 0), ([], 0), ({}, 0), ({"a": 1}, 0), ([["l"]], 0),
    (["exec", "1"], 0), ([None], 0), (None, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "length"), BAD, ids=lambda value: json.dumps(value) if type(value) is not int else ""
)
def test_malformed(value, length):
    """A reply that breaks a rule is a ProtocolError, whatever the rule."""
    with pytest.raises(ProtocolError):
        decode(json.dumps(value).encode(), bytes(length), from_judge=False)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff",
        b"{",
        b"[" * 60_000,
        b"[" + b"9" * 60_000 + b"]",
        b'["l",' * 40 + b"1" + b"]" * 40,
        b"cos\nsystem\n.",
    ],
)
def test_no_json(header):
    """Neither is a header that is no JSON, or nests too deeply."""
    with pytest.raises(ProtocolError):
        decode(header, b"", from_judge=False)


def test_random_bytes():
    """Flipping any byte of a frame gives a value or a ProtocolError, never another exception."""
    frame = b"".join(
        encode(
            ("outcome", [np.arange(3.0), 1 + 2j, "u" * 300], {"k": np.float32(1)}),
            exact_layout=False,
        )
    )
    header, _ = lengths(frame)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        data = bytearray(frame[PREFIX.size :])
        data[rng.integers(len(data))] = rng.integers(256)
        with contextlib.suppress(ProtocolError):
            decode(bytes(data[:header]), bytes(data[header:]), from_judge=False)
