"""For a student's notebook: `check("test_relu_forward")` runs a check on the functions that the notebook defines.

`progress()` shows where the student stands in the whole course.
"""

import contextlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.course import CourseError, Topic, find_course
from grader.diagnosis.fingerprints import fingerprints_of
from grader.diagnosis.matching import Diagnosis
from grader.figures.inline import Running
from grader.grading import CheckResult, Settings, outcome, topic_checks
from grader.report.cell_html import cell_html
from grader.report.terminal import explanation
from grader.student import Student

SETTINGS = Settings(isolated=False)
"""How `check` grades: as pytest does, with the public seed, in this process."""


class CheckFailed(Exception):
    """A check did not pass; the cell that ran it has failed, for Jupyter and for nbgrader's Validate."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in the place of a traceback: the first line, since the explanation stands above."""
        return [f"CheckFailed: {str(self).splitlines()[0]}"]


def check(name: str, *, topic: str | None = None) -> None:
    """Runs a check on the functions of the calling notebook and shows what came of it.

    Args:
        name: the check's, such as "test_layer_norm_backward".
        topic: the topic's name or number, where the notebook's folder does not tell it.

    Raises:
        CheckFailed: it did not pass.
        CourseError: there is no such check, or no course around the notebook.
    """
    namespace = sys._getframe(1).f_globals
    chosen = _topic_with(name, topic)
    result = _result(name, chosen, namespace)
    _show(result, chosen)
    if result.verdict != "passed":
        raise CheckFailed(f"{result.verdict}: {explanation(result, chosen)}")


def progress() -> None:
    """Shows where you stand in each topic of the course around the notebook, judged anew from its files.

    Raises:
        CourseError: there is no course around the working directory.
    """
    from grader.progress import progress as shown

    shown()


def _result(name: str, topic: Topic, namespace: Mapping[str, Any]) -> CheckResult:
    checks = topic_checks(topic)
    chosen = next(one for one in checks if one.name == name)
    fingerprints = fingerprints_of(topic)
    student = Student(
        Running(namespace),
        filename="this notebook",
        signatures=fingerprints.signatures,
    )
    with _calm():
        return outcome(chosen, student, SETTINGS, Diagnosis(fingerprints, checks, student))


@contextlib.contextmanager
def _calm() -> Iterator[None]:
    """Warnings and what is printed to stderr cost nothing in grading, but nbgrader's Validate would count them as failure."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(sys.stdout):
        warnings.simplefilter("ignore")
        yield


def _topic_with(name: str, topic: str | None) -> Topic:
    """The topic whose check it is."""
    here = Path.cwd()
    course = find_course(here)
    own = course.topic(topic) if topic is not None else course.topic_of(here / "notebook.ipynb")
    topics = [own] if own is not None else [one for one in course.topics if one.checks.is_file()]
    found = [one for one in topics if any(check.name == name for check in topic_checks(one))]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(one.name for one in found)
        raise CourseError(f"{name} is a check of {names}: add topic=... to say which you mean.")
    known = [check.name for one in topics for check in topic_checks(one)]
    raise CourseError(f"There is no check {name!r}; there are: {', '.join(known)}.")


def _show(result: CheckResult, topic: Topic) -> None:
    try:
        from IPython.display import HTML, display
    except ImportError:
        print(f"{result.verdict}: {result.title}")  # noqa: T201  # plain Python
        return
    display(HTML(cell_html(result, topic=topic)))
