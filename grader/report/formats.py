"""The forms that a Report can be written in, by name: this package's, and those of other installed packages.

A package adds one in its pyproject.toml:

    [project.entry-points."grader.reports"]
    shout = "my_package:shout"

where `shout(report)` takes a `grader.grading.Report` and returns the text of the file.
"""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from grader.grading import Report
from grader.report.gradescope import results_json
from grader.report.junit import junit_xml
from grader.report.markdown import markdown_summary

Format = Callable[[Report], str]

GROUP = "grader.reports"


def _json(report: Report) -> str:
    return report.to_json().decode() + "\n"


BUILT_IN: dict[str, Format] = {
    "gradescope": results_json,
    "json": _json,
    "junit": junit_xml,
    "markdown": markdown_summary,
}


class NoSuchFormat(Exception):
    """There is no form of that name, or its package cannot be used; the text says why."""


def format_named(name: str) -> Format:
    """The function that writes a Report in the form called `name`.

    Raises:
        NoSuchFormat: it is neither built in nor an entry point, or two packages claim it, or it cannot be imported.
    """
    others = _others()
    if name in BUILT_IN and name not in others:
        return BUILT_IN[name]
    claims = others.get(name, [])
    if not claims:
        known = ", ".join(sorted(BUILT_IN.keys() | others.keys()))
        raise NoSuchFormat(f"there is no report format {name!r}; there are: {known}.")
    if len(claims) > 1 or name in BUILT_IN:
        claimants = ", ".join(sorted(entry.value for entry in claims))
        raise NoSuchFormat(
            f"the report format {name!r} is claimed by {claimants}"
            + (" and built in" if name in BUILT_IN else "")
            + ": uninstall all but one."
        )
    return _loaded(claims[0])


def _others() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        same = found.setdefault(entry.name, [])
        if entry.value not in [other.value for other in same]:  # one package, seen by two paths
            same.append(entry)
    return found


def _loaded(entry: EntryPoint) -> Format:
    try:
        function = entry.load()
    except (ImportError, AttributeError) as error:
        raise NoSuchFormat(
            f"the report format {entry.name!r} ({entry.value}) cannot be imported: {error}"
        ) from error
    if not callable(function):
        raise NoSuchFormat(
            f"the report format {entry.name!r} ({entry.value}) is no function of a Report."
        )
    format_: Format = function
    return format_
