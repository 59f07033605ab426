"""Plugins for `nbgrader export`: the gradebook as the files that Canvas and Moodle import.

nbgrader export --exporter grader.nbgrader.exports.CanvasExport --to canvas.csv
nbgrader export --exporter grader.nbgrader.exports.MoodleExport --to moodle.csv

A score is nbgrader's: manual score before automatic one, extra credit added, the penalty for lateness taken off, at
least 0. A mark that is not final is not exported unless that is asked for: a submission with a cell that waits for a person,
and a student who handed in nothing, have no number.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.api import Gradebook
from nbgrader.apps.baseapp import NbGrader
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Dict, Enum, Unicode

from grader.atomic import write_atomically
from grader.nbgrader.canvas_roster import POINTS_POSSIBLE, BrokenRoster, Roster, read_roster
from grader.nbgrader.marks import Mark, Row, assignments_of, rows_of, unfinished
from grader.report.visible import spreadsheet_safe, visible

_NAMED_AT_MOST = 20
"""Students named in one warning."""


class _GradesFile(ExportPlugin):
    """What both files have in common."""

    destination = ""
    no_mark = ""

    titles = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Assignment in the gradebook -> its title in the other system; the same unless named here.",
    ).tag(config=True)

    missing_as_zero = Bool(
        False, help="Export 0 for a student who handed in nothing, instead of no mark."
    ).tag(config=True)

    ungraded_as_partial = Bool(
        False,
        help="Export what is graded so far where a cell still waits for a person, instead of no mark.",
    ).tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Writes the file; problems are one line each in the log."""
        try:
            assignments = assignments_of(gradebook, [str(name) for name in self.assignment])
            rows = rows_of(gradebook, assignments, [str(name) for name in self.student])
            table = self.table(assignments, rows)
            path = Path(self.to or self.destination)
            write_atomically(path, _csv(table))
        except (ValueError, BrokenRoster) as error:
            self.stop(str(error))
        except OSError as error:
            self.stop(f"{self.to or self.destination} cannot be written: {error.strerror}")
        self._say_what_is_not_final(rows)
        self.log.info("Exported %d students to %s", len(rows), path)

    def table(self, assignments: Mapping[str, float], rows: Sequence[Row]) -> list[list[str]]:
        """The rows of the file, its header first.

        Args:
            assignments: assignment -> highest score.
            rows: a student's marks each.
        """
        raise NotImplementedError

    def title(self, assignment: str) -> str:
        """What the other system calls an assignment."""
        title: str = self.titles.get(assignment, assignment)
        return title

    def cells(self, marks: Iterable[Mark]) -> list[str]:
        """The marks as they are written."""
        return [self._cell(mark) for mark in marks]

    def warn(self, text: str, students: Sequence[str]) -> None:
        """One warning that names the students it is about, if there are any."""
        if students:
            named = ", ".join(students[:_NAMED_AT_MOST])
            more = len(students) - _NAMED_AT_MOST
            self.log.warning(
                "%s: %s%s", text, visible(named), f" and {more} more" if more > 0 else ""
            )

    def stop(self, text: str) -> NoReturn:
        """Ends the command with one line."""
        if isinstance(self.parent, NbGrader):
            self.parent.fail(text)
        raise ValueError(text)

    def _cell(self, mark: Mark) -> str:
        final = {
            "graded": True,
            "ungraded": self.ungraded_as_partial,
            "missing": self.missing_as_zero,
        }
        return number(mark.points) if final[mark.state] else self.no_mark

    def _say_what_is_not_final(self, rows: Sequence[Row]) -> None:
        treated = "exported as it is" if self.ungraded_as_partial else "left without a mark"
        self.warn(f"Not graded yet, {treated}", list(unfinished(rows, "ungraded")))
        treated = "exported as 0" if self.missing_as_zero else "left without a mark"
        self.warn(f"Nothing handed in, {treated}", list(unfinished(rows, "missing")))


class CanvasExport(_GradesFile):
    """A file for Canvas: Gradebook, Import.

    Columns: Student, ID, SIS User ID, SIS Login ID, Section, then the assignments, each with its id in Canvas where that
    is known; the second row is Points Possible. No mark is an empty cell.
    """

    destination = "canvas.csv"

    roster = Unicode(
        "",
        help="The file that Canvas exported of this course's gradebook: students and assignments then have Canvas's ids.",
    ).tag(config=True)

    assignment_ids = Dict(
        key_trait=Unicode(),
        help="Assignment in the gradebook -> its id in Canvas, the number in its address; with a roster not needed.",
    ).tag(config=True)

    student_id = Enum(
        ["SIS Login ID", "SIS User ID"],
        "SIS Login ID",
        help="What the gradebook's student ids are in Canvas; with a roster not needed.",
    ).tag(config=True)

    def table(self, assignments: Mapping[str, float], rows: Sequence[Row]) -> list[list[str]]:
        """The rows of the file, its header first."""
        roster = read_roster(Path(self.roster)) if self.roster else None
        columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        if roster is not None:
            columns = roster.columns
        headers = {name: self._header(name, roster) for name in assignments}
        possible = self._points_possible(assignments, headers, roster)
        table = [
            [*columns, *headers.values()],
            [f"    {POINTS_POSSIBLE}", *[""] * (len(columns) - 1), *possible],
        ]
        found = {
            row.student.id: self._about(row.student)
            if roster is None
            else roster.row_of(row.student)
            for row in rows
        }
        times = Counter(_identity(about) for about in found.values() if about is not None)
        unknown, shared = [], []
        for row in rows:
            about = found[row.student.id]
            if about is None:
                unknown.append(row.student.id)
            elif times[_identity(about)] > 1:
                shared.append(row.student.id)
            else:
                table.append([*about, *self.cells(row.marks.values())])
        self.warn("Not in the roster, left out", unknown)
        self.warn("The same student in Canvas, left out", shared)
        return table

    def _header(self, assignment: str, roster: Roster | None) -> str:
        title = self.title(assignment)
        if assignment in self.assignment_ids:
            return f"{title} ({self.assignment_ids[assignment]})"
        if roster is not None and title in roster.assignments:
            return roster.assignments[title]
        self.log.warning("No id of %s in Canvas is known: Canvas looks for its title", title)
        return title

    def _points_possible(
        self, assignments: Mapping[str, float], headers: Mapping[str, str], roster: Roster | None
    ) -> list[str]:
        possible = [number(points) for points in assignments.values()]
        for header, ours in zip(headers.values(), possible, strict=True):
            theirs = None if roster is None else roster.points.get(header)
            if theirs and _differ(ours, theirs):
                self.log.warning(
                    "%s is worth %s points in Canvas, but %s here: the import changes it to %s",
                    *(header, theirs, ours, ours),
                )
        return possible

    def _about(self, student: Any) -> list[str]:
        """Student, ID, SIS User ID, SIS Login ID, Section, as far as the gradebook knows them."""
        ids = {"ID": "", "SIS User ID": "", "SIS Login ID": "", self.student_id: student.id}
        lms = student.lms_user_id or ""
        ids["ID"] = lms if lms.isdecimal() else ""
        return [_name(student), ids["ID"], ids["SIS User ID"], ids["SIS Login ID"], ""]


class MoodleExport(_GradesFile):
    """A file for Moodle: Grades, Import, CSV file.

    Columns: First name, Last name, one that identifies the student, then the assignments. No mark is "-", as in Moodle's
    own exports. Moodle gives the marks of a row that identifies nobody to the student of the row before: such a student,
    and students who share an identity, are left out with a warning.
    """

    destination = "moodle.csv"
    no_mark = "-"

    identify_by = Enum(
        ["email", "idnumber", "username"],
        "email",
        help="What Moodle finds a student by: the gradebook's email, lms_user_id, or student id.",
    ).tag(config=True)

    def table(self, assignments: Mapping[str, float], rows: Sequence[Row]) -> list[list[str]]:
        """The rows of the file, its header first."""
        column, attribute = {
            "email": ("Email address", "email"),
            "idnumber": ("ID number", "lms_user_id"),
            "username": ("Username", "id"),
        }[self.identify_by]
        identities = {
            row.student.id: (getattr(row.student, attribute) or "").strip() for row in rows
        }
        times = Counter(identity.casefold() for identity in identities.values())
        table = [["First name", "Last name", column, *map(self.title, assignments)]]
        nobody, shared = [], []
        for row in rows:
            student, identity = row.student, identities[row.student.id]
            if identity in ("", "0"):  # Moodle takes both for no identity
                nobody.append(student.id)
            elif times[identity.casefold()] > 1:
                shared.append(student.id)
            else:
                names = [student.first_name or "", student.last_name or ""]
                table.append([*names, identity, *self.cells(row.marks.values())])
        self.warn(f"Without {column} ({attribute}) in the gradebook, left out", nobody)
        self.warn(f"With the same {column}, left out", shared)
        return table


def number(points: float) -> str:
    """Points as both systems read them: at most five decimals, a point, no exponent.

    >>> number(17.50), number(0.1 + 0.2), number(20)
    ('17.5', '0.3', '20')
    """
    return f"{points:.5f}".rstrip("0").rstrip(".")


def _differ(one: str, other: str) -> bool:
    try:
        return float(one) != float(other)
    except ValueError:  # "(read only)"
        return True


def _identity(about: Sequence[str]) -> str:
    """What Canvas goes by: the ID, else the SIS ids."""
    return about[1] or "\n".join(["", *about[2:4]])


def _name(student: Any) -> str:
    names = [name for name in (student.last_name, student.first_name) if name]
    return ", ".join(names) or student.id


def _csv(table: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in table:
        writer.writerow(
            [cell if cell == "-" else spreadsheet_safe(_on_one_line(cell)) for cell in row]
        )
    return out.getvalue()


def _on_one_line(cell: str) -> str:
    """Without line ends, which Canvas's search for the delimiter stumbles over; blanks at the start stay."""
    return visible(" ".join(cell.splitlines()))
