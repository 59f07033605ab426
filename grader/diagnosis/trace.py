"""What a submission does on the recorded examples of a check: which it fails, and numbers of what it returned.

The recorded examples (the tape) are the check's edge cases with a fixed seed, so that inputs need not be stored: author and
student draw the same. A trace is small, and no answer can be read from it: of every array it keeps two numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from grader.checks.check import Check
from grader.checks.strategies import Case
from grader.failure import Failure, TimeLimit
from grader.limits import CALL_LIMIT_S, time_limit
from grader.student import Observed, Opaque, Student

TAPE_SEED = 0
PASSED, BARELY, LAW = ".", "?", "l"
"""In a pattern: an example that passes, one whose error is barely over the allowed one, one whose draws break a law."""

_LETTERS = {"raises": "R", "determinism": "D", "signature": "S"}
"""Where the first letter of a broken promise is another's too: rng, dtype, shape."""
_NO_ANSWER = frozenset({"missing", "load", "died"})
"""Aspects of failures that say nothing of what the answer is."""

_BARELY = 100.0
"""Errors of less than so many times the allowed one may pass in another order of operations."""
_CALLS_AT_MOST = 10
_SAMPLE_AT_LEAST = 200
"""Of fewer random elements mean and magnitude tell nothing."""
_EXAMPLES_WITH_NUMBERS = 4
"""Enough to tell formulas apart, and few enough for a file of 200 KB."""
_ORDINARY = (1e-2, 1e2)
"""Largest magnitude of arrays whose sums lose no more digits than `_TOLERANCE` allows."""
_TOLERANCE = 2e-6
"""Of the norm: twenty times what a comparison in float64 allows (1e-7), because projections add up errors."""
_STANDARD_ERRORS = 6.0
"""Chance alone moves a mean so far once in 1e9."""
_TIME_LIMIT_S = 10.0

Numbers = list[Any]
"""Per call: `[what it is, projection, norm]` of each array, `["~", n, share of zeros, mean, rms]` of random ones."""


class Trace(msgspec.Struct, frozen=True):
    """How a submission fared on the tape of a check.

    Attributes:
        pattern: a character per example: `.` passed, `?` barely failed, else the first letter of the broken promise.
        numbers: number of a failed example -> what was returned there, up to the failure.
    """

    pattern: str
    numbers: dict[int, Numbers]

    def shortened(self) -> "Trace":
        """With the numbers of the first few examples only, as it is shipped."""
        few = dict(list(self.numbers.items())[:_EXAMPLES_WITH_NUMBERS])
        return Trace(self.pattern, few)

    @property
    def fails(self) -> bool:
        """Whether some example is failed plainly."""
        return bool(set(self.pattern) - {PASSED, BARELY})

    @property
    def fails_surely(self) -> bool:
        """Whether some example is failed plainly, and not by chance."""
        return bool(set(self.pattern) - {PASSED, BARELY, LAW})


def tape(check: Check) -> list[dict[str, Any]]:
    """The examples on which traces are taken."""
    return check.examples(TAPE_SEED, 0)


def trace_of(check: Check, student: Student) -> Trace | None:
    """The trace of a submission; None where it cannot be taken (too slow, not loaded, not written).

    A check whose calls train a network is not run again for a diagnosis.
    """
    if check.call_timeout_s > CALL_LIMIT_S:
        return None
    pattern = ""
    numbers: dict[int, Numbers] = {}
    try:
        with time_limit(min(check.timeout_s, _TIME_LIMIT_S)):
            for number, example in enumerate(tape(check)):
                observed: list[Observed] = []
                failure = check.try_on(student, example, number=number, observer=observed.append)
                if failure is not None and failure.aspect in _NO_ANSWER:
                    return None
                pattern += _letter(failure)
                if failure is not None and _ordinary(example):
                    calls = [_numbers(call) for call in observed[:_CALLS_AT_MOST]]
                    numbers[number] = [_compared(failure)] if check.exact else calls
    except TimeLimit:
        return None
    return Trace(pattern, numbers)


def agree(wrong: Trace, student: Trace) -> bool:
    """Whether a submission behaves like a wrong answer: fails where that fails, and returns the same."""
    if len(wrong.pattern) != len(student.pattern) or not student.fails:
        return False
    if not all(map(_same_letter, wrong.pattern, student.pattern)):
        return False
    return all(
        number in student.numbers and _same_numbers(seen, student.numbers[number])
        for number, seen in wrong.numbers.items()
    )


def _letter(failure: Failure | None) -> str:
    if failure is None:
        return PASSED
    if failure.aspect == "value" and failure.excess < _BARELY:
        return BARELY
    return _LETTERS.get(failure.aspect, failure.aspect[0])


def _same_letter(one: str, other: str) -> bool:
    soft = {PASSED, BARELY}
    if LAW in (one, other):
        return {one, other} <= {LAW, PASSED}
    if BARELY in (one, other):
        return {one, other} <= soft | {"v"}
    return one == other


def _ordinary(example: Mapping[str, Any]) -> bool:
    """Whether the example's numbers are such that other orders of operations give the same digits."""
    for value in example.values():
        if isinstance(value, Case):
            for array in _arrays(list(value.inputs.values())):
                if array.dtype.kind != "f":
                    continue
                if array.dtype != np.float64:
                    return False
                largest = float(np.max(np.abs(array), initial=0.0))
                if largest and not _ORDINARY[0] <= largest <= _ORDINARY[1]:
                    return False
    return True


def _arrays(tree: Any) -> list[Any]:
    if isinstance(tree, (list, tuple)):
        return [array for item in tree for array in _arrays(item)]
    if isinstance(tree, dict):
        return _arrays(list(tree.values()))
    return [tree] if isinstance(tree, np.ndarray) else []


def _numbers(call: Observed) -> Numbers:
    random = any(isinstance(value, np.random.Generator) for value in call.arguments)
    return _tree(call.value, random=random)


def _compared(failure: Failure) -> Numbers:
    """What the comparison that failed was about, and what it saw of the answer."""
    told: Numbers = [["text", failure.what]]
    if failure.values is not None:
        told += _tree(failure.values[0], random=False)
    if failure.sample is not None:
        told.append(_sample(failure.sample))
    return told


def _tree(value: Any, *, random: bool) -> Numbers:
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in _tree(item, random=random)]
    if value is None or isinstance(value, (str, Opaque)):
        return [["text", value if isinstance(value, str) else "opaque"]]
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return [["text", str(array.dtype)]]
    name = f"{array.dtype.name} {'x'.join(map(str, array.shape))}" if array.ndim else "number"
    flat = array.ravel().astype(np.float64)
    finite = np.isfinite(flat)
    if not finite.all():
        name += f" {int((~finite).sum())} not finite"
        flat = np.where(finite, flat, 0.0)
    if random:
        return [_sample(flat)] if flat.size >= _SAMPLE_AT_LEAST else [["text", "random"]]
    with np.errstate(over="ignore"):
        weights = np.cos(1.7 * np.arange(flat.size) + 0.3)
        return [[name, _rounded(weights @ flat), _rounded(np.linalg.norm(flat))]]


def _sample(flat: Any) -> list[Any]:
    rms = float(np.sqrt(np.mean(flat**2)))
    return ["~", flat.size, _rounded(np.mean(flat == 0)), _rounded(np.mean(flat)), _rounded(rms)]


def _rounded(value: Any) -> float:
    return float(f"{value:.8g}") if np.isfinite(value) else 1e308


def _same_numbers(one: Numbers, other: Numbers) -> bool:
    return len(one) == len(other) and all(map(_same_call, one, other))


def _same_call(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return len(one) == len(other) and all(map(_same_array, one, other))


def _same_array(one: Sequence[Any], other: Sequence[Any]) -> bool:
    if one[0] != other[0] or len(one) != len(other):
        return False
    if one[0] == "text":
        return bool(one[1] == other[1])
    if one[0] == "~":
        return _same_law(one[1:], other[1:])
    allowed: float = _TOLERANCE * max(abs(one[2]), abs(other[2])) + 1e-12
    return bool(abs(one[1] - other[1]) <= allowed and abs(one[2] - other[2]) <= allowed)


def _same_law(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two samples agree in their share of zeros, mean and magnitude, up to chance."""
    if one[0] != other[0]:
        return False
    error = _STANDARD_ERRORS * np.sqrt(2 / one[0])
    share, mean, rms = (abs(a - b) for a, b in zip(one[1:], other[1:], strict=True))
    size = max(one[3], other[3], 1e-300)
    middle = min(max(one[1], other[1]), 1 - min(one[1], other[1]))
    spread = np.sqrt(max(middle * (1 - middle), 0.0))
    return bool(share <= error * spread and mean <= error * size and rms <= error * size)
