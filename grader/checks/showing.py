"""What a failure shows as its case, where a check calls with something else than the generated arguments."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.checks.strategies import Case
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
