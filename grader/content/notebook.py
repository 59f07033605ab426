"""From percent format to a notebook: the same text gives the same bytes."""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from grader.course import CourseError

PICTURES = """\
## Pictures

Each cell below draws one of the lecture's pictures with your own functions, those above. Where one is missing or
wrong, the cell says which.\
"""


class NotebookCell(NamedTuple):
    """A cell to be.

    Attributes:
        kind: "code" or "markdown".
        source: its text.
        metadata: what Jupyter and nbgrader are told about it.
    """

    kind: str
    source: str
    metadata: dict[str, Any]


def notebook_of(percent: str, topic: str = "", figures: Sequence[str] = ()) -> str:
    """The notebook of a file in percent format, as JSON.

    Args:
        percent: the file's contents.
        topic: the topic's name.
        figures: names of the topic's figures; each gets a cell at the end, with the tag "plot".

    Raises:
        CourseError: as `percent_cells`.
    """
    return as_notebook([*percent_cells(percent), *figure_cells(topic, figures)])


def figure_cells(topic: str, figures: Sequence[str]) -> Iterator[NotebookCell]:
    """A heading and a cell per figure, which draws it with the notebook's own functions; none without figures."""
    if figures:
        yield NotebookCell("markdown", PICTURES, {})
    for name in figures:
        source = f'from grader.figures import draw\n\ndraw("{topic}", "{name}")'
        yield NotebookCell("code", source, {"tags": ["plot"]})


def percent_cells(percent: str) -> list[NotebookCell]:
    """The cells of a file in percent format.

    Raises:
        CourseError: jupytext, an extra for authors, is not installed.
    """
    try:
        import jupytext
    except ImportError:
        raise CourseError(
            "Notebooks are made by jupytext, which is not installed: pip install 'gradus-dl[author]'."
        ) from None
    parsed = jupytext.reads(percent, fmt="py:percent")
    return [NotebookCell(cell.cell_type, cell.source, dict(cell.metadata)) for cell in parsed.cells]


def as_notebook(cells: Iterable[NotebookCell]) -> str:
    """A notebook (nbformat 4.5, no outputs, kernel python3) as JSON."""
    taken: set[str] = set()
    notebook = {
        "cells": [_cell(*cell, taken) for cell in cells],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _cell(kind: str, source: str, metadata: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": _identity(kind, source, taken),
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _identity(kind: str, source: str, taken: set[str]) -> str:
    """A cell's id: the function that it defines, else a digest; so that it stays when other cells come and go."""
    name = defined(source) if kind == "code" else None
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    base = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:48] if name else f"{kind}-{digest}"
    identity, number = base, 1
    while identity in taken:
        number += 1
        identity = f"{base}-{number}"
    taken.add(identity)
    return identity


def defined(source: str) -> str | None:
    """The name of the function or class that a code cell defines, if it is one."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    names = [
        node.name
        for node in body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]
    return names[0] if names else None
