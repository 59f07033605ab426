"""The forms that a Report can be written in, by name: this package's, and those of other installed packages.

A package adds one in its pyproject.toml:

    [project.entry-points."grader.reports"]
    one-line = "my_package:one_line"

where `one_line(report)` takes a `grader.grading.Report` and returns the text of the file.
"""

from collections.abc import Callable

from grader.extensions import function_named
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


def format_named(name: str) -> Format:
    """The function that writes a Report in the form called `name`.

    Raises:
        NoSuchExtension: it is neither built in nor an entry point, or cannot be used.
    """
    return function_named(name, GROUP, "report format", BUILT_IN)
