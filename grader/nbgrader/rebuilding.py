"""A submitted notebook written anew: the student's texts, and of everything that is graded what was handed out.

A submission's metadata, outputs, ids and format versions are the student's to forge, so none of them is kept.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from grader.nbgrader.known_cells import KnownCell

_SCHEME = re.compile(r"=== BEGIN MARK SCHEME ===.*?=== END MARK SCHEME ===", re.DOTALL)
_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


def submitted_cells(data: bytes) -> list[dict[str, Any]]:
    """The cells in a notebook's bytes, as far as they are cells; none where it is no notebook of format 4."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError, MemoryError):
        return []
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        return []
    cells = notebook.get("cells")
    return [cell for cell in cells if _is_cell(cell)] if isinstance(cells, list) else []


def rebuilt(
    cells: Sequence[dict[str, Any]],
    known: Mapping[str, KnownCell],
    order: Sequence[str],
    *,
    message: str = "",
) -> NotebookNode:
    """The notebook that is graded and shown.

    Args:
        cells: the submission's.
        known: the notebook's cells with an id.
        order: all their names as they were handed out, to know where a missing one was.
        message: Markdown to put first, about the submission.
    """
    last = {_grade_id(cell): index for index, cell in enumerate(cells)}  # of copies the last one
    found: list[tuple[str, NotebookNode]] = []
    for index, cell in enumerate(cells):
        name = _grade_id(cell)
        original = known.get(name) if last[name] == index else None
        found.append((name if original else "", _new(cell, original)))
        if (
            original is not None
            and original.task
            and _words(_source(cell)) != _words(original.source)
        ):
            found.append(("", new_markdown_cell(_source(cell))))  # the answer, or part of it
    there = {name for name, _ in found}
    for position, name in enumerate(order):
        missing = known[name]
        if name not in there and (missing.locked or missing.grade or missing.task):
            before = set(order[:position])
            at = max((i for i, (other, _) in enumerate(found, 1) if other in before), default=0)
            found.insert(at, (name, _handed_out(missing)))
    notebook = new_notebook(cells=[cell for _, cell in found])
    if message:
        notebook.cells.insert(0, new_markdown_cell(message))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    return notebook


def in_order(known: Iterable[str], handed_out: Sequence[dict[str, Any]]) -> list[str]:
    """The names of known cells as they follow each other in the notebook handed out, others behind them."""
    names = set(known)
    first = [name for cell in handed_out if (name := _grade_id(cell)) in names]
    return [*first, *sorted(names - set(first))]


def _is_cell(cell: object) -> bool:
    return isinstance(cell, dict) and cell.get("cell_type") in _NEW


def _grade_id(cell: Mapping[str, Any]) -> str:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return name if isinstance(name, str) else ""


def _new(cell: Mapping[str, Any], known: KnownCell | None) -> NotebookNode:
    if known is None:
        made = _NEW[cell["cell_type"]](_source(cell))
    elif known.locked:
        return _handed_out(known)
    else:
        made = _NEW[known.cell_type](_source(cell), metadata=known.metadata())
    if made.cell_type == "markdown" and (attachments := _attachments(cell)):
        made["attachments"] = attachments
    return made


def _words(question: str) -> list[str]:
    """A question's, without the mark scheme, which was not handed out."""
    return _SCHEME.sub("", question).split()


def _handed_out(known: KnownCell) -> NotebookNode:
    return _NEW[known.cell_type](known.source, metadata=known.metadata())


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    return text.encode("utf-8", "replace").decode("utf-8")


def _attachments(cell: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Pictures in a written answer."""
    attachments = cell.get("attachments")
    if not isinstance(attachments, dict):
        return {}
    return {
        str(name): {str(kind): data for kind, data in bundle.items() if isinstance(data, str)}
        for name, bundle in attachments.items()
        if isinstance(bundle, dict)
    }
