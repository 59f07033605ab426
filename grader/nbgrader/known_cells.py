"""The cells that nbgrader knows of a notebook, as `nbgrader generate_assignment` saved them in the gradebook."""

from dataclasses import dataclass
from typing import Any

from nbgrader.api import Gradebook, Notebook

SCHEMA_VERSION = 3
"""Of nbgrader's metadata."""

HIDDEN = "hidden"
"""The grade_id of the cell that holds the points of a topic's hidden checks."""


@dataclass(frozen=True)
class KnownCell:
    """A cell with an id, whatever a submission says about it.

    Attributes:
        name: its grade_id.
        cell_type: "code" or "markdown".
        source: as it was handed out.
        locked: whether a submission's own text does not count.
        checksum: nbgrader's, of the text handed out.
        points: what it is worth; None if it is not graded.
        grade: graded by nbgrader's meaning: automatically, or by hand where it is a solution too.
        solution: the student writes in it.
        task: a question that is marked by hand.
    """

    name: str
    cell_type: str
    source: str
    locked: bool
    checksum: str | None
    points: float | None
    grade: bool
    solution: bool
    task: bool

    def metadata(self) -> dict[str, Any]:
        """What nbgrader expects in the cell's metadata."""
        nbgrader: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "grade_id": self.name,
            "grade": self.grade,
            "solution": self.solution,
            "locked": self.locked,
            "task": self.task,
            "cell_type": self.cell_type,
        }
        if self.checksum is not None:
            nbgrader["checksum"] = self.checksum
        if self.points is not None:
            nbgrader["points"] = self.points
        return {"nbgrader": nbgrader}


def known_cells(gradebook: Gradebook, notebook: str, assignment: str) -> dict[str, KnownCell]:
    """The cells of a notebook by their names, in no particular order.

    Raises:
        nbgrader.api.MissingEntry: the gradebook has no such notebook.
    """
    entry: Notebook = gradebook.find_notebook(notebook, assignment)
    graded = {cell.name: float(cell.max_score) for cell in entry.grade_cells}
    tasks = {cell.name: float(cell.max_score) for cell in entry.task_cells}
    solutions = {cell.name for cell in entry.solution_cells}
    return {
        cell.name: KnownCell(
            name=cell.name,
            cell_type=cell.cell_type,
            source=cell.source or "",
            locked=bool(cell.locked),
            checksum=cell.checksum,
            points={**graded, **tasks}.get(cell.name),
            grade=cell.name in graded,
            solution=cell.name in solutions,
            task=cell.name in tasks,
        )
        for cell in entry.source_cells
    }
