"""The pytest plugin: the fixture `student`, points, readable failures and the closing table.

It is loaded in every pytest run of the environment: at import time it needs pytest alone.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from grader.course import Topic
    from grader.failure import Failure
    from grader.student import Student

_ADVICE = pytest.StashKey[dict[str, list[str]]]()
_VERDICTS = ("passed", "failed", "error", "missing", "timeout")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of DESIGN.md."""
    group = parser.getgroup("grader", "autograder for exercises")
    group.addoption(
        "--submission",
        metavar="FILE",
        type=Path,
        help="grade this .py or .ipynb instead of the exercise's own file",
    )
    group.addoption(
        "--isolated",
        action="store_true",
        help="run the submission in a sandboxed worker, as grading does",
    )
    group.addoption(
        "--examples",
        metavar="N",
        type=int,
        default=25,
        help="random examples per check, beside the edge cases",
    )
    group.addoption("--seed", metavar="N", type=int, default=0, help="seed of the random examples")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker; refuses a submission that does not exist."""
    config.addinivalue_line("markers", "points(n): a check worth n points")
    submission = config.getoption("--submission")
    if submission is not None and not submission.is_file():
        raise pytest.UsageError(f"--submission {submission}: there is no such file")
    if config.getoption("--examples") < 0:
        raise pytest.UsageError("--examples must be 0 or more")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Loads a course's checks, and with them torch, without looking for garbage meanwhile."""
    if not isinstance(collector, pytest.Module) or not _in_a_course(collector.path):
        return (yield)
    from grader.collector import paused_collector

    with paused_collector():
        return (yield)


@pytest.fixture(scope="module")
def student(request: pytest.FixtureRequest) -> Iterator[Student]:
    """The submission that the checks judge: its functions are attributes."""
    from grader.advice import advice_on
    from grader.opening import open_submission, the_student
    from grader.submission import Submission

    topic = _topic_of(Path(str(request.path)))
    if topic is None:
        raise pytest.UsageError(
            f"{request.path.parent.name}, the folder of {request.path.name}, is no topic of the course: a topic's folder "
            "keeps its name, such as 04_normalization; a new topic is added to course.toml"
        )
    path = request.config.getoption("--submission") or topic.stub
    isolated = request.config.getoption("--isolated")
    submission = open_submission(path, own=True)
    if isinstance(submission, Submission) and not isolated:
        advice = request.config.stash.setdefault(_ADVICE, {})
        advice[topic.name] = advice_on(submission, topic)
    subject = the_student(submission, topic, isolated=isolated)
    yield subject
    subject._close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a check on its examples, in the place of hypothesis's own loop."""
    __tracebackhide__ = True
    if not _is_check(pyfuncitem) or "student" not in pyfuncitem.funcargs:
        return None
    from grader.checks.check import Check
    from grader.failure import Failure

    names = pyfuncitem._fixtureinfo.argnames
    config = pyfuncitem.config
    student = cast("Student", pyfuncitem.funcargs["student"])
    check = Check.of(pyfuncitem.obj)
    try:
        check.run(
            student,
            seed=config.getoption("--seed"),
            examples=config.getoption("--examples"),
            fixtures={name: pyfuncitem.funcargs[name] for name in names},
        )
    except Failure as failure:
        failure.misconceptions = _misconceptions(pyfuncitem, student, failure)
        raise
    finally:
        _show(student._printed())
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Puts the explanation in the place of a traceback; notes verdict and points for the closing table."""
    report = yield
    if call.when != "call" or not _is_check(item):
        return report
    from grader.checks.check import Check
    from grader.failure import Failure, TimeLimit

    verdict = "passed" if report.passed else "error"
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, (Failure, TimeLimit)):
        verdict = error.verdict
        report.longrepr = _explanation(item, error)
    check = Check.of(item.obj)  # type: ignore[attr-defined]  # a check is a pytest.Function
    report.grader_check = {
        "topic": item.path.parent.name,
        "verdict": verdict,
        "points": check.points,
        "earned": check.points if verdict == "passed" else 0.0,
        "headline": getattr(error, "headline", ""),
        "advice": item.config.stash.get(_ADVICE, {}).get(item.path.parent.name, []),
    }
    return report


def pytest_report_teststatus(report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """A check that is not written yet is `missing`, not a failure to read."""
    if report.when == "call" and getattr(report, "grader_check", {}).get("verdict") == "missing":
        return "missing", "m", ("MISSING", {"yellow": True})
    return None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The closing table: points per topic."""
    found = [
        report.grader_check
        for reports in terminalreporter.stats.values()
        for report in reports
        if hasattr(report, "grader_check")
    ]
    if not found:
        return
    terminalreporter.section("points")
    for topic in sorted({check["topic"] for check in found}):
        mine = [check for check in found if check["topic"] == topic]
        earned, total = (sum(check[key] for check in mine) for key in ("earned", "points"))
        counts = [
            (sum(check["verdict"] == verdict for check in mine), verdict) for verdict in _VERDICTS
        ]
        words = ", ".join(f"{count} {verdict}" for count, verdict in counts if count)
        terminalreporter.write_line(f"{topic:<24} {earned:>5g} of {total:g} points   ({words})")
        for sentence in dict.fromkeys(sentence for check in mine for sentence in check["advice"]):
            terminalreporter.write_line(f"  {sentence}", yellow=True)


def _misconceptions(item: pytest.Function, student: Student, failure: Failure) -> dict[str, str]:
    from grader.checks.check import checks_of
    from grader.diagnosis.fingerprints import fingerprints_of
    from grader.diagnosis.matching import Diagnosis

    topic = _topic_of(Path(str(item.path)))
    if topic is None:
        return {}
    diagnosis = Diagnosis(fingerprints_of(topic), checks_of(item.module), student)
    return diagnosis.misconceptions(item.originalname, failure)


def _show(printed: str) -> None:
    """Prints what a worker printed, for pytest to show it as it shows every test's output."""
    if printed:
        from grader.report.visible import visible

        sys.stdout.write(visible(printed) + "\n")


def _is_check(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "obj", None), "__grader_check__")


def _in_a_course(path: Path) -> bool:
    return any((folder / "course.toml").is_file() for folder in path.parents)


def _topic_of(path: Path) -> Topic | None:
    from grader.course import CourseError, find_course

    try:
        course = find_course(path)
    except CourseError as error:
        raise pytest.UsageError(str(error)) from None
    return next((topic for topic in course.topics if topic.name == path.parent.name), None)


def _explanation(item: pytest.Item, error: Any) -> Any:
    """A pytest representation that prints the explanation, and its headline in the short summary."""
    from _pytest._code.code import ReprFileLocation, TerminalRepr

    from grader.report.explanation import SCREEN, explain
    from grader.report.pointer import pointer

    class Explanation(TerminalRepr):
        def __init__(self, text: str) -> None:
            self.text = text
            line = getattr(getattr(item, "obj", None), "__code__", None)
            self.reprcrash = ReprFileLocation(
                str(item.path), line.co_firstlineno if line else 0, error.headline
            )

        def __str__(self) -> str:
            return self.text

        def toterminal(self, tw: Any) -> None:
            for number, line in enumerate(self.text.splitlines()):
                tw.line(line, bold=number == 0, red=number == 0)

    doc = (getattr(getattr(item, "obj", None), "__doc__", None) or "").strip().splitlines()
    topic = _topic_of(item.path)
    where = pointer(topic, item.originalname, error.headline) if topic is not None else ""  # type: ignore[attr-defined]  # a check is a pytest.Function
    at_most = SCREEN if item.config.get_verbosity() < 2 else None
    text = explain(error, pointer=where, at_most=at_most)
    return Explanation("\n".join([*([doc[0], ""] if doc else []), text]))
