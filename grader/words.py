"""What is said of a student's call that cannot be judged: unwritten, with other arguments, changing what it was given."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

UNWRITTEN = "is yours to write"
"""How a stub's message ends, behind the function's name."""


def unwritten(name: str, message: str) -> str:
    """What is said of a NotImplementedError: the stub's own names the function that is to be written."""
    stub = message.removesuffix(f" {UNWRITTEN}")
    if stub != message and stub.partition(".")[0] != name:
        return f"`{name}` calls `{stub}`, which is not written yet."
    if stub != message or not message:
        return f"`{name}` is not written yet."
    return f"`{name}` is not finished, it raises NotImplementedError: {message}"


ONLY_NUMPY = "Grading has Python's standard library and numpy, nothing else."
"""Of an import that fails in a sandbox."""


def why_absent(raised_names: Sequence[str]) -> tuple[str, ...]:
    """What is said beside an exception of these class names, where a package is missing."""
    return (ONLY_NUMPY,) if "ModuleNotFoundError" in raised_names else ()


def how_to_leave_alone(changed: Sequence[Any]) -> Iterator[str]:
    """What to write instead, by what was changed."""
    if any(isinstance(value, np.ndarray) for value in changed):
        yield "write `a = a + b` where you wrote `a += b`, or begin with `a = a.copy()`."
    if not all(isinstance(value, np.ndarray) for value in changed):
        yield "take nothing out of it and put nothing in; a copy of a dict or list still holds the same arrays,"
        yield "so that `+=` on one of them changes both."


def other_signature(name: str, own: str, course: str) -> str:
    """How two signatures differ, in words."""
    unknown, wanted = (
        [option for option in _options(one) if option not in _options(other)]
        for one, other in ((own, course), (course, own))
    )
    if len(unknown) == len(wanted) == 1:
        return f"`{name}` has an option `{unknown[0]}`, but the course's is called `{wanted[0]}`."
    if _count(own) != _count(course):
        return f"`{name}` takes {_count(own)}, the course's takes {_count(course)}: {course}."
    return f"`{name}` does not take its arguments as the course's does: {course}."


def in_snake_case(name: str) -> str:
    """A class's name as it stands in those of its checks.

    >>> in_snake_case("EarlyStopping")
    'early_stopping'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def parameters(signature: str) -> list[str]:
    """Names of the arguments that may be given by position; none where it is no signature."""
    arguments = _arguments(signature)
    return [] if arguments is None else [argument.arg for argument in _positional(arguments)]


def _options(signature: str) -> list[str]:
    arguments = _arguments(signature)
    return [] if arguments is None else [argument.arg for argument in arguments.kwonlyargs]


def _count(signature: str) -> str:
    arguments = _arguments(signature)
    if arguments is None:
        return f"other arguments {signature}"
    number = len(_positional(arguments))
    options = _options(signature)
    text = f"{number} argument{'' if number == 1 else 's'}"
    return text + (
        f" and the option{'' if len(options) == 1 else 's'} {', '.join(options)}" if options else ""
    )


def _arguments(signature: str) -> ast.arguments | None:
    """The parsed signature; None where Python shows one that is no code, as `(...)` or with an object's repr."""
    try:
        function = ast.parse(f"def f{signature}: ...").body[0]
    except SyntaxError:
        return None
    assert isinstance(function, ast.FunctionDef)
    return function.args


def _positional(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args]
