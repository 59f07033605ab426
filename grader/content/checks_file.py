"""What a topic's checks say about themselves, read without running them: points, titles, which functions they try."""

import ast
from dataclasses import dataclass

from grader.content.uses import mentions_of, with_used
from grader.course import CourseError

_AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class CheckSource:
    """A check as it is written.

    Attributes:
        name: the test function's name.
        line: where it begins.
        points: the number in `@points(...)`; None if there is none.
        docstring: what a student sees; None if there is none.
        mentions: every attribute, name and text in its body and in the functions of the file that it calls.
    """

    name: str
    line: int
    points: float | None
    docstring: str | None
    mentions: frozenset[str]

    def belongs_to(self, function: str) -> bool:
        """Whether it tries that function: by its name, `test_` and the function's, or by using it."""
        name = function.split(".", maxsplit=1)[0]
        return self.name.startswith(f"test_{name}") or name in self.mentions


def check_sources(source: str, where: str) -> list[CheckSource]:
    """The tests of a checks file, in file order; a method of a class is listed as `Class.test_name`.

    Raises:
        CourseError: it is not valid Python.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CourseError(f"{where}:{error.lineno}: not valid Python: {error.msg}.") from None
    functions = {node.name: node for node in tree.body if isinstance(node, _AnyFunction)}
    mentions = {name: mentions_of(node) for name, node in functions.items()}
    found = [
        _check(node, name, with_used(name, mentions))
        for name, node in functions.items()
        if name.startswith("test")
    ]
    for owner in tree.body:
        if isinstance(owner, ast.ClassDef) and owner.name.startswith("Test"):
            found += [
                _check(node, f"{owner.name}.{node.name}", mentions_of(node))
                for node in owner.body
                if isinstance(node, _AnyFunction) and node.name.startswith("test")
            ]
    return found


def _check(node: _AnyFunction, name: str, mentions: frozenset[str]) -> CheckSource:
    return CheckSource(name, node.lineno, _points(node), ast.get_docstring(node), mentions)


def _points(node: _AnyFunction) -> float | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and decorator.args:
            called = decorator.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            value = decorator.args[0]
            if name == "points" and isinstance(value, ast.Constant):
                number = value.value
                return number if type(number) in (int, float) else None  # type: ignore[return-value]
    return None
