"""The process that judges: it answers the newest request, and can be started again."""

import os
import threading
import time
from pathlib import Path

import pytest

from grader.build import build
from grader.course import load_course
from grader.grading import Settings
from grader.watch.server import Request, Server


class Line:
    """A server, and what it says."""

    def __init__(self, course):
        self.server = Server(course, Settings(examples=0, isolated=False))
        self.replies = []
        self.heard = threading.Condition()
        self.listen()

    def listen(self):
        """In a thread, as the session does."""
        self.thread = threading.Thread(target=self.server.listen, args=[self._take], daemon=True)
        self.thread.start()

    def _take(self, reply):
        with self.heard:
            self.replies.append(reply)
            self.heard.notify_all()

    def last(self, number):
        """The reply behind which nothing comes to this request."""

        def found():
            mine = [one for one in self.replies if one.number == number]
            done = [one for one in mine if one.run is None or one.run.complete or one.run.note]
            return done[-1] if done else None

        with self.heard:
            return self.heard.wait_for(found, timeout=60)


@pytest.fixture
def course(small_course):
    """The small course, built."""
    course = load_course(small_course.root)
    build(course.topics)
    return course


@pytest.fixture
def line(course):
    """A server of the small course."""
    line = Line(course)
    yield line
    line.server.close()


def children_of(pid):
    """Processes, by Linux's own list."""
    return [
        int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ]  # fmt: skip


def test_requests_and_a_new_start(course, line):
    """Right and wrong answers, checks that cannot be loaded, a process that was killed; nothing is left behind."""
    topic = course.topics[0]
    topic.stub.write_bytes(topic.source.read_bytes())
    line.server.ask(Request(1, topic.name, topic.stub, time.monotonic()))
    assert line.last(1).run.points == 3

    checks = topic.checks.read_text()
    topic.checks.write_text("import nothing_of_that_name\n")
    line.server.ask(Request(2, topic.name, topic.stub, time.monotonic()))
    problem = line.last(2).problem
    assert problem.startswith("test_doubling.py cannot be used (ModuleNotFoundError: ")
    topic.checks.write_text(checks)
    line.server.ask(Request(3, topic.name, topic.stub, time.monotonic()))
    assert line.last(3).run.points == 3

    pid = line.server._process.pid
    children = children_of(pid)
    assert children
    line.server._process.kill()
    line.thread.join(10)
    assert not line.thread.is_alive()
    line.server.again()
    line.listen()
    line.server.ask(Request(4, topic.name, topic.stub, time.monotonic()))
    assert line.last(4).run.points == 3
    assert not any(map(_is_running, children))


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
