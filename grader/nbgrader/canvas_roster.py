"""The CSV file that Canvas exports of a course's gradebook: who its students and assignments are, by its own ids."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POINTS_POSSIBLE = "Points Possible"
_ID = re.compile(r"(.*)\s\((\d+)\)", re.DOTALL)


class BrokenRoster(Exception):
    """The file is no gradebook of Canvas; the text says why."""


@dataclass(frozen=True)
class Roster:
    """A course as Canvas knows it.

    Attributes:
        columns: names of the columns about a student, up to Section.
        students: their cells, one list per student.
        assignments: title -> header with the id, such as "Dropout (1234)".
        points: header -> Points Possible, as Canvas writes it.
    """

    columns: list[str]
    students: list[list[str]]
    assignments: dict[str, str]
    points: dict[str, str]

    def row_of(self, student: Any) -> list[str] | None:
        """The cells of a gradebook's student; None if Canvas has no such student.

        A student is found by the id that the gradebook keeps for the LMS, else by a login or SIS id that is the
        gradebook's id, else by a login that is the address.
        """
        for column, value in (
            ("ID", student.lms_user_id),
            ("SIS Login ID", student.id),
            ("SIS User ID", student.id),
            ("SIS Login ID", student.email),
        ):
            if column in self.columns and value:
                index = self.columns.index(column)
                for row in self.students:
                    if row[index].strip().casefold() == str(value).strip().casefold():
                        return row
        return None


def read_roster(path: Path) -> Roster:
    """The course in a file that Canvas exported.

    Raises:
        BrokenRoster: it cannot be read, or has not the columns Student, ID and Section.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BrokenRoster(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BrokenRoster(f"{path}: it is not UTF-8: export it from Canvas again") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    header, *rows = [*csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)] or [[]]
    columns = header[: header.index("Section") + 1] if "Section" in header else []
    if columns[:2] != ["Student", "ID"]:
        raise BrokenRoster(
            f"{path}: its first row has not the columns Student, ID, ..., Section of Canvas's gradebook export"
        )
    rows = [row + [""] * (len(header) - len(row)) for row in rows if row]
    return Roster(
        columns,
        [row[: len(columns)] for row in rows if _is_student(row)],
        {
            match[1]: title
            for title in header[len(columns) :]
            if (match := _ID.fullmatch(title)) is not None
        },
        {
            title: cell.strip()
            for row in rows
            if POINTS_POSSIBLE in row[0]
            for title, cell in zip(header, row, strict=False)
        },
    )


def _is_student(row: Sequence[str]) -> bool:
    """Not the row of Points Possible, nor the one that names muted and manually posted columns."""
    return POINTS_POSSIBLE not in row[0] and any(cell.strip() for cell in row[:2])
