"""Names the misconception that a failing submission behaves like."""

from collections.abc import Callable, Iterable

from grader.checks.check import Check
from grader.diagnosis.fingerprints import Fingerprints, WrongAnswer
from grader.diagnosis.trace import Trace, agree, trace_of
from grader.failure import Failure, Missing, TimeLimit
from grader.student import Student

_NAMED_AT_MOST = 3


class Diagnosis:
    """Recognizes the misconceptions of one submission.

    A misconception is named where the submission fails, if it behaves like it in *every* check of that function that the
    misconception fails: on the same recorded examples, in the same way, with the same numbers, and no other one explains
    more of them. Those that cannot be told apart are all named; more than three, none: a wrong diagnosis is worse than none.

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
        return named(self._fingerprints, check, self._trace)

    def _trace(self, check: str) -> Trace | None:
        if check not in self._traces:
            found = self._checks.get(check)
            self._traces[check] = None if found is None else trace_of(found, self._student)
        return self._traces[check]


def named(
    fingerprints: Fingerprints, check: str, trace: Callable[[str], Trace | None]
) -> dict[str, str]:
    """The misconceptions that agree with a submission's traces; see `Diagnosis`."""
    known = {
        name: wrong for name, wrong in fingerprints.misconceptions.items() if check in wrong.traces
    }
    if not known or trace(check) is None:
        return {}

    def agrees(name: str, other: Trace) -> bool:
        mine = trace(name)
        return mine is not None and agree(other, mine)

    failed = {name: _failed_by(wrong, check, fingerprints) for name, wrong in known.items()}
    explained = {
        name: set(others)
        for name, others in failed.items()
        if all(agrees(other, known[name].traces[other]) for other in others)
    }
    # one that leaves failures unexplained merely resembles the one that explains them too
    found = {
        name: known[name].text
        for name, some in explained.items()
        if not any(some < more for more in explained.values())
    }
    return found if len(found) <= _NAMED_AT_MOST else {}


def _failed_by(wrong: WrongAnswer, check: str, fingerprints: Fingerprints) -> list[str]:
    """The checks of a check's function that a wrong answer fails, that check first."""
    own = _function_of(check, fingerprints)
    others = [other for other in wrong.traces if _function_of(other, fingerprints) == own]
    return sorted(others, key=lambda other: other != check)


def _function_of(check: str, fingerprints: Fingerprints) -> str:
    """The function that a check is named after: `test_relu_forward_at_zero` is one of relu_forward's."""
    names = [name for name in fingerprints.signatures if check.startswith(f"test_{name}")]
    return max(names, key=len, default=check)
