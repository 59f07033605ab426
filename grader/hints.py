"""`grader hint`: help in stages, from the topic's own text as students have it; the last stage is still not the code.

1. what the function takes, returns and raises (its docstring);
2. what the checks look at (their titles);
3. the section of the text that leads to it;
4. and on: each hint that the author marked, one a stage: `*Hint:*` in the text, or a comment `# Hint:` before the function.
"""

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from grader.content.checks_file import CheckSource, check_sources
from grader.course import CourseError, Topic

_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:async\s+)?(?:def|class)\s+([A-Za-z]\w*)", re.MULTILINE)
_HINT = re.compile(r"(?:\*\*?Hint:?\*\*?:?|^Hint:|^> ?Hint:)\s*", re.MULTILINE)
_COMMENTED_HINT = re.compile(r"^[ ]*# Hint:(.*(?:\n[ ]*#(?! %%).*)*)", re.MULTILINE)
_HEADING = re.compile(r"^#+ ", re.MULTILINE)
_UNWRITTEN = re.compile(r"raise NotImplementedError\(.* is yours to write.\)")
_AS_IT_IS = re.compile(r"\s|[|#>*-] |\||\d+\. |.*\$\$")
_WIDTH = 78


class _Cell(NamedTuple):
    is_text: bool
    source: str


@dataclass(frozen=True)
class Hint:
    """One stage: a heading and the text under it."""

    heading: str
    text: str


def hints_for(topic: Topic, function: str) -> list[Hint]:
    """The stages of help for a function or class of a topic, the least telling one first.

    Raises:
        CourseError: the topic's text is not there, or has no such function.
    """
    cells, at = _place(topic, function)
    texts = _section(cells, at)
    found = [
        Hint("What it must do", _contract(cells[at].source, function)),
        Hint("What the checks look at", _titles(topic, function)),
        Hint("The text that leads to it", "\n\n".join(_without_hints(text) for text in texts)),
    ]
    marked = [hint for text in texts for hint in _marked(text)]
    marked += _commented(cells, at, function)
    found += [Hint("Hint", hint) for hint in marked]
    return [hint for hint in found if hint.text.strip()]


def functions_in(topic: Topic) -> list[str]:
    """The functions and classes that a student writes, in the order of the text.

    Raises:
        CourseError: the topic's text is not there.
    """
    names = [
        name
        for cell in _texts(topic)[0]
        if not cell.is_text
        for name in _DEFINITION.findall(cell.source)
    ]
    judged = _judged(topic)
    return [name for name in dict.fromkeys(names) if name in judged]


def first_unwritten(topic: Topic) -> str | None:
    """The first function whose body is still the stub's; None if there is none."""
    names = functions_in(topic)
    for cell in _texts(topic)[0]:
        pieces = list(_DEFINITION.finditer(cell.source))
        for number, piece in enumerate(pieces, 1):
            end = pieces[number].start() if number < len(pieces) else None
            body = cell.source[piece.end() : end]
            if piece[1] in names and _UNWRITTEN.search(body):
                return piece[1]
    return None


def function_of(check: str, topic: Topic) -> str | None:
    """The function that a check is named after: the longest that fits `test_` and its name."""
    fitting = [name for name in functions_in(topic) if check.startswith(f"test_{name}")]
    if fitting:
        return max(fitting, key=len)
    mentioned = {one.name: one.mentions for one in _check_sources(topic)}.get(check, frozenset())
    return next((name for name in functions_in(topic) if name in mentioned), None)


def as_text(topic: Topic, function: str, stage: int) -> str:
    """The stages up to number `stage`, for a terminal of 80 columns, and how to get the next one."""
    hints = hints_for(topic, function)
    stage = min(max(stage, 1), len(hints))
    blocks = [
        f"{number}. {hint.heading}\n\n{textwrap.indent(_wrapped(hint.text), '   ')}"
        for number, hint in enumerate(hints[:stage], 1)
    ]
    left = len(hints) - stage
    end = f"{left} more: add --stage {stage + 1}" if left else "That was the last one."
    return "\n\n".join([f"{topic.name}: {function}", *blocks, end])


def _texts(topic: Topic) -> list[list[_Cell]]:
    """The cells of the .py and of the notebook, whichever there are; a broken notebook counts as none."""
    found = []
    if topic.stub.is_file():
        found.append(_percent_cells(topic.stub))
    if topic.notebook.is_file() and (cells := _notebook_cells(topic.notebook)):
        found.append(cells)
    if not found:
        raise CourseError(
            f"{topic.stub} is not there, nor its notebook: hints come from the text in it; get it again."
        )
    return found


def _percent_cells(file: Path) -> list[_Cell]:
    text = file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
    _, *parts = _CELL.split(text)
    cells = []
    for header, body in zip(parts[::2], parts[1::2], strict=True):
        is_text = "[markdown]" in header
        lines = body.strip("\n").split("\n")
        if is_text:
            lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
        cells.append(_Cell(is_text, "\n".join(lines).strip("\n")))
    return cells or [_Cell(False, text)]


def _notebook_cells(file: Path) -> list[_Cell]:
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return [
            _Cell(cell["cell_type"] == "markdown", "".join(cell["source"]))
            for cell in cells
            if cell["cell_type"] in ("markdown", "code")
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _place(topic: Topic, function: str) -> tuple[list[_Cell], int]:
    """The cells and the number of the one that defines the function; where there is text before it, if any has."""
    places = [
        (cells, number)
        for cells in _texts(topic)
        for number, cell in enumerate(cells)
        if not cell.is_text and function in _DEFINITION.findall(cell.source)
    ]
    if not places:
        raise CourseError(
            f"topic {topic.name} has no {function!r}; it has: {', '.join(functions_in(topic))}."
        )
    return max(places, key=lambda place: bool(_section(*place)))


def _section(cells: list[_Cell], at: int) -> list[str]:
    """The texts before a cell, back to the nearest heading, in reading order."""
    texts: list[str] = []
    for cell in reversed(cells[:at]):
        if cell.is_text:
            texts.insert(0, cell.source)
            if _HEADING.search(cell.source):
                break
    return texts


def _contract(source: str, function: str) -> str:
    """The signature and the docstring, as far as the cell can still be read."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == function:
            doc = ast.get_docstring(node) or ""
            head = (
                f"{function}({ast.unparse(node.args)})"
                if isinstance(node, ast.FunctionDef)
                else function
            )
            return f"{head}\n\n{doc}"
    return ""


def _titles(topic: Topic, function: str) -> str:
    titles = [
        (check.docstring or "").splitlines()[0]
        for check in _check_sources(topic)
        if check.docstring and check.belongs_to(function)
    ]
    return "\n".join(f"- {title}" for title in titles)


def _check_sources(topic: Topic) -> list[CheckSource]:
    if not topic.checks.is_file():
        return []
    return check_sources(topic.checks.read_text(encoding="utf-8"), str(topic.checks))


def _judged(topic: Topic) -> frozenset[str]:
    """Every word in the checks: a student's own helper is none of them."""
    return frozenset().union(*(check.mentions for check in _check_sources(topic)))


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Each paragraph as what is before its mark and what is behind it."""
    for paragraph in re.split(r"\n\s*\n", text):
        before, *behind = _HINT.split(paragraph, maxsplit=1)
        yield before.strip(), behind[0].strip() if behind else ""


def _without_hints(text: str) -> str:
    return "\n\n".join(before for before, _ in _paragraphs(text) if before)


def _marked(text: str) -> list[str]:
    return [behind for _, behind in _paragraphs(text) if behind]


def _commented(cells: list[_Cell], at: int, function: str) -> list[str]:
    """Comments `# Hint:` before the function: in its own cell, or in the code cell right before."""
    own = cells[at].source
    start = next(found.start() for found in _DEFINITION.finditer(own) if found[1] == function)
    before = [own[:start]]
    if at and not cells[at - 1].is_text and not _DEFINITION.search(cells[at - 1].source):
        before.insert(0, cells[at - 1].source)
    return [
        re.sub(r"^\s*#\s?", "", found[1], flags=re.MULTILINE).strip()
        for source in before
        for found in _COMMENTED_HINT.finditer(source)
    ]


def _wrapped(text: str) -> str:
    """Paragraphs of prose filled anew; lists, formulas, tables and what is indented keep their lines."""
    return "\n\n".join(
        paragraph
        if any(_AS_IT_IS.match(line) for line in paragraph.splitlines())
        else textwrap.fill(paragraph, _WIDTH - 3, break_long_words=False, break_on_hyphens=False)
        for paragraph in re.split(r"\n\s*\n", text)
    )
