"""nbgrader with this engine inside: what `nbgrader_config.py` names, loaded at its first use.

nbgrader converts notebooks by lists of preprocessors and keeps the grades; the rooms here take the place of the few that
start kernels, read scores from printed text or trust what a student handed in.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.nbgrader.exporter import SubmissionExporter
    from grader.nbgrader.markdown import escaped_markdown
    from grader.nbgrader.sandbox import GradeInSandbox
    from grader.nbgrader.scores import SaveReportGrades
    from grader.nbgrader.solutions import ClearSolutions

_ROOMS = {
    "ClearSolutions": "grader.nbgrader.solutions",
    "GradeInSandbox": "grader.nbgrader.sandbox",
    "SaveReportGrades": "grader.nbgrader.scores",
    "SubmissionExporter": "grader.nbgrader.exporter",
    "escaped_markdown": "grader.nbgrader.markdown",
}

__all__ = [
    "ClearSolutions",
    "GradeInSandbox",
    "SaveReportGrades",
    "SubmissionExporter",
    "escaped_markdown",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'grader.nbgrader' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
