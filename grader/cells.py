"""The code of a notebook, cell by cell, as Python: without checks, plots and IPython's magics."""

import ast
import re
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

SKIPPED_TAGS = frozenset({"check", "plot"})
"""Cells with one of these tags are for the student's eyes only and are not loaded."""

_CELL_MAGICS_OF_PYTHON = frozenset({"capture", "time"})
_CELL_MAGIC = re.compile(r"%%(\w*)")
_LINE_MAGIC = re.compile(r"[%!?]|[\w., ]+=\s*[%!]|[^#'\"]*\?$")
_LOOKS_AT_MOST = 20
_LOOKED_AT_MOST = 100_000


class Cell(NamedTuple):
    """A piece of a submission's code.

    Attributes:
        label: what a traceback calls it, such as "normalization.py" or "normalization.ipynb, code cell 3".
        source: Python.
    """

    label: str
    source: str


def code_cells(notebook: dict[str, Any], filename: str) -> list[Cell]:
    """The code cells of an nbformat 4 notebook but for checks and plots, numbered as a reader counts them."""
    cells = [
        cell
        for cell in notebook["cells"]
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]
    return [
        Cell(f"{filename}, code cell {number}", _text(cell.get("source")))
        for number, cell in enumerate(cells, 1)
        if not _is_for_the_eyes(cell)
    ]


def runnable(cells: Iterable[Cell]) -> list[Cell]:
    """The cells as Python without magics; what is empty then, or only checks and draws, is left out."""
    plain = [Cell(cell.label, without_magics(cell.source)) for cell in cells]
    return [cell for cell in plain if not _is_blank(cell.source) and not only_checks(cell.source)]


def syntax_error(cell: Cell) -> str | None:
    """What keeps a cell from compiling, as "line 3: invalid syntax"; None if nothing does."""
    try:
        _compiled(cell.source, cell.label)
    except SyntaxError as error:
        line = f": {printable(error.text.strip()):.80}" if error.text else ""
        return f"line {error.lineno or 1}: {error.msg}{line}"
    except (MemoryError, RecursionError):
        return "line 1: too deeply nested for Python to compile"
    except ValueError as error:  # a NUL character, for example
        return f"line 1: {error}"
    return None


def printable(text: str) -> str:
    """A student's text with what could move the cursor or hide other text replaced by "?"."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def without_magics(source: str) -> str:
    """The source with IPython's `%...`, `!...`, `...?` lines replaced by `pass`, and line numbers kept.

    Only a line at which Python stops is looked at, so that `%` and `!` in strings and formulas stay.
    A cell in another language (`%%bash`) becomes empty.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    lines = source.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return source
    if magic := _CELL_MAGIC.match(lines[first].strip()):
        if magic[1] not in _CELL_MAGICS_OF_PYTHON:
            return ""
        lines[first] = ""
    looks = min(
        _LOOKS_AT_MOST, max(2, _LOOKED_AT_MOST // len(source))
    )  # a hostile cell costs seconds, not minutes
    for _ in range(looks):
        at = _stopped_at("\n".join(lines))
        if at is None or not _is_magic(lines, at):
            break
        while _is_magic(lines, at):
            at = _blank_magic(lines, at)
    return "\n".join(lines)


def _is_magic(lines: list[str], at: int) -> bool:
    return at < len(lines) and _LINE_MAGIC.match(lines[at].strip()) is not None


def _blank_magic(lines: list[str], at: int) -> int:
    """Replaces a magic line and the lines that its backslash continues; returns the index of the line behind them."""
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    continued = lines[at].endswith("\\")
    lines[at] = f"{indent}pass"
    at += 1
    while continued and at < len(lines):
        continued = lines[at].endswith("\\")
        lines[at] = ""
        at += 1
    return at


def _stopped_at(source: str) -> int | None:
    """The index of the line at which Python stops reading; None where it reads to the end."""
    try:
        _compiled(source, "cell", ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        return (error.lineno or 1) - 1
    except (MemoryError, RecursionError, ValueError):
        return None
    return None


def _compiled(source: str, label: str, flags: int = 0) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(source, label, "exec", flags=flags, dont_inherit=True)


def _text(source: object) -> str:
    """A cell's source, one text or a list of lines; half characters (lone surrogates) become "?"."""
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_for_the_eyes(cell: dict[str, Any]) -> bool:
    metadata = cell.get("metadata")
    if not isinstance(metadata, dict):
        return False
    tags = metadata.get("tags")
    if isinstance(tags, list) and any(tag in SKIPPED_TAGS for tag in tags if isinstance(tag, str)):
        return True
    nbgrader = metadata.get("nbgrader")
    if not isinstance(nbgrader, dict):
        return False
    return nbgrader.get("grade") is True and nbgrader.get("solution") is not True


def _is_blank(source: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in source.split("\n"))


def only_checks(source: str) -> bool:
    """Whether a cell consists of `check("...")` or `draw("...")` calls, perhaps with their import."""
    if "check" not in source and "draw" not in source:
        return False
    try:
        body = _compiled(source, "cell", ast.PyCF_ONLY_AST).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return all(_is_check(statement) or _is_import_of_grader(statement) for statement in body)


def _is_check(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
    return name in ("check", "draw")


def _is_import_of_grader(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").split(".")[0] == "grader"
    if isinstance(statement, ast.Import):
        return all(alias.name.split(".")[0] == "grader" for alias in statement.names)
    return False
