"""What an nbgrader_config.py says of grading, read without running it: `grader grade` then grades as autograding does."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.course import CourseError

CONFIG = "nbgrader_config.py"

_KINDS: dict[str, type] = {"course": str, "seed": int, "examples": int, "cache": str}
_WORDS = {str: "a text in quotes", int: "a whole number"}


@dataclass(frozen=True)
class GradingConfig:
    """The settings of `GradeInSandbox`; None where they are left to its defaults.

    Attributes:
        course: the course's folder.
        seed: seed of the random examples.
        examples: random examples per check.
        cache: folder of reports.
    """

    course: Path | None = None
    seed: int | None = None
    examples: int | None = None
    cache: Path | None = None


def grading_config(folder: Path) -> GradingConfig | None:
    """The settings in the nbgrader_config.py of nbgrader's course folder; None where there is no such file.

    Raises:
        CourseError: the file is not valid Python, or a setting is not written as a plain number or text.
    """
    file = folder / CONFIG
    try:
        source = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{file} cannot be read: {error}.") from None
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CourseError(f"{file}:{error.lineno}: not valid Python: {error.msg}.") from None
    values = {name: _literal(file, name, value) for name, value in _assigned(tree)}
    course, cache = values.get("course"), values.get("cache", ".grader")
    return GradingConfig(
        course=folder / course if course else None,
        seed=values.get("seed"),
        examples=values.get("examples"),
        cache=folder / cache,
    )


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Every `c.GradeInSandbox.NAME = value`, in order."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            prefix, _, name = ast.unparse(node.targets[0]).rpartition(".")
            if prefix == "c.GradeInSandbox" and name in _KINDS:
                yield name, node.value


def _literal(file: Path, name: str, value: ast.expr) -> Any:
    kind = _KINDS[name]
    if isinstance(value, ast.Constant) and type(value.value) is kind:
        return value.value
    raise CourseError(
        f"{file}:{value.lineno}: c.GradeInSandbox.{name} is {ast.unparse(value)}, but should be {_WORDS[kind]}."
    )
