"""The signatures of a module's public functions, classes and methods, read without running it."""

import ast
import copy
from collections.abc import Iterator

from grader.course import CourseError

_AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


def signatures_of(source: str, where: str) -> dict[str, str]:
    """Name -> signature as the caller sees it (no `self`, no annotations), in the file's order.

    Args:
        source: Python.
        where: the file's name, for messages.

    Raises:
        CourseError: it is not valid Python.

    >>> signatures_of("def relu_forward(x, *, slope=1e-2): ...", "a.py")
    {'relu_forward': '(x, *, slope=0.01)'}
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CourseError(f"{where}:{error.lineno}: not valid Python: {error.msg}.") from None
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, _AnyFunction) and not node.name.startswith("_"):
            found[node.name] = _signature(node)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found.update(_of_class(node))
    return found


def _of_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The class itself, as its `__init__` is called, then its public methods as "EarlyStopping.step"."""
    for child in node.body:
        if isinstance(child, _AnyFunction) and not _is_property(child):
            if child.name == "__init__":
                yield node.name, _signature(child, bound=True)
            elif not child.name.startswith("_"):
                yield f"{node.name}.{child.name}", _signature(child, bound=not _is_static(child))


def _signature(node: _AnyFunction, *, bound: bool = False) -> str:
    arguments = copy.deepcopy(node.args)
    if bound:
        del (arguments.posonlyargs or arguments.args)[:1]
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return f"({ast.unparse(arguments)})"


def _decorators(node: _AnyFunction) -> list[str]:
    return [ast.unparse(decorator) for decorator in node.decorator_list]


def _is_property(node: _AnyFunction) -> bool:
    return any(name == "property" or name.endswith(".setter") for name in _decorators(node))


def _is_static(node: _AnyFunction) -> bool:
    return "staticmethod" in _decorators(node)
