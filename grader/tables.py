"""Reading the TOML files of a course, with messages that name file, key and rule."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class CourseError(Exception):
    """The course is broken; the text names the file, the rule that it breaks and what to do."""


def read_toml(file: Path) -> dict[str, Any]:
    """The contents of a TOML file.

    Raises:
        CourseError: it is missing, not UTF-8 or not TOML.
    """
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise CourseError(f"{file} does not exist: a course has this file.") from None
    except OSError as error:
        raise CourseError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CourseError(f"{file} is not UTF-8: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{file} is not valid TOML: {error}.") from None


class Table:
    """A TOML table whose keys are taken one by one, each of a stated type."""

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        self._where = where
        self._values = dict(values)
        self._taken: list[str] = []

    def take(self, key: str, kind: type | tuple[type, ...], *, empty: bool = False) -> Any:
        """The value of a key that must be there, of that kind (a bool is no number); a text is not empty."""
        self._taken.append(key)
        if key not in self._values:
            raise CourseError(f"{self._where}: the key {key!r} is missing: add it.")
        value = self._values.pop(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = _IN_WORDS[kind]
            raise CourseError(f"{self._where}: {key} is {value!r}, but should be {wanted}.")
        if isinstance(value, str) and not value.strip() and not empty:
            raise CourseError(f"{self._where}: {key} is empty: write a text.")
        return value

    def take_if_there(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        """The value of a key of that kind, or the default where it is absent."""
        if key in self._values:
            return self.take(key, kind)
        self._taken.append(key)
        return default

    def refuse_others(self) -> None:
        """Raises if a key was not taken."""
        for key in self._values:
            raise CourseError(
                f"{self._where}: unknown key {key!r}; the keys are {', '.join(self._taken)}."
            )


def read_table(file: Path, version: int) -> Table:
    """The table of a TOML file whose `format` is the one that this engine reads; that key is taken.

    Raises:
        CourseError: it cannot be read, or has another format.
    """
    table = Table(str(file), read_toml(file))
    found = table.take("format", int)
    if found != version:
        raise CourseError(
            f"{file}: format is {found}, but this grader reads format {version}: "
            "install the version of gradus-dl that the course was written for."
        )
    return table


_IN_WORDS: dict[type | tuple[type, ...], str] = {
    str: "a text",
    int: "a whole number",
    list: "a list",
    (int, float): "a number",
}
