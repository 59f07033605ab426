"""Names the misconception that a failing submission behaves like."""

from collections.abc import Callable, Collection, Iterable

from grader.checks.check import Check
from grader.diagnosis.fingerprints import Fingerprints, WrongAnswer
from grader.diagnosis.trace import Trace, agree, trace_of
from grader.failure import Failure, Missing, TimeLimit
from grader.student import Student
from grader.words import in_snake_case

_NAMED_AT_MOST = 3


class Diagnosis:
    """Recognizes the misconceptions of one submission.

    A misconception is named where the submission fails, if it behaves like it in *every* check of that function: on the
    same recorded examples, in the same way, with the same numbers where the misconception fails, and without failures
    elsewhere. Where the function only uses what the misconception makes wrong, that must behave so too; where it calls others,
    they must be right, or the failure may be theirs. Those that cannot be told apart are all named; more than three, none: a
    wrong diagnosis is worse than none.

    Args:
        fingerprints: the topic's.
        checks: the topic's checks.
        student: the submission.
    """

    def __init__(
        self, fingerprints: Fingerprints, checks: Iterable[Check], student: Student
    ) -> None:
        self._fingerprints = fingerprints
        self._checks = {check.name: check for check in checks}
        self._student = student
        self._traces: dict[str, Trace | None] = {}

    def misconceptions(self, check: str, failure: Failure | TimeLimit) -> dict[str, str]:
        """Id and text of the misconceptions that explain why the submission fails a check."""
        if isinstance(failure, (Missing, TimeLimit)) or failure.aspect in ("load", "died"):
            return {}
        return named(self._fingerprints, check, self._trace, self._checks)

    def _trace(self, check: str) -> Trace | None:
        if check not in self._traces:
            found = self._checks.get(check)
            self._traces[check] = None if found is None else trace_of(found, self._student)
        return self._traces[check]


def named(
    fingerprints: Fingerprints,
    check: str,
    trace: Callable[[str], Trace | None],
    checks: Collection[str] = (),
) -> dict[str, str]:
    """The misconceptions that agree with a submission's traces; see `Diagnosis`.

    Args:
        fingerprints: the topic's.
        check: which failure is to be explained.
        trace: the submission's trace of a check.
        checks: the topic's checks.
    """
    found = {
        name: wrong.text
        for name, wrong in fingerprints.misconceptions.items()
        if check in wrong.traces and _explains(wrong, check, fingerprints, trace, checks)
    }
    return found if len(found) <= _NAMED_AT_MOST else {}


def _explains(
    wrong: WrongAnswer,
    check: str,
    fingerprints: Fingerprints,
    trace: Callable[[str], Trace | None],
    checks: Collection[str],
) -> bool:
    def explains(function: str) -> bool:
        """All that the submission fails of a function's checks."""
        failed = _checks_of(function, wrong.traces, fingerprints)
        for other in sorted(failed, key=lambda name: name != check):
            mine = trace(other)
            if mine is None or not agree(wrong.traces[other], mine):
                return False
        rest = map(trace, _checks_of(function, set(checks) - wrong.traces.keys(), fingerprints))
        return not any(mine is not None and mine.fails_surely for mine in rest)

    own = _function_of(check, fingerprints)
    wrong_ones = {name.partition(".")[0] for name in wrong.functions}
    if not explains(own):
        return False
    if own not in wrong_ones and own != check:  # a check may be named after no function
        return any(map(explains, wrong_ones))
    return all(
        explains(other) for other in fingerprints.uses.get(own, ()) if other not in wrong_ones
    )


def _checks_of(function: str, names: Iterable[str], fingerprints: Fingerprints) -> list[str]:
    return [name for name in names if _function_of(name, fingerprints) == function]


def _function_of(check: str, fingerprints: Fingerprints) -> str:
    """The function or class that a check is named after: `test_relu_forward_at_zero` is one of relu_forward's."""
    names = {name.partition(".")[0] for name in fingerprints.signatures}
    found = [name for name in names if check.startswith(f"test_{in_snake_case(name)}")]
    return max(found, key=len, default=check)
