"""What `grader verify` finds."""

from dataclasses import dataclass
from pathlib import Path

from grader.course import Topic


@dataclass(frozen=True)
class Problem:
    """Something unsound in a course.

    Attributes:
        topic: the topic's name; empty for the course itself.
        file: where it is, from the course's folder.
        rule: what is wrong, and with what.
        what_to_do: how to mend it.
    """

    topic: str
    file: str
    rule: str
    what_to_do: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule.rstrip('.')}: {self.what_to_do}"

    @classmethod
    def at(
        cls, topic: Topic, file: Path, rule: str, what_to_do: str, *, line: int | None = None
    ) -> "Problem":
        """A problem in a topic's file."""
        place = file.relative_to(topic.root).as_posix()
        return cls(topic.name, place if line is None else f"{place}:{line}", rule, what_to_do)
