"""The proof that the checks bite: a wrong answer is tried on the checks that must reject it."""

from collections.abc import Collection

from grader.content.quiet import quietly
from grader.course import Topic
from grader.failure import Failure, TimeLimit
from grader.grading import topic_checks
from grader.opening import the_student
from grader.submission import Submission


class CheckItselfFailed(Exception):
    """A check raised something else than a failure of the answer; the cause says what.

    Attributes:
        check: its name.
    """

    def __init__(self, check: str) -> None:
        super().__init__(f"{check} itself failed")
        self.check = check


def rejected_by(submission: Submission, topic: Topic, checks: Collection[str]) -> str | None:
    """The name of the first of the given checks that a submission fails; None if it passes them all.

    Args:
        submission: a wrong answer of the course's own; it runs in this process.
        topic: the topic that it answers.
        checks: names of checks.

    Raises:
        CheckItselfFailed: one raised something else than a failure.
    """
    student = the_student(submission, topic, isolated=False)
    with quietly():
        for check in topic_checks(topic):
            if check.name not in checks:
                continue
            try:
                check.run(student, seed=0, examples=25, shrink=False)
            except (Failure, TimeLimit):
                return check.name
            except Exception as fault:
                raise CheckItselfFailed(check.name) from fault
    return None
