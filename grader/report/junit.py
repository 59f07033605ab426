"""A Report as JUnit XML, as Jenkins, GitLab and the reporters of GitHub Actions read it.

One testsuite per Report, one testcase per check. A check whose code raised is an `error`, any other that is not passed a
`failure`; nothing is ever skipped.
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from grader.grading import CheckResult, Report
from grader.report.terminal import explanation
from grader.report.visible import visible


def junit_xml(report: Report) -> str:
    """The XML document; what XML 1.0 forbids (control characters, lone surrogates) is shown as escapes."""
    errors = sum(check.verdict == "error" for check in report.checks)
    passed = sum(check.verdict == "passed" for check in report.checks)
    counts = {
        "tests": f"{len(report.checks)}",
        "failures": f"{len(report.checks) - passed - errors}",
        "errors": f"{errors}",
        "skipped": "0",
        "time": _seconds(sum(check.seconds for check in report.checks)),
    }
    suites = Element("testsuites", {"name": "grader", **counts})
    suite = SubElement(suites, "testsuite", {"name": report.topic, **counts})
    properties = SubElement(suite, "properties")
    for name, value in {
        "submission": visible(report.submission),
        "points": f"{report.points:g}",
        "max_points": f"{report.max_points:g}",
        "seed": f"{report.settings.seed}",
    }.items():
        SubElement(properties, "property", {"name": name, "value": value})
    for check in report.checks:
        _add(suite, report.topic, check)
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: Element, topic: str, check: CheckResult) -> None:
    case = SubElement(
        suite,
        "testcase",
        {"classname": topic, "name": check.name, "time": _seconds(check.seconds)},
    )
    if check.verdict == "passed":
        return
    outcome = SubElement(
        case,
        "error" if check.verdict == "error" else "failure",
        {"type": check.verdict, "message": visible(check.message.partition("\n")[0])},
    )
    outcome.text = (
        f"{check.title}\n{check.points:g} of {check.max_points:g} points\n\n{explanation(check)}\n"
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
