"""Loads a submission and runs parts of its checks in this process: what a child of the server does, once for every save."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import msgspec

from grader.capture import captured
from grader.course import Topic
from grader.diagnosis.fingerprints import fingerprints_of
from grader.diagnosis.matching import Diagnosis
from grader.failure import TimeLimit
from grader.grading import CheckResult, Settings, outcome, topic_checks
from grader.limits import interruptible, time_limit
from grader.opening import the_student
from grader.student import Student
from grader.submission import Submission
from grader.watch.runs import CHECK_LIMIT_S
from grader.worker.sandbox import SandboxName

Part = Literal["edges", "rest", "explanation"]


class Task(NamedTuple):
    """A part of a check: its edge cases, the random examples behind them, or the explanation of its failure."""

    check: str
    part: Part


class Loaded(NamedTuple):
    """The file was executed.

    Attributes:
        note: what went wrong; empty if nothing did.
        partly: whether a notebook's cell failed, so that a name may be missing for that reason.
        printed: what it printed.
    """

    note: str
    partly: bool
    printed: str


class Answer(NamedTuple):
    """The outcome of a task.

    Attributes:
        task: which.
        result: of the check, as far as this part of it tells.
        asked: the student's functions that were called.
        printed: what they printed.
    """

    task: Task
    result: CheckResult
    asked: frozenset[str]
    printed: str


@dataclass(frozen=True)
class Work:
    """What the tasks of one save have in common.

    Attributes:
        submission: the file's code.
        topic: whose checks.
        settings: how.
    """

    submission: Submission
    topic: Topic
    settings: Settings

    def done(self, tasks: Iterator[Task]) -> Iterator[Loaded | Answer]:
        """Loads the file, then does the tasks as they come."""
        with captured() as printed:
            student, note = self._student()
        yield Loaded(note, bool(student and student._notes), printed.getvalue())
        if student is None:
            return
        try:
            for task in tasks:
                yield self._answer(task, student)
        finally:
            student._close()

    def _student(self) -> tuple[Student | None, str]:
        """The submission, executed; or why that cannot be."""
        sandbox: SandboxName | None = self.settings.sandbox or None
        name = self.submission.filename
        try:
            with time_limit(CHECK_LIMIT_S), interruptible():
                student = the_student(
                    self.submission, self.topic, isolated=self.settings.isolated, sandbox=sandbox
                )
        except TimeLimit:
            return None, not_loaded(name)
        if student._load_failure is not None:
            student._close()
            return None, str(student._load_failure)
        return student, ""

    def _answer(self, task: Task, student: Student) -> Answer:
        check = next(one for one in topic_checks(self.topic) if one.name == task.check)
        check = replace(check, timeout_s=min(check.timeout_s, CHECK_LIMIT_S))
        settings, start, diagnosis = self.settings, 0, None
        if task.part == "edges":
            settings = msgspec.structs.replace(settings, examples=0)
        elif task.part == "rest":
            start = len(check.edges(settings.seed))
        else:
            fingerprints = fingerprints_of(self.topic)
            diagnosis = Diagnosis(fingerprints, topic_checks(self.topic), student)
        student._asked.clear()
        with captured() as printed:
            result = outcome(check, student, settings, diagnosis, start=start)
        if result.verdict == "timeout" and student._last_call is not None:
            # the other checks of it need not wait as long
            student._given_up[student._last_call] = TimeLimit(CHECK_LIMIT_S, student._last_call)
        text = printed.getvalue() + student._printed()
        return Answer(task, result, frozenset(student._asked), text)


def not_loaded(filename: str) -> str:
    """The note on a file whose execution does not end."""
    return (
        f"{filename} was not loaded within {CHECK_LIMIT_S:g} seconds: "
        "is there an endless loop outside of its functions?"
    )
