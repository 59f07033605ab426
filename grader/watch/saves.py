"""Tells of every save of an exercise, from a thread of its own."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import watchfiles

from grader.course import Course, Topic


class Saves:
    """A context in which `saved(topic, file, when)` is called whenever a topic's .py or .ipynb is written or removed.

    Args:
        course: whose exercises.
        saved: called in another thread; `when` is of `time.monotonic`.
    """

    def __init__(self, course: Course, saved: Callable[[Topic, Path, float], None]) -> None:
        self._folder = course.root / "exercises"
        self._files = {
            (file.parent.name, file.name): (topic, file)
            for topic in course.topics
            for file in (topic.stub, topic.notebook)
        }
        self._saved = saved
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join(1.0)

    def _watch(self) -> None:
        for changes in watchfiles.watch(
            self._folder,
            watch_filter=lambda _change, path: _key(path) in self._files,
            debounce=100,  # an editor writes a file in several steps
            step=15,
            rust_timeout=200,  # how soon it ends
            stop_event=self._end,
            raise_interrupt=False,
        ):
            when = time.monotonic()
            for key in sorted({_key(path) for _change, path in changes}):
                self._saved(*self._files[key], when)


def _key(path: str) -> tuple[str, str]:
    """Folder and name: the same file may have another path through a link."""
    file = Path(path)
    return file.parent.name, file.name
