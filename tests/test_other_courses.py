"""The engine knows no topic: a course of other topics, without torch, goes through every command."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader_folder import cell_of, marks_of_reports, nbgrader_here, scores

from grader.cli import run
from grader.course import load_course

COURSE = Path(__file__).parent / "courses/plain_numpy"
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from grader.cli import main; main()"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the course, as the working directory."""
    shutil.copytree(COURSE, tmp_path / "course")
    monkeypatch.chdir(tmp_path / "course")
    return load_course(tmp_path / "course")


def test_build_and_verify(course, capsys):
    """What is generated is up to date, and the content is sound."""
    assert run(["build", "--check"]) == 0
    assert run(["verify"]) == 0
    assert capsys.readouterr().out == "30_words: sound\n05_signals: sound\n"


def test_no_command_needs_torch(course):
    """Where the checks do not import it, it is not loaded: here it cannot be."""
    for arguments in (
        ["verify", "signals"],
        ["check", "solutions/05_signals/signals.py"],
        ["check", "--in-process", "solutions/30_words/words.py"],
    ):
        command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_class_is_graded(course, tmp_path):
    """Right, wrong and unwritten answers, text and arrays, .py and .ipynb."""
    words, signals = course.topics
    source = signals.source.read_text(encoding="utf-8")
    for student, topic, suffix, text in (
        ("ada", words, ".py", words.source.read_text(encoding="utf-8")),
        ("ada", signals, ".py", source),
        ("bo", signals, ".py", source.replace("windows.mean(axis=1)", "windows.sum(axis=1)")),
        ("bo", words, ".ipynb", words.notebook.read_text(encoding="utf-8")),
    ):
        file = tmp_path / "class" / student / topic.name / f"{topic.module}{suffix}"
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    folder, out = str(tmp_path / "class"), str(tmp_path / "out")
    assert run(["grade", folder, "--out", out, "--examples", "3", "--jobs", "1"]) == 0
    with (tmp_path / "out/grades.csv").open(encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert (float(rows["ada"]["30_words"]), float(rows["ada"]["05_signals"])) == (3, 4.5)
    assert (float(rows["bo"]["30_words"]), float(rows["bo"]["05_signals"])) == (0, 2.5)
    feedback = (tmp_path / "out/feedback/bo.html").read_text(encoding="utf-8")
    assert "An average is divided by how many values it takes in." in feedback


def test_the_course_in_nbgrader(course, tmp_path):
    """Handed out, handed in right and wrong, autograded: the marks are those of `grader grade`."""
    folder, out = tmp_path / "nbgrader", tmp_path / "out"
    assert run(["nbgrader", "init", str(folder)]) == 0
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text().replace("examples = 25", "examples = 0"))
    for topic in course.topics:
        nbgrader_here(folder, "generate_assignment", topic.name)
    signals = course.topics[1]
    source, notebook = (
        json.loads((folder / part / signals.name / "signals.ipynb").read_text(encoding="utf-8"))
        for part in ("source", "release")
    )
    assert "sliding_window_view" not in json.dumps(notebook)
    for name in ("moving_average", "RunningMean"):
        cell_of(notebook, name)["source"] = "".join(cell_of(source, name)["source"])
    right = json.dumps(notebook)
    wrong = right.replace("windows.mean(axis=1)", "windows.sum(axis=1)")
    for student, text in {"ada": right, "bo": wrong}.items():
        path = folder / "submitted" / student / signals.name / "signals.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    nbgrader_here(folder, "autograde", signals.name)
    assert run(["grade", str(folder / "submitted"), "--out", str(out), "--jobs", "1"]) == 0
    found = scores(folder / "gradebook.db", signals.name)
    marks = {
        name: {cell: score for cell, (score, _, _) in mine.items()} for name, mine in found.items()
    }
    assert marks == marks_of_reports(out, signals.name)
    assert {name: sum(mine.values()) for name, mine in marks.items()} == {"ada": 4.5, "bo": 2.5}
    feedback = (folder / "autograded/bo" / signals.name / "signals.ipynb").read_text()
    assert "An average is divided by how many values it takes in." in feedback
