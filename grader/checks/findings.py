"""What the examples of a check tell about a failure, beyond the smallest one: where it fails, and by which factor.

A finding is stated only where it holds exactly, in all examples that were tried.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from grader.checks.strategies import Case
from grader.failure import Failure

Tried = Sequence[tuple[Mapping[str, Any], Failure | None]]
"""Examples, each with what failed there."""

_EACH_AT_LEAST = 3
_OF_VALUES = frozenset({"value", "shape", "dtype", "finite", "type", "raises", "exception"})
"""Promises that an answer keeps or breaks by itself; others depend on the calls before."""

_RELATIVE = 1e-6
_CONSTANTS = {
    "2": 2.0,
    "1/2": 0.5,
    "3": 3.0,
    "1/3": 1 / 3,
    "4": 4.0,
    "1/4": 0.25,
    "sqrt(2)": math.sqrt(2),
    "1/sqrt(2)": math.sqrt(0.5),
    "sqrt(3)": math.sqrt(3),
    "1/sqrt(3)": 1 / math.sqrt(3),
}


def findings(tried: Tried, failure: Failure) -> list[str]:
    """Sentences for the student, at most one of each kind.

    Args:
        tried: the examples of the check that were run on the submission.
        failure: the one that is reported.
    """
    if failure.aspect not in _OF_VALUES:
        return []
    relation = _relation([item for item in tried if _of(item[1], failure)])
    return [*(f"{failure.what} {words}" for words in relation), *_where(tried)]


def _of(other: Failure | None, failure: Failure) -> bool:
    """Whether another example fails in the same answer."""
    return other is not None and other.values is not None and other.what == failure.what


def _where(tried: Tried) -> Iterator[str]:
    """The condition under which it fails, where there is a single one."""
    cases = [(_case(example), failure is not None) for example, failure in tried]
    failing = sum(fails for _, fails in cases)
    passing = len(cases) - failing
    if failing < _EACH_AT_LEAST or passing < _EACH_AT_LEAST or any(c is None for c, _ in cases):
        return
    conditions = [(set(_conditions(case)), fails) for case, fails in cases if case is not None]
    for condition in dict.fromkeys(
        condition
        for case, fails in cases
        if fails and case is not None
        for condition in _conditions(case)
    ):
        if all((condition in held) == fails for held, fails in conditions):
            yield (
                f"The check fails in each of the {failing} examples where {condition}, "
                f"and passes in the {passing} others."
            )
            return


def _case(example: Mapping[str, Any]) -> Case | None:
    return next((value for value in example.values() if isinstance(value, Case)), None)


def _conditions(case: Case) -> Iterator[str]:
    """What holds in a case, in the order in which it would be told."""
    for name, value in case.options.items():
        yield from _of_option(name, value)
    yield f"the dtype is {case.dtype}"
    yield from _of_axes(case.dims)
    for name, array in case.inputs.items():
        if isinstance(array, np.ndarray):
            yield f"{name} has {array.ndim} ax{'i' if array.ndim == 1 else 'e'}s"
            if not array.flags.c_contiguous:
                yield f"{name} is not C-contiguous"


def _of_option(name: str, value: Any) -> Iterator[str]:
    if value is None or isinstance(value, (bool, str, int, float)):
        yield f"{name} = {value!r}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from (f"{name} is not {other}" for other in (0, 1) if value != other)


def _of_axes(dims: Mapping[str, int]) -> Iterator[str]:
    named = {axis: extent for axis, extent in dims.items() if axis.isidentifier()}
    for axis, extent in named.items():
        yield f"{axis} = {extent}"
        if extent > 1:
            yield f"{axis} > 1"
    for one, other in combinations(named, 2):
        if named[one] != named[other]:
            yield f"{one} and {other} differ"


def _relation(failing: Tried) -> Iterator[str]:
    """How the wrong values are made from the right ones, to go behind the answer's name."""
    if len(failing) < _EACH_AT_LEAST:
        return
    pairs = [failure.values for _, failure in failing if failure is not None and failure.values]
    ratios = [_ratio(actual, expected) for actual, expected in pairs]
    if all(ratio is not None for ratio in ratios):
        yield from _factor(
            [(_case(example), ratio) for (example, _), ratio in zip(failing, ratios, strict=True)]
        )
        return
    if all(_is_transposed(actual, expected) for actual, expected in pairs):
        yield "is the right answer, transposed."
    elif all(_first_only(actual, expected) for actual, expected in pairs):
        yield "is right in its first entry along axis 0 only."


def _ratio(actual: Any, expected: Any) -> float | None:
    """The factor by which all elements are off; None where there is no single one that can be told."""
    zero = expected == 0
    usable = actual.dtype.kind in "biuf" and np.isfinite(actual).all()
    if not usable or (actual[zero] != 0).any() or zero.all():
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        each = actual[~zero] / expected[~zero]
        first = float(each[0])
        same = np.abs(each - first) <= _RELATIVE * abs(first)
    return first if bool(same.all()) else None


def _factor(ratios: Sequence[tuple[Case | None, Any]]) -> Iterator[str]:
    values = [float(ratio) for _, ratio in ratios]

    def always(expected: Sequence[float | None]) -> bool:
        return all(
            one is not None and math.isclose(value, one, rel_tol=_RELATIVE)
            for value, one in zip(values, expected, strict=True)
        )

    count = f"in all {len(values)} examples that fail there"
    if not any(values):
        yield f"is zero everywhere, {count}."
    elif always([-1.0] * len(values)):
        yield f"is the right answer with the other sign, {count}."
    else:
        cases = [case for case, _ in ratios if case is not None]
        if len(cases) == len(values) and len(set(values)) > 1:
            for words, of in _quantities(cases[0]):
                if always([of(case) for case in cases]):
                    yield f"is {words} times the right answer, {count}."
                    return
        for words, constant in _CONSTANTS.items():
            if always([constant] * len(values)):
                yield f"is {words} times the right answer, {count}."
                return


def _quantities(case: Case) -> Iterator[tuple[str, Any]]:
    """Named quantities of a case that a factor may be."""

    def extent(axis: str) -> Any:
        return lambda case: float(case.dims.get(axis, 0)) or None

    def option(name: str) -> Any:
        def number(case: Case) -> float | None:
            value = case.options.get(name)
            return float(value) if isinstance(value, (int, float)) and value else None

        return number

    sources = [(axis, extent(axis)) for axis in case.dims if axis.isidentifier()]
    sources += [
        (name, option(name))
        for name, value in case.options.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    for name, of in sources:
        for words, change in (
            ("{}", lambda v: v),
            ("1/{}", lambda v: 1 / v),
            ("-{}", lambda v: -v),
            ("sqrt({})", lambda v: math.sqrt(abs(v))),
            ("1/sqrt({})", lambda v: 1 / math.sqrt(abs(v))),
            ("(1 - {})", lambda v: 1 - v),
            ("1/(1 - {})", lambda v: 1 / (1 - v) if v != 1 else None),
            ("({} - 1)/{}", lambda v: (v - 1) / v),
            ("{}/({} - 1)", lambda v: v / (v - 1) if v != 1 else None),
        ):
            yield (
                words.replace("{}", name),
                lambda case, of=of, change=change: None if of(case) is None else change(of(case)),
            )


def _is_transposed(actual: Any, expected: Any) -> bool:
    return (
        actual.ndim == 2
        and actual.shape == expected.T.shape
        and bool(np.allclose(actual, expected.T, rtol=_RELATIVE, atol=0))
    )


def _first_only(actual: Any, expected: Any) -> bool:
    if actual.ndim == 0 or actual.shape != expected.shape or len(actual) < 2:
        return False
    right = [bool(np.allclose(a, e, rtol=_RELATIVE)) for a, e in zip(actual, expected, strict=True)]
    return right[0] and not any(right[1:])
