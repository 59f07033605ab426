"""Forked children that share the tasks of a save: each takes the next one when it has done the last.

A child has torch, the checks and their examples from the moment it exists, and keeps what it has warmed up from save to save.
One that hangs, ends or may have been bent out of shape by a student's code is replaced by another, in the time of a fork.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import struct
import sys
import time
import weakref
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NamedTuple

from grader.watch.runs import Superseded
from grader.watch.work import Answer, Loaded, Task, Work

CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
"""macOS has fork, but its libraries do not survive it."""

_PATIENCE_S = 20.0
"""A child that says nothing for so long does not hear the alarm of its own limit; the judge's own work may take a while."""
_EXPLANATION_S = 40.0
_TO_STOP_S = 0.2
"""How long a child may go on with its task when there is something newer to do."""
_SIGNAL_AT_PARENTS_END = 1
"""Linux's PR_SET_PDEATHSIG: a child that loops in C would outlive the watch."""
_TOKEN = struct.Struct("H")


class Lost(NamedTuple):
    """A child ended, or had to be ended, in a task; while the file was loaded if that is None."""

    task: Task | None
    in_time: bool


class _Job(NamedTuple):
    number: int
    work: Work


class _Batch(NamedTuple):
    """Tasks of the job, to be taken by their place in the list."""

    number: int
    tasks: tuple[Task, ...]


class _Taken(NamedTuple):
    task: Task


class _Said(NamedTuple):
    number: int
    what: Loaded | Answer | None
    imported: tuple[str, ...] = ()


class _Child:
    def __init__(self, left: int, not_its_own: Sequence[int]) -> None:
        ours, theirs = Pipe()
        gc.freeze()  # a collection in the child would touch, and so copy, all of the parent's memory
        self.pid = os.fork()
        if self.pid == 0:
            for descriptor in (*not_its_own, ours.fileno()):
                os.close(descriptor)
            _be_a_child(theirs, left)
        theirs.close()
        self.line = ours
        self.task: Task | None = None
        self.busy = False
        self.loaded = False
        self.heard = time.monotonic()

    def deadline(self) -> float:
        if not self.busy:
            return float("inf")
        explains = self.task is not None and self.task.part == "explanation"
        return self.heard + (_EXPLANATION_S if explains else _PATIENCE_S)

    def begin(self, job: _Job) -> None:
        self.task, self.loaded, self.busy, self.heard = None, False, True, time.monotonic()
        self.tell(job)

    def tell(self, something: object) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended: read finds out
            self.line.send(something)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.line.close()


def _close_both(one: int, other: int) -> None:
    os.close(one)
    os.close(other)


class Crew:
    """Children, and the list of tasks that they share.

    Args:
        size: how many.
        newer: a connection on which something newer to do arrives; None if nothing ever does.
    """

    def __init__(self, size: int, newer: Connection | None) -> None:
        self._size = size
        self._newer = newer
        self._number = 0
        self._job: _Job | None = None
        self._batch: _Batch | None = None
        self._open = 0
        self._left, self._fill = os.pipe()
        os.set_blocking(self._left, False)
        weakref.finalize(self, _close_both, self._left, self._fill)
        self._children: list[_Child] = []
        self._imported: set[str] = set()

    def learn(self) -> None:
        """Imports here what children had to import: the next one has it from the beginning."""
        for name in self._imported - set(sys.modules):
            with contextlib.suppress(Exception):  # as in the child, if it did not work there
                importlib.import_module(name)
        self._imported.clear()

    def begin(self, work: Work) -> None:
        """Gives the children another file."""
        self._number += 1
        self._job = _Job(self._number, work)
        for child in [one for one in self._children if one.busy]:
            self._remove(child)
        while len(self._children) < self._size:
            self._add()
        for child in self._children:
            child.begin(self._job)

    def did(self, tasks: Sequence[Task]) -> Iterator[Loaded | Answer | Lost]:
        """Does tasks on the file; what the children say, as they say it.

        Raises:
            Superseded: something newer has arrived; the children have stopped.
        """
        self._number += 1
        self._batch = _Batch(self._number, tuple(tasks))
        self._open = len(tasks)
        for child in self._children:
            child.tell(self._batch)
        os.write(self._fill, b"".join(map(_TOKEN.pack, range(len(tasks)))))
        try:
            while self._open and self._children:
                yield from self._heard(self._newer)
        except BaseException:
            self._stop()
            raise

    def end(self) -> None:
        """Ends the children; the next `begin` has others."""
        while self._children:
            self._remove(self._children[0])

    def _add(self) -> _Child:
        ours = [self._fill, *(child.line.fileno() for child in self._children)]
        if self._newer is not None:
            ours.append(self._newer.fileno())
        child = _Child(self._left, ours)
        self._children.append(child)
        return child

    def _remove(self, child: _Child) -> None:
        self._children.remove(child)
        child.end()

    def _heard(self, newer: Connection | None) -> Iterator[Loaded | Answer | Lost]:
        soonest = min(child.deadline() for child in self._children)
        sources: list[Any] = [child.line for child in self._children]
        if newer is not None:
            sources.append(newer)
        wait_s = max(0.0, soonest - time.monotonic())
        ready = wait(sources, None if wait_s == float("inf") else wait_s)
        if newer in ready:
            raise Superseded
        for child in list(self._children):
            if child.line in ready:
                yield from self._message(child)
            elif time.monotonic() > child.deadline():
                yield from self._lost(child, in_time=False)

    def _message(self, child: _Child) -> Iterator[Loaded | Answer | Lost]:
        child.heard = time.monotonic()
        try:
            said = child.line.recv()
        except (EOFError, OSError):
            yield from self._lost(child, in_time=True)
            return
        if isinstance(said, _Taken):
            child.task, child.busy = said.task, True
            return
        child.task, child.busy = None, False
        self._imported.update(said.imported)
        if isinstance(said.what, Loaded):
            child.loaded = True
            if self._job is not None and said.number == self._job.number:
                yield said.what
        elif self._batch is not None and said.number == self._batch.number:
            self._open -= 1
            if said.what is not None:
                yield said.what

    def _lost(self, child: _Child, *, in_time: bool) -> Iterator[Lost]:
        """Another child goes on with the tasks that are left, unless it is the file itself that this one was lost in."""
        self._remove(child)
        if child.loaded and self._job is not None:
            self._open -= child.task is not None
            other = self._add()
            other.begin(self._job)
            other.tell(self._batch)
        if child.busy:
            yield Lost(child.task, in_time)

    def _stop(self) -> None:
        """Takes back what nobody has begun; waits a moment for what somebody has."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._left, 4096):
                pass
        until = time.monotonic() + _TO_STOP_S
        self._batch = None
        while busy := [child for child in self._children if child.busy]:
            ready = wait([child.line for child in busy], max(0.0, until - time.monotonic()))
            for child in busy:
                if child.line in ready:
                    for _ in self._message(child):
                        pass
            if not ready:
                for child in busy:
                    self._remove(child)


def _be_a_child(line: Connection, left: int) -> None:
    """Never returns: what lies above is the parent's business."""
    try:
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_END, signal.SIGKILL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):  # what is printed past Python would lie across the screen
            os.dup2(nothing, descriptor)
        _serve(line, left)
    finally:
        os._exit(0)


def _serve(line: Connection, left: int) -> None:
    batch = _Batch(0, ())
    answers: Iterator[Loaded | Answer] = iter(())
    waiting: list[Task] = []
    while True:
        ready = wait([line, left])
        while line.poll():
            said = line.recv()
            if isinstance(said, _Job):
                answers = said.work.done(_popped(waiting))
                line.send(_Said(said.number, next(answers)))
            else:
                batch = said
        if left in ready and (task := _token(left, batch)) is not None:
            line.send(_Taken(task))
            waiting.append(task)
            known = set(sys.modules)
            answer = next(answers, None)  # None: the file was not loaded
            line.send(_Said(batch.number, answer, tuple(_installed(set(sys.modules) - known))))


def _popped(tasks: list[Task]) -> Iterator[Task]:
    while tasks:
        yield tasks.pop()


def _token(left: int, batch: _Batch) -> Task | None:
    """The next task; None where another child was faster."""
    try:
        token = os.read(left, _TOKEN.size)
    except BlockingIOError:
        return None
    if not token:
        os._exit(0)  # the parent is gone
    number = _TOKEN.unpack(token)[0]
    return batch.tasks[number] if number < len(batch.tasks) else None


def _installed(names: set[str]) -> Iterator[str]:
    """Those of the standard library and of installed packages, which a student's file did not make."""
    homes = (sys.base_prefix, sys.prefix)
    for name in sorted(names):
        origin = getattr(getattr(sys.modules[name], "__spec__", None), "origin", None)
        if origin is not None and (origin == "built-in" or origin.startswith(homes)):
            yield name
