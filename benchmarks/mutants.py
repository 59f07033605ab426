"""One-token mutants of every solution: how many do the checks reject?

    python benchmarks/mutants.py [TOPIC ...] [--jobs N] [--function NAME]

A mutant is the solution with one token changed: an operator, a comparison, a constant, a keyword's value or the keyword itself,
two swapped arguments, a dropped statement, a numpy function's neighbour. It is killed when a check fails. Mutants that no
check can reject, because they do the same as the solution by the course's rules, are listed in
`benchmarks/equivalent_mutants/TOPIC.toml` with the reason. Prints the others that survive, then a table; exit code 1 if any does.
"""

import argparse
import ast
import os
import resource
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from grader.content.rejection import rejected_by
from grader.content.text_rules import checks_in
from grader.course import Topic, find_course
from grader.submission import SubmissionError, submission_from_bytes

HERE = Path(__file__).resolve().parent
LISTED = HERE / "equivalent_mutants"
MEMORY_AT_MOST = 6 << 30

Edit = tuple[int, int, str]
"""First byte, the one after the last, and what stands there instead."""

_BINARY = {
    "|": "&",
    "&": "|",
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "//": "/",
    "%": "//",
    "**": "*",
    "@": "*",
}
_SYMBOLS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitOr: "|",
    ast.BitAnd: "&",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_COMPARED = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "==": ("!=",),
    "!=": ("==",),
    "is": ("is not",),
    "is not": ("is",),
    "in": ("not in",),
    "not in": ("in",),
}
_NEIGHBOURS = {
    pair[i]: pair[1 - i]
    for pair in (
        ("mean", "sum"),
        ("maximum", "minimum"),
        ("max", "min"),
        ("argmax", "argmin"),
        ("zeros", "ones"),
        ("zeros_like", "ones_like"),
        ("floor", "ceil"),
        ("any", "all"),
        ("sin", "cos"),
        ("var", "std"),
        ("float64", "float32"),
    )
    for i in (0, 1)
}

_SYMMETRIC = {"min", "max", "minimum", "maximum", "add", "multiply"}
"""Functions whose first two arguments may be swapped by anybody."""


@dataclass(frozen=True)
class Mutant:
    """An edit of a solution.

    Attributes:
        function: the function or class that it lies in; "" for a statement of the module.
        line: the line of the edit, as it stands in the solution, without indentation.
        edit: `old -> new`.
        number: which of the equal edits of equal lines of the function, from 1.
        source: the whole solution with the edit in it.
    """

    function: str
    line: str
    edit: str
    number: int
    source: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What names it in a list of equivalent mutants."""
        return self.function, self.line, self.edit, self.number


class _Text:
    """A source whose nodes are found by their place in its bytes."""

    def __init__(self, source: str) -> None:
        self.data = source.encode()
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: Any) -> tuple[int, int]:
        """First byte, and the one after the last."""
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> Iterator[Edit]:
        """The edit of an operator between two nodes."""
        begin, end = self.span(left)[1], self.span(right)[0]
        position = self.data.find(old.encode(), begin, end)
        if old and position >= 0:
            yield position, position + len(old), new

    def line_at(self, position: int) -> str:
        """The line of a byte, without indentation."""
        first = self.data.rfind(b"\n", 0, position) + 1
        return self.data[first:].split(b"\n", 1)[0].decode().strip()


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of a solution, in the order of its text."""
    text = _Text(source)
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for owner, node in _judged(ast.parse(source)):
        for kind in (_operators, _constants, _conditions, _calls, _statements):
            for begin, end, new in kind(node, text):
                old = " ".join(text.data[begin:end].decode().split())
                where = owner, text.line_at(begin), f"{old} -> {new or 'nothing'}"
                seen[where] += 1
                mutated = (text.data[:begin] + new.encode() + text.data[end:]).decode()
                ast.parse(mutated)
                found.append(Mutant(*where, seen[where], mutated))
    return found


def _judged(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The nodes whose meaning a check can see, each with its function: no docstrings, annotations or messages."""
    for statement in tree.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            continue
        name = getattr(statement, "name", "")
        waiting: list[tuple[str, ast.AST]] = [(name, statement)]
        while waiting:
            owner, node = waiting.pop(0)
            if _is_text(node):
                continue
            yield owner, node
            for field, value in ast.iter_fields(node):
                if field in ("annotation", "returns", "decorator_list", "exc", "msg"):
                    continue
                children = value if isinstance(value, list) else [value]
                for child in children:
                    if isinstance(child, ast.AST):
                        inner = child.name if isinstance(child, ast.FunctionDef) else ""
                        waiting.append((f"{owner}.{inner}" if inner and owner else owner, child))


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return True
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _operators(node: ast.AST, text: _Text) -> Iterator[Edit]:
    match node:
        case ast.BinOp():
            old = _SYMBOLS.get(type(node.op), "")
            yield from text.between(node.left, node.right, old, _BINARY.get(old, old))
        case ast.AugAssign():
            old = _SYMBOLS[type(node.op)]
            for new in (_BINARY.get(old, old) + "=", "="):
                yield from text.between(node.target, node.value, old + "=", new)
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            begin = text.span(node)[0]
            yield begin, begin + len("-" if isinstance(node.op, ast.USub) else "not "), ""
        case ast.Compare(ops=[operator], comparators=[right]):
            old = _SYMBOLS[type(operator)]
            for new in _COMPARED[old]:
                yield from text.between(node.left, right, old, new)
        case ast.BoolOp():
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            yield from text.between(node.values[0], node.values[1], old, new)


def _constants(node: ast.AST, text: _Text) -> Iterator[Edit]:
    match node:
        case ast.Constant(value=bool() as value):
            yield *text.span(node), str(not value)
        case ast.Constant(value=int() | float() as value):
            for new in _numbers(value):
                yield *text.span(node), new
        case ast.Attribute(attr=name) if name in _NEIGHBOURS:
            end = text.span(node)[1]
            yield end - len(name), end, _NEIGHBOURS[name]


def _conditions(node: ast.AST, text: _Text) -> Iterator[Edit]:
    if isinstance(node, ast.IfExp) or (
        isinstance(node, (ast.If, ast.While))
        and not isinstance(node.test, (ast.Compare, ast.UnaryOp))
    ):
        yield *text.span(node.test), f"not ({ast.unparse(node.test)})"


def _calls(node: ast.AST, text: _Text) -> Iterator[Edit]:
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    starred = any(isinstance(a, ast.Starred) for a in node.args[:2])
    if len(node.args) > 1 and not starred and name not in _SYMMETRIC:
        (begin, middle), (again, end) = map(text.span, node.args[:2])
        one, other = text.data[begin:middle], text.data[again:end]
        if one != other:
            yield begin, end, (other + text.data[middle:again] + one).decode()
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            before = [*node.args, *(other.value for other in node.keywords[:number])]
            after = node.keywords[number + 1 :]
            begin, end = text.span(keyword)
            if before:  # with the comma
                begin = text.span(before[-1])[1]
            elif after:
                end = text.span(after[0])[0]
            yield begin, end, ""


def _statements(node: ast.AST, text: _Text) -> Iterator[Edit]:
    if isinstance(node, (ast.Assign, ast.Expr, ast.Raise, ast.AugAssign)):
        yield *text.span(node), "pass"


def _numbers(value: float) -> list[str]:
    if isinstance(value, int):
        return [str(value + 1), str(value - 1) if value else "-1"]
    return [repr(value * 2)] if value else ["1.0"]


def survives(mutant: Mutant, topic: Topic) -> bool:
    """Whether every check passes; those of the mutant's function are tried first."""
    name = mutant.function.split(".")[0]
    checks = checks_in(topic)
    own = [check.name for check in checks if name and check.belongs_to(name)]
    others = [check.name for check in checks if check.name not in own]
    try:
        answer = submission_from_bytes(mutant.source.encode(), topic.source.name)
    except SubmissionError:
        return False
    return all(rejected_by(answer, topic, names) is None for names in (own, others))


def equivalent(topic: Topic) -> dict[tuple[str, str, str, int], str]:
    """The mutants that are known to do the same, each with the reason."""
    file = LISTED / f"{topic.name}.toml"
    if not file.is_file():
        return {}
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("equivalent", [])
    return {
        (entry["function"], entry["line"], edit, entry.get("number", 1)): entry["reason"]
        for entry in entries
        for edit in entry["edits"]
    }


def _limited() -> None:
    """What a mutant may allocate, and where numpy's warnings go."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_AT_MOST, MEMORY_AT_MOST))
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def main() -> int:
    """Exit code 1 if a mutant survives that is not listed, or a listed one is killed or gone."""
    parser = argparse.ArgumentParser(description="one-token mutants of the solutions")
    parser.add_argument("topics", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--function", help="mutants of this function only")
    arguments = parser.parse_args()
    course = find_course(HERE)
    topics = [t for t in course.topics if t.name in arguments.topics or not arguments.topics]
    rows, wrong = [], 0
    with ProcessPoolExecutor(
        arguments.jobs, mp_context=get_context("spawn"), initializer=_limited
    ) as pool:
        for topic in topics:
            mutants = [
                one
                for one in mutants_of(topic.source.read_text(encoding="utf-8"))
                if arguments.function in (None, one.function)
            ]
            known = equivalent(topic)
            alive = [
                one
                for one, lives in zip(
                    mutants,
                    pool.map(partial(survives, topic=topic), mutants, chunksize=4),
                    strict=True,
                )
                if lives
            ]
            unknown = [one for one in alive if one.key not in known]
            stale = {key for key in known if key[0] == (arguments.function or key[0])} - {
                one.key for one in alive
            }
            for one in unknown:
                print(
                    f"{topic.name} {one.function}: {one.edit}   [{one.number}]\n    {one.line}",
                    flush=True,
                )
            for key in sorted(stale):
                print(f"{topic.name} listed as equivalent, but killed or gone: {key}", flush=True)
            wrong += len(unknown) + len(stale)
            killed = len(mutants) - len(alive)
            rows.append((topic.name, len(mutants), killed, len(alive) - len(unknown), len(unknown)))
    print("| topic | mutants | killed | equivalent | survive | kill rate of the others |")
    print("|---|---|---|---|---|---|")
    for name, count, killed, same, left in rows:
        rate = killed / (count - same) if count > same else 1.0
        print(f"| {name} | {count} | {killed} | {same} | {left} | {rate:.1%} |")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
