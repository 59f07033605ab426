"""`grader verify`: proves that a course's content is sound, and says what to do where it is not."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from grader.build import out_of_date
from grader.content.checks_file import CheckSource
from grader.content.problem import Problem
from grader.content.rejection import CheckItselfFailed, rejected_by
from grader.content.text_rules import (
    LEFT_BY_TOOLS,
    checks_in,
    missing_trees,
    unfinished,
    unsound_texts,
    wrong_answer,
    wrong_files,
)
from grader.content.uses import Uses
from grader.course import Course, Topic
from grader.diagnosis.misconceptions import Misconception, load_misconceptions
from grader.failure import Failure, TimeLimit
from grader.grading import (
    CheckResult,
    Report,
    Settings,
    fault_of,
    grade,
    hidden_checks,
    topic_checks,
)
from grader.opening import open_submission, the_student
from grader.submission import SubmissionError, read_submission, submission_from_bytes

__all__ = ["Problem", "verify"]

SETTINGS = Settings(seed=0, examples=25, isolated=False)
"""How solutions and stubs are graded here: they are the course's own, so in this process."""

_RULES = (missing_trees, wrong_files, unsound_texts)


def verify(
    course: Course,
    topics: Sequence[Topic],
    *,
    done: Callable[[Topic, list[Problem]], None] | None = None,
) -> list[Problem]:
    """Every problem of a course.

    Args:
        course: whose folders are looked through for strangers, if `topics` are all of its topics.
        topics: what to verify.
        done: called after each topic with its problems; a topic takes seconds.

    Returns:
        The problems, in the order of the topics, the course's own first.
    """
    problems = list(_strangers(course)) if len(topics) == len(course.topics) else []
    for topic, found in zip(topics, _of_each(topics), strict=True):
        problems += found
        if done is not None:
            done(topic, found)
    return problems


def _of_each(topics: Sequence[Topic]) -> Iterator[list[Problem]]:
    """The problems of each topic, in order; of several on all cores, since each runs all its wrong answers."""
    jobs = min(len(topics), os.cpu_count() or 1)
    if jobs < 2:
        yield from map(verify_topic, topics)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(verify_topic, topics)


def verify_topic(topic: Topic) -> list[Problem]:
    """The problems of a topic; code is run only where the files are sound."""
    for rule in (*_RULES, _unloadable, _unsound_runs, unfinished, _out_of_date):
        problems = list(rule(topic))
        if problems:
            return problems
    return []


def _strangers(course: Course) -> Iterator[Problem]:
    """Folders that are no topic of the course."""
    known = {*LEFT_BY_TOOLS, *(topic.name for topic in course.topics)}
    for tree in ("exercises", "solutions"):
        folder = course.root / tree
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and path.name not in known:
                rule = "a folder that is no topic of course.toml"
                yield Problem("", f"{tree}/{path.name}", rule, "add a [[topic]], or remove it")


def _unloadable(topic: Topic) -> Iterator[Problem]:
    for file, load in ((topic.checks, topic_checks), (topic.hidden_checks, hidden_checks)):
        try:
            load(topic)
        except Exception as fault:  # noqa: BLE001  # whatever it is, the author is to correct it
            rule = f"it cannot be loaded: {_line(fault)}"
            yield Problem.at(topic, file, rule, "correct it")


def _out_of_date(topic: Topic) -> Iterator[Problem]:
    for path in out_of_date(topic):
        yield Problem.at(topic, path, "the file differs from its source", "run `grader build`")


def _unsound_runs(topic: Topic) -> Iterator[Problem]:
    try:
        stub, solution = (_graded(file, topic).checks for file in (topic.stub, topic.source))
        faults = {check.name: fault for check in (*stub, *solution) if (fault := fault_of(check))}
        if faults:  # what such a check says of others is worth nothing
            for name, fault in faults.items():
                yield _itself_failed(topic, topic.checks, name, fault)
            return
        yield from _stub(topic, stub)
        yield from _solution(topic, solution)
        yield from _hidden(topic)
    except SubmissionError as error:
        yield Problem.at(topic, topic.source, str(error), "correct it and run `grader build`")
        return
    yield from _misconceptions(topic)


def _itself_failed(topic: Topic, file: Path, check: str, fault: str) -> Problem:
    first = (fault.splitlines() or [""])[0]
    return Problem.at(topic, file, f"{check} itself failed: {first}", "correct the check")


def _line(fault: BaseException | None) -> str:
    return f"{type(fault).__name__}: {' '.join(str(fault).split())}"


def _stub(topic: Topic, checks: Sequence[CheckResult]) -> Iterator[Problem]:
    for check in checks:
        if check.verdict != "missing":
            rule = f"the stub's verdict in {check.name} is {check.verdict}, but should be missing"
            cure = "let the check call what it judges first, and mark its body as a solution region"
            yield Problem.at(topic, topic.stub, rule, cure)


def _hidden(topic: Topic) -> Iterator[Problem]:
    """The solution passes the hidden checks; they run here, since the code is the course's own."""
    student = the_student(open_submission(topic.source, own=True), topic, isolated=False)
    for check in hidden_checks(topic):
        try:
            check.run(student, seed=SETTINGS.seed, examples=SETTINGS.examples)
        except (Failure, TimeLimit) as failure:
            rule = f"the solution fails {check.name}: {failure.headline}"
            yield Problem.at(topic, topic.hidden_checks, rule, "correct one of them")
        except Exception as fault:  # noqa: BLE001  # a fault of the check itself
            yield _itself_failed(topic, topic.hidden_checks, check.name, _line(fault))


def _solution(topic: Topic, checks: Sequence[CheckResult]) -> Iterator[Problem]:
    for check in checks:
        if check.verdict != "passed":
            first = (check.message.splitlines() or [""])[0]
            rule = f"the solution's verdict in {check.name} is {check.verdict}: {first}"
            file = topic.source.relative_to(topic.root).as_posix()
            cure = f"correct one of them; see `grader check --in-process {file}`"
            yield Problem.at(topic, topic.source, rule, cure)


def _misconceptions(topic: Topic) -> Iterator[Problem]:
    checks = checks_in(topic)
    uses = Uses(topic.source.read_text(encoding="utf-8"))
    for misconception in load_misconceptions(topic.misconceptions):
        try:
            yield from _misconception(misconception, topic, checks, uses)
        except CheckItselfFailed as error:
            rule = f"{error.check} itself failed on misconception {misconception.id}: {_line(error.__cause__)}"
            cure = "take what a student returns apart by `unpack`, or compare it whole"
            yield Problem.at(topic, topic.checks, rule, cure)


def _misconception(
    misconception: Misconception, topic: Topic, checks: Sequence[CheckSource], uses: Uses
) -> Iterator[Problem]:
    names = misconception.functions
    own = [check.name for check in checks if any(check.belongs_to(name) for name in names)]
    answer = submission_from_bytes(wrong_answer(misconception, topic), topic.source.name)
    if rejected_by(answer, topic, own) is None:
        what = f"the {len(own)} checks of {', '.join(names)}"
        rule = f"misconception {misconception.id} passes {what}"
        cure = "sharpen a check until it fails there, or remove the misconception if it is right"
        yield Problem.at(topic, topic.misconceptions, rule, cure)
        return
    stray = rejected_by(answer, topic, _unrelated(misconception, uses, checks))
    if stray is not None:
        rule = (
            f"misconception {misconception.id} fails {stray}, which uses none of {', '.join(names)}"
        )
        cure = "name the function that it makes wrong too in `functions`, or edit another place"
        yield Problem.at(topic, topic.misconceptions, rule, cure)


def _unrelated(
    misconception: Misconception, uses: Uses, checks: Sequence[CheckSource]
) -> list[str]:
    """The checks that run the edited code, but judge no function that uses those which the misconception names.

    The others need no run: a check that does not run the edited code cannot fail for it.
    """
    named = {name.split(".")[0] for name in misconception.functions}
    edited = uses.around(misconception.find)
    found = []
    for check in checks:
        judged = [name for name in uses if check.belongs_to(name)]
        used = {inner for name in judged for inner in uses.used_by(name)}
        if not used & named and (not edited or used & edited):
            found.append(check.name)
    return found


def _graded(file: Path, topic: Topic) -> Report:
    return grade(read_submission(file, follow_links=True), topic, SETTINGS)
