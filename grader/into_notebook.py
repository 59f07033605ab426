"""`grader notebook`: the functions of a .py file put into the notebook that was handed out.

A statement that defines what a cell defines takes that cell's place. What stands before it and defines nothing of the
notebook's (helpers, constants) goes with it; what stands first goes into the notebook's first plain cell, the imports.
Where a statement would then run before one that it needs, because the file has another order, all goes into one cell.
"""

import ast
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from grader.cells import only_checks

_MARKDOWN_CELL = "# %% [markdown]"
_CELL = "# %%"
_STUB = "raise NotImplementedError"


class NoSuchCells(Exception):
    """The notebook has no cell for anything that the file defines; the text says so."""


class Chunk(NamedTuple):
    """A top-level statement with the comments above it.

    Attributes:
        source: its lines.
        defines: the names that it binds, in their order.
    """

    source: str
    defines: tuple[str, ...]


def filled_notebook(notebook: dict[str, Any], source: str) -> dict[str, Any]:
    """The notebook with the file's code in it, outputs cleared.

    Args:
        notebook: of nbformat 4, as it was handed out.
        source: the file's text, valid Python.

    Raises:
        NoSuchCells: no function of the file is one of the notebook's.
    """
    copy: dict[str, Any] = json.loads(json.dumps(notebook))
    code = [cell for cell in copy["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        cell["outputs"], cell["execution_count"] = [], None
    cells = {name: cell for cell in code for name in _defined(_text(cell))}
    groups = _groups_in(list(cells), chunks(source))
    if not any(group.name for group in groups):
        raise NoSuchCells(
            f"it defines none of {', '.join(cells) or 'the functions'}, which the notebook asks for"
        )
    first = next((cell for cell in code if _is_plain(cell)), None)
    written: set[int] = set()
    for group in groups:
        cell = cells[group.name] if group.name else first
        if cell is None:
            cell = cells[next(one.name for one in groups if one.name)]
        if first is not None and cell is first and not group.name:
            text = _with_missing(group.text, _text(first))
        elif id(cell) in written:
            text = f"{_text(cell)}\n\n\n{group.text}"
        else:
            text = group.text
        written.add(id(cell))
        cell["source"] = text.splitlines(keepends=True)
    for group in groups:
        for name in group.names[
            1:
        ]:  # defined in the same statement as another: its stub must not come after it
            if id(cells[name]) not in written:
                cells[name]["source"] = [f"# {name} is defined with {group.name}."]
    return copy


def answered_otherwise(notebook: dict[str, Any], source: str) -> list[str]:
    """What the notebook has an answer of its own for, which the file's would replace: definitions that are no stubs."""
    texts = [_text(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    there = {name: text for text in texts for name in _defined(text) if _STUB not in text}
    file = {
        name: ast.dump(_parsed(chunk.source)) for chunk in chunks(source) for name in chunk.defines
    }
    return [
        name
        for name, text in there.items()
        if name in file
        and not any(file[name] == ast.dump(_parsed(one.source)) for one in chunks(text))
    ]


def chunks(source: str) -> list[Chunk]:
    """A file's top-level statements in order, each with its comments; the markers and texts of percent format are left out."""
    lines = source.split("\n")
    found: list[Chunk] = []
    begin = 0
    for node in _parsed(source).body:
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
        above = _comments(lines[begin : first - 1])
        end = node.end_lineno or node.lineno
        text = "\n".join([*above, *lines[first - 1 : end]])
        if first <= begin:  # `a = 1; b = 2` on one line
            begin = end
            continue
        begin = end
        found.append(Chunk(text, tuple(_bound(node))))
    tail = [line for line in _comments(lines[begin:]) if line.strip()]
    if tail and found:
        found[-1] = found[-1]._replace(source="\n".join([found[-1].source, "", *tail]))
    return found


@dataclass
class _Group:
    """Chunks that go into one cell: helpers, then the definition; without one, the cell of the imports."""

    names: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""

    @property
    def text(self) -> str:
        return "\n".join(self.sources)


def _groups_in(order: list[str], found: list[Chunk]) -> list[_Group]:
    """The groups for cells that define these names, in this order; a single one where it must be."""
    groups = _groups(found, frozenset(order))
    return groups if _runs_in(groups, order) else [_in_one_cell(groups, order)]


def _groups(found: list[Chunk], known: frozenset[str]) -> list[_Group]:
    groups: list[_Group] = []
    loose = _Group()
    for chunk in found:
        names = [name for name in chunk.defines if name in known]
        if names:
            loose.sources.append(_spaced(chunk, loose))
            groups.append(_Group(names, loose.sources))
            loose = _Group()
        elif not groups and _all_imports(chunk.source):
            groups.append(_Group([], [chunk.source]))
        elif (
            len(groups) == 1
            and not groups[0].name
            and not loose.sources
            and _all_imports(chunk.source)
        ):
            groups[0].sources.append(chunk.source)
        else:
            loose.sources.append(_spaced(chunk, loose))
    if loose.sources:
        if groups and groups[-1].name:
            groups[-1].sources += ["", "", *loose.sources]
        else:
            groups.append(loose)
    return groups


def _runs_in(groups: list[_Group], order: list[str]) -> bool:
    """Whether each statement still finds what it needs when it runs, with the groups in the order of the notebook's cells."""
    place = {name: number for number, name in enumerate(order)}
    moved = sorted(groups, key=lambda group: place[group.name] if group.name else -1)
    defined_at: dict[str, int] = {}
    for group in groups:
        at = moved.index(group)
        for node in _parsed(group.text).body:
            used = set(_used_when_run(node))
            calls = any(isinstance(child, ast.Call) for child in _run(node))
            needed = defined_at.keys() if calls and used & defined_at.keys() else used
            if any(defined_at.get(name, at) > at for name in needed):
                return False
            defined_at |= dict.fromkeys(_bound(node), at)
    return True


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a statement that run with it: not the bodies of functions."""
    yield node
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _run(child)


def _used_when_run(node: ast.AST) -> Iterator[str]:
    for child in _run(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
            yield child.id


def _in_one_cell(groups: list[_Group], order: list[str]) -> _Group:
    """All of the file in the cell of what the notebook asks for first."""
    names = sorted((name for group in groups for name in group.names), key=order.index)
    return _Group(names, ["\n\n\n".join(group.text for group in groups)])


def _spaced(chunk: Chunk, group: _Group) -> str:
    first = next(line for line in chunk.source.splitlines() if line[:1] not in ("", "#"))
    is_block = first.startswith(("def ", "class ", "@", "async "))
    return f"\n\n{chunk.source}" if is_block and group.sources else chunk.source


def _with_missing(text: str, original: str) -> str:
    """The file's imports, and those of the notebook's cell that the file does without."""
    own = {ast.dump(node) for node in _parsed(text).body}
    kept = [ast.unparse(node) for node in _parsed(original).body if ast.dump(node) not in own]
    late = "__future__" in text  # must stay the first import
    return "\n".join([text, *kept] if late else [*kept, text])


def _comments(lines: list[str]) -> Iterator[str]:
    """The lines between two statements that belong to the second: no cell markers, no text cells, no blank lines first."""
    kept: list[str] = []
    in_text = False
    for line in lines:
        if line.startswith(_CELL):
            in_text = line.startswith(_MARKDOWN_CELL)
            kept = []
        elif not in_text or (line.strip() and not line.startswith("#")):
            kept.append(line)
    while kept and not kept[0].strip():
        kept.pop(0)
    yield from kept


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement binds in its module, as far as reading tells."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
        return
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name
        elif isinstance(child, ast.alias):
            yield child.asname or child.name.split(".")[0]


def _defined(source: str) -> list[str]:
    try:
        return [
            node.name
            for node in _parsed(source).body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        ]
    except SyntaxError:
        return []


def _all_imports(source: str) -> bool:
    return all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in _parsed(source).body)


def _is_plain(cell: dict[str, Any]) -> bool:
    """Whether a cell holds the imports: no check, no solution, nothing but imports."""
    text = _text(cell)
    try:
        return bool(text.strip()) and not only_checks(text) and _all_imports(text)
    except SyntaxError:
        return False


def _text(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
