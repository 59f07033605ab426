"""The marks of a gradebook, one per student and assignment, as an export needs them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nbgrader.api import Gradebook

State = Literal["graded", "ungraded", "missing"]


@dataclass(frozen=True)
class Mark:
    """What a student has for an assignment.

    Attributes:
        state: "graded"; "ungraded" while a cell still waits for a person (or the submission for the autograder);
            "missing" where nothing was handed in.
        points: the score less the penalty for lateness, at least 0, extra credit included; of an ungraded submission
            what is graded so far, 0 of a missing one.
    """

    state: State
    points: float


@dataclass(frozen=True)
class Row:
    """A student and what they have, by assignment."""

    student: Any
    marks: dict[str, Mark]


def assignments_of(gradebook: Gradebook, wanted: Collection[str]) -> dict[str, float]:
    """Assignment -> its highest score without extra credit, in order of names; only the wanted ones, if any are named.

    Raises:
        ValueError: a wanted one is not in the gradebook.
    """
    found = {one.name: float(one.max_score or 0) for one in gradebook.assignments}
    _refuse_unknown("assignment", wanted, found)
    return {name: found[name] for name in sorted(found) if not wanted or name in wanted}


def rows_of(
    gradebook: Gradebook, assignments: Collection[str], wanted: Collection[str]
) -> list[Row]:
    """A row per student, in order of names; only the wanted ones, if any are named.

    Raises:
        ValueError: a wanted one is not in the gradebook.
    """
    students = {one.id: one for one in gradebook.students}
    _refuse_unknown("student", wanted, students)
    chosen = [one for one in students.values() if not wanted or one.id in wanted]
    chosen.sort(key=lambda one: (one.last_name or "", one.first_name or "", one.id))
    rows = [Row(student, dict.fromkeys(assignments, Mark("missing", 0.0))) for student in chosen]
    by_student = {row.student.id: row for row in rows}
    for name in assignments:
        for submission in gradebook.assignment_submissions(name):
            if submission.student_id in by_student:
                by_student[submission.student_id].marks[name] = _mark(submission)
    return rows


def unfinished(rows: Collection[Row], state: State) -> Iterator[str]:
    """Every mark in that state, as "student, assignment"."""
    for row in rows:
        for assignment, mark in row.marks.items():
            if mark.state == state:
                yield f"{row.student.id}, {assignment}"


def _mark(submission: Any) -> Mark:
    points = max(0.0, submission.score - (submission.late_submission_penalty or 0.0))
    return Mark("ungraded" if submission.needs_manual_grade else "graded", points)


def _refuse_unknown(what: str, wanted: Collection[str], known: Collection[str]) -> None:
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(
            f"the gradebook has no {what} {unknown[0]!r}; it has: {', '.join(sorted(known))}"
        )
