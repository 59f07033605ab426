"""From a topic's source to the student's stub: what lies between the solution markers goes.

A region in a function becomes a line that raises NotImplementedError; one elsewhere (a private helper) is dropped.
"""

import ast
import re
from typing import NamedTuple

from grader.course import CourseError

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"

_NEARLY = re.compile(r"\s*#+\s*(begin|end)[ _-]*solution", re.IGNORECASE)
_CELL = re.compile(r"# %%")


class Region(NamedTuple):
    """The lines of a region, markers included: `lines[begin : end + 1]`."""

    begin: int
    end: int


def stub_of(source: str, where: str) -> str:
    """The stub of a source.

    Args:
        source: the topic's source in percent format.
        where: the file's name, for messages.

    Raises:
        CourseError: the markers are not in pairs, or source or stub is not valid Python.
    """
    lines = source.split("\n")
    functions = _functions(source, where)
    found = regions(lines, where)
    for region in reversed(found):
        name = _enclosing(functions, region)
        indent = lines[region.begin][: -len(lines[region.begin].lstrip())]
        lines[region.begin : region.end + 1] = (
            []
            if name is None
            else [f'{indent}raise NotImplementedError("{name} is yours to write")']
        )
    stub = _tidy(lines)
    try:
        ast.parse(stub)
    except SyntaxError as error:
        raise CourseError(
            f"{where}: without its solution regions it is not valid Python ({error.msg} at {error.text!r}): "
            "put the markers inside the function's body."
        ) from None
    return stub


def regions(lines: list[str], where: str) -> list[Region]:
    """The solution regions of a file, in order.

    Raises:
        CourseError: a marker has no partner, or is nearly one.
    """
    found: list[Region] = []
    begin: int | None = None
    for number, line in enumerate(lines):
        at = f"{where}:{number + 1}"
        if line.strip() == BEGIN:
            if begin is not None:
                raise CourseError(
                    f"{at}: {BEGIN} inside the region of line {begin + 1}: end that first."
                )
            begin = number
        elif line.strip() == END:
            if begin is None:
                raise CourseError(f"{at}: {END} without {BEGIN}: add it before the solution.")
            found.append(Region(begin, number))
            begin = None
        elif _NEARLY.match(line):
            raise CourseError(
                f"{at}: {line.strip()!r} is not a marker, and what it marks would be given away: "
                f"write {BEGIN} and {END}."
            )
    if begin is not None:
        raise CourseError(f"{where}:{begin + 1}: {BEGIN} without {END}: add it after the solution.")
    return found


class _Function(NamedTuple):
    name: str
    first: int
    last: int


def _functions(source: str, where: str) -> list[_Function]:
    """Every function and method with its lines (from 0), outer ones first."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CourseError(f"{where}:{error.lineno}: not valid Python: {error.msg}.") from None
    found: list[_Function] = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{prefix}{child.name}"
                if not isinstance(child, ast.ClassDef):
                    found.append(_Function(name, child.lineno - 1, (child.end_lineno or 0) - 1))
                name += "."
            visit(child, name)

    visit(tree, "")
    return found


def _enclosing(functions: list[_Function], region: Region) -> str | None:
    """The innermost function whose body the region is in; None outside of functions."""
    inside = [
        function.name for function in functions if function.first < region.begin < function.last
    ]
    return inside[-1] if inside else None


def _tidy(lines: list[str]) -> str:
    """The text without code cells that became empty and without runs of more than two blank lines."""
    cells: list[list[str]] = [[]]
    for line in lines:
        if _CELL.match(line):
            cells.append([])
        cells[-1].append(line.rstrip())
    kept = [
        line
        for cell in cells
        if (len(cell) > 1 and any(cell[1:])) or cell is cells[0]
        for line in cell
    ]
    text = "\n".join(kept)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n") + "\n"
