"""The notebook in nbgrader's source folder, made from a topic's one source: solutions, checks, a written question."""

import re
from collections.abc import Iterator
from typing import Any

from grader.content.checks_file import CheckSource, check_sources
from grader.content.notebook import NotebookCell, as_notebook, defined, figure_cells, percent_cells
from grader.content.regions import BEGIN
from grader.content.signatures import signatures_of
from grader.content.written import load_written
from grader.course import CourseError, Topic, load_course
from grader.figures.finding import figures_of, other_topics
from grader.nbgrader.known_cells import HIDDEN, SCHEMA_VERSION

SETUP = "from grader.notebook import check"
_HIDDEN_CELL = "# Further checks run here when your work is graded."
_ANSWER = "*Your answer (double-click here to write it):*"


def source_notebook(topic: Topic) -> str:
    """The instructor's notebook as JSON: what `nbgrader generate_assignment` makes the release from.

    Markdown as in the source; a solution cell per function; behind the last function that a check needs, its autograded
    cell; at the end the cell of the hidden checks, where they count, the written question with its mark scheme, and the figures.

    Raises:
        CourseError: a file of the topic is missing or breaks a rule.
    """
    percent = topic.source.read_text(encoding="utf-8")
    cells = percent_cells(percent)
    functions = list(signatures_of(percent, str(topic.source)))
    checks = check_sources(topic.checks.read_text(encoding="utf-8"), str(topic.checks))
    places = _places(cells, [check for check in checks if check.points is not None], functions)
    return as_notebook(_with_checks(cells, places, topic))


def _with_checks(
    cells: list[NotebookCell], places: dict[int, list[CheckSource]], topic: Topic
) -> Iterator[NotebookCell]:
    helpers = 0
    first_code = next((i for i, cell in enumerate(cells) if cell.kind == "code"), len(cells))
    for index, cell in enumerate(cells):
        if index == first_code:
            yield NotebookCell("code", SETUP, _nbgrader("setup", locked=True))
        if cell.kind == "code" and BEGIN in cell.source:
            name = defined(cell.source)
            if name is None or name.startswith("_"):
                helpers += 1
                name = f"helpers-{helpers}"
            yield cell._replace(metadata={**cell.metadata, **_nbgrader(name, solution=True)})
        else:
            yield cell
        for check in places.get(index, []):
            yield _check_cell(check.name, check.points)
    if topic.hidden_points:
        hidden = _nbgrader(HIDDEN, grade=True, locked=True, points=topic.hidden_points)
        yield NotebookCell("code", _HIDDEN_CELL, hidden)
    yield from _written(topic)
    yield from figure_cells(topic.name, _own_figures(topic))


def _own_figures(topic: Topic) -> list[str]:
    """The figures that need no other topic's functions: a handed-out folder holds this topic alone."""
    course = load_course(topic.root)
    return [one.name for one in figures_of(topic) if not other_topics(one, course, topic)]


def _check_cell(name: str, points: float | None) -> NotebookCell:
    metadata = _nbgrader(name, grade=True, locked=True, points=points)
    return NotebookCell("code", f'check("{name}")', metadata)


def _written(topic: Topic) -> Iterator[NotebookCell]:
    if not topic.written.is_file():
        return
    written = load_written(topic.written)
    text = (
        f"## In words\n\n{written.question}\n\n"
        f"=== BEGIN MARK SCHEME ===\n\n{written.scheme}\n\n=== END MARK SCHEME ==="
    )
    metadata = _nbgrader("written", task=True, locked=True, points=written.points)
    yield NotebookCell("markdown", text, metadata)
    yield NotebookCell("markdown", _ANSWER, {})


def _places(
    cells: list[NotebookCell], checks: list[CheckSource], functions: list[str]
) -> dict[int, list[CheckSource]]:
    """Index of a cell -> the checks behind it; a check that names no function comes behind the last cell."""
    public = list(dict.fromkeys(name.split(".")[0] for name in functions))
    where = {
        name: index
        for index, cell in enumerate(cells)
        if cell.kind == "code"
        for name in public
        if re.search(rf"^(?:def|class) {name}\b", cell.source, re.MULTILINE)
    }
    places: dict[int, list[CheckSource]] = {}
    for check in checks:
        if not re.fullmatch(r"\w+", check.name, re.ASCII):
            raise CourseError(f"{check.name} is no name for a cell of nbgrader: use ASCII letters.")
        needed = [where[name] for name in where if name in check.mentions]
        needed = needed or [where[name] for name in where if check.belongs_to(name)]
        places.setdefault(max(needed, default=len(cells) - 1), []).append(check)
    return places


def _nbgrader(
    name: str,
    *,
    grade: bool = False,
    solution: bool = False,
    task: bool = False,
    locked: bool = False,
    points: float | None = None,
) -> dict[str, Any]:
    """A cell's metadata for nbgrader."""
    meta: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "grade_id": name,
        "grade": grade,
        "solution": solution,
        "task": task,
        "locked": locked,
    }
    if points is not None:
        meta["points"] = points
    return {"nbgrader": meta}
