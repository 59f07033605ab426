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

from grader.content.rejection import rejected_by
from grader.content.text_rules import checks_in
from grader.course import Topic, find_course
from grader.submission import SubmissionError, submission_from_bytes

HERE = Path(__file__).resolve().parent
LISTED = HERE / "equivalent_mutants"
MEMORY_AT_MOST = 6 << 30

_BINARY = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "//", "**": "*", "@": "*"}
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


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of a solution, in the order of its text."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    text = source.encode()

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column

    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for owner, node in _judged(ast.parse(source)):
        for begin, end, new in _edits(node, text, offset):
            old = text[begin:end].decode()
            if "\n" in old and new == "pass":
                shown = f"{' '.join(old.split())} -> pass"
            else:
                shown = f"{old} -> {new or 'nothing'}"
            first = text.rfind(b"\n", 0, begin) + 1
            last = text.find(b"\n", begin)
            line = text[first : last if last >= 0 else None].decode().strip()
            seen[owner, line, shown] += 1
            mutated = (text[:begin] + new.encode() + text[end:]).decode()
            found.append(Mutant(owner, line, shown, seen[owner, line, shown], mutated))
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


def _edits(node, text, offset):  # type: ignore[no-untyped-def]
    """(begin, end, new text) of each edit of one node itself."""

    def span(one):  # type: ignore[no-untyped-def]
        return offset(one.lineno, one.col_offset), offset(one.end_lineno, one.end_col_offset)

    def between(left, right, old, new):  # type: ignore[no-untyped-def]
        begin, end = span(left)[1], span(right)[0]
        position = text.find(old.encode(), begin, end)
        if position >= 0:
            yield position, position + len(old), new

    match node:
        case ast.BinOp():
            old = _symbol(node.op)
            if old in _BINARY:
                yield from between(node.left, node.right, old, _BINARY[old])
        case ast.AugAssign():
            old = _symbol(node.op)
            if old in _BINARY:
                yield from between(node.target, node.value, old + "=", _BINARY[old] + "=")
                yield from between(node.target, node.value, old + "=", "=")
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            begin = span(node)[0]
            yield begin, span(node.operand)[0], ""
        case ast.Compare(ops=[operator], comparators=[right]):
            old = _symbol(operator)
            for new in _COMPARED.get(old, ()):
                yield from between(node.left, right, old, new)
        case ast.BoolOp():
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            yield from between(node.values[0], node.values[1], old, new)
        case ast.Constant(value=bool() as value):
            yield *span(node), str(not value)
        case ast.Constant(value=int() | float() as value):
            for new in _numbers(value):
                yield *span(node), new
        case ast.IfExp():
            yield *span(node.test), f"not ({ast.unparse(node.test)})"
        case ast.If() | ast.While():
            if not isinstance(node.test, (ast.Compare, ast.UnaryOp)):
                yield *span(node.test), f"not ({ast.unparse(node.test)})"
        case ast.Call():
            yield from _call_edits(node, span, text)
        case ast.Attribute(attr=name) if name in _NEIGHBOURS:
            end = span(node)[1]
            yield end - len(name), end, _NEIGHBOURS[name]
        case ast.Assign() | ast.Expr() | ast.Raise() | ast.AugAssign():
            yield *span(node), "pass"
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            pass
    if isinstance(node, ast.AugAssign):
        yield *span(node), "pass"


def _call_edits(node, span, text):  # type: ignore[no-untyped-def]
    if len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        one, other = node.args[:2]
        (begin, middle), (again, end) = span(one), span(other)
        if text[begin:middle] != text[again:end]:
            swapped = text[again:end] + text[middle:again] + text[begin:middle]
            yield begin, end, swapped.decode()
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is None:
            continue
        before = [*node.args, *(other.value for other in node.keywords[:number])]
        begin = span(before[-1])[1] if before else span(keyword)[0]
        yield begin, span(keyword)[1], ""


def _numbers(value: float) -> list[str]:
    if isinstance(value, int):
        return [str(value + 1), str(value - 1) if value else "-1"]
    return [repr(value * 2)] if value else ["1.0"]


def _symbol(operator: ast.AST) -> str:
    names = {
        ast.Add: "+",
        ast.Sub: "-",
        ast.Mult: "*",
        ast.Div: "/",
        ast.FloorDiv: "//",
        ast.Mod: "%",
        ast.Pow: "**",
        ast.MatMult: "@",
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
    return names.get(type(operator), "")


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
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_AT_MOST, MEMORY_AT_MOST))
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # until the process ends


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
