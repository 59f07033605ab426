"""What can go wrong with an answer, as exceptions: the verdicts other than `passed`."""

from collections.abc import Mapping, Sequence
from typing import Any


class Failure(AssertionError):
    """An answer is wrong (verdict `failed`).

    >>> raise Failure("The loss is negative.", details=["loss: -1"])
    Traceback (most recent call last):
        ...
    grader.failure.Failure: The loss is negative.
    loss: -1

    Attributes:
        headline: one sentence that says what is wrong.
        details: further lines: yours against expected, where, what to try.
        aspect: which promise is broken: "value", "shape", "dtype", "type", "finite",
            "modified", "aliasing", "determinism", "rng", "raises" or "law".
    """

    verdict = "failed"
    case: Mapping[str, Any] | None = None
    """The generated arguments of the smallest failing example."""
    shown: Any = None
    """A `Case` to show in their place, where the check called with part of them or with others."""
    called: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
    """Inputs and options by name of the call that is judged, where a whole comparison such as `check_forward` made it."""
    excess: float = float("inf")
    """Measured over allowed error, where values differ: how plainly a case shows the fault."""
    what: str = ""
    """The answer that is wrong, for example "grad_x of relu_backward"."""
    values: tuple[Any, Any] | None = None
    """What was returned there and what was expected, as float arrays of one shape."""
    sample: Any = None
    """The draws that break a law, as one float array."""
    misconceptions: Mapping[str, str] = {}
    """Id and text of the misconceptions that the submission behaves like."""

    def __init__(
        self, headline: str, *, details: Sequence[str] = (), aspect: str = "value"
    ) -> None:
        super().__init__("\n".join([headline, *details]))
        self.headline = headline
        self.details = tuple(details)
        self.aspect = aspect

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.headline, self.details, self.aspect)

    def with_details(self, *details: str) -> "Failure":
        """The same failure with further lines behind its own."""
        details = (*self.details, *details)
        failure = _restored(type(self), self.headline, details, self.aspect)
        failure.__dict__ |= self.__dict__ | {"details": details}
        return failure.with_traceback(self.__traceback__)


class StudentError(Failure):
    """The student's code raised, or returned something that cannot be judged (verdict `error`)."""

    verdict = "error"


class Missing(Failure):
    """The function is not defined, or still raises NotImplementedError (verdict `missing`)."""

    verdict = "missing"


class TimeLimit(BaseException):
    """The check ran out of time (verdict `timeout`).

    Not an `Exception`: a student's `except Exception` must not swallow it.

    Args:
        timeout_s: the limit, in seconds.
        function: which of the student's functions ran, where that is known.
    """

    verdict = "timeout"

    def __init__(self, timeout_s: float, function: str = "") -> None:
        super().__init__(timeout_s, function)
        who = f"{function} gave no answer" if function else "No answer"
        self.headline = f"{who} within {timeout_s:g} seconds: is there an endless loop?"
        self.details: tuple[str, ...] = ()
        self.aspect = "timeout"
        self.misconceptions: Mapping[str, str] = {}


def alike(first: Failure, second: Failure) -> bool:
    """Whether two failures break the same promise."""
    return (first.verdict, first.aspect) == (second.verdict, second.aspect)


def _restored(cls: type[Failure], headline: str, details: tuple[str, ...], aspect: str) -> Failure:
    """A failure from another process; a subclass with other arguments keeps its class."""
    failure = cls.__new__(cls)
    Failure.__init__(failure, headline, details=details, aspect=aspect)
    return failure


class Astray(BaseException):
    """A run of a check in a worker is to begin again: no fault of the submission's, and no verdict.

    A BaseException, for no check to catch it.
    """
