"""Grades many submissions: finds them, grades what has changed, keeps every report.

A report is cached under the hash of everything it depends on and written atomically, so that a run that was killed
goes on where it was. Workers of the pool are judges that have loaded torch and the checks once.
"""

import ctypes
import hashlib
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec

import grader
from grader.atomic import write_atomically
from grader.choice import SUFFIXES, chosen_file
from grader.course import Course, Topic
from grader.grading import Report, Settings, grade
from grader.opening import Unreadable, open_submission
from grader.submission import Submission

_AHEAD = 3
"""Submissions under way per job, so that a judge that is done finds the next one."""


class NothingToGrade(Exception):
    """The folder holds no submission in a known layout; the text says which there are."""


@dataclass(frozen=True, order=True)
class Task:
    """One submission of a class: whose, for which topic, in which file, and why this one where there were two."""

    student: str
    topic: str
    path: Path
    note: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its report, or why there is none."""

    task: Task
    report: Report | None
    problem: str = ""


def find_tasks(folder: Path, course: Course, topic: str | None) -> list[Task]:
    """The submissions in a folder: `student/topic/file`, `student/file`, or flat `student.py` with a topic.

    Raises:
        NothingToGrade: there are none.
    """
    topics = {one.name: one for one in course.topics}
    wanted = {topic: topics[topic]} if topic is not None else topics
    tasks: list[Task] = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            tasks += _tasks_of_student(entry, wanted)
        elif topic is not None and entry.suffix in SUFFIXES:
            tasks.append(Task(entry.stem, topic, entry))
    if not tasks:
        raise NothingToGrade(
            f"{folder} holds no submissions: expected student/topic/file, student/file, or with --topic student.py"
        )
    return tasks


def _tasks_of_student(folder: Path, topics: dict[str, Topic]) -> Iterator[Task]:
    for name, topic in topics.items():
        for place in (folder / name, folder):
            if place.is_dir() and (chosen := chosen_file(place, topic)) is not None:
                yield Task(folder.name, name, *chosen)
                break


def grade_tasks(
    tasks: Sequence[Task],
    course: Course,
    settings: Settings,
    *,
    cache: Path,
    jobs: int,
    done: Callable[[Outcome], None],
    executor: Executor | None = None,
) -> list[Outcome]:
    """Grades all tasks, from the cache where nothing changed.

    Args:
        tasks: what to grade.
        course: whose checks judge.
        settings: the same for all.
        cache: folder of reports by hash.
        jobs: judge processes, here or in the executor.
        done: called with each outcome as it comes.
        executor: takes the place of the pool of processes, for example a cluster's; it stays the caller's to end.
    """
    topics = {topic.name: topic for topic in course.topics}
    settings = settings.resolved()
    states = {name: _state_of(topics[name]) for name in {task.topic for task in tasks}}
    outcomes: dict[Task, Outcome] = {}
    waiting: dict[Task, Path] = {}

    def ended(task: Task, outcome: Outcome) -> None:
        outcomes[task] = outcome
        done(outcome)

    for task in tasks:
        path = _cached_at(cache, task, states[task.topic], settings)
        report = _cached(path)
        if report is None:
            waiting[task] = path
        else:
            ended(task, Outcome(task, report))

    def submit(task: Task, pool: Executor) -> Future[bytes]:
        opened = open_submission(task.path)
        return pool.submit(_grade_one, opened, topics[task.topic], settings, _notes(task))

    for task, future in _in_turn(waiting, submit, jobs, executor):
        error = future.exception()
        if error is not None:
            ended(task, Outcome(task, None, _problem(error)))
        else:
            report = msgspec.json.decode(future.result(), type=Report)
            _keep(report, waiting[task])
            ended(task, Outcome(task, report))
    return [outcomes[task] for task in tasks]


def grade_task(task: Task, topic: Topic, settings: Settings, *, cache: Path) -> Report:
    """Grades one task in this process, or takes its report from the cache; `settings` are resolved ones.

    Raises:
        SandboxUnavailable, OSError, MemoryError: as `grade`.
    """
    path = _cached_at(cache, task, _state_of(topic), settings)
    report = _cached(path)
    if report is None:
        report = grade(open_submission(task.path), topic, settings, notes=_notes(task))
        _keep(report, path)
    return report


def _notes(task: Task) -> tuple[str, ...]:
    return (task.note,) if task.note else ()


def _cached_at(cache: Path, task: Task, state: str, settings: Settings) -> Path:
    return cache / f"{_key(task, state, settings)}.json"


def _keep(report: Report, path: Path) -> None:
    write_atomically(path, report.to_json().decode())


def _problem(error: BaseException) -> str:
    """Why a submission has no report, and what to do."""
    if isinstance(error, BrokenExecutor):
        return "the judge's process died while it graded this one (out of memory?): run again to try once more"
    return f"{type(error).__name__}: {error}"


def _in_turn(
    tasks: Iterable[Task],
    submit: Callable[[Task, Executor], Future[bytes]],
    jobs: int,
    executor: Executor | None,
) -> Iterator[tuple[Task, Future[bytes]]]:
    """Each task with its future, as it ends; at most a few per job are under way at once.

    A judge that dies (out of memory, say) takes its whole pool with it. The tasks that were under way are then run one
    by one in new pools, so that only the one that kills its judge is left without a report.
    """
    queue = deque(tasks)
    suspects: deque[Task] = deque()
    running: dict[Future[bytes], Task] = {}
    pool = executor or _judges(min(jobs, len(queue)))
    try:
        while queue or suspects or running:
            alone = broken = False
            try:
                _fill(running, queue, jobs * _AHEAD, submit, pool)
                alone = not running
                if alone:
                    _fill(running, suspects, 1, submit, pool)
            except BrokenExecutor:  # it broke after the last answer
                if executor is not None:
                    raise
                broken = True
            finished = wait(running, return_when=FIRST_COMPLETED).done if running else set()
            for future in finished:
                task = running.pop(future)
                if isinstance(future.exception(), BrokenExecutor) and executor is None:
                    broken = True
                    if not alone:
                        suspects.append(task)
                        continue
                yield task, future
            if broken:
                suspects.extend(running.values())
                running.clear()
                pool.shutdown(cancel_futures=True)
                pool = _judges(min(jobs, len(queue)))
    finally:
        if executor is None:
            pool.shutdown(cancel_futures=True)


def _fill(
    running: dict[Future[bytes], Task],
    waiting: deque[Task],
    most: int,
    submit: Callable[[Task, Executor], Future[bytes]],
    pool: Executor,
) -> None:
    """Starts waiting tasks until `most` are under way."""
    while waiting and len(running) < most:
        running[submit(waiting[0], pool)] = waiting[0]
        waiting.popleft()


def _judges(count: int) -> Executor:
    return ProcessPoolExecutor(
        max(count, 1), mp_context=get_context("spawn"), initializer=_end_with_parent
    )


def _end_with_parent() -> None:
    """Lets the kernel end a judge whose parent was killed (Linux's PR_SET_PDEATHSIG); elsewhere it would wait for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


_ONE_AT_A_TIME = threading.Lock()
"""A judge grades one submission at a time; a cluster's worker with several threads would grade several."""


def _grade_one(
    submission: Submission | Unreadable, topic: Topic, settings: Settings, notes: tuple[str, ...]
) -> bytes:
    with _ONE_AT_A_TIME:
        return msgspec.json.encode(grade(submission, topic, settings, notes=notes))


def _key(task: Task, state: str, settings: Settings) -> str:
    hashed = hashlib.sha256()
    for part in (
        state.encode(),
        msgspec.json.encode(settings),
        task.path.name.encode(errors="surrogateescape"),
        task.note.encode(errors="surrogateescape"),
        _contents(task.path),
    ):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.hexdigest()


def _contents(path: Path) -> bytes:
    """What is hashed of an upload: read as grading reads it, so that a link or a pipe is never followed."""
    opened = open_submission(path)
    cells = getattr(opened, "cells", None)
    return repr(opened if cells is None else [(cell.label, cell.source) for cell in cells]).encode(
        "utf-8", "surrogatepass"
    )


def _state_of(topic: Topic) -> str:
    """A hash of what judges: the engine's sources, the topic's checks and fingerprints, and what hidden checks count."""
    hashed = hashlib.sha256()
    engine = Path(grader.__file__).parent
    hashed.update(repr(topic.hidden_points).encode())
    judging = (topic.checks, topic.fingerprints, topic.hidden_checks)
    for path in [*sorted(engine.rglob("*.py")), *judging]:
        if path.is_file():
            hashed.update(path.name.encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()


def _cached(path: Path) -> Report | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
