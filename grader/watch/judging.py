"""What has to be run after a save, in which order: by the logic of `grading.grade`, as fast as the student's eyes need it.

Faster than grading in ways that change no verdict: a check that the save cannot have changed keeps its result; of the others
the edge cases run first, on all cores, and that is shown; then come the random examples, and the smallest case of the
first failure, the one that is shown.
"""

import contextlib
import os
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from grader.checks.check import Check
from grader.course import Topic
from grader.grading import CheckResult, Settings, Verdict, topic_checks
from grader.opening import Unreadable, open_submission
from grader.submission import Submission
from grader.watch.crew import CAN_FORK, Crew, Lost
from grader.watch.reach import Reach
from grader.watch.runs import CHECK_LIMIT_S, Run, Superseded
from grader.watch.work import Answer, Loaded, Task, Work, not_loaded

_AGAIN_AFTER_S = (0.05, 0.1, 0.2)
"""A file that is gone or cut short is looked at again: editors write it anew."""
_CHILDREN_AT_MOST = 8
_SEARCHING = "the smallest case is being searched"


@dataclass(frozen=True)
class Remembered:
    """A verdict, and the part of the file that it depends on."""

    asked: frozenset[str]
    digest: str
    result: CheckResult
    explained: bool


class Judge:
    """Judges one topic again and again.

    Args:
        topic: whose checks.
        settings: how; in this process's children unless they say otherwise.
        newer: a connection on which something newer to do arrives; None if nothing ever does.
        forks: whether children do the work, or this process does.
    """

    def __init__(
        self,
        topic: Topic,
        settings: Settings,
        newer: Connection | None = None,
        *,
        forks: bool = CAN_FORK,
    ) -> None:
        self.topic = topic
        self._settings = settings
        self._newer = newer
        self._crew = Crew(_cores(), newer) if forks else None
        self._memory: dict[str, Remembered] = {}
        self._version: object = None
        self._before: Reach | None = None
        self._seconds: dict[str, float] = {}
        self._drawn: set[str] = set()

    def prepare(self) -> None:
        """Loads the checks and builds their edge cases, so that no save waits for it.

        Raises:
            CourseError, ImportError and others: the checks cannot be loaded.
        """
        for check in topic_checks(self.topic):
            check.edges(self._settings.seed)
        _warm_up()

    def run(self, file: Path, since: float) -> Iterator[Run]:
        """The run as it grows, at the end with nothing left; the same object each time.

        Args:
            file: the .py or .ipynb file.
            since: when it was saved, of `time.monotonic`.

        Raises:
            Superseded: there is something newer to do; what is known stays known.
        """
        run = Run(file)
        submission = _opened(file)
        if isinstance(submission, Unreadable):
            gone = f"{file.name} is gone: save it again and it is judged."
            run.note = submission.headline if file.exists() else gone
            steps: Iterator[None] = iter([None])
        else:
            steps = _Judging(self, submission, run).steps()
        for _ in steps:
            run.seconds = time.monotonic() - since
            yield run

    def draw_ahead(self) -> None:
        """Draws the random examples of all checks, unless something newer comes in between."""
        with contextlib.suppress(Superseded):
            self._draw(topic_checks(self.topic))
        if self._crew is not None:
            self._crew.learn()

    def _draw(self, checks: Sequence[Check]) -> bool:
        """Draws their random examples; whether that was news, and the children are others."""
        new = [check for check in checks if check.name not in self._drawn]
        try:
            for check in new:
                self._give_way()
                check.examples(self._settings.seed, self._settings.examples)
                self._drawn.add(check.name)
        finally:
            if new:
                self.close()
                if self._crew is not None:
                    self._crew.learn()
        return bool(new)

    def _give_way(self) -> None:
        if self._newer is not None and self._newer.poll():
            raise Superseded

    def close(self) -> None:
        """Ends the children."""
        if self._crew is not None:
            self._crew.end()

    def _forget_if_the_checks_changed(self) -> None:
        files = (self.topic.checks, self.topic.fingerprints)
        version = [file.stat().st_mtime_ns for file in files if file.is_file()]
        if version != self._version:
            self.close()
            self._memory.clear()
            self._drawn.clear()
            self._version = version


class _Judging:
    """One run of a judge."""

    def __init__(self, judge: Judge, submission: Submission, run: Run) -> None:
        self._judge = judge
        self._work = Work(submission, judge.topic, judge._settings)
        self._run = run
        self._reach = Reach(submission.cells)
        self._loaded = False
        self._partly = False
        self._printed: dict[str, str] = {}
        self._asked: dict[str, frozenset[str]] = {}
        self._checks: dict[str, Check] = {}

    def steps(self) -> Iterator[None]:
        """Fills the run; stops at each point that is worth a look."""
        judge, run = self._judge, self._run
        judge.prepare()
        judge._forget_if_the_checks_changed()
        self._checks = {check.name: check for check in topic_checks(judge.topic)}
        run.names = list(self._checks)
        for name in run.names:
            if (known := judge._memory.get(name)) is not None and self._holds(known):
                run.found[name] = known.result
                run.explained |= {name} if known.explained else set()
        unknown = self._in_order([name for name in run.names if name not in run.found])
        run.left = "running" if unknown else ""
        yield from self._did([Task(name, "edges") for name in unknown if self._edges(name)])
        if run.note:
            return
        rest = [name for name in unknown if self._passed_so_far(name) and self._has_rest(name)]
        first = self._unexplained()
        running = f"{judge._settings.examples} random examples of each are running"
        run.left = running if rest else _SEARCHING
        if rest or first:
            yield  # a verdict of every check, before the rest
        if judge._draw([self._checks[name] for name in rest]):
            self._loaded = False  # other children know what has been drawn
        yield from self._did([*first, *(Task(name, "rest") for name in rest)])
        while not run.note and (first := self._unexplained()):
            run.left = _SEARCHING
            yield from self._did(first)
        run.left = ""
        judge._before = self._reach
        if self._reach.is_one:  # it may have changed what it shares with all that runs there
            judge.close()
        yield

    def _holds(self, known: Remembered) -> bool:
        return self._digest(known.asked, known.result.verdict) == known.digest

    def _digest(self, asked: frozenset[str], verdict: Verdict) -> str:
        """Of all that the verdict depends on; a message that is shown may name lines too."""
        return self._reach.digest(asked, with_places=verdict not in ("passed", "missing"))

    def _in_order(self, names: list[str]) -> list[str]:
        """The checks of what was changed first, the long ones of these before the short ones: no core waits at the end."""
        changed = self._reach.changed_since(self._judge._before)
        memory, seconds = self._judge._memory, self._judge._seconds

        def key(name: str) -> tuple[bool, float]:
            known = memory.get(name)
            return known is None or not known.asked & changed, -seconds.get(name, 0.0)

        return sorted(names, key=key)

    def _edges(self, name: str) -> int:
        return len(self._checks[name].edges(self._judge._settings.seed))

    def _has_rest(self, name: str) -> bool:
        return bool(self._checks[name].strategies) and self._judge._settings.examples > 0

    def _passed_so_far(self, name: str) -> bool:
        found = self._run.found.get(name)
        return found is None or found.verdict == "passed"

    def _unexplained(self) -> list[Task]:
        """The first failure, if its smallest case is not known yet."""
        first = self._run.first_failure
        if first is None or first.verdict in ("missing", "timeout"):
            return []
        return [] if first.name in self._run.explained else [Task(first.name, "explanation")]

    def _did(self, tasks: list[Task]) -> Iterator[None]:
        """Does the tasks; stops after each answer, and where there is something to note."""
        if not tasks:
            return
        with contextlib.closing(self._said(tasks)) as everything:
            for said in everything:
                if isinstance(said, Loaded):
                    self._run.note = said.note
                    self._partly = said.partly
                    self._printed.setdefault("", said.printed)
                elif isinstance(said, Lost):
                    self._note_lost(said)
                else:
                    self._note(said)
                self._run.printed = "".join(self._printed.values())
                if self._run.note or not isinstance(said, Loaded):
                    yield
                if self._run.note:
                    return

    def _said(self, tasks: list[Task]) -> Generator[Loaded | Answer | Lost]:
        crew = self._judge._crew
        if crew is not None:
            if not self._loaded:
                crew.begin(self._work)
                self._loaded = True
            yield from crew.did(tasks)
            return
        for said in self._work.done(iter(tasks)):
            self._judge._give_way()
            yield said

    def _note(self, said: Answer) -> None:
        (name, part), result, run = said.task, said.result, self._run
        if part == "explanation":
            run.explained.add(name)
            if result.verdict in ("passed", "timeout"):
                return  # what was found before counts
        else:
            self._printed[name] = self._printed.get(name, "") + said.printed
            self._judge._seconds[name] = result.seconds
        run.found[name] = result
        asked = self._asked[name] = said.asked | self._asked.get(name, frozenset())
        unfinished = part == "edges" and result.verdict == "passed" and self._has_rest(name)
        if unfinished or result.verdict == "timeout" or self._partly:
            self._judge._memory.pop(name, None)
            return
        digest = self._digest(asked, result.verdict)
        self._judge._memory[name] = Remembered(asked, digest, result, part == "explanation")

    def _note_lost(self, lost: Lost) -> None:
        file = self._work.submission.filename
        if lost.task is None:
            died = f"{file} ended the whole process while it was loaded."
            self._run.note = died if lost.in_time else not_loaded(file)
            return
        check = self._checks[lost.task.check]
        if lost.task.part == "explanation":
            self._run.explained.add(check.name)
            return
        verdict: Verdict = "error" if lost.in_time else "timeout"
        text = (
            "The whole process ended while this ran: does your code exit, or use too much memory?"
            if lost.in_time
            else f"No answer within {CHECK_LIMIT_S:g} seconds: is there an endless loop?"
        )
        self._run.found[check.name] = CheckResult(
            check.name, check.title, 0.0, check.points, verdict, text, "", None, 0.0
        )
        self._run.explained.add(check.name)
        self._judge._memory.pop(check.name, None)


def _opened(file: Path) -> Submission | Unreadable:
    """The file as a submission; one that is not there, or a notebook cut short, gets a moment to become whole."""
    found = open_submission(file, own=True)
    for pause_s in _AGAIN_AFTER_S:
        if isinstance(found, Submission) or (file.suffix == ".py" and file.exists()):
            break
        time.sleep(pause_s)
        found = open_submission(file, own=True)
    return found


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return min(_CHILDREN_AT_MOST, len(affinity(0)) if affinity else os.cpu_count() or 1)


def _warm_up() -> None:
    """Takes a gradient, where the checks have loaded torch: the first one is slow."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        one = torch.ones(1, requires_grad=True)
        torch.autograd.grad((one * one).sum(), one)
