"""A student's file, .py or .ipynb -> the code to load. The file is an upload: nothing about it is trusted."""

import ast
import errno
import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.cells import Cell, code_cells, printable, runnable, syntax_error

SIZE_AT_MOST = 10 * 2**20
"""Bytes of a file: a notebook with its figures stays far below."""

CODE_AT_MOST = 2**20
"""Characters of code: compiling takes a hundred times as much memory, in the judge's process."""

_GRADING_HAS = sys.stdlib_module_names | {"numpy"}

__all__ = [
    "Cell",
    "Submission",
    "SubmissionError",
    "imports_beyond_grading",
    "notebook_from",
    "read_bytes",
    "read_submission",
    "submission_from_bytes",
]


class SubmissionError(Exception):
    """The file cannot be graded; the text names it and says why."""


@dataclass(frozen=True)
class Submission:
    """A student's code.

    Attributes:
        cells: the code in order; a .py file is one cell.
        filename: the file's name, for messages.
        path: where it was read; None if it did not come from a file.
    """

    cells: tuple[Cell, ...]
    filename: str
    path: Path | None = None


def read_submission(path: Path, *, follow_links: bool = False) -> Submission:
    """The code in a .py file or in the code cells of an .ipynb notebook.

    Args:
        path: the file.
        follow_links: whether it may be a symbolic link; only for a reader's own path, never for an upload.

    Raises:
        SubmissionError: it cannot be read, is not what its suffix says, or does not compile.
    """
    return submission_from_bytes(read_bytes(path, follow_links=follow_links), path.name, path=path)


def submission_from_bytes(data: bytes, filename: str, *, path: Path | None = None) -> Submission:
    """The code in the contents of a file called `filename`.

    Raises:
        SubmissionError: as `read_submission`.
    """
    filename = printable(filename)
    suffix = Path(filename).suffix.lower()
    if suffix not in (".py", ".ipynb"):
        raise SubmissionError(
            f"{filename}: only .py and .ipynb files are graded, not {suffix or 'a file without a suffix'}."
        )
    text = _decoded(data, filename)
    cells = [Cell(filename, text)] if suffix == ".py" else _notebook_cells(text, filename)
    length = sum(len(cell.source) for cell in cells)
    if length > CODE_AT_MOST:
        raise SubmissionError(
            f"{filename} holds {length / 2**20:.1f} Mi characters of code; at most 1 Mi is graded."
        )
    if suffix == ".ipynb":
        cells = runnable(cells)
    if not cells:
        raise SubmissionError(f"{filename} has no code cell that can be graded.")
    problems = [(cell, problem) for cell in cells if (problem := syntax_error(cell)) is not None]
    if len(problems) == len(cells):  # of a notebook the cells that do compile are graded
        cell, problem = problems[0]
        raise SubmissionError(f"{cell.label} is not valid Python: {problem}")
    return Submission(tuple(cells), filename, path)


def imports_beyond_grading(submission: Submission) -> list[str]:
    """The packages that the code imports and that grading has not: it has Python's standard library and numpy."""
    names: dict[str, None] = {}
    for cell in submission.cells:
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                names |= dict.fromkeys(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names[(node.module or ".").partition(".")[0] if not node.level else "."] = None
    return [name for name in names if name not in _GRADING_HAS]


def read_bytes(path: Path, *, follow_links: bool = False) -> bytes:
    """The contents of an upload: a plain file of at most 10 MiB.

    Args:
        path: the file.
        follow_links: as in `read_submission`.

    Raises:
        SubmissionError: it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    name = printable(path.name)
    try:
        descriptor = os.open(path, flags if follow_links else flags | os.O_NOFOLLOW)
    except OSError as error:
        raise SubmissionError(f"{name} {_why(error)}.") from None
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise SubmissionError(f"{name} is a folder, but should be a .py or .ipynb file.")
        if not stat.S_ISREG(kind):
            raise SubmissionError(f"{name} is a pipe or a device, but should be a plain file.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(SIZE_AT_MOST + 1)
    except OSError as error:
        raise SubmissionError(f"{name} {_why(error)}.") from None
    finally:
        os.close(descriptor)
    if len(data) > SIZE_AT_MOST:
        raise SubmissionError(
            f"{name} is larger than {SIZE_AT_MOST // 2**20} MiB: clear the notebook's outputs and save it again."
        )
    return data


def _why(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "does not exist"
    if error.errno == errno.ELOOP:
        return "is a symbolic link, but should be a plain file"
    if error.errno == errno.EACCES:
        return "may not be read: its permissions forbid it"
    return f"cannot be read: {error.strerror}"


def _decoded(data: bytes, filename: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SubmissionError(f"{filename} is not UTF-8 (line {line}): save it as UTF-8.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def notebook_from(data: bytes, filename: str) -> dict[str, Any]:
    """The notebook in the contents of an .ipynb file; its cells are not looked at.

    Raises:
        SubmissionError: it is none, or not of format 4.
    """
    return _notebook(_decoded(data, filename), filename)


def _notebook_cells(text: str, filename: str) -> list[Cell]:
    return code_cells(_notebook(text, filename), filename)


def _notebook(text: str, filename: str) -> dict[str, Any]:
    try:
        notebook: Any = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        raise SubmissionError(
            f"{filename} is not a notebook: its contents are not JSON. Save it again in Jupyter."
        ) from None
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if type(version) is not int:
        raise SubmissionError(f"{filename} is JSON, but not a notebook: it has no nbformat.")
    if version != 4:
        raise SubmissionError(
            f"{filename} is in notebook format {version}, but format 4 is read: open it in Jupyter and save it again."
        )
    if not isinstance(notebook.get("cells"), list):
        raise SubmissionError(f"{filename} is not a notebook: it has no list of cells.")
    return notebook  # type: ignore[no-any-return]  # a dict, by its nbformat
