"""The fixture `student`: a submission's functions, with the course's rules held at every call.

A check calls `student.layer_norm_forward(x, gamma, beta, eps=1e-5)` as if it were the function. Every call also holds
what no check should have to say: no argument is modified, nothing returned earlier changes, the same arguments give the
same answer, randomness comes from `rng` alone. Where the code runs, here or in a sandboxed worker, is the backend's affair.
"""

import bdb
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from grader.failure import Failure, Missing, StudentError, TimeLimit
from grader.limits import interruptible
from grader.words import how_to_leave_alone, other_signature, parameters, unwritten, why_absent
from grader.worker.program import (
    Handle,
    Host,
    NotDefined,
    Outcome,
    Raised,
    Unrevealable,
    clone,
    clone_generator,
)


class Backend(Protocol):
    """Where a student's code runs; `Host`'s methods, in this process or in a worker."""

    def defines(self, name: str) -> bool: ...
    def call(
        self,
        target: str | Handle,
        method: str | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        keep: bool = True,
        overwrite: bool = False,
    ) -> Outcome: ...
    def attribute(self, handle: Handle, name: str) -> tuple[bool, Any]: ...
    def reveal(self, handle: Handle) -> Any: ...
    def forget(self) -> None: ...


class InProcess(Host):
    """A host in this process: print, pdb and tracebacks work. Arguments and answers are copied, as the pipe to a worker would."""

    def __init__(self) -> None:
        super().__init__()
        pytest = sys.modules.get("pytest")
        # what the debugger's `q` raises under pytest
        leaving = () if pytest is None else (pytest.exit.Exception,)
        self.interrupts = (KeyboardInterrupt, TimeLimit, bdb.BdbQuit, *leaving)

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
        __tracebackhide__ = True
        with interruptible(method or str(target)):
            outcome = super().call(
                target,
                method,
                [clone(value) for value in args],
                {key: clone(value) for key, value in kwargs.items()},
                keep=keep,
                overwrite=overwrite,
            )
        return outcome._replace(value=clone(outcome.value))

    def attribute(self, handle: Handle, name: str) -> tuple[bool, Any]:
        with interruptible(name):
            return super().attribute(handle, name)


class Observed(NamedTuple):
    """A call and its answer, for those who watch a run."""

    function: str
    arguments: tuple[Any, ...]
    value: Any


class Opaque:
    """A value that stays with the student's code: a cache, a state, an object.

    Pass it on to the student's functions; read its attributes and call its methods; `reveal` looks inside.
    """

    def __init__(self, student: "Student", handle: Handle) -> None:
        self._student = student
        self._handle = handle

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._student._attribute(self, name)

    def __repr__(self) -> str:
        return f"<the student's {self._handle.type_name}>"


class StudentFunction:
    """A function or method of the student, to be called as such."""

    def __init__(
        self,
        student: "Student",
        name: str,
        owner: Opaque | None = None,
        *,
        overwrites: bool = False,
    ) -> None:
        self._student = student
        self._owner = owner
        self._overwrites = overwrites
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return self._student._call(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<the student's {self.__name__}>"


class Student:
    """A submission as the checks see it: attributes are its functions and classes.

    Args:
        backend: where the code runs.
        filename: the file's name, for messages.
        signatures: the course's signature of each function, `{"relu_forward": "(x)"}`.
        load_failure: set when the file could not be loaded; every use raises it.
        repeat: call every function twice and compare the answers.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        filename: str,
        signatures: Mapping[str, str] | None = None,
        load_failure: Failure | None = None,
        notes: Sequence[str] = (),
        repeat: bool = True,
    ) -> None:
        self._backend = backend
        self._filename = filename
        self._signatures = dict(signatures or {})
        self._load_failure = load_failure
        self._notes = tuple(notes)
        self._repeat = repeat
        self._watching_answers = True
        self._last_call: str | None = None
        self._shown = 0
        self._observer: Callable[[Observed], None] | None = None
        self._explaining = True
        self._probing = True
        self._asked: set[str] = set()
        self._given_up: dict[str, TimeLimit] = {}

    def __getattr__(self, name: str) -> StudentFunction:
        if name.startswith("__"):
            raise AttributeError(name)
        self._asked.add(name)
        return StudentFunction(self, name)

    def _close(self) -> None:
        """Ends the worker, if there is one."""
        close = getattr(self._backend, "close", None)
        if close is not None:
            close()

    def _printed(self) -> str:
        """What an isolated submission printed since this was asked last; in this process it went where it goes."""
        whole: str = getattr(self._backend, "output", "")
        new, self._shown = whole[self._shown :], len(whole)
        return new

    @contextlib.contextmanager
    def _watched(self, observer: "Callable[[Observed], None] | None") -> Iterator[None]:
        """Tells the observer of each call, and explains no failure: for runs whose messages nobody reads."""
        self._observer, self._explaining = observer, False
        try:
            yield
        finally:
            self._observer, self._explaining = None, True

    def _foreseeing(self, key: Any) -> "contextlib.AbstractContextManager[Callable[[], None]]":
        """A run of a check, in which a worker may be asked ahead; gives a function to call when it has passed."""
        foreseeing = getattr(self._backend, "foreseeing", None)
        if foreseeing is None:
            return contextlib.nullcontext(lambda: None)
        found: contextlib.AbstractContextManager[Callable[[], None]] = foreseeing(key)
        return found

    def _begin(self, *, repeat: bool, probing: bool = True, watching_answers: bool = True) -> None:
        """A new example: nothing of the last one is kept.

        Args:
            repeat: call every function twice and compare the answers.
            probing: let `check_backward` make its further calls.
            watching_answers: look at each call whether what was returned earlier has changed; half of a short call's time.
        """
        self._watching_answers = watching_answers
        self._repeat, self._probing = repeat, probing
        self._last_call = None
        if self._load_failure is None:
            self._backend.forget()

    def _call(
        self, function: StudentFunction, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        __tracebackhide__ = True
        outcome = self._outcome(function, args, kwargs, keep=self._watching_answers)
        if outcome.global_rng:
            raise Failure(
                f"{function.__name__} uses numpy's or Python's global random state.",
                details=("Draw every random number from the argument rng, and never set a seed.",),
                aspect="rng",
            )
        self._refuse_modified(function, args, kwargs, outcome)
        value = outcome.value
        if self._repeat and function._owner is None and not _is_object(value):
            again = self._outcome(function, args, kwargs, keep=False)
            if not _same(value, again.value):
                raise Failure(
                    f"{function.__name__} gives another answer when it is called again with the same arguments.",
                    details=(
                        "Is something kept between calls (a global, a changed cache), or drawn from another source than rng?",
                    ),
                    aspect="determinism",
                )
        _advance(args, kwargs, outcome)
        wrapped = self._wrapped(value)
        if self._observer is not None:
            self._observer(Observed(function.__name__, (*args, *kwargs.values()), wrapped))
        return wrapped

    def _outcome(
        self,
        function: StudentFunction,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        keep: bool,
    ) -> Outcome:
        __tracebackhide__ = True
        if self._load_failure is not None:
            raise self._load_failure
        name, owner = function.__name__, function._owner
        self._last_call = name
        if name in self._given_up:  # another check has waited for it in vain
            raise TimeLimit(*self._given_up[name].args)
        target: str | Handle = name if owner is None else owner._handle
        method = None if owner is None else name
        try:
            return self._backend.call(
                target,
                method,
                [_handles(value) for value in args],
                {key: _handles(value) for key, value in kwargs.items()},
                keep=keep and owner is None,
                overwrite=function._overwrites,
            )
        except NotDefined:
            self._refuse_undefined(name, owner)
        except Raised as raised:
            self._refuse_raised(name, raised)

    def _refuse_undefined(self, name: str, owner: Opaque | None) -> NoReturn:
        __tracebackhide__ = True
        where = f"in {self._filename}" if owner is None else f"by the {owner._handle.type_name}"
        raise Missing(f"`{name}` is not defined {where}.", details=self._notes, aspect="missing")

    def _refuse_raised(self, name: str, raised: Raised) -> NoReturn:
        __tracebackhide__ = True
        trace = raised.__traceback__
        if "NotImplementedError" in raised.type_names:
            raise Missing(unwritten(name, raised.message), aspect="missing").with_traceback(trace)
        if raised.mismatch is not None and (course := self._signatures.get(name)):
            raise StudentError(
                other_signature(name, raised.mismatch, course),
                details=(f"yours: {name}{raised.mismatch}", f"Python says: {raised.message}"),
                aspect="signature",
            ).with_traceback(trace)
        # a cell that failed may have defined the name
        if "NameError" in raised.type_names and self._notes:
            raise RaisedError(name, raised).with_details(*self._notes).with_traceback(trace)
        if "ValueError" in raised.type_names and "read-only" in raised.message:
            raise Failure(
                f"{name} writes into one of its arguments (this one is read-only).",
                details=(
                    "Work on a copy: no argument may be modified.",
                    *raised.trace.splitlines(),
                ),
                aspect="modified",
            ).with_traceback(trace)
        raise RaisedError(name, raised).with_traceback(trace)

    def _refuse_modified(
        self,
        function: StudentFunction,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        outcome: Outcome,
    ) -> None:
        __tracebackhide__ = True
        name = function.__name__
        if outcome.modified:
            which = " and ".join(self._argument(name, key) for key in outcome.modified)
            changed = [
                args[key] if isinstance(key, int) else kwargs[key] for key in outcome.modified
            ]
            raise Failure(
                f"{name} modifies its argument{'s' if len(changed) > 1 else ''} {which}.",
                details=(
                    "No argument may change, nor a cache or a state that was returned earlier:",
                    *how_to_leave_alone(changed),
                ),
                aspect="modified",
            )
        if outcome.changed:
            raise Failure(
                f"Calling {name} changes what {' and '.join(outcome.changed)} returned earlier.",
                details=("Does the answer share memory with something that is written to later?",),
                aspect="aliasing",
            )

    def _argument(self, function: str, key: int | str) -> str:
        if isinstance(key, str):
            return key
        names = parameters(self._signatures.get(function, "()"))
        return names[key] if key < len(names) else f"number {key + 1}"

    def _attribute(self, owner: Opaque, name: str) -> Any:
        try:
            is_method, value = self._backend.attribute(owner._handle, name)
        except NotDefined:
            self._refuse_undefined(name, owner)
        except Raised as raised:
            self._refuse_raised(name, raised)
        if is_method:
            return StudentFunction(self, name, owner)
        return self._wrapped(value)

    def _wrapped(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return Opaque(self, value)
        if isinstance(value, (list, tuple)):
            items = [self._wrapped(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        return value

    def _reveal(self, opaque: Opaque) -> Any:
        try:
            return self._backend.reveal(opaque._handle)
        except Unrevealable as problem:
            raise Unusable(str(problem)) from None


class RaisedError(StudentError):
    """The student's code raised where it should have answered.

    Attributes:
        type_names: names of the exception's class and its bases.
    """

    def __init__(self, function: str, raised: Raised) -> None:
        self.type_names = raised.type_names
        text = f": {raised.message}" if raised.message else ""
        super().__init__(
            f"{function} raised {raised.type_names[0]}{text}",
            details=(*why_absent(raised.type_names), *raised.trace.splitlines()),
            aspect="exception",
        )


class Unusable(Exception):
    """A value holds something that cannot be compared; the text says what."""


def reveal(value: Any) -> Any:
    """The plain value of what a student returned: lists, tuples, dicts, arrays and scalars.

    >>> import numpy as np
    >>> reveal([np.float64(1.0), 2])
    [np.float64(1.0), 2]

    Raises:
        StudentError: it holds something that cannot be compared, for example an object.
    """
    try:
        return revealed(value)
    except Unusable as problem:
        raise StudentError(
            f"The answer holds a {problem}, which cannot be compared.", aspect="type"
        ) from None


def revealed(value: Any) -> Any:
    """As `reveal`, but raises `Unusable`."""
    if isinstance(value, Opaque):
        return value._student._reveal(value)
    if isinstance(value, (list, tuple)):
        items = [revealed(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def unpack(value: Any, *names: str, what: str) -> tuple[Any, ...]:
    """The items of a sequence that a student's function returned, one per name.

    Args:
        value: what the function returned; a tuple or a list of `len(names)` items.
        names: what the items are, for the message.
        what: the function's name.

    Raises:
        StudentError: it is something else.

    >>> unpack((1.0, 2.0), "loss", "grad", what="mse_loss")
    (1.0, 2.0)
    """
    if isinstance(value, (list, tuple)) and len(value) == len(names):
        return tuple(value)
    raise StudentError(
        f"{what} returned {in_words(value)}, but should return ({', '.join(names)}).", aspect="type"
    )


def overwriting(function: StudentFunction) -> StudentFunction:
    """The same function, for a caller that afterwards overwrites the float arrays that it passed.

    What the student's object should have copied is lost then; read-only arrays stay. In a check:
    `overwriting(stopper.step)(loss, params)`, then `stopper.best_params` must still hold the old values.

    >>> overwriting(StudentFunction(None, "step"))
    <the student's step>
    """
    return StudentFunction(function._student, function.__name__, function._owner, overwrites=True)


def in_words(value: Any) -> str:
    """What a returned value is, in a few words."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)} item{'' if len(value) == 1 else 's'}"
    if isinstance(value, Opaque):
        return f"a {value._handle.type_name}"
    return f"the {type(value).__name__} {value!r:.60}"


def _handles(value: Any) -> Any:
    if isinstance(value, Opaque):
        return value._handle
    if type(value) in (list, tuple):
        return type(value)(_handles(item) for item in value)
    if type(value) is dict:
        return {key: _handles(item) for key, item in value.items()}
    return value


def _is_object(value: Any) -> bool:
    return isinstance(value, Handle) and value.type_name not in ("dict", "list", "tuple")


def _same(first: Any, second: Any) -> bool:
    """Whether two answers agree up to the rounding that memory alignment may change."""
    if isinstance(first, Handle) or isinstance(second, Handle):
        return isinstance(first, Handle) and isinstance(second, Handle)
    if isinstance(first, (list, tuple)):
        return (
            isinstance(second, (list, tuple))
            and len(first) == len(second)
            and all(map(_same, first, second))
        )
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        if first.shape != second.shape or first.dtype != second.dtype:
            return False
        if first.tobytes() == second.tobytes():
            return True
        if first.dtype.kind not in "fc":
            return False
        scale = np.max(np.abs(first), initial=0.0, where=np.isfinite(first))
        slack = 1e3 * float(np.finfo(first.dtype).eps)
        return bool(np.allclose(first, second, rtol=slack, atol=slack * scale, equal_nan=True))
    if isinstance(first, (float, np.floating)) and isinstance(second, (float, np.floating)):
        return bool(np.isclose(first, second, rtol=1e-6, atol=0.0, equal_nan=True))
    return type(first) is type(second) and bool(first == second)


def _advance(args: Sequence[Any], kwargs: Mapping[str, Any], outcome: Outcome) -> None:
    """The judge's generators go on where the student's copies are."""
    for key, (state, spawned) in outcome.generators.items():
        rng = args[key] if isinstance(key, int) else kwargs[key]
        rng.bit_generator.state = state
        own = rng.bit_generator.seed_seq
        if isinstance(own, np.random.SeedSequence) and spawned > own.n_children_spawned:
            own.spawn(spawned - own.n_children_spawned)


__all__ = [
    "Backend",
    "InProcess",
    "Observed",
    "Opaque",
    "RaisedError",
    "Student",
    "StudentFunction",
    "Unusable",
    "clone_generator",
    "in_words",
    "overwriting",
    "reveal",
    "revealed",
    "unpack",
]
