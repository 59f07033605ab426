"""Reports as JUnit XML, Markdown and Gradescope's JSON: what they hold, and that a student's text stays text."""

import json
import re
from xml.etree import ElementTree as ET

import msgspec
import pytest
from markdown_it import MarkdownIt

from grader.extensions import NoSuchExtension
from grader.grading import CheckResult, Misconception, Report, Settings
from grader.report.files import NoSuchFile, ReportFiles
from grader.report.formats import BUILT_IN, format_named
from grader.report.gradescope import results_json
from grader.report.junit import junit_xml
from grader.report.markdown import markdown_summary

HOSTILE = (
    "a`b``` ````\n```\n~~~\n</details></summary>\n<script>alert(1)</script>\n| x | y |\n]]>&amp;"
    "\x1b[31m\x00\x0b\ud800\ufffe\u202e ![i](https://e.org/x.png) **bold**"
)


def a_check(number, verdict, points, message="", **other):
    """A check's outcome; one point each."""
    fields = {"smallest_case": "", "misconception": None, "seconds": 0.25, **other}
    title = other.get("title", f"Title {number}.")
    return CheckResult(
        f"test_{number}",
        title,
        points,
        1.0,
        verdict,
        message,
        fields["smallest_case"],
        fields["misconception"],
        fields["seconds"],
    )


REPORT = Report(
    schema=1,
    submission="|<b>`x`.py",
    topic="01_doubling",
    points=1.0,
    max_points=5.0,
    settings=Settings(seed=3, examples=0, isolated=True, sandbox="bubblewrap"),
    checks=(
        a_check(1, "passed", 1.0, title="Twice | as *much*."),
        a_check(2, "failed", 0.0, HOSTILE, smallest_case=HOSTILE),
        a_check(3, "error", 0.0, "it raised", misconception=Misconception("m", HOSTILE)),
        a_check(4, "missing", 0.0, "`f` is not written yet."),
        a_check(5, "timeout", 0.0, "it took longer than 10 s"),
    ),
)

HARMLESS = msgspec.structs.replace(REPORT, checks=REPORT.checks[:1] + REPORT.checks[3:])
"""As grading makes them: JSON has no lone surrogates."""


@pytest.fixture(scope="module")
def suite():
    """The testsuite of the report's XML."""
    suites = ET.fromstring(junit_xml(REPORT).encode())
    assert suites.tag == "testsuites"
    (suite,) = suites
    return suite


def test_junit_counts(suite):
    """Every count is that of the cases; the times are seconds and sum up."""
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {
        "tests": "5",
        "failures": "3",
        "errors": "1",
        "skipped": "0",
        "time": "1.250",
    }
    assert len(suite.findall("testcase/failure")) == 3
    assert len(suite.findall("testcase/error")) == 1
    assert {case.get("time") for case in suite.iter("testcase")} == {"0.250"}


def test_junit_structure(suite):
    """Elements and attributes are those of the schema, in its order: properties, then cases with at most one outcome."""
    assert [child.tag for child in suite] == ["properties"] + ["testcase"] * 5
    assert suite.get("name") == "01_doubling"
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert properties == {
        "submission": REPORT.submission,
        "points": "1",
        "max_points": "5",
        "seed": "3",
    }
    for number, case in enumerate(suite.iter("testcase"), 1):
        assert case.attrib.keys() == {"name", "classname", "time"}
        assert (case.get("name"), case.get("classname")) == (f"test_{number}", "01_doubling")
        assert len(case) == (number != 1)
        for outcome in case:
            assert outcome.attrib.keys() == {"type", "message"}
            assert outcome.text.startswith(f"Title {number}.\n0 of 1 points\n")
    types = [outcome.get("type") for case in suite.iter("testcase") for outcome in case]
    assert types == ["failed", "error", "missing", "timeout"]


def test_junit_of_hostile_text(suite):
    """Control characters, surrogates and what XML forbids are escapes; markup is text."""
    outcome = suite.find("testcase/failure")
    assert outcome.get("message") == "a`b``` ````"
    assert "<script>alert(1)</script>" in outcome.text
    assert "]]>&amp;\\x1b[31m\\x00\\x0b\\ud800\\ufffe\\u202e" in outcome.text


def test_summary_table():
    """A row per check with verdict and points, whatever stands in titles and names."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown_summary(REPORT))
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows[1:]]
    assert cells == [
        ["✅ passed", "Twice | as *much*.", "1 of 1"],
        ["❌ failed", "Title 2.", "0 of 1"],
        ["❌ error", "Title 3.", "0 of 1"],
        ["⬜ missing", "Title 4.", "0 of 1"],
        ["⏱️ timeout", "Title 5.", "0 of 1"],
    ]
    assert "<h3>|&lt;b&gt;`x`.py: 1 of 5 points</h3>" in html
    assert "1 of 5 checks passed; graded in a sandbox, with seed 3." in html


def test_summary_of_hostile_text():
    """A student's text stays in its code block: outside of those there is no markup but the summary's own."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown_summary(REPORT))
    blocks = re.findall(r"<pre><code[^>]*>.*?</code></pre>", html, re.DOTALL)
    assert len(blocks) == 3  # failed, error, timeout; what is not written needs no words
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in blocks[0]
    outside = re.sub(r"<pre><code[^>]*>.*?</code></pre>", "", html, flags=re.DOTALL)
    assert "alert" not in outside
    assert "e.org" not in outside
    tags = set(re.findall(r"</?([a-z0-9]+)", outside))
    assert tags == {
        *("h3", "p", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    }
    assert outside.count("<details>") == outside.count("</details>") == 3
    assert not re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff\u202e]", html)


def test_gradescope():
    """Keys and values of the specification; the score is the sum of the tests'; text is never rendered."""
    results = json.loads(results_json(REPORT, visibility="after_published"))
    assert results["score"] == sum(test["score"] for test in results["tests"]) == 1.0
    assert results["execution_time"] == 1.25
    assert results["visibility"] == "after_published"
    assert results["stdout_visibility"] == "hidden"
    formats = ("output_format", "test_output_format", "test_name_format")
    assert {results[name] for name in formats} == {"text"}
    assert results["tests"][0] == {
        "score": 1.0,
        "max_score": 1.0,
        "status": "passed",
        "name": "Twice | as *much*.",
        "name_format": "text",
        "output": "",
        "output_format": "text",
        "visibility": "after_published",
        "extra_data": {"check": "test_1", "verdict": "passed"},
    }
    assert [test["status"] for test in results["tests"]] == ["passed"] + ["failed"] * 4
    assert "\\x1b[31m" in results["tests"][1]["output"]
    assert "\x1b" not in results_json(REPORT)


def test_files(tmp_path):
    """Each form goes to its file; summaries are appended, as the steps of a job share a file."""
    environment = {"GITHUB_STEP_SUMMARY": str(tmp_path / "steps.md")}
    files = ReportFiles(
        json=str(tmp_path / "a/report.json"),
        junit=tmp_path / "junit.xml",
        others=[f"gradescope={tmp_path / 'results.json'}", f"markdown={tmp_path / 'one.md'}"],
    )
    files.add_github_summary(environment)
    files.write(HARMLESS)
    files.write(HARMLESS)
    assert json.loads((tmp_path / "a/report.json").read_text())["points"] == 1.0
    assert (tmp_path / "junit.xml").read_text() == junit_xml(HARMLESS)
    assert (tmp_path / "results.json").read_text() == results_json(HARMLESS)
    assert (tmp_path / "one.md").read_text() == markdown_summary(HARMLESS)
    assert (tmp_path / "steps.md").read_text() == 2 * markdown_summary(HARMLESS)


def test_files_that_cannot_be_meant():
    """The message says what to write instead."""
    with pytest.raises(NoSuchFile, match="--format junit: write NAME=FILE"):
        ReportFiles(others=["junit"])
    with pytest.raises(NoSuchFile, match="GITHUB_STEP_SUMMARY is not set"):
        ReportFiles().add_github_summary({})
    with pytest.raises(
        NoSuchExtension, match="no report format 'word'; there are: gradescope, json"
    ):
        format_named("word")


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_built_in_formats(name):
    """Each is found by its name and writes text that ends with a line's end."""
    assert format_named(name)(HARMLESS).endswith("\n")
