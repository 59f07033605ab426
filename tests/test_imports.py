"""The import directions of the engine: arrows run downwards only, and the plugin is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import grader

PACKAGE = Path(grader.__file__).parent

HEIGHTS = {
    "grader.cli": 6,
    "grader.batch": 5,
    "grader.choice": 3,
    "grader.build": 5,
    "grader.classroom": 5,
    "grader.cluster": 5,
    "grader.content": 5,
    "grader.executors": 5,
    "grader.gradescope": 5,
    "grader.into_notebook": 5,
    "grader.nbgrader": 5,
    "grader.notebook": 5,
    "grader.report": 5,
    "grader.verify": 5,
    "grader.new": 5,
    "grader.hints": 5,
    "grader.progress": 5,
    "grader.watch": 5,
    "grader.grading": 4,
    "grader.advice": 3,
    "grader.figures": 4,
    "grader.diagnosis": 3,
    "grader.plugin": 3,
    "grader.opening": 3,
    "grader.report.pointer": 3,
    "grader.report.explanation": 3,  # the words of one failure, for plugin and reports alike
    "grader.checks": 2,
    "grader.limits": 0,
    "grader.collector": 0,
    "grader.capture": 0,
    "grader.report.console": 0,
    "grader.student": 2,
    "grader.words": 2,
    "grader.worker": 2,
    "grader.report.visible": 0,  # a function of text
    "grader.submission": 1,
    "grader.course": 1,
    "grader.cells": 0,
    "grader.failure": 0,
    "grader.tables": 0,
    "grader.atomic": 0,
    "grader.extensions": 0,
}
"""A room imports from its own height or from below. The longest name that fits counts."""

LOWEST = {name for name, height in HEIGHTS.items() if height <= 1 and "report" not in name}
"""What needs the standard library only: a course and a submission are read without numpy or torch."""

DOORS = {"grader", "grader.__main__"}

INSIDE = {"numpy", "grader.worker.protocol", "grader.worker.confine"}
"""What the program in the sandbox may import beside the standard library."""


MODULES = {
    ".".join(("grader", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def height(name):
    """The height of a module; None for the package itself, which is a door to all rooms."""
    while name and name not in HEIGHTS:
        name = name.rpartition(".")[0]
    return HEIGHTS.get(name)


def imported(name):
    """The names of the modules that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("name", [name for name in MODULES if name not in DOORS])
def test_arrows_run_downwards(name):
    """No module imports from a room above its own; a new room is given a height."""
    own = height(name)
    assert own is not None, f"give {name} a height in HEIGHTS"
    for other in imported(name):
        if (theirs := height(other)) is not None:
            assert theirs <= own, f"{name} imports {other}"


def test_the_program_in_the_worker_stands_alone():
    """Inside the sandbox there is the standard library and numpy, nothing else of the engine."""
    for other in imported("grader.worker.program"):
        known = other.split(".")[0] in sys.stdlib_module_names or any(
            other == room or other.startswith(f"{room}.") for room in INSIDE
        )
        assert known, other


@pytest.mark.parametrize("name", sorted(LOWEST))
def test_the_lowest_rooms_need_the_standard_library_only(name):
    """They import each other at most."""
    for other in imported(name):
        room = ".".join(other.split(".")[:2])
        assert other.split(".")[0] in sys.stdlib_module_names or room in LOWEST, other


@pytest.mark.parametrize("module", ["grader", "grader.plugin", "grader.cli"])
def test_heavy_libraries_wait_for_their_use(module):
    """The plugin is loaded in every pytest run of an environment; the command answers at once."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert module in loaded
    assert not loaded & {
        "numpy",
        "torch",
        "hypothesis",
        "scipy",
        "msgspec",
        "jupytext",
        "matplotlib",
    }
