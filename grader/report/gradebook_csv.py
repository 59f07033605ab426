"""grades.csv: a row per student, a column per topic, a total."""

import csv
import io
from collections.abc import Mapping, Sequence

from grader.grading import Report
from grader.report.visible import spreadsheet_safe, visible


def grades_csv(students: Mapping[str, Mapping[str, Report]], topics: Sequence[str]) -> str:
    """The table as CSV text; an empty cell where a student has no submission."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *topics, "total"])
    for student in sorted(students):
        reports = students[student]
        points = [f"{reports[topic].points:g}" if topic in reports else "" for topic in topics]
        total = sum(report.points for report in reports.values())
        writer.writerow([spreadsheet_safe(visible(student)), *points, f"{total:g}"])
    return out.getvalue()
