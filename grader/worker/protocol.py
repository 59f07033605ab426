"""Frames between the judge and a worker: a JSON header and raw array buffers, in a format that cannot carry code.

Runs at both ends, so it imports the standard library and numpy only. A frame is one value: 12 bytes with the two
lengths, the header, the payload. In the header None, bool, int, float and short text stand for themselves;
everything else is a list `[tag, ...]`. Buffers follow one another in the payload in the order in which the header
names them, so no offset can point elsewhere. The other end is not trusted: every length is checked before
anything is allocated.
"""

import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from grader.worker.program import PLAIN_DTYPES, Handle, buffer_of, clone

PREFIX = struct.Struct("<IQ")
HEADER_AT_MOST = 64 * 1024
PAYLOAD_AT_MOST = 64 * 1024 * 1024
DIMENSIONS_AT_MOST = 8

_DEPTH_AT_MOST = 24
_INT_BITS_AT_MOST = 4096
_PACKED_FROM = 16
_PACKED_AT_MOST = 1 << 20
_TEXT_FROM = 256
_JOINED_AT_MOST = 64 * 1024
_DTYPES = {dtype.name: dtype for dtype in PLAIN_DTYPES}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_AS_THEY_ARE = frozenset((type(None), bool, float))
_JSON = json.JSONEncoder(separators=(",", ":"))
_GENERATORS = {
    cls.__name__: cls
    for cls in (
        np.random.PCG64,
        np.random.PCG64DXSM,
        np.random.MT19937,
        np.random.Philox,
        np.random.SFC64,
    )
}


class ProtocolError(Exception):
    """The other end sent something that is no frame of this protocol."""


class Unsendable(Exception):
    """A value does not fit the protocol; the text says why, in words."""


def encode(value: Any, *, exact_layout: bool) -> list[bytes]:
    """The frame of a value, as chunks to be written one after the other.

    Args:
        value: what to send.
        exact_layout: arrays keep their strides and flags (to the worker), instead of arriving in C order (to the judge).

    Raises:
        Unsendable: it holds something else than None, bool, int, float, complex, str, arrays, numpy scalars and
            dtypes, generators, handles, and lists, tuples and dicts of these, or more than the limits.
    """
    writer = _Writer(exact_layout=exact_layout)
    header = _JSON.encode(writer.value(value, 0)).encode("ascii")
    if len(header) > HEADER_AT_MOST:
        raise Unsendable("a value of too many parts")
    chunks = [PREFIX.pack(len(header), writer.size) + header, *writer.buffers]
    # one write wakes the other end once
    return [b"".join(chunks)] if writer.size <= _JOINED_AT_MOST else chunks


def lengths(data: bytes | bytearray, begin: int = 0) -> tuple[int, int]:
    """Header's and payload's length, from the first bytes of the frame that begins there."""
    header, payload = PREFIX.unpack_from(data, begin)
    if header > HEADER_AT_MOST or payload > PAYLOAD_AT_MOST:
        raise ProtocolError(f"announced {header} + {payload} bytes")
    return header, payload


def decode(header: bytes, payload: bytes | bytearray | memoryview, *, from_judge: bool) -> Any:
    """The value of a frame.

    Args:
        header: its JSON.
        payload: its buffers, exactly.
        from_judge: allow what only the judge sends: generators, dtypes, arrays with strides.

    Raises:
        ProtocolError: it breaks a rule.
    """
    try:
        reader = _Reader(payload, from_judge=from_judge)
        value = reader.value(json.loads(header.decode("ascii")), 0)
    except ProtocolError:
        raise
    except (
        ValueError,
        TypeError,
        LookupError,
        OverflowError,
        RecursionError,
        MemoryError,
    ) as error:
        raise ProtocolError(type(error).__name__) from error
    if reader.position != len(payload):
        raise ProtocolError("payload longer than announced in the header")
    return value


class _Writer:
    def __init__(self, *, exact_layout: bool) -> None:
        self.exact_layout = exact_layout
        self.buffers: list[bytes] = []
        self.size = 0

    def value(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is np.ndarray:
            return self._array(value)
        if kind is int:
            if value.bit_length() > _INT_BITS_AT_MOST:
                raise Unsendable(f"an int of {value.bit_length()} bits")
            return value
        if kind is str:
            return value if len(value) < _TEXT_FROM else self._text(value)
        if depth >= _DEPTH_AT_MOST:
            raise Unsendable("a value nested too deeply")
        if kind is list or kind is tuple:
            return self._sequence(value, depth)
        if kind is dict:
            return ["d", *self._items([part for item in value.items() for part in item], depth)]
        return self._rare(value, depth)

    def _array(self, array: np.ndarray) -> list[Any]:
        if array.dtype not in PLAIN_DTYPES or array.ndim > DIMENSIONS_AT_MOST:
            raise Unsendable(f"an array of dtype {array.dtype} with {array.ndim} axes")
        if not self.exact_layout or (array.flags.c_contiguous and array.flags.writeable):
            self._buffer(array.tobytes())
            return ["a", _NAMES[array.dtype], *array.shape]
        data, first = buffer_of(array)
        self._buffer(data)
        layout = [len(data), first, bool(array.flags.writeable)]
        return ["v", _NAMES[array.dtype], *layout, *array.shape, *array.strides]

    def _sequence(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        name = "l" if type(value) is list else "t"
        if len(value) >= _PACKED_FROM:
            for kind, dtype in ((float, np.float64), (int, np.int64)):
                if all(type(item) is kind for item in value):
                    return self._packed(name, value, dtype, depth)
        return [name, *self._items(value, depth)]

    def _items(self, values: Sequence[Any], depth: int) -> list[Any]:
        return [
            value if type(value) in _AS_THEY_ARE else self.value(value, depth + 1)
            for value in values
        ]

    def _packed(self, name: str, value: Sequence[Any], dtype: type, depth: int) -> list[Any]:
        if len(value) > _PACKED_AT_MOST:
            raise Unsendable(f"a sequence of {len(value)} items")
        try:
            self._buffer(np.array(value, dtype).tobytes())
        except OverflowError:  # an int beyond 64 bits
            return [name, *self._items(value, depth)]
        return ["p", name, np.dtype(dtype).name, len(value)]

    def _rare(self, value: Any, depth: int) -> list[Any]:
        if type(value) is complex:
            return ["c", value.real, value.imag]
        if type(value) is Handle:  # the worker knows what it stands for
            return ["h", value.key, "" if self.exact_layout else value.type_name]
        if isinstance(value, np.generic) and value.dtype in PLAIN_DTYPES:
            self._buffer(value.tobytes())
            return ["s", _NAMES[value.dtype]]
        if isinstance(value, np.dtype) and value in PLAIN_DTYPES:
            return ["y", value.name]
        if isinstance(value, type) and issubclass(value, np.generic):
            return ["k", np.dtype(value).name]
        if isinstance(value, np.random.Generator):
            return self._generator(value, depth)
        raise Unsendable(f"a {type(value).__name__}")

    def _generator(self, rng: np.random.Generator, depth: int) -> list[Any]:
        bits = rng.bit_generator
        seed = bits.seed_seq
        if type(bits).__name__ not in _GENERATORS or not isinstance(seed, np.random.SeedSequence):
            raise Unsendable(f"a generator over {type(bits).__name__}")
        entropy = (
            seed.entropy
            if seed.entropy is None or isinstance(seed.entropy, int)
            else list(seed.entropy)
        )
        parts = (bits.state, entropy, list(seed.spawn_key), seed.pool_size, seed.n_children_spawned)
        return ["g", type(bits).__name__, *(self.value(part, depth + 1) for part in parts)]

    def _text(self, value: str) -> list[Any]:
        data = value.encode("utf-8", "surrogatepass")
        self._buffer(data)
        return ["u", len(data)]

    def _buffer(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > PAYLOAD_AT_MOST:
            raise Unsendable(f"more than {PAYLOAD_AT_MOST >> 20} MiB")
        self.buffers.append(data)


class _Reader:
    def __init__(self, payload: bytes | bytearray | memoryview, *, from_judge: bool) -> None:
        self.payload = memoryview(payload)
        self.position = 0
        self.from_judge = from_judge

    def value(self, item: Any, depth: int) -> Any:
        if type(item) is not list:
            if type(item) is dict:
                _refuse("an object")
            return item
        if depth > _DEPTH_AT_MOST or not item:
            _refuse("nesting")
        if item[0] == "a":
            return self._array(item)
        if item[0] == "l":
            return self._items(item, depth)
        if item[0] == "t":
            return tuple(self._items(item, depth))
        if item[0] == "d":
            return self._dict(item, depth)
        if self.from_judge and item[0] == "v":
            return self._strided(item)
        if self.from_judge and item[0] == "g":
            return self._generator(item, depth)
        return self._rare(item)

    def _items(self, item: list[Any], depth: int) -> list[Any]:
        return [
            part if type(part) in _AS_THEY_ARE else self.value(part, depth + 1) for part in item[1:]
        ]

    def _array(self, item: list[Any]) -> np.ndarray:
        dtype, shape = _DTYPES[item[1]], _naturals(item[2:])
        if len(shape) > DIMENSIONS_AT_MOST:
            _refuse("dimensions")
        data = self._take(math.prod(shape) * dtype.itemsize)
        return np.ndarray(shape, dtype, data).copy()

    def _strided(self, item: list[Any]) -> np.ndarray:
        _, name, length, first, writeable, *layout = item
        shape, strides = layout[: len(layout) // 2], layout[len(layout) // 2 :]
        data = self._take(length)
        array = np.ndarray(shape, _DTYPES[name], data if length else None, first, strides)
        array.flags.writeable = writeable
        copy: np.ndarray = clone(array)
        return copy

    def _dict(self, item: list[Any], depth: int) -> dict[Any, Any]:
        parts = self._items(item, depth)
        if len(parts) % 2:
            _refuse("a key without a value")
        return dict(zip(parts[::2], parts[1::2], strict=True))

    def _rare(self, item: list[Any]) -> Any:
        tag, *parts = item
        match tag, parts:
            case "s", [str(name)]:
                dtype = _DTYPES[name]
                return np.ndarray((), dtype, self._take(dtype.itemsize))[()]
            case "u", [int(length)]:
                return bytes(self._take(length)).decode("utf-8", "surrogatepass")
            case "p", ["l" | "t" as name, "float64" | "int64" as dtype, int(length)]:
                if length > _PACKED_AT_MOST:
                    _refuse("a sequence's length")
                items = np.ndarray(_naturals([length]), dtype, self._take(8 * length)).tolist()
                return items if name == "l" else tuple(items)
            case "c", [float(real), float(imaginary)]:
                return complex(real, imaginary)
            case "h", [int(key), str(type_name)]:
                return Handle(_naturals([key])[0], type_name)
            case "y", [str(name)] if self.from_judge:
                return _DTYPES[name]
            case "k", [str(name)] if self.from_judge:
                return _DTYPES[name].type
        return _refuse("a tag")

    def _generator(self, item: list[Any], depth: int) -> np.random.Generator:
        state, entropy, spawn_key, pool_size, spawned = (
            self.value(part, depth + 1) for part in item[2:]
        )
        seed = np.random.SeedSequence(
            entropy, spawn_key=spawn_key, pool_size=pool_size, n_children_spawned=spawned
        )
        bits = _GENERATORS[item[1]](seed)
        bits.state = state
        return np.random.Generator(bits)

    def _take(self, length: int) -> memoryview:
        end = self.position + length
        if type(length) is not int or length < 0 or end > len(self.payload):
            _refuse("a buffer's length")
        part = self.payload[self.position : end]
        self.position = end
        return part


def _naturals(numbers: Sequence[Any]) -> tuple[int, ...]:
    for number in numbers:
        if type(number) is not int or not 0 <= number <= PAYLOAD_AT_MOST:
            _refuse("a length")
    return tuple(numbers)


def _refuse(what: str) -> NoReturn:
    raise ProtocolError(what)


def read_frame(read_exactly: Callable[[int], bytearray], *, from_judge: bool) -> Any:
    """The next frame's value, from a function that reads so many bytes."""
    header, payload = lengths(read_exactly(PREFIX.size))
    return decode(bytes(read_exactly(header)), read_exactly(payload), from_judge=from_judge)
