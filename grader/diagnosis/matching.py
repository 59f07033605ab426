"""Names the misconception that a failing submission behaves like."""

from collections.abc import Callable, Iterable

from grader.checks.check import Check
from grader.diagnosis.fingerprints import Fingerprints
from grader.diagnosis.trace import Trace, agree, trace_of
from grader.failure import Failure, Missing, TimeLimit
from grader.student import Student

_NAMED_AT_MOST = 2


class Diagnosis:
    """Recognizes the misconceptions of one submission.

    A misconception is named where the submission fails, if it behaves like it in *every* check that the misconception
    fails: on the same recorded examples, in the same way, with the same numbers. Two that cannot be told apart are both
    named; of more, none: a wrong diagnosis is worse than none.

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

    found = {
        name: wrong.text
        for name, wrong in known.items()
        if agrees(check, wrong.traces[check])
        and all(agrees(other, seen) for other, seen in wrong.traces.items() if other != check)
    }
    return found if len(found) <= _NAMED_AT_MOST else {}
