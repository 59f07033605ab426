"""The words of a failing check: what is wrong, the details, the smallest case; plain text for every form of report."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.checks.compare import on_one_line, show
from grader.checks.strategies import Case
from grader.failure import Failure, Missing, TimeLimit
from grader.report.visible import visible

SCREEN = 21
"""Lines of an explanation on a screen of 24, below a check's title."""

CASE_IN_A_REPORT = 24
"""Lines of the smallest case in a Report."""

_COLUMNS = 80
_WIDTH = 72
_CASE_AT_LEAST = 3
_DETAILS_AT_LEAST = 4
_SHORT = (bool, int, float, str, type(None), np.generic)


def explain(
    failure: Failure | TimeLimit, *, pointer: str = "", at_most: int | None = SCREEN
) -> str:
    """Headline, details, smallest case, misconception and pointer, as lines of plain text; see `laid_out`."""
    return laid_out(
        [failure.headline, *failure.details],
        smallest_case(failure, at_most=None),
        "\nOr: ".join(failure.misconceptions.values()),
        "" if isinstance(failure, Missing) else pointer,
        at_most=at_most,
    )


def laid_out(
    message: Sequence[str], case: str, misconception: str, pointer: str, *, at_most: int | None
) -> str:
    """The parts of an explanation, each but the headline indented, on so many lines of 80 columns at most.

    What is too long loses lines from its middle, the case first, and says how many. None: all lines.
    """
    headline, *details = [line for part in message for line in visible(part).splitlines()] or [""]
    before = [headline]
    details = [f"  {line}" for line in details]
    header = ["", "  the smallest case found that shows it:"] if case else []
    shown = [f"    {visible(line)}" for line in case.split("\n")] if case else []
    after = ["", *misconception_lines(visible(misconception))] if misconception else []
    after += ["", f"  {pointer}"] if pointer else []
    if at_most is not None:
        if pointer and _height([*before, *details, *header, *shown, *after]) > at_most:
            del after[-2]  # the blank line
        room = at_most - _height([*before, *header, *after])
        shown = _shortened(shown, max(room - _height(details), _CASE_AT_LEAST))
        details = _shortened(details, max(room - _height(shown), _DETAILS_AT_LEAST))
    return "\n".join([*before, *details, *header, *shown, *after])


def _height(lines: Sequence[str]) -> int:
    """How many lines of the screen they fill."""
    return sum(max(1, math.ceil(len(line) / _COLUMNS)) for line in lines)


def _shortened(lines: list[str], at_most: int) -> list[str]:
    """The first and the last of the lines where they are too many, and how many are left out."""
    if _height(lines) <= at_most:
        return lines
    kept, last = list(lines), lines[-1:]
    del kept[-1:]
    while kept and _height(kept) + _height(last) >= at_most:
        kept.pop()
    indent = " " * (len(lines[0]) - len(lines[0].lstrip()))
    left_out = len(lines) - len(kept) - len(last)
    return [*kept, f"{indent}... {left_out} more line{'' if left_out == 1 else 's'} ...", *last]


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


def smallest_case(failure: Failure | TimeLimit, *, at_most: int | None = CASE_IN_A_REPORT) -> str:
    """The generated arguments of the failing example, on so many lines at most; empty where there are none."""
    if isinstance(failure, (TimeLimit, Missing)) or failure.aspect == "load" or not failure.case:
        return ""
    shown = failure.case if failure.shown is None else {"case": failure.shown}
    several = sum(isinstance(value, Case) for value in shown.values()) > 1
    inputs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, value in shown.items():
        if isinstance(value, Case):
            of = f"{name}." if several else ""
            inputs |= {f"{of}{key}": item for key, item in value.inputs.items()}
            options |= {f"{of}{key}": item for key, item in value.options.items()}
        else:
            inputs[name] = value
    lines = [*_assignments(inputs), *_assignments(options)]
    return "\n".join(lines if at_most is None else _shortened(lines, at_most))


def _assignments(values: Mapping[str, Any]) -> list[str]:
    """Each array on lines of its own, short values together."""
    lines: list[str] = []
    together: list[str] = []

    def end_line() -> None:
        if together:
            lines.append(", ".join(together))
            together.clear()

    for name, value in values.items():
        assignment = _assignment(name, value)
        if isinstance(value, _SHORT) and len(assignment) == 1:
            if len(", ".join([*together, *assignment])) > _WIDTH:
                end_line()
            together += assignment
        else:
            end_line()
            lines += assignment
    end_line()
    return lines


def _assignment(name: str, value: Any) -> list[str]:
    if isinstance(value, np.random.Generator):
        return [f"{name} = a numpy.random.Generator"]
    if isinstance(value, np.ndarray):
        notes = ", ".join(_notes(value))
        text = show(value)
        note = f"   # {notes}" if notes else ""
        if name.startswith("[") and len(short := f"{name} = {on_one_line(text)}{note}") <= _WIDTH:
            return [short]  # one of many
        first, *rest = text.splitlines() or ["[]"]
        indent = " " * (len(name) + 3)
        lines = [f"{name} = {first}", *(indent + line for line in rest)]
        lines[-1] += note
        return lines
    if isinstance(value, (Mapping, list, tuple)):
        return _nested(name, value)
    return [f"{name} = {value!r}"]


def _nested(name: str, value: Mapping[Any, Any] | Sequence[Any]) -> list[str]:
    """On one line where that is short, else an item a line; numbers alone are wrapped."""
    items = list(value.items() if isinstance(value, Mapping) else enumerate(value))
    parts = [item for _, item in items]
    flat = f"{name} = {_on_one_line(value)}"
    if any(map(_holds_arrays, parts)) and (len(flat) > _WIDTH or any(map(_needs_notes, parts))):
        lines = [f"{name} = a {type(value).__name__} of {len(value)}:"]
        for key, item in items:
            lines += [f"  {line}" for line in _assignment(f"[{key!r}]", item)]
        return lines
    return textwrap.wrap(
        flat,
        _WIDTH,
        subsequent_indent=" " * (len(name) + 4),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _on_one_line(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {_on_one_line(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_on_one_line, value))}]"
    return on_one_line(show(value)) if isinstance(value, np.ndarray) else show(value)


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, (np.ndarray, Mapping, list, tuple))


def _needs_notes(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(map(_needs_notes, value))
    return isinstance(value, np.ndarray) and bool(_notes(value))


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
