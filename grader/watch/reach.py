"""Which part of a submission a check can see: what it calls, and all that this mentions.

A check whose part did not change has the verdict that it had. Where reading cannot tell (a `global`, an `exec`, an
attribute set on a module), the whole file counts as one part.
"""

import ast
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from grader.cells import Cell

_REACHES_EVERYTHING = frozenset(
    {
        "__dict__",
        "__globals__",
        "delattr",
        "eval",
        "exec",
        "gc",
        "getattr",
        "globals",
        "importlib",
        "inspect",
        "locals",
    }
    | {"seterr", "setattr", "sys", "vars"}
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class _Part(NamedTuple):
    """A definition: what it mentions, its meaning as text, and the same with its place."""

    mentions: frozenset[str]
    meaning: str
    place: str


class Reach:
    """A submission as a graph of what mentions what.

    Args:
        cells: its code.

    Attributes:
        is_one: whether it counts as one part, because it may reach into everything.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._parts: dict[str, list[_Part]] = {}
        self._outside: list[_Part] = []
        self._shared: set[str] = set()
        self._known: set[str] = set()
        self.is_one = False
        for cell in cells:
            self._read(cell)

    def digest(self, names: Iterable[str], *, with_places: bool) -> str:
        """A hash of everything that a call of these functions can see.

        Args:
            names: the functions.
            with_places: their lines too, which a message about an exception shows.
        """
        reached = set(self._parts) if self.is_one else self._closure(names)
        hashed = hashlib.sha256()
        for part in self._outside:
            hashed.update(part.meaning.encode("utf-8", "replace"))
        for name in sorted(reached):
            for part in self._parts[name]:
                text = part.place if with_places else part.meaning
                hashed.update(f"\0{name}\0{text}".encode("utf-8", "replace"))
        return hashed.hexdigest()

    def changed_since(self, before: "Reach | None") -> frozenset[str]:
        """The definitions that have another meaning than before, or none then; all if there was no before."""
        old = {} if before is None else before._parts
        return frozenset(
            name
            for name, parts in self._parts.items()
            if [part.meaning for part in old.get(name, [])] != [part.meaning for part in parts]
        )

    def _closure(self, names: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        waiting = [*names, *(word for part in self._outside for word in part.mentions)]
        while waiting:
            word = waiting.pop()
            if word in self._shared:  # a table of the module: whoever else touches it counts
                self._shared.discard(word)
                waiting += [name for name in self._parts if word in self._mentions(name)]
                self._shared.add(word)
            if word in self._parts and word not in reached:
                reached.add(word)
                waiting += [w for w in self._mentions(word) if w in self._known]
        return reached

    def _mentions(self, name: str) -> frozenset[str]:
        return frozenset().union(*(part.mentions for part in self._parts[name]))

    def _read(self, cell: Cell) -> None:
        try:
            tree = ast.parse(cell.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.is_one = True
            self._outside.append(_Part(frozenset(), cell.source, cell.source))
            return
        for node in tree.body:
            part = _part(node, cell.label)
            if isinstance(node, _Function):
                self._parts.setdefault(node.name, []).append(part)
                self._known.add(node.name)
            else:
                self._outside.append(part)
                self._note_variables(node)
        imported = _names_bound(tree.body)
        self.is_one = self.is_one or any(_is_dark(node, imported) for node in ast.walk(tree))

    def _note_variables(self, node: ast.stmt) -> None:
        constant = isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_constant(node.value)
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                self._known.add(child.id)
                if not constant:
                    self._shared.add(child.id)


def _part(node: ast.stmt, label: str) -> _Part:
    words: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Store):
            words.add(child.id)
        elif isinstance(child, ast.Attribute):
            words.add(child.attr)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            words.add(child.value)
    place = f"{label}\0{ast.dump(node, include_attributes=True)}"
    return _Part(frozenset(words), ast.dump(node), place)


def _names_bound(body: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that a module's top level gives to functions, classes and modules."""
    bound: set[str] = set()
    for node in body:
        if isinstance(node, _Function):
            bound.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return frozenset(bound)


def _is_dark(node: ast.AST, bound: frozenset[str]) -> bool:
    """Whether this may change what other functions see, in a way that mentions do not show."""
    if isinstance(node, ast.Global):
        return True
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return any(alias.name.split(".")[0] in _REACHES_EVERYTHING for alias in node.names)
    if isinstance(node, ast.Name):
        return node.id in _REACHES_EVERYTHING
    if isinstance(node, ast.Attribute):
        root: ast.AST = node
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        stored = not isinstance(node.ctx, ast.Load)
        return node.attr in _REACHES_EVERYTHING or (
            stored and isinstance(root, ast.Name) and root.id in bound
        )
    return False


def _is_constant(value: ast.expr | None) -> bool:
    if isinstance(value, ast.UnaryOp):
        return _is_constant(value.operand)
    if isinstance(value, ast.Tuple):
        return all(map(_is_constant, value.elts))
    return isinstance(value, ast.Constant)
