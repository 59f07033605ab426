"""The sample class through nbgrader's real commands, from `init` to the exported grades and the formgrader page."""

import csv
import json
import os
import re
import shutil
from html import escape
from pathlib import Path

import pytest
from browser import TOKEN, chromium, jupyter
from nbgrader_folder import cell_of, marks_of_reports, nbgrader, scores
from playwright.sync_api import sync_playwright

from grader.cli import run

ROOT = Path(__file__).parents[2]
TOPIC, NOTEBOOK = "04_normalization", "normalization.ipynb"
CLASS = sorted(
    folder for folder in (ROOT / "examples/class").iterdir() if (folder / TOPIC).is_dir()
)


def handed_in(file, release, folder):
    """What a student of the sample class submits: a notebook, or the functions of a .py put into the one released."""
    shutil.copytree(release, folder)
    (folder / "timestamp.txt").write_text("2026-01-15 10:00:00 UTC")
    if file.suffix == ".ipynb":
        shutil.copy(file, folder / NOTEBOOK)
    elif run(["notebook", str(file), "--topic", TOPIC, "--into", str(release / NOTEBOOK),
              "--out", str(folder / NOTEBOOK)]) != 0:  # fmt: skip
        notebook = json.loads((release / NOTEBOOK).read_text())  # not Python: pasted as it is
        cell_of(notebook, "batch_norm_forward")["source"] = file.read_text()
        (folder / NOTEBOOK).write_text(json.dumps(notebook))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Everything that an instructor does, with nbgrader's own programs."""
    root = tmp_path_factory.mktemp("class")
    here = Path.cwd()
    os.chdir(ROOT)
    try:
        folder, exchange = root / "course", root / "exchange"
        assert run(["nbgrader", "init", str(folder), "--course-id", "dl"]) == 0
        config = folder / "nbgrader_config.py"
        text = config.read_text().replace("examples = 25", "examples = 0")
        config.write_text(f"{text}\nc.Exchange.root = {str(exchange)!r}\n")
        nbgrader(folder, "generate_assignment", TOPIC)
        nbgrader(folder, "release_assignment", TOPIC)
        release = exchange / "dl/outbound" / TOPIC
        for number, student in enumerate(CLASS):
            (file,) = [
                path for path in (student / TOPIC).iterdir() if path.suffix in (".py", ".ipynb")
            ]
            name = f"{student.name}+{TOPIC}+2026-01-15 10:00:{number:02} UTC+x{number}"
            handed_in(file, release, exchange / "dl/inbound" / name)
        nbgrader(folder, "collect", TOPIC)
        nbgrader(folder, "autograde", TOPIC)
        nbgrader(folder, "generate_feedback", TOPIC, "--student", "dorothy")
        nbgrader(folder, "export")
        options = ["--out", str(root / "graded"), "--topic", TOPIC, "--jobs", "1"]
        assert run(["grade", str(folder / "submitted"), *options]) == 0
    finally:
        os.chdir(here)
    return root


def test_every_mark(course):
    """The gradebook, the exported CSV and `grader grade` agree on every check of every student."""
    found = scores(course / "course/gradebook.db", TOPIC)
    marks = {
        student: {cell: score for cell, (score, _, _) in cells.items() if cell != "written"}
        for student, cells in found.items()
    }
    assert marks == marks_of_reports(course / "graded", TOPIC)
    totals = {student: sum(mine.values()) for student, mine in marks.items()}
    assert len(totals) == len(CLASS)
    assert totals["ada"] == 20
    assert len(set(totals.values())) > 4, "a class of different students"
    with (course / "course/grades.csv").open() as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == pytest.approx(totals)


def test_the_release_gives_nothing_away(course):
    """A stub per function, a check behind it, the question without its scheme; no line of a solution."""
    notebook = json.loads((course / "course/release" / TOPIC / NOTEBOOK).read_text())
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    place = sources.index('check("test_layer_norm_backward")')
    assert (
        'raise NotImplementedError("layer_norm_backward is yours to write")' in sources[place - 1]
    )
    assert not any("SOLUTION" in text or "MARK SCHEME" in text for text in sources)
    assert cell_of(notebook, "written")["metadata"]["nbgrader"]["points"] > 0
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id", "") for cell in notebook["cells"]]
    assert sum(one.startswith("test_") for one in ids) == 16
    assert not any(one.startswith("helpers") for one in ids)


def test_feedback(course):
    """The page that goes back to a student has the words of each failing check, and the total."""
    report = json.loads((course / "graded/reports/dorothy" / f"{TOPIC}.json").read_text())
    page = (course / "course/feedback/dorothy" / TOPIC / "normalization.html").read_text()
    for check in report["checks"]:
        assert escape(check["message"].partition("\n")[0]) in page
    assert f"Score: {report['points']:g} / 23" in re.sub(r"\.0\b", "", page)


def test_formgrader_in_a_browser(course):
    """A real Chromium shows the class's points, and one student's notebook with the feedback in its cells."""
    points = json.loads((course / "graded/reports/dorothy" / f"{TOPIC}.json").read_text())
    wrong = next(check for check in points["checks"] if check["verdict"] == "failed")
    extension = "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True"
    with (
        jupyter(course / "course", "jupyter_server", extension) as address,
        sync_playwright() as playwright,
        chromium(playwright) as browser,
    ):
        page = browser.new_page(
            viewport={"width": 1200, "height": 1000},
            extra_http_headers={"Authorization": f"token {TOKEN}"},
        )
        page.set_default_timeout(60_000)
        page.goto(f"{address}/formgrader/manage_submissions/{TOPIC}")
        page.locator("tbody tr", has_text="dorothy").wait_for()
        rows = page.locator("tbody tr").all_inner_texts()
        assert sorted(row.split("\t")[1] for row in rows) == [one.name for one in CLASS]
        assert any(f"{points['points']:g} / 23" in row for row in rows if "dorothy" in row)
        page.screenshot(path=course / "class.png")
        page.goto(f"{address}/formgrader/manage_students/dorothy/{TOPIC}")
        page.get_by_role("link", name="normalization", exact=True).click()
        feedback = page.locator(".grader-check.grader-failed", has_text=wrong["title"]).first
        feedback.wait_for()
        assert wrong["message"].splitlines()[0] in feedback.inner_text()
        assert page.locator(".grader-check").count() == 16
        assert page.get_by_text("BEGIN MARK SCHEME").count() == 1
        feedback.scroll_into_view_if_needed()
        page.screenshot(path=course / "student.png")
