"""What a failure shows as its case, where a check calls with something else than the generated arguments."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from grader.checks.strategies import Case
from grader.checks.trees import leaves
from grader.failure import Failure, Missing


@contextlib.contextmanager
def showing(
    case: Case,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    *,
    notes: Sequence[str] = (),
) -> Iterator[None]:
    """A context whose failures show these arguments instead of the case's own.

    For checks that make several calls from one case, such as the steps of an optimizer: a student reads what the call
    that failed was given, and nothing that it was not given.

    Args:
        case: the generated case.
        inputs: name -> argument, in the order of the call.
        options: name -> option of the call; none by default.
        notes: lines that say more about the call.

    >>> from grader.checks.strategies import cases, edge_cases
    >>> case = edge_cases(cases(x="N", options={"eps": [0.1]}), seed=0)[0]
    >>> try:
    ...     with showing(case, {"x": 2 * case.x}):
    ...         raise Failure("The answer is wrong.")
    ... except Failure as failure:
    ...     print(list(failure.shown.inputs), failure.shown.options)
    ['x'] {}
    """
    __tracebackhide__ = True
    try:
        yield
    except Missing:
        raise
    except Failure as failure:
        failure.shown = replace(case, inputs=dict(inputs), options=dict(options or {}))
        raise failure.with_details(*notes).with_traceback(failure.__traceback__) from None


Comparison = TypeVar("Comparison", bound=Callable[..., None])


def telling(comparison: Comparison) -> Comparison:
    """A comparison with keywords `inputs` and `options`, whose failures know them."""

    @functools.wraps(comparison)
    def told(
        *args: Any,
        inputs: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        **keywords: Any,
    ) -> None:
        __tracebackhide__ = True
        try:
            comparison(*args, inputs=inputs, options=options, **keywords)
        except Failure as failure:
            if failure.called is None:
                failure.called = dict(inputs), dict(options or {})
            raise

    return told  # type: ignore[return-value]  # the same keywords


def called_otherwise(failure: Failure) -> Case | None:
    """The case to show of a failed comparison that was called with other values than those of the only case drawn."""
    drawn = [value for value in (failure.case or {}).values() if isinstance(value, Case)]
    if failure.called is None or len(drawn) != 1:
        return None
    (case,) = drawn
    inputs, options = failure.called
    own = leaves([*case.inputs.values(), *case.options.values()])
    if all(any(_same(leaf, one) for one in own) for leaf in leaves(list(inputs.values()))) and all(
        _equal(case.options.get(name, value), value) for name, value in options.items()
    ):
        return None
    shown = {
        name: value for name, value in options.items() if not isinstance(value, np.random.Generator)
    }
    return replace(case, inputs=dict(inputs), options=shown)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return _same(one, other)
    return one is other or bool(np.all(one == other))


def _same(one: Any, other: Any) -> bool:
    return one is other or (
        one.shape == other.shape
        and one.dtype == other.dtype
        and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    )
