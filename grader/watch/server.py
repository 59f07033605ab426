"""The process that has torch loaded and the examples drawn, and the screen's end of the line to it."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import NamedTuple

from grader.course import Course, CourseError, load_course
from grader.grading import Settings
from grader.watch.judging import Judge
from grader.watch.runs import Run, Superseded


class Request(NamedTuple):
    """A file to judge.

    Attributes:
        number: tells the answers to it from those to an older one.
        topic: its topic's name.
        file: the file.
        since: when it was saved, of `time.monotonic`.
    """

    number: int
    topic: str
    file: Path
    since: float


class Reply(NamedTuple):
    """What is known by now, or in words why nothing can be."""

    number: int
    run: Run | None
    problem: str = ""


class Server:
    """A process of its own that judges what it is asked to; starts when it is made.

    Args:
        course: whose topics.
        settings: how to judge.
    """

    def __init__(self, course: Course, settings: Settings) -> None:
        self._arguments = (course.root, settings)
        self._start()

    def _start(self) -> None:
        self._line, theirs = Pipe()
        # spawned, not forked: this process has threads
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(
            target=serve, args=(theirs, *self._arguments), daemon=False, name="grader-watch"
        )
        self._process.start()
        theirs.close()

    def ask(self, request: Request) -> None:
        """Asks for a file's verdict, in the place of what was asked before."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `listen` finds that out
            self._line.send(request)

    def listen(self, heard: Callable[[Reply], None]) -> None:
        """Calls `heard` with every reply; returns when the process has ended."""
        line = self._line
        with contextlib.suppress(EOFError, OSError):
            while True:
                heard(line.recv())

    def again(self) -> None:
        """Starts it anew, whatever it is doing."""
        self.close()
        self._start()

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.join()
        self._line.close()


def serve(line: Connection, root: Path, settings: Settings) -> None:
    """Answers requests until the line is closed."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C ends the screen's process, and that ends this one
    os.environ["CUDA_VISIBLE_DEVICES"] = (
        ""  # with a device, autograd starts threads that no fork survives
    )
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    course = load_course(root)
    judges: dict[str, Judge] = {}
    with contextlib.suppress(EOFError, OSError):
        while True:
            request = line.recv()
            while line.poll():
                request = line.recv()
            topic = course.topic(request.topic)
            judge = judges.setdefault(request.topic, Judge(topic, settings, line))
            for other in judges.values():
                if other is not judge:
                    other.close()
            _answer(judge, request, line)
            if not line.poll():
                _be_ready(judge)


def _answer(judge: Judge, request: Request, line: Connection) -> None:
    try:
        for run in judge.run(request.file, request.since):
            line.send(Reply(request.number, run))
    except Superseded:
        return
    except CourseError as error:
        line.send(Reply(request.number, None, str(error)))
    except Exception as fault:  # noqa: BLE001  # the checks are code, and may be half an update
        name = judge.topic.checks.name
        text = f"{name} cannot be used ({type(fault).__name__}: {fault}); save again."
        line.send(Reply(request.number, None, text))


def _be_ready(judge: Judge) -> None:
    """Draws ahead what the next save will need; what keeps it from that has been said by then."""
    with contextlib.suppress(Exception):
        judge.draw_ahead()
