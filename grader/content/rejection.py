"""The proof that the checks bite: a wrong answer is tried on the checks that must reject it."""

from collections.abc import Collection

from grader.content.quiet import quietly
from grader.course import Topic
from grader.failure import Failure, TimeLimit
from grader.grading import topic_checks
from grader.opening import the_student
from grader.submission import Submission


def rejected_by(submission: Submission, topic: Topic, checks: Collection[str]) -> str | None:
    """The name of the first of the given checks that a submission fails; None if it passes them all.

    Args:
        submission: a wrong answer of the course's own; it runs in this process.
        topic: the topic that it answers.
        checks: names of checks.
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
    return None
