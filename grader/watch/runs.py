"""What is known of a file at one moment, as it travels from the server to the screen."""

from dataclasses import dataclass, field
from pathlib import Path

from grader.grading import CheckResult

CHECK_LIMIT_S = 5.0
"""A check's limit here: a wait that is longer than this is an endless loop to whoever sits before it."""


class Superseded(Exception):
    """There is something newer to do."""


@dataclass
class Run:
    """What a run found so far.

    Attributes:
        file: the file that was judged.
        names: of the topic's checks, in file order.
        found: results of the checks that have run, by name.
        note: what keeps the file from being judged; empty otherwise.
        printed: what it printed.
        seconds: since the save.
        left: what is still to be done, in words; empty at the end.
        explained: the checks whose failure is explained: its smallest case is found.
    """

    file: Path
    names: list[str] = field(default_factory=list)
    found: dict[str, CheckResult] = field(default_factory=dict)
    note: str = ""
    printed: str = ""
    seconds: float = 0.0
    left: str = ""
    explained: set[str] = field(default_factory=set)

    @property
    def results(self) -> list[CheckResult]:
        """Of the checks that have run, in file order."""
        return [self.found[name] for name in self.names if name in self.found]

    @property
    def whole(self) -> bool:
        """Whether every check has a verdict."""
        return not self.note and len(self.found) == len(self.names) > 0

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be found."""
        return self.whole and not self.left

    @property
    def points(self) -> float:
        """What the passed checks are worth."""
        return sum(result.points for result in self.found.values())

    @property
    def first_failure(self) -> CheckResult | None:
        """The first check that is neither passed nor unwritten, else the first that is unwritten."""
        wrong = [result for result in self.results if result.verdict != "passed"]
        return next((one for one in wrong if one.verdict != "missing"), wrong[0] if wrong else None)
