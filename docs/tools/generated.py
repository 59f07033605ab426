"""Fills the generated parts of the reference while the site is built, from the program itself: nothing can be missing.

A line `<!-- generated: NAME -->` in a page is replaced by what the function of that name in `PARTS` returns.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import typer

import grader
from grader import cli, plugin
from grader.cli import shared

_PLACE = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)

ROOMS = {
    "grader.checks.check": "Checks and their examples",
    "grader.checks.compare": "Comparisons",
    "grader.checks.distributions": "Random answers",
    "grader.checks.gradients": "Whole comparisons: forward, backward, gradients",
    "grader.checks.showing": "What a failure shows",
    "grader.checks.strategies": "Cases: shapes, values, options",
    "grader.checks.torch_optimizers": "torch's optimizers",
    "grader.checks.trees": "To torch",
    "grader.failure": "Failures",
    "grader.student": "What a student returned",
}
"""The heading of each room of `grader`; a room without one is headed by its name."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs calls this for every page."""
    return filled(markdown)


def filled(markdown: str) -> str:
    """A page with its generated parts.

    Raises:
        KeyError: a page asks for a part that does not exist.
    """
    return _PLACE.sub(lambda place: PARTS[place[1]](), markdown)


def commands() -> str:
    """Every command of `grader`, with its arguments and options."""
    parts = []
    for name, command in walk(typer.main.get_command(cli.app), "grader"):
        usage = _wrapped(name, [_usage(param) for param in command.params if _shown(param)])
        rows = [_row(_spelt(param), _told(param)) for param in command.params if _shown(param)]
        table = ["| argument or option | |", "|---|---|", *rows] if rows else []
        text = [f"## `{name}`", "", f"{inspect.cleandoc(command.help or '')}", ""]
        parts.append("\n".join([*text, f"```text\n{usage}\n```", "", *table]))
    return "\n\n".join(parts)


def _wrapped(name: str, words: list[str]) -> str:
    """A usage in lines of 80 columns; options are not torn from their values."""
    lines = [name]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > 80:
            lines.append(" " * len(name))
        lines[-1] += f" {word}"
    return "\n".join(lines)


def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The commands that can be run, groups opened, in the order in which they were defined."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for word, inner in command.commands.items():
        yield from walk(inner, f"{name} {word}")


def _shown(param: Any) -> bool:
    return "--help" not in param.opts and not param.hidden


def _is_argument(param: Any) -> bool:
    return not param.opts[0].startswith("-")


def _usage(param: Any) -> str:
    word = _spelt(param).split(", ")[0]
    return word if param.required else f"[{word}]"


def _spelt(param: Any) -> str:
    """An argument's metavar, or an option's names with its value's."""
    if _is_argument(param):
        return str(param.metavar or param.name.upper()).strip("[]")
    number = isinstance(param.default, int) and not param.is_flag
    value = param.metavar or ("N" if number else param.name.upper())
    names = [*param.opts, *param.secondary_opts]
    return ", ".join(names if param.is_flag else [f"{name} {value}" for name in names])


def _told(param: Any) -> str:
    told = param.help or ""
    if param.required and not _is_argument(param):
        return f"{told} Required."
    if isinstance(param.default, (int, float, str)) and not param.is_flag:
        return f"{told} Default: {param.default}."
    return told


def pytest_options() -> str:
    """The options that the plugin adds to pytest."""
    rows: list[str] = []

    def addoption(name: str, **how: Any) -> None:
        value = f" {how['metavar']}" if "metavar" in how else ""
        default = f" Default: {how['default']}." if how.get("default") is not None else ""
        rows.append(_row(f"{name}{value}", f"{_sentence(how['help'])}{default}"))

    group = SimpleNamespace(addoption=addoption)
    plugin.pytest_addoption(SimpleNamespace(getgroup=lambda *_: group, addoption=addoption))
    return "\n".join(["| option | |", "|---|---|", *rows])


def pytest_markers() -> str:
    """The markers that the plugin registers."""
    rows: list[str] = []

    def addinivalue_line(name: str, line: str) -> None:
        if name == "markers":
            marker, _, told = line.partition(": ")
            rows.append(_row(f"@pytest.mark.{marker}", f"{_sentence(told)}"))

    options = {"--submission": None, "--examples": 0}
    plugin.pytest_configure(
        SimpleNamespace(addinivalue_line=addinivalue_line, getoption=options.get)
    )
    return "\n".join(["| marker | |", "|---|---|", *rows])


def pytest_fixtures() -> str:
    """The fixtures that the plugin brings."""
    rows = [
        _row(name, (inspect.getdoc(value) or "").splitlines()[0])
        for name, value in vars(plugin).items()
        if type(value).__name__ == "FixtureFunctionDefinition"
    ]
    return "\n".join(["| fixture | |", "|---|---|", *rows])


def face() -> str:
    """All names that `from grader import ...` knows, by their rooms."""
    parts = []
    for room, names in grader._ROOMS.items():
        parts.append(f"## {ROOMS.get(room, room)}\n")
        parts += [f"::: {_home(room, name)}\n" for name in names]
    return "\n".join(parts)


def _home(room: str, name: str) -> str:
    return f"{getattr(importlib.import_module(room), name).__module__}.{name}"


def exit_codes() -> str:
    """Their numbers, from the command line's own constants."""
    told = {
        "DONE": "Done. `check`: full marks. `grade`: every submission has a report, whatever its marks.",
        "NOT_FULL_MARKS": "`check`: not full marks. `grade`: a submission has no report; it is named. "
        "`figures`: a picture could not be drawn.",
        "WRONG_USE": "Wrong use, or a broken course: the message names the file and the rule. "
        "`build --check`: a generated file is out of date. `verify`: the content is not sound.",
        "COULD_NOT_GRADE": "Could not grade: no sandbox works here, or the disk is full. The message says what to do.",
    }
    rows = [_row(str(getattr(shared, name)), text) for name, text in told.items()]
    return "\n".join(["| exit code | |", "|---|---|", *rows])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _row(code: str, text: str) -> str:
    return f"| `{code}` | {' '.join(text.split())} |"


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (commands, pytest_options, pytest_markers, pytest_fixtures, face, exit_codes)
}
