"""The words of a failing check: what is wrong, the details, the smallest case; plain text for every form of report."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.checks.compare import on_one_line, show
from grader.checks.strategies import Case
from grader.failure import Failure, Missing, TimeLimit
from grader.report.visible import visible

_LINES_AT_MOST = 24
_SHORT = 66


def explain(failure: Failure | TimeLimit, *, pointer: str = "") -> str:
    """Headline, details, smallest case and pointer, as lines of plain text."""
    lines = [failure.headline, *(f"  {line}" for line in failure.details)]
    case = smallest_case(failure)
    if case:
        lines += [
            "",
            "  the smallest case found that shows it:",
            *(f"    {line}" for line in case.splitlines()),
        ]
    if failure.misconceptions:
        lines += ["", *misconception_lines("\nOr: ".join(failure.misconceptions.values()))]
    if pointer and not isinstance(failure, Missing):
        lines += ["", f"  {pointer}"]
    return visible("\n".join(lines))


def misconception_lines(text: str) -> list[str]:
    """A misconception's text, wrapped for a terminal of 80 columns."""
    return [
        line
        for paragraph in f"A known mistake behaves just like this. {text}".splitlines()
        for line in textwrap.wrap(
            paragraph, 76, initial_indent="  ", subsequent_indent="  ", break_long_words=False
        )
    ]


def message(failure: Failure | TimeLimit) -> str:
    """Headline and details: a Report's `message`."""
    return visible("\n".join([failure.headline, *failure.details]))


def smallest_case(failure: Failure | TimeLimit) -> str:
    """The generated arguments of the failing example, one a line; empty where there are none."""
    if isinstance(failure, (TimeLimit, Missing)) or failure.aspect == "load" or not failure.case:
        return ""
    inputs: list[str] = []
    options: list[str] = []
    shown = failure.case if failure.shown is None else {"case": failure.shown}
    for name, value in shown.items():
        if isinstance(value, Case):
            for key, item in value.inputs.items():
                inputs += _assignment(key, item)
            for key, item in value.options.items():
                options += _assignment(key, item)
        else:
            inputs += _assignment(name, value)
    lines = [*inputs, *options]
    if len(lines) > _LINES_AT_MOST:
        lines = [*options, *inputs]  # the inputs are the longer ones
        lines = [
            *lines[: _LINES_AT_MOST - 1],
            f"... and {len(lines) - _LINES_AT_MOST + 1} more lines",
        ]
    return "\n".join(lines)


def _assignment(name: str, value: Any) -> list[str]:
    if isinstance(value, np.random.Generator):
        return [f"{name} = a numpy.random.Generator"]
    if isinstance(value, np.ndarray):
        notes = ", ".join(_notes(value))
        text = show(value)
        if name.startswith("[") and len(short := on_one_line(text)) <= _SHORT:
            text = short  # one of many
        first, *rest = text.splitlines() or ["[]"]
        indent = " " * (len(name) + 3)
        lines = [f"{name} = {first}", *(indent + line for line in rest)]
        lines[-1] += f"   # {notes}" if notes else ""
        return lines
    if isinstance(value, Mapping):
        return [
            f"{name} = {{{', '.join(f'{key!r}: {show(item)}' for key, item in value.items())}}}"
        ]
    if isinstance(value, (list, tuple)) and any(
        isinstance(item, (np.ndarray, list, tuple)) for item in value
    ):
        return [f"{name} = a {type(value).__name__} of {len(value)}:"] + [
            f"  {line}"
            for index, item in enumerate(value)
            for line in _assignment(f"[{index}]", item)
        ]
    if isinstance(value, (list, tuple)):
        return textwrap.wrap(
            f"{name} = {show(value)}",
            76,
            subsequent_indent=" " * (len(name) + 4),
            break_on_hyphens=False,
            break_long_words=False,
        )
    return [f"{name} = {value!r}"]


def _notes(array: np.ndarray[Any, Any]) -> list[str]:
    notes = []
    if array.size == 0:
        notes.append(f"shape {array.shape}")
    if array.dtype != np.float64 and array.size <= 24:
        notes.append(str(array.dtype))
    if not array.flags.c_contiguous:
        notes.append("Fortran order" if array.flags.f_contiguous else "a strided view")
    if not array.flags.writeable:
        notes.append("read-only")
    return notes
