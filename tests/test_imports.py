"""The import directions of the engine: arrows run downwards only, and the plugin is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import grader

PACKAGE = Path(grader.__file__).parent

LAYERS = {
    "cli": 6,
    "batch": 5,
    "nbgrader": 5,
    "verify": 5,
    "build": 5,
    "report": 4,
    "grading": 3,
    "plugin": 2,
    "checks": 1,
    "worker": 1,
    "student": 1,
    "submission": 0,
    "course": 0,
}
"""Rooms by height. A room imports from its own height or from below; the ones not named here are held by the tests below."""

INSIDE = {"numpy", "grader.worker.protocol", "grader.worker.confine"}
"""What the program in the sandbox may import beside the standard library."""


def modules():
    """Every module of the package: name -> tree."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(("grader", *parts)).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree):
    """The names of the modules that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("name", [name for name in modules() if name.count(".")])
def test_arrows_run_downwards(name):
    """No module imports from a room above its own."""
    height = LAYERS.get(name.split(".")[1])
    if height is None:
        pytest.skip("no height stated")
    for other in imported(modules()[name]):
        if other.startswith("grader."):
            assert LAYERS.get(other.split(".")[1], 0) <= height, f"{name} imports {other}"


def test_the_program_in_the_worker_stands_alone():
    """Inside the sandbox there is the standard library and numpy, nothing else of the engine."""
    for other in imported(modules()["grader.worker.program"]):
        known = other.split(".")[0] in sys.stdlib_module_names or any(
            other == room or other.startswith(f"{room}.") for room in INSIDE
        )
        assert known, other


@pytest.mark.parametrize("name", ["course", "submission", "cells", "tables", "atomic"])
def test_the_lowest_rooms_need_the_standard_library_only(name):
    """A course and a submission are read without numpy or torch."""
    lowest = {f"grader.{room}" for room in ("course", "submission", "cells", "tables", "atomic")}
    for other in imported(modules()[f"grader.{name}"]):
        room = ".".join(other.split(".")[:2])
        assert other.split(".")[0] in sys.stdlib_module_names or room in lowest, other


@pytest.mark.parametrize("module", ["grader", "grader.plugin", "grader.cli"])
def test_heavy_libraries_wait_for_their_use(module):
    """The plugin is loaded in every pytest run of an environment; the command answers at once."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert module in loaded
    assert not loaded & {"numpy", "torch", "hypothesis", "scipy", "msgspec", "jupytext"}
