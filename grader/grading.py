"""Grades one submission: `grade(submission, topic, settings) -> Report`."""

import builtins
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Literal, cast

import msgspec

from grader.checks.check import Check, checks_of
from grader.collector import paused_collector
from grader.course import Topic
from grader.diagnosis.fingerprints import fingerprints_of
from grader.diagnosis.matching import Diagnosis
from grader.failure import Failure, TimeLimit
from grader.opening import Unreadable, open_submission, the_student
from grader.report.explanation import message, smallest_case
from grader.student import RaisedError, Student
from grader.submission import Submission
from grader.worker.sandbox import SandboxName
from grader.worker.selftest import SandboxUnavailable, usable_sandbox

Verdict = Literal["passed", "failed", "error", "missing", "timeout"]


class Settings(msgspec.Struct, frozen=True):
    """How a submission is graded.

    Attributes:
        seed: seed of the random examples.
        examples: random examples per check, beside the edge cases.
        isolated: run the student's code in a worker.
        sandbox: the worker's sandbox; unset it asks for the best one that works here, and a Report names that one.
            "none" is no protection, and must be asked for.
    """

    seed: int = 0
    examples: int = 25
    isolated: bool = True
    sandbox: SandboxName | msgspec.UnsetType = msgspec.UNSET

    def resolved(self) -> "Settings":
        """The same with the sandbox by name; unset in this process.

        Raises:
            SandboxUnavailable: none works here, or not the one asked for.
        """
        sandbox = usable_sandbox(self.sandbox or None) if self.isolated else msgspec.UNSET
        return msgspec.structs.replace(self, sandbox=sandbox)


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


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outcome of a submission: plain data, the same for the same submission, checks and settings but for the seconds.

    `notes` say what a reader must know beside the checks, as which of two files was graded.
    """

    schema: int
    submission: str
    topic: str
    points: float
    max_points: float
    settings: Settings
    checks: tuple[CheckResult, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """The report as JSON, indented."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def grade(
    submission: Path | Submission | Unreadable,
    topic: Topic,
    settings: Settings,
    *,
    printed: Callable[[str], None] | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """Runs the topic's checks on a submission, and its hidden ones where they are at hand and the code is isolated.

    Args:
        submission: a .py or .ipynb file, or what `read_submission` made of it.
        topic: the topic whose checks judge it.
        settings: seed, number of examples, isolation.
        printed: is given what an isolated submission printed, at most 64 KiB, not escaped; it is no part of the Report.
        notes: the Report's.

    Returns:
        A Report; a file that cannot be read or loaded gets one too, with 0 points and the reason.

    Raises:
        SandboxUnavailable: no worker can be started.
        OSError, MemoryError: the machine has no room for the judge: nothing that the student did.
    """
    settings = settings.resolved()
    if isinstance(submission, Path):
        name = submission.name
        submission = open_submission(submission)
    else:
        name = getattr(submission, "filename", f"{topic.module}.py")
    sandbox = None if settings.sandbox is msgspec.UNSET else settings.sandbox
    student = the_student(
        submission, topic, isolated=settings.isolated, sandbox=sandbox, ahead=True
    )
    checks = topic_checks(topic)
    diagnosis = Diagnosis(fingerprints_of(topic), checks, student)
    try:
        results = tuple(outcome(check, student, settings, diagnosis) for check in checks)
    finally:
        student._close()
    if printed is not None:
        printed(student._printed())
    if settings.isolated:
        results += hidden_results(submission, topic, settings)
    return Report(
        schema=1,
        submission=name,
        topic=topic.name,
        points=sum(result.points for result in results),
        max_points=sum(result.max_points for result in results),
        settings=settings,
        checks=results,
        notes=tuple(notes),
    )


_MODULES: dict[tuple[Path, int], ModuleType] = {}


def topic_checks(topic: Topic) -> list[Check]:
    """The checks of a topic, loaded once per process and version of the file."""
    return _checks_in(topic.checks, f"grader_checks_of_{topic.name}")


def hidden_checks(topic: Topic) -> list[Check]:
    """The checks that students never see; none where the topic has none, as on a student's machine."""
    if not topic.hidden_checks.is_file():
        return []
    return _checks_in(topic.hidden_checks, f"grader_hidden_checks_of_{topic.name}")


def _checks_in(path: Path, name: str) -> list[Check]:
    key = (path, path.stat().st_mtime_ns)
    if key not in _MODULES:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        with paused_collector():
            spec.loader.exec_module(module)
        _MODULES[key] = module
    return checks_of(_MODULES[key])


def hidden_results(
    submission: Submission | Unreadable, topic: Topic, settings: Settings
) -> tuple[CheckResult, ...]:
    """The outcomes of the hidden checks, in a worker of their own whose output nobody sees; `settings` are resolved.

    Nothing of a hidden check's text or inputs is in them, nor anything that the student's code could carry them out in.
    """
    checks = hidden_checks(topic)
    if not checks:
        return ()
    student = the_student(submission, topic, isolated=True, sandbox=settings.sandbox or None)
    try:
        return tuple(
            _hidden_result(f"hidden_{number}", check, student, topic, settings)
            for number, check in enumerate(checks, 1)
        )
    finally:
        student._close()


_OF_HIDDEN: dict[Verdict, str] = {
    "passed": "",
    "failed": "The answer is wrong in a case that is not shown.",
    "error": "The code gave no usable answer in a case that is not shown.",
    "missing": "A function is not written yet.",
    "timeout": "There was no answer within the time limit in a case that is not shown.",
}


def _hidden_result(
    name: str, check: Check, student: Student, topic: Topic, settings: Settings
) -> CheckResult:
    began = time.monotonic()
    verdict: Verdict = "passed"
    text = ""
    try:
        failure = _failure(check, student, settings, 0, explained=False)
        if failure is not None and failure.verdict == "timeout":
            failure = _failure(check, student, settings, 0, explained=False)
        if failure is not None:
            verdict = cast("Verdict", failure.verdict)
            text = _OF_HIDDEN[verdict] + _builtin_exception(failure)
    except (SandboxUnavailable, OSError, MemoryError):
        raise
    except Exception as fault:  # noqa: BLE001  # as in `outcome`
        verdict = "error"
        text = (
            f"A hidden check itself failed ({type(fault).__name__}); please tell your instructor."
        )
    worth = check.points if topic.hidden_points else 0.0
    return CheckResult(
        name=name,
        title="A hidden check",
        points=worth if verdict == "passed" else 0.0,
        max_points=worth,
        verdict=verdict,
        message=text,
        smallest_case="",
        misconception=None,
        seconds=round(time.monotonic() - began, 6),
    )


def _builtin_exception(failure: Failure | TimeLimit) -> str:
    """Python's own exception that was raised; a class of the student's could carry the inputs out in its name."""
    name = failure.type_names[0] if isinstance(failure, RaisedError) else ""
    known = getattr(builtins, name, None)
    return f" It raised {name}." if isinstance(known, type) else ""


_ITSELF, _TELL = "The check itself failed (", "); please tell your instructor."


def fault_of(result: CheckResult) -> str:
    """What a check itself raised, and not the code that it judged; empty where it did not."""
    text = result.message
    of_the_check = result.verdict == "error" and text.startswith(_ITSELF) and text.endswith(_TELL)
    return text[len(_ITSELF) : -len(_TELL)] if of_the_check else ""


def outcome(
    check: Check,
    student: Student,
    settings: Settings,
    diagnosis: Diagnosis | None,
    *,
    start: int = 0,
) -> CheckResult:
    """The outcome of one check.

    Args:
        check: what must hold.
        student: the submission, loaded.
        settings: seed, number of examples, isolation.
        diagnosis: names the misconception; None where only the verdict counts: then no smallest case is searched either.
        start: how many examples, of the first, are known to pass.

    Raises:
        SandboxUnavailable, OSError, MemoryError: as `grade`.
    """
    began = time.monotonic()
    verdict: Verdict = "passed"
    text = case = ""
    misconception = None
    try:
        run = partial(_failure, check, student, settings, start, explained=diagnosis is not None)
        failure = run()
        if failure is not None and failure.verdict == "timeout" and settings.isolated:
            failure = run()  # the machine may have been busy
        if failure is not None:
            verdict = cast("Verdict", failure.verdict)
            text, case = message(failure), smallest_case(failure)
            if diagnosis is not None:
                misconception = _misconception(diagnosis.misconceptions(check.name, failure))
    except (SandboxUnavailable, OSError, MemoryError):
        raise
    except Exception as fault:  # noqa: BLE001  # a fault of the check itself must not cost the class its reports
        verdict = "error"
        text = f"{_ITSELF}{type(fault).__name__}: {fault}{_TELL}"
    return CheckResult(
        name=check.name,
        title=check.title,
        points=check.points if verdict == "passed" else 0.0,
        max_points=check.points,
        verdict=verdict,
        message=text,
        smallest_case=case,
        misconception=misconception,
        seconds=round(time.monotonic() - began, 6),
    )


def _misconception(found: dict[str, str]) -> Misconception | None:
    """One, or those that cannot be told apart, joined by "or"."""
    return Misconception(" or ".join(found), "\nOr: ".join(found.values())) if found else None


def _failure(
    check: Check, student: Student, settings: Settings, start: int, *, explained: bool
) -> Failure | TimeLimit | None:
    try:
        check.run(
            student,
            seed=settings.seed,
            examples=settings.examples,
            shrink=explained,
            start=start,
        )
    except (Failure, TimeLimit) as failure:
        return failure
    return None
