"""report.html and a feedback page per student (jinja2, everything escaped)."""

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from grader.grading import Report
from grader.report.ranking import ranked_misconceptions
from grader.report.visible import visible
from grader.report.where import in_words


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("grader.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["visible"] = visible
    environment.filters["in_words"] = in_words
    return environment


def class_page(
    title: str,
    students: Mapping[str, Mapping[str, Report]],
    topics: Sequence[str],
    pages: Mapping[str, str],
    problems: Sequence[str],
) -> str:
    """The class: a table of points, its misconceptions, how many passed each check, links to the feedback pages.

    Args:
        title: the course's.
        students: student -> topic -> report.
        topics: names of topics, in order.
        pages: student -> address of the feedback page.
        problems: submissions without a report, and why.
    """
    return (
        _environment()
        .get_template("class.html")
        .render(
            title=title,
            students={name: students[name] for name in sorted(students)},
            topics=topics,
            pages=pages,
            problems=problems,
            checks={topic: _passed(students, topic) for topic in topics},
            ranking=ranked_misconceptions(students, list(topics)),
        )
    )


def student_page(title: str, student: str, reports: Mapping[str, Report]) -> str:
    """One student's feedback: every check of every topic, the failing ones in full."""
    return (
        _environment()
        .get_template("student.html")
        .render(title=title, student=student, reports=reports)
    )


def _passed(students: Mapping[str, Mapping[str, Report]], topic: str) -> list[dict[str, Any]]:
    reports = [found[topic] for found in students.values() if topic in found]
    if not reports:
        return []
    return [
        {
            "title": check.title,
            "passed": sum(report.checks[i].verdict == "passed" for report in reports),
            "of": len(reports),
        }
        for i, check in enumerate(reports[0].checks)
    ]
