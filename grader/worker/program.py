"""Runs a student's code: loads it, calls its functions, keeps what they return.

Imports the standard library and numpy only, since it also runs inside the sandboxed worker, where nothing else exists.
"""

import _random
import ast
import ctypes
import inspect
import linecache
import random
import sys
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

PLAIN_DTYPES = frozenset(
    np.dtype(name)
    for name in [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
)
"""The dtypes that can travel; an array of another one is opaque."""

_SCALARS = frozenset({type(None), bool, int, float, complex, str})
_NUMPY_SCALARS = frozenset(dtype.type for dtype in PLAIN_DTYPES)

_MT19937_BYTES = 4 * (624 + 1)
_KEPT_AT_MOST = 32
_CLOSELY = 64
"""In so many calls of an example everything kept is looked at; who calls more often repeats himself."""
_KEPT_LATER = 4
_DEPTH_AT_MOST = 16
_OF_IPYTHON = frozenset({"display", "get_ipython"})
"""Names that a notebook has without an import."""
_OVERWRITTEN = -999.0


class Handle(NamedTuple):
    """Stands for a value that stays with the student's code.

    Attributes:
        key: its number in the host's table.
        type_name: what it is, in words, for messages.
    """

    key: int
    type_name: str


class GeneratorState(NamedTuple):
    """Where a `numpy.random.Generator` is.

    Attributes:
        state: its bit generator's `state`.
        spawned: how many generators were spawned from it.
    """

    state: Mapping[str, Any]
    spawned: int


class Outcome(NamedTuple):
    """What a call gave.

    Attributes:
        value: the answer; a list or tuple is opened one level, what is not plain is a `Handle`.
        modified: positions (int) or names (str) of the arguments that the call changed.
        changed: labels of values that were returned earlier and are changed now.
        global_rng: whether numpy's or Python's global random state was used.
        generators: state of each `numpy.random.Generator` argument after the call, by position or name.
    """

    value: Any
    modified: tuple[int | str, ...] = ()
    changed: tuple[str, ...] = ()
    global_rng: bool = False
    generators: Mapping[int | str, GeneratorState] = {}


class Raised(Exception):
    """The student's code raised.

    Attributes:
        type_names: names of the exception's class and its bases, the class first.
        message: its text.
        trace: the frames of the student's own files, formatted.
        mismatch: the function's own signature, when the call did not fit it; else None.
    """

    def __init__(
        self, type_names: Sequence[str], message: str, trace: str, mismatch: str | None
    ) -> None:
        super().__init__(message)
        self.type_names = tuple(type_names)
        self.message = message
        self.trace = trace
        self.mismatch = mismatch


class NotDefined(Exception):
    """The submission has no such name."""


class Unrevealable(Exception):
    """A value holds something that cannot be compared; the text names it."""


class Host:
    """Holds a student's module and the values that it returned during the current example."""

    interrupts: tuple[type[BaseException], ...] = (KeyboardInterrupt,)
    """Exceptions that are not the student's, and pass through."""

    def __init__(self) -> None:
        self.module = types.ModuleType("submission")
        self.notes: list[str] = []
        self._files: set[str] = set()
        self._objects: dict[int, Any] = {}
        self._kept: list[tuple[str, Any, Any]] = []
        self._next_key = 0
        self._calls = 0
        self._global_state = _global_rng()

    def load(self, cells: Sequence[tuple[str, str]], *, name: str, stop_at_error: bool) -> None:
        """Executes the cells, each `(label, source)`, as one module called `name`.

        With `stop_at_error` (a file) the first exception is raised as `Raised`; without (a notebook) it becomes
        a note and the next cell runs, as a person at a notebook would go on. What only draws or shows something must not
        cost a notebook's functions: after a package that is not here, and what needs it, the same cell goes on.
        """
        absent = set(_OF_IPYTHON)
        self.module = types.ModuleType(name)
        sys.modules[name] = self.module
        for label, source in cells:
            self._files.add(label)
            self.module.__file__ = label
            linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
            try:
                for code in [source] if stop_at_error else _statements(source, label):
                    try:
                        exec(compile(code, label, "exec", dont_inherit=True), self.module.__dict__)
                    except (ImportError, NameError) as error:
                        if stop_at_error or not _is_for_want_of(absent, error, code):
                            raise
                        self.notes.append(_note(label, self._raised(error, None)))
            except self.interrupts:
                raise
            except BaseException as error:
                raised = self._raised(error, None)
                if stop_at_error:
                    raise raised.with_traceback(error.__traceback__) from error
                self.notes.append(_note(label, raised))

    def defines(self, name: str) -> bool:
        """Whether the submission has a callable of that name."""
        return callable(self.module.__dict__.get(name))

    def call(
        self,
        target: str | Handle,
        method: str | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        keep: bool = True,
        overwrite: bool = False,
    ) -> Outcome:
        """Calls a function (`target` a name) or a method (`target` a handle) with arguments that it may keep.

        With `overwrite` the caller's float arrays hold other numbers afterwards, as in a loop that trains in place.

        Raises:
            NotDefined: there is no such function or method.
            Raised: the student's code raised.
        """
        function = self._function(target, method)
        label = method or str(target)
        given = [*args, *kwargs.values()]
        args = [self._resolve(value) for value in args]
        kwargs = {key: self._resolve(value) for key, value in kwargs.items()}
        named: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        before = [frozen(value) for _, value in named]
        try:
            value = function(*args, **kwargs)
        except self.interrupts:
            raise
        except BaseException as error:
            raise self._raised(error, function).with_traceback(error.__traceback__) from error
        state = _global_rng()
        used_global = state != self._global_state
        if used_global:  # to an unpredictable state, so that the same seed set again is seen again
            np.random.seed()  # noqa: NPY002  # the global state itself is meant
            random.seed()
            self._global_state = _global_rng()
        modified = tuple(
            key
            for (key, argument), was in zip(named, before, strict=True)
            if frozen(argument) != was
        )
        self._calls += 1
        watched = self._kept if self._calls <= _CLOSELY else self._kept[-_KEPT_LATER:]
        changed = tuple(dict.fromkeys(kept for kept, item, was in watched if frozen(item) != was))
        generators = {
            key: GeneratorState(argument.bit_generator.state, _spawned(argument))
            for key, argument in named
            if isinstance(argument, np.random.Generator)
        }
        opened = self._opened(value, label if keep else None)
        if overwrite:
            _overwrite(given)
        return Outcome(opened, modified, changed, used_global, generators)

    def attribute(self, handle: Handle, name: str) -> tuple[bool, Any]:
        """`(True, None)` for a method, `(False, value)` for a value.

        Raises:
            NotDefined: there is no such attribute.
            Raised: reading it raised.
        """
        try:
            value = getattr(self._objects[handle.key], name)
        except AttributeError as error:
            raise NotDefined(name) from error
        except self.interrupts:
            raise
        except BaseException as error:
            raise self._raised(error, None).with_traceback(error.__traceback__) from error
        if callable(value):
            return True, None
        return False, self._opened(value, None)

    def reveal(self, handle: Handle) -> Any:
        """The value behind a handle, as lists, tuples, dicts, arrays and scalars.

        Raises:
            Unrevealable: it holds something else.
        """
        return _plain(self._objects[handle.key], 0)

    def forget(self) -> None:
        """Drops every handle: a new example begins."""
        self._objects.clear()
        self._kept.clear()
        self._next_key = self._calls = 0
        self._global_state = _global_rng()

    def _function(self, target: str | Handle, method: str | None) -> Callable[..., Any]:
        if isinstance(target, Handle):
            function = getattr(self._objects[target.key], method or "", None)
        else:
            function = self.module.__dict__.get(target)
        if not callable(function):
            raise NotDefined(method or str(target))
        return function  # type: ignore[no-any-return]  # callable() does not narrow Any

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return self._objects[value.key]
        if type(value) in (list, tuple):
            return type(value)(self._resolve(item) for item in value)
        if type(value) is dict:
            return {key: self._resolve(item) for key, item in value.items()}
        return value

    def _opened(self, value: Any, label: str | None) -> Any:
        if isinstance(value, (list, tuple)):
            items = [self._closed(item, label) for item in value]
            return items if isinstance(value, list) else tuple(items)
        return self._closed(value, label)

    def _closed(self, value: Any, label: str | None) -> Any:
        value = _as_known(value)
        if label is not None and (was := frozen(value)) is not None and not _is_scalar(value):
            self._kept.append((label, value, was))
            del self._kept[:-_KEPT_AT_MOST]
        if is_plain_array(value) or _is_scalar(value):
            return value
        self._next_key += 1
        self._objects[self._next_key] = value
        return Handle(self._next_key, type_in_words(value))

    def _raised(self, error: BaseException, function: Callable[..., Any] | None) -> Raised:
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename in self._files
        ]
        mismatch = None
        if function is not None and isinstance(error, TypeError) and not frames:
            mismatch = _signature(function)
        names = [cls.__name__ for cls in type(error).__mro__]
        trace = "".join(traceback.format_list(frames[-4:]))
        return Raised(names, _text(error), trace, mismatch)


def _statements(source: str, label: str) -> list[ast.Module]:
    """A cell's statements, each as a module of its own, with the cell's imports from `__future__`."""
    flags = ast.PyCF_ONLY_AST
    body = compile(source, label, "exec", flags=flags, dont_inherit=True).body
    futures = [
        node for node in body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    return [ast.Module([*futures, node], []) for node in body]


def _is_for_want_of(absent: set[str], error: ImportError | NameError, code: Any) -> bool:
    """Whether a statement failed for a package that is not here, or a name of it; the names it imports are `absent` then."""
    if isinstance(error, NameError):
        return error.name in absent
    aliases = [
        alias
        for node in ast.walk(code)
        for alias in getattr(node, "names", ())
        if isinstance(alias, ast.alias)
    ]
    absent.update(alias.asname or alias.name.split(".")[0] for alias in aliases)
    return True


def _note(label: str, raised: Raised) -> str:
    return f"{label} raised {raised.type_names[0]}: {raised.message}"


def is_plain_array(value: Any) -> bool:
    """Whether it is a `numpy.ndarray` itself (no subclass) of a dtype that can travel."""
    return type(value) is np.ndarray and value.dtype in PLAIN_DTYPES


def type_in_words(value: Any) -> str:
    """The type's name; for an array of an unusable dtype also that."""
    if type(value) is np.ndarray:
        return f"ndarray of dtype {value.dtype}"
    return str(type(value).__name__)


def frozen(value: Any, depth: int = 0) -> Any:
    """A copy of the plain contents of a value, to tell later whether they changed; None where there are none."""
    kind = type(value)
    if isinstance(value, np.ndarray):
        return None if value.dtype.hasobject else (value.shape, value.dtype, value.tobytes())
    if kind in _SCALARS:
        return (kind, value)  # in a tuple NaN equals itself
    if kind in _NUMPY_SCALARS:
        return (kind, value.tobytes())
    if _is_scalar(value):
        return (kind, repr(value))
    if depth < _DEPTH_AT_MOST:
        if kind in (list, tuple):
            return tuple([frozen(item, depth + 1) for item in value])
        if kind is dict:
            return tuple(
                [
                    (key if type(key) is str else repr(key), frozen(item, depth + 1))
                    for key, item in value.items()
                ]
            )
    return None


def clone(value: Any) -> Any:
    """A copy that a student may change: arrays keep their strides and flags, generators their seed sequence."""
    if isinstance(value, np.ndarray):
        return _clone_array(value)
    if isinstance(value, np.random.Generator):
        return clone_generator(value)
    if type(value) in (list, tuple):
        return type(value)(clone(item) for item in value)
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    return value


def clone_generator(rng: np.random.Generator) -> np.random.Generator:
    """A generator in the same state, with a seed sequence of its own (so that `spawn` agrees too)."""
    old = rng.bit_generator
    sequence = old.seed_seq
    if isinstance(sequence, np.random.SeedSequence):
        sequence = np.random.SeedSequence(
            sequence.entropy,
            spawn_key=sequence.spawn_key,
            pool_size=sequence.pool_size,
            n_children_spawned=sequence.n_children_spawned,
        )
    new = type(old)(sequence)  # type: ignore[arg-type]  # a foreign seed sequence is passed on as it is
    new.state = old.state
    return np.random.Generator(new)


def _overwrite(value: Any) -> None:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.flags.writeable:
        value.fill(_OVERWRITTEN)
    elif type(value) in (list, tuple):
        for item in value:
            _overwrite(item)
    elif type(value) is dict:
        _overwrite(list(value.values()))


def buffer_of(array: np.ndarray) -> tuple[bytes, int]:
    """The bytes from the first to the last element in memory, and the offset of element (0, ..., 0) in them."""
    if array.size == 0:
        return b"", 0
    extents = [
        (stride * (length - 1)) for stride, length in zip(array.strides, array.shape, strict=True)
    ]
    low = sum(extent for extent in extents if extent < 0)
    high = sum(extent for extent in extents if extent > 0)
    length = high - low + array.itemsize
    start = array.__array_interface__["data"][0] + low
    return ctypes.string_at(start, length), -low


def _clone_array(array: np.ndarray) -> np.ndarray:
    if array.flags.c_contiguous or array.size == 0:
        copy = array.copy(order="K")
    else:
        data, offset = buffer_of(array)
        copy = np.ndarray(array.shape, array.dtype, bytearray(data), offset, array.strides)
    copy.flags.writeable = array.flags.writeable
    return copy


def _as_known(value: Any) -> Any:
    """A str or float where the value is a scalar of numpy's that cannot travel as it is: of strings, of long doubles."""
    if type(value) is np.str_:
        return str(value)
    if type(value) is np.longdouble or (
        type(value) is np.ndarray and value.ndim == 0 and value.dtype == np.longdouble
    ):
        return value if value.dtype in PLAIN_DTYPES else float(value)
    return value


def _plain(value: Any, depth: int) -> Any:
    value = _as_known(value)
    if is_plain_array(value) or _is_scalar(value):
        return value
    if depth < _DEPTH_AT_MOST:
        if isinstance(value, (list, tuple)):
            items = [_plain(item, depth + 1) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict) and all(isinstance(key, (str, int)) for key in value):
            return {key: _plain(item, depth + 1) for key, item in value.items()}
    raise Unrevealable(type_in_words(value))


def _is_scalar(value: Any) -> bool:
    kind = type(value)
    if kind in _SCALARS or kind in _NUMPY_SCALARS:
        return True
    return isinstance(value, np.generic) and value.dtype in PLAIN_DTYPES


def _global_rng() -> tuple[Any, ...]:
    """Both global random states, compared as memory: as Python objects they would cost more than most calls."""
    numpys = np.random.mtrand._rand._bit_generator
    if type(numpys) is not np.random.MT19937:
        return (id(numpys),)
    header, whole = object.__basicsize__, _random.Random.__basicsize__
    pythons = random._inst  # what random.random() and the others draw from
    return (
        ctypes.string_at(numpys.ctypes.state_address, _MT19937_BYTES),
        ctypes.string_at(id(pythons) + header, whole - header),
    )


def _spawned(rng: np.random.Generator) -> int:
    return int(getattr(rng.bit_generator.seed_seq, "n_children_spawned", 0))


def _signature(function: Callable[..., Any]) -> str:
    try:
        return str(inspect.signature(function))
    except (TypeError, ValueError):
        return "(...)"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # a student's exception may fail in its own __str__
        return ""
