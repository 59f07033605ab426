"""A Report as Gradescope's results.json (https://gradescope-autograders.readthedocs.io/en/latest/specs/).

Every format is "text": Gradescope renders neither HTML nor Markdown that a student's answer may carry.
"""

import json
from typing import Any, Literal, get_args

from grader.grading import CheckResult, Report
from grader.report.terminal import explanation
from grader.report.visible import visible
from grader.report.where import in_words

Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)


def results_json(report: Report, *, visibility: Visibility = "visible") -> str:
    """The text of results.json.

    Args:
        report: what became of the submission.
        visibility: when students see the checks and their score; what run_autograder prints they never see.
    """
    graded = (
        f"{report.points:g} of {report.max_points:g} points, graded {in_words(report.settings)}."
    )
    results: dict[str, Any] = {
        "score": report.points,
        "execution_time": round(sum(check.seconds for check in report.checks), 2),
        "output": "\n".join([graded, *map(visible, report.notes)]),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "extra_data": {"topic": report.topic, "seed": report.settings.seed},
        "tests": [_test(check, visibility) for check in report.checks],
    }
    return json.dumps(results, indent=2, allow_nan=False) + "\n"


def _test(check: CheckResult, visibility: Visibility) -> dict[str, Any]:
    passed = check.verdict == "passed"
    return {
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if passed else "failed",
        "name": check.title,
        "name_format": "text",
        "output": "" if passed else explanation(check),
        "output_format": "text",
        "visibility": visibility,
        "extra_data": {"check": check.name, "verdict": check.verdict},
    }
