"""nbgrader's ClearSolutions with this course's stubs: a function says that it is yours to write, a helper goes."""

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions as StockClearSolutions
from nbgrader.utils import is_solution

from grader.content.regions import BEGIN, stub_of


class ClearSolutions(StockClearSolutions):
    """Makes the release's cells as `grader build` makes the stub; cells of other kinds are cleared as nbgrader does."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook without solutions; a cell in which nothing is left is dropped."""
        for cell in nb.cells:
            if _holds_a_solution(cell):
                cell.source = stub_of(cell.source, f"the cell {_name(cell)}").strip("\n")
                cell.metadata["grader_cleared"] = True
        nb.cells = [
            cell
            for cell in nb.cells
            if cell.source.strip() or "grader_cleared" not in cell.metadata
        ]
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """The cell as it is, if it is a stub by now; else what nbgrader makes of it."""
        if cell.metadata.pop("grader_cleared", False):
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)


def _holds_a_solution(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and is_solution(cell) and BEGIN in cell.source


def _name(cell: NotebookNode) -> str:
    return str(cell.metadata.nbgrader.get("grade_id", "without a grade_id"))
