"""course.toml -> `Course` and its `Topic`s: which topics there are and where their files lie.

A course.toml has `format = 1`, a `title` and per topic a table `[[topic]]` with `name` (the folder's name under
exercises/ and solutions/, such as "04_normalization"), `title` and `points`; `hidden_points` where hidden checks count.
A topic that is handed out by itself is a folder with its course.toml and the topic's files beside it.
"""

import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.tables import CourseError, Table, read_table

__all__ = ["Course", "CourseError", "Topic", "find_course", "load_course"]

FORMAT = 1
"""The version of course.toml that this engine reads."""

_TOPIC_NAME = re.compile(r"\d\d_([a-z][a-z0-9_]*)")
_IMPORTED_BY_THE_JUDGE = frozenset({"grader", "hypothesis", "numpy", "pytest", "scipy", "torch"})


@dataclass(frozen=True)
class Topic:
    """One topic of a course: what it is called, what it is worth, where its files lie.

    Attributes:
        name: the folder's name, such as "04_normalization".
        title: what a reader sees.
        points: what all its checks together are worth.
        root: the course's folder.
        hidden_points: what all its hidden checks together are worth, beside these; 0 where they do not count.
    """

    name: str
    title: str
    points: float
    root: Path
    hidden_points: float = 0

    @property
    def module(self) -> str:
        """The name of its module: the folder's without the number."""
        return self.name[3:]

    @property
    def exercise_dir(self) -> Path:
        """What a student gets; the course's own folder where the topic was handed out by itself."""
        if (self.root / f"test_{self.module}.py").is_file():
            return self.root
        return self.root / "exercises" / self.name

    @property
    def solution_dir(self) -> Path:
        """What only the instructor has; absent from a student's checkout."""
        return self.root / "solutions" / self.name

    @property
    def stub(self) -> Path:
        """The file that a student fills in (generated)."""
        return self.exercise_dir / f"{self.module}.py"

    @property
    def notebook(self) -> Path:
        """The same as a notebook (generated)."""
        return self.exercise_dir / f"{self.module}.ipynb"

    @property
    def checks(self) -> Path:
        """The checks (written by hand)."""
        return self.exercise_dir / f"test_{self.module}.py"

    @property
    def hidden_checks(self) -> Path:
        """Further checks that students never see (written by hand, optional)."""
        return self.solution_dir / "test_hidden.py"

    @property
    def figures(self) -> Path:
        """The lecture's pictures, drawn by the student's functions (written by hand, optional)."""
        return self.exercise_dir / "figures.py"

    @property
    def fingerprints(self) -> Path:
        """Signatures and what wrong answers return (generated)."""
        return self.exercise_dir / "fingerprints.json"

    @property
    def source(self) -> Path:
        """The source of the topic: the solution in percent format (written by hand)."""
        return self.solution_dir / f"{self.module}.py"

    @property
    def misconceptions(self) -> Path:
        """The bank of wrong answers (written by hand)."""
        return self.solution_dir / "misconceptions.toml"

    @property
    def written(self) -> Path:
        """A question to answer in words, with its mark scheme, for nbgrader (written by hand, optional)."""
        return self.solution_dir / "written.toml"


@dataclass(frozen=True)
class Course:
    """A course: a folder with course.toml, exercises/ and, for instructors, solutions/.

    Attributes:
        root: the folder, absolute.
        title: what a reader sees.
        topics: in the order of course.toml.
    """

    root: Path
    title: str
    topics: tuple[Topic, ...]

    def topic(self, name: str) -> Topic:
        """The topic of that name, number or module: "04_normalization", "04", "4" or "normalization".

        Raises:
            CourseError: there is none.
        """
        for topic in self.topics:
            if name in (topic.name, topic.module) or name.zfill(2) == topic.name[:2]:
                return topic
        known = ", ".join(topic.name for topic in self.topics)
        raise CourseError(
            f"{self.root / 'course.toml'} has no topic {name!r}; its topics are: {known}."
        )

    def topic_of(self, path: Path) -> Topic | None:
        """The topic that a file answers, by its name, else by its folders' names; None if neither tells."""
        stem = path.stem.lower()
        for topic in self.topics:
            if stem in (topic.name, topic.module):
                return topic
        for folder in reversed(path.absolute().parent.parts):
            for topic in self.topics:
                if folder == topic.name:
                    return topic
        inside = [
            topic
            for topic in self.topics
            if re.search(rf"(?<![a-z0-9]){re.escape(topic.module)}(?![a-z0-9])", stem)
        ]
        return inside[0] if len(inside) == 1 else None


def find_course(start: Path) -> Course:
    """The course that `start`, a file or folder, lies in.

    Raises:
        CourseError: there is no course.toml in it or above it, or the course is broken.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / "course.toml").is_file():
            return load_course(folder)
    raise CourseError(
        f"There is no course.toml in {start} or in a folder above it: run this inside a course."
    )


def load_course(root: Path) -> Course:
    """The course in the folder `root`.

    Raises:
        CourseError: course.toml cannot be read or breaks a rule. A topic may have no folder: a student has
            those that were handed out, and `grader verify` refuses the rest.
    """
    root = root.absolute()
    file = root / "course.toml"
    table = read_table(file, FORMAT)
    title = table.take("title", str)
    entries = table.take("topic", list)
    table.refuse_others()
    if not entries:
        raise CourseError(
            f"{file}: there is no topic: add a [[topic]] with name, title and points."
        )
    topics = tuple(_topic(file, number, entry, root) for number, entry in enumerate(entries, 1))
    _refuse_duplicates(file, topics)
    return Course(root, title, topics)


def added(course: Course, name: str, title: str, points: float) -> Course:
    """The course with one topic more, behind the others; nothing is written.

    Raises:
        CourseError: the name is no topic's name, or taken.
    """
    file = course.root / "course.toml"
    entry = {"name": name, "title": title, "points": points}
    topics = (*course.topics, _topic(file, len(course.topics) + 1, entry, course.root))
    _refuse_duplicates(file, topics)
    return Course(course.root, course.title, topics)


def _topic(file: Path, number: int, entry: object, root: Path) -> Topic:
    where = f"{file}: topic {number}"
    if not isinstance(entry, Mapping):
        raise CourseError(f"{where} is {entry!r}, but should be a table: write [[topic]].")
    table = Table(where, entry)
    name = table.take("name", str)
    title = table.take("title", str)
    points = table.take("points", (int, float))
    hidden_points = table.take_if_there("hidden_points", (int, float), 0)
    table.refuse_others()
    match = _TOPIC_NAME.fullmatch(name)
    if match is None:
        raise CourseError(
            f"{where}: name is {name!r}, but should be two digits, an underscore and a Python name "
            'in small letters, such as "04_normalization".'
        )
    module = match[1]
    taken = sys.stdlib_module_names | _IMPORTED_BY_THE_JUDGE
    if keyword.iskeyword(module) or module in taken:
        raise CourseError(
            f"{where}: name is {name!r}, but {module!r} is a word or a module of Python itself: "
            "choose another name."
        )
    if not 0 < points < float("inf"):
        raise CourseError(f"{where}: points is {points}, but should be a number above 0.")
    if not 0 <= hidden_points < float("inf"):
        raise CourseError(f"{where}: hidden_points is {hidden_points}, but should be 0 or more.")
    return Topic(name, title, points, root, hidden_points)


def _refuse_duplicates(file: Path, topics: tuple[Topic, ...]) -> None:
    for what, values in {
        "name": [topic.name for topic in topics],
        "module": [topic.module for topic in topics],
        "number": [topic.name[:2] for topic in topics],
    }.items():
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise CourseError(
                f"{file}: two topics have the {what} {twice!r}: each needs one of its own."
            )
