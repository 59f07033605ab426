"""The loop of `grader watch`: a save, a key, a verdict."""

import queue
import threading
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from grader.course import Course, CourseError, Topic
from grader.grading import Settings
from grader.hints import as_text, first_unwritten, function_of, hints_for
from grader.watch.crew import CAN_FORK
from grader.watch.keys import Keys
from grader.watch.runs import Run
from grader.watch.saves import Saves
from grader.watch.screen import draw
from grader.watch.server import Reply, Request, Server

_REDRAW_AFTER_S = 0.4
_SILENCE_AT_MOST_S = 60.0 if CAN_FORK else 20.0
"""A server that says nothing for so long, though it has answered before, is stuck in a student's code."""
_LOOK_EVERY_S = 1.0


class _Event(NamedTuple):
    when: float
    key: str = ""
    topic: Topic | None = None
    file: Path | None = None
    reply: Reply | None = None
    server_ended: bool = False


class Session:
    """One `grader watch`.

    Args:
        course: whose exercises are watched.
        settings: how they are judged.
        console: where the screen is.
        plain: nothing is cleared, no colour.
    """

    def __init__(
        self, course: Course, settings: Settings, console: Console, *, plain: bool = False
    ) -> None:
        self._course = course
        self._console = console
        self._plain = plain
        self._live = console.is_terminal and not plain
        self._events: queue.Queue[_Event] = queue.Queue()
        self._server = Server(course, settings)
        self._last: dict[Topic, Run] = {}
        self._topic = course.topics[0]
        self._run: Run | None = None
        self._before: Run | None = None
        self._number = 0
        self._waiting = False
        self._answered = False
        self._heard = self._drawn = time.monotonic()
        self._shown: object = None
        self._stage = 0
        self._panel = ""

    def run(self, topic: Topic) -> None:
        """Watches until `q` is pressed, beginning with a topic."""
        self._listen()
        with (
            Saves(
                self._course,
                lambda of, file, when: self._events.put(_Event(when, topic=of, file=file)),
            ),
            Keys(lambda key: self._events.put(_Event(time.monotonic(), key=key))),
        ):
            try:
                self._turn_to(topic)
                while self._handle(self._next()):
                    pass
            finally:
                self._server.close()

    def _listen(self) -> None:
        """Passes on what the server says, in a thread that ends with it."""
        server, events = self._server, self._events

        def listen() -> None:
            server.listen(lambda reply: events.put(_Event(time.monotonic(), reply=reply)))
            events.put(_Event(time.monotonic(), server_ended=True))

        threading.Thread(target=listen, daemon=True).start()

    def _next(self) -> _Event:
        while True:
            try:
                return self._events.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                silent = time.monotonic() - self._heard > _SILENCE_AT_MOST_S
                if self._waiting and self._answered and silent:
                    self._server.close()  # the thread that listens says that it ended

    def _handle(self, event: _Event) -> bool:
        """Does what an event asks for; whether to go on."""
        if event.reply is not None:
            self._take(event.reply)
        elif event.server_ended:
            self._begin_again()
        elif event.topic is not None and event.file is not None:
            if event.topic != self._topic:
                self._turn_to(event.topic, event.file, event.when)
            else:
                self._judge(event.file, event.when)
        elif event.key in ("q", "\x04"):
            return False
        elif event.key == "n":
            topics = self._course.topics
            self._turn_to(topics[(topics.index(self._topic) + 1) % len(topics)])
        elif event.key == "h":
            self._stage += 1
            self._draw(self._hint())
        elif event.key == "l":
            self._draw(self._list())
        return True

    def _turn_to(self, topic: Topic, file: Path | None = None, when: float | None = None) -> None:
        self._topic, self._run = topic, None
        files = [one for one in (topic.stub, topic.notebook) if one.is_file()]
        latest = max(files, key=lambda one: one.stat().st_mtime_ns, default=topic.stub)
        self._console.print(f"{topic.name}: loading the checks ...", style="dim")
        self._judge(file or latest, when or time.monotonic())

    def _judge(self, file: Path, when: float) -> None:
        """Asks for the verdict on a file, in the place of what was asked before."""
        self._panel, self._stage = "", 0
        self._before = self._last.get(self._topic)
        self._number += 1
        if not self._topic.checks.is_file():
            self._waiting = False
            self._draw(f"{self._topic.name} has no checks here: it is not handed out yet.")
            return
        self._waiting, self._heard = True, time.monotonic()
        self._server.ask(Request(self._number, self._topic.name, file, when))

    def _take(self, reply: Reply) -> None:
        """Shows what the server found, where that is worth a look."""
        self._heard, self._answered = time.monotonic(), True
        if reply.number != self._number:
            return
        run = reply.run
        if run is None:
            self._waiting = False
            self._draw(reply.problem)
            return
        self._run = run
        if run.note or run.complete:
            self._waiting = False
            self._draw()
            if run.complete:
                self._last[self._topic] = run
        elif self._live and not self._panel and self._is_news(run):
            self._draw()

    def _is_news(self, run: Run) -> bool:
        """Whether a run that is not complete is shown: when every check has another verdict, and now and then."""
        first = run.first_failure
        state = (
            [(one.name, one.verdict) for one in run.results],
            first and first.name in run.explained,
        )
        late = time.monotonic() - self._drawn > _REDRAW_AFTER_S
        news = late or (run.whole and state != self._shown)
        if news:
            self._shown = state
        return news

    def _begin_again(self) -> None:
        """Another server in the place of one that ended, or was stuck."""
        self._server.again()
        self._listen()
        self._answered = False
        if self._waiting:
            self._waiting = False
            self._draw(
                "There is no verdict: the code ran on and on, or ended the whole process. Save again."
            )

    def _draw(self, panel: str = "") -> None:
        """Draws the screen; a panel stays until the next save or topic."""
        self._panel = panel or self._panel
        self._drawn = time.monotonic()
        draw(
            self._console,
            self._topic,
            self._run,
            self._before,
            panel=self._panel,
            plain=self._plain,
        )
        self._console.file.flush()

    def _hint(self) -> str:
        """The next stage of help for the function of the first failure."""
        try:
            first = self._run.first_failure if self._run is not None else None
            function = function_of(first.name, self._topic) if first is not None else None
            function = function or first_unwritten(self._topic)
            if function is None:
                return "Nothing is unwritten here; `grader hint TOPIC FUNCTION` helps with any function."
            self._stage = min(self._stage, len(hints_for(self._topic, function)))
            text = as_text(self._topic, function, self._stage)
        except CourseError as error:
            return str(error)
        body, _, end = text.rpartition("\n\n")
        return f"{body}\n\n{end.replace(f'add --stage {self._stage + 1}', 'press h again')}"

    def _list(self) -> str:
        """The topics, with the points that are known from this session."""
        lines = []
        for topic in self._course.topics:
            mark = ">" if topic == self._topic else " "
            known = self._last.get(topic)
            points = "" if known is None else f"   {known.points:g} of {topic.points:g} points"
            lines.append(f"{mark} {topic.name[:2]} {topic.title}{points}")
        return "\n".join([*lines, "", "Saving a topic's file turns to it."])


def where_to_begin(course: Course, place: Path) -> Topic:
    """The topic of the folder `place`, else the first where a function is unwritten, else the first."""
    inside = next((topic for topic in course.topics if topic.name in place.absolute().parts), None)
    if inside is not None:
        return inside
    ready = [topic for topic in course.topics if topic.checks.is_file()]
    return next(filter(_is_unwritten, ready), (ready or course.topics)[0])


def _is_unwritten(topic: Topic) -> bool:
    try:
        return first_unwritten(topic) is not None
    except CourseError:  # its file is gone
        return True
