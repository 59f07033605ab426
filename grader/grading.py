"""Grades one submission: `grade(submission, topic, settings) -> Report`."""

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Literal

import msgspec

from grader.checks.check import Check, checks_of
from grader.course import Topic
from grader.failure import Failure, TimeLimit
from grader.opening import Unreadable, open_submission, the_student
from grader.report.explanation import message, smallest_case
from grader.student import Student
from grader.submission import Submission

Verdict = Literal["passed", "failed", "error", "missing", "timeout"]


class Settings(msgspec.Struct, frozen=True):
    """How a submission is graded.

    Attributes:
        seed: seed of the random examples.
        examples: random examples per check, beside the edge cases.
        isolated: run the student's code in a sandboxed worker.
    """

    seed: int = 0
    examples: int = 25
    isolated: bool = True


class Misconception(msgspec.Struct, frozen=True):
    """A recognized wrong idea."""

    id: str
    text: str


class CheckResult(msgspec.Struct, frozen=True):
    """The outcome of one check; `name` is its test function's name."""

    name: str
    title: str
    points: float
    max_points: float
    verdict: Verdict
    message: str
    smallest_case: str
    misconception: Misconception | None
    seconds: float


class Report(msgspec.Struct, frozen=True):
    """The outcome of a submission: plain data, the same for the same submission, checks and settings but for the seconds."""

    schema: int
    submission: str
    topic: str
    points: float
    max_points: float
    settings: Settings
    checks: tuple[CheckResult, ...]

    def to_json(self) -> bytes:
        """The report as JSON, indented."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def grade(submission: Path | Submission | Unreadable, topic: Topic, settings: Settings) -> Report:
    """Runs the topic's checks on a submission.

    Args:
        submission: a .py or .ipynb file, or what `read_submission` made of it.
        topic: the topic whose checks judge it.
        settings: seed, number of examples, isolation.

    Returns:
        A Report; a file that cannot be read or loaded gets one too, with 0 points and the reason.
    """
    if isinstance(submission, Path):
        name = submission.name
        submission = open_submission(submission)
    else:
        name = getattr(submission, "filename", f"{topic.module}.py")
    student = the_student(submission, topic, isolated=settings.isolated)
    try:
        results = tuple(_result(check, student, settings) for check in topic_checks(topic))
    finally:
        student._close()
    return Report(
        schema=1,
        submission=name,
        topic=topic.name,
        points=sum(result.points for result in results),
        max_points=sum(result.max_points for result in results),
        settings=settings,
        checks=results,
    )


_MODULES: dict[tuple[Path, int], ModuleType] = {}


def topic_checks(topic: Topic) -> list[Check]:
    """The checks of a topic, loaded once per process and version of the file."""
    path = topic.checks
    key = (path, path.stat().st_mtime_ns)
    if key not in _MODULES:
        name = f"grader_checks_of_{topic.name}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        _MODULES[key] = module
    return checks_of(_MODULES[key])


def _result(check: Check, student: Student, settings: Settings) -> CheckResult:
    began = time.monotonic()
    verdict: Verdict = "passed"
    text = case = ""
    try:
        check.run(student, seed=settings.seed, examples=settings.examples)
    except (Failure, TimeLimit) as failure:
        verdict = failure.verdict  # type: ignore[assignment]  # each class names its own
        text, case = message(failure), smallest_case(failure)
    except Exception as fault:  # noqa: BLE001  # a fault of the check itself must not cost the class its reports
        verdict = "error"
        text = f"The check itself failed ({type(fault).__name__}: {fault}); please tell your instructor."
    return CheckResult(
        name=check.name,
        title=check.title,
        points=check.points if verdict == "passed" else 0.0,
        max_points=check.points,
        verdict=verdict,
        message=text,
        smallest_case=case,
        misconception=None,
        seconds=round(time.monotonic() - began, 6),
    )
