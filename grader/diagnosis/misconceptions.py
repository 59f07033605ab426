"""misconceptions.toml -> the bank of a topic's wrong answers, each an edit of its solution."""

import re
from dataclasses import dataclass
from pathlib import Path

from grader.tables import CourseError, Table, read_table

FORMAT = 1
"""The version of misconceptions.toml that this engine reads."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Misconception:
    """A real mistake.

    Attributes:
        id: its name in the topic, in kebab-case.
        functions: the functions that it makes wrong.
        find: the text of the solution that it changes.
        replace: what stands there instead.
        text: what a student who makes it is told.
    """

    id: str
    functions: tuple[str, ...]
    find: str
    replace: str
    text: str

    def edited(self, source: str) -> str:
        """The solution with this mistake in it.

        Raises:
            CourseError: `find` does not occur exactly once in the source.
        """
        count = source.count(self.find)
        if count != 1:
            raise CourseError(
                f"misconception {self.id}: `find` occurs {count} times in the solution, but should occur once: "
                + ("make it longer." if count else "copy it from the solution as it is now.")
            )
        return source.replace(self.find, self.replace)


def load_misconceptions(file: Path) -> tuple[Misconception, ...]:
    """The misconceptions of a topic, in file order.

    Raises:
        CourseError: the file cannot be read or breaks a rule.
    """
    table = read_table(file, FORMAT)
    entries = table.take("misconception", list)
    table.refuse_others()
    found = tuple(_misconception(f"{file}: misconception {n}", e) for n, e in enumerate(entries, 1))
    names = [misconception.id for misconception in found]
    for name in names:
        if names.count(name) > 1:
            raise CourseError(f"{file}: two misconceptions have the id {name!r}: rename one.")
    return found


def _misconception(where: str, entry: object) -> Misconception:
    if not isinstance(entry, dict):
        raise CourseError(f"{where} should be a table: write [[misconception]].")
    table = Table(where, entry)
    name = table.take("id", str)
    where = f"{where} ({name})"
    functions = table.take("functions", list)
    find = table.take("find", str)
    replace = table.take("replace", str, empty=True)
    text = table.take("text", str)
    table.refuse_others()
    if not _ID.fullmatch(name):
        raise CourseError(f'{where}: id should be in kebab-case, such as "eps-outside-the-root".')
    if not functions or not all(isinstance(function, str) for function in functions):
        raise CourseError(f"{where}: functions is {functions!r}, but should be a list of names.")
    if find == replace:
        raise CourseError(f"{where}: find and replace are the same: say what is wrong.")
    return Misconception(name, tuple(functions), find, replace, text)
