"""Points from the Report into the gradebook, never from what a cell printed."""

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import SaveAutoGrades
from nbgrader.utils import determine_grade, is_solution

from grader.grading import Report
from grader.nbgrader.known_cells import HIDDEN

REPORT = "grader_report"
"""Where `GradeInSandbox` leaves the Report among nbconvert's resources."""


class SaveReportGrades(SaveAutoGrades):
    """nbgrader's SaveAutoGrades with the points of the Report."""

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        name = cell.metadata.nbgrader["grade_id"]
        grade = self.gradebook.find_grade(
            name, self.notebook_id, self.assignment_id, self.student_id
        )
        if is_solution(cell):  # marked by hand; untouched it is worth nothing
            auto_score, _ = determine_grade(cell, self.log)
        else:
            auto_score = points_of(name, resources.get(REPORT))
        set_auto_score(grade, auto_score)
        self.gradebook.db.commit()


def points_of(cell: str, report: Report | None) -> float | None:
    """The points of an autograded cell; None where no check belongs to it: a person must look."""
    if report is None:
        return None
    if cell == HIDDEN:
        hidden = [check for check in report.checks if check.name.startswith("hidden_")]
        return sum(check.points for check in hidden) if hidden else None
    return next((check.points for check in report.checks if check.name == cell), None)


def set_auto_score(grade: Any, auto_score: float | None) -> None:
    """nbgrader's meaning: a score by hand stays and is to be looked at again, as is what has no automatic one."""
    grade.auto_score = auto_score
    grade.needs_manual_grade = grade.manual_score is not None or auto_score is None
