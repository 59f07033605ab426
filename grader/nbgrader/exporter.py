"""How `nbgrader autograde` reads a notebook: whatever was handed in becomes one that can be converted."""

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.api import Gradebook

from grader.nbgrader.known_cells import known_cells
from grader.nbgrader.rebuilding import in_order, rebuilt, submitted_cells
from grader.nbgrader.uploads import make_safe
from grader.report.visible import visible
from grader.submission import SubmissionError, read_bytes, submission_from_bytes


class SubmissionExporter(NotebookExporter):
    """Writes a submission's notebook anew before nbgrader's preprocessors see it; none is so bad that it stops them."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        assignments = getattr(self.parent, "assignments", {})  # all that the command will convert
        for folder in list(assignments):
            try:
                make_safe(Path(folder))
            except OSError as error:
                self.log.error("%s is left out, nothing of it is graded: %s", folder, error)
                del assignments[folder]

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """As nbconvert's, for a file that a student handed in."""
        path = Path(filename)
        resources = resources if resources is not None else {}
        names = resources["nbgrader"]
        courses = self.parent.coursedir
        if path.parent == Path(
            courses.format_path(courses.autograded_directory, names["student"], names["assignment"])
        ):  # what this class wrote
            return super().from_filename(filename, resources=resources, **kw)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent), "modified_date": ""}
        message, data = "", b""
        try:
            data = read_bytes(path)
            submission_from_bytes(data, path.name)
        except SubmissionError as error:
            message = f"**This notebook cannot be graded.** {_as_markdown(str(error))}"
        with Gradebook(names["db_url"]) as gradebook:
            known = known_cells(gradebook, names["notebook"], names["assignment"])
        order = in_order(known, self._handed_out(names["assignment"], path.name))
        notebook = rebuilt(submitted_cells(data), known, order, message=message)
        return self.from_notebook_node(notebook, resources=resources, **kw)

    def _handed_out(self, assignment: str, name: str) -> list[dict[str, Any]]:
        """The cells of the instructor's notebook; none where it is not on this machine."""
        courses = self.parent.coursedir
        source = Path(courses.format_path(courses.source_directory, ".", assignment), name)
        return submitted_cells(source.read_bytes()) if source.is_file() else []


def _as_markdown(text: str) -> str:
    """A student's words, such as a file's name, as text in a Markdown cell."""
    return "".join(
        f"\\{sign}" if sign in "\\`*_{}[]()#+-.!<>|&$" else sign for sign in visible(text)
    )
