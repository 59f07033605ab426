"""`grader grade`: a class into a folder; nothing is lost, only what changed is graded again."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.batch import NothingToGrade, find_tasks, grade_tasks
from grader.cli import run
from grader.course import load_course
from grader.grading import Settings
from grader.report.gradebook_csv import grades_csv

ROOT = Path(__file__).parent.parent
COURSE = load_course(ROOT)
TOPIC = "04_normalization"
SOLUTION = ROOT / "solutions/04_normalization/normalization.py"
STUB = ROOT / "exercises/04_normalization/normalization.py"
QUICK = ("--examples", "0", "--in-process", "--jobs", "1")


@pytest.fixture
def small_class(tmp_path):
    """Two students in nbgrader's layout, one right, one with the stub."""
    for student, file in (("ann", SOLUTION), ("=cmd|calc!A0", STUB)):
        folder = tmp_path / "class" / student / TOPIC
        folder.mkdir(parents=True)
        shutil.copy(file, folder / "normalization.py")
    return tmp_path


def test_layouts(tmp_path):
    """student/topic/file, student/file and flat files with a topic."""
    for place in (
        "a/04_normalization/normalization.py",
        "b/normalization.ipynb",
        "c.py",
        ".hidden/normalization.py",
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    nested = find_tasks(tmp_path, COURSE, None)
    assert [(task.student, task.topic) for task in nested] == [("a", TOPIC), ("b", TOPIC)]
    flat = find_tasks(tmp_path, COURSE, TOPIC)
    assert [task.student for task in flat] == ["a", "b", "c"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToGrade, match="holds no submissions"):
        find_tasks(tmp_path / "empty", COURSE, None)


def test_of_notebook_and_script_the_edited_one(tmp_path):
    """A notebook as it was released does not hide a script that was worked in."""
    topic = COURSE.topic(TOPIC)
    folder = tmp_path / "a" / TOPIC
    folder.mkdir(parents=True)
    shutil.copy(topic.notebook, folder)
    shutil.copy(SOLUTION, folder)
    assert find_tasks(tmp_path, COURSE, None)[0].path.suffix == ".py"
    notebook = folder / "normalization.ipynb"
    run_once = json.loads(topic.notebook.read_text())
    run_once["cells"][1]["execution_count"] = 1
    notebook.write_text(json.dumps(run_once))
    task = find_tasks(tmp_path, COURSE, None)[0]
    assert task.path.suffix == ".py"
    assert task.note == "normalization.ipynb is as it was handed out: normalization.py is graded."
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    run_once["cells"].append({**cell, "source": "from normalization import *\nx = 1"})
    notebook.write_text(json.dumps(run_once))
    task = find_tasks(tmp_path, COURSE, None)[0]
    assert task.path.suffix == ".py"
    assert (
        task.note == "normalization.ipynb holds no answer of its own: normalization.py is graded."
    )
    run_once["cells"].append({**cell, "source": "layer_norm_forward = lambda x: x"})
    notebook.write_text(json.dumps(run_once))
    task = find_tasks(tmp_path, COURSE, None)[0]
    assert task.path.suffix == ".ipynb"
    assert task.note.startswith("Both normalization.ipynb and normalization.py were edited")
    notebook.write_text("not a notebook")
    task = find_tasks(tmp_path, COURSE, None)[0]
    assert task.path.suffix == ".py"
    assert "is not a notebook" in task.note
    shutil.copy(topic.stub, folder)
    assert find_tasks(tmp_path, COURSE, None)[0].path.suffix == ".ipynb"
    with (folder / "normalization.py").open("a") as script:
        script.write("SCALE = 2\n")
    notebook.write_text(json.dumps(run_once))
    task = find_tasks(tmp_path, COURSE, None)[0]
    assert task.path.suffix == ".ipynb"
    assert (
        task.note == "normalization.py holds no answer of its own: normalization.ipynb is graded."
    )


def test_a_class(small_class, monkeypatch, capsys):
    """Reports, feedback, grades and the page; names cannot inject formulas or HTML; a second run reads the cache."""
    monkeypatch.chdir(ROOT)
    out = small_class / "out"
    assert run(["grade", str(small_class / "class"), "--out", str(out), *QUICK]) == 0
    rows = list(csv.reader((out / "grades.csv").open()))
    assert rows == [
        ["student", TOPIC, "total"],
        ["'=cmd|calc!A0", "0", "0"],
        ["ann", "20", "20"],
    ]
    report = json.loads((out / "reports/ann" / f"{TOPIC}.json").read_text())
    assert report["points"] == report["max_points"] == 20
    page = (out / "report.html").read_text()
    assert "ann" in page
    assert "<script" not in page
    assert (out / "feedback/ann.html").is_file()
    before = (out / "reports/ann" / f"{TOPIC}.json").read_bytes()
    assert run(["grade", str(small_class / "class"), "--out", str(out), *QUICK]) == 0
    assert (out / "reports/ann" / f"{TOPIC}.json").read_bytes() == before, (
        "seconds included: from the cache"
    )
    assert "20" in capsys.readouterr().out


def test_only_what_changed_is_graded_again(small_class, monkeypatch):
    """The cache goes by the submission's contents."""
    tasks = find_tasks(small_class / "class", COURSE, None)
    settings = Settings(examples=0, isolated=False)

    def graded():
        submitted = []

        class Counting:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                return None

            def submit(self, function, *arguments):
                from concurrent.futures import Future

                future = Future()
                submitted.append(arguments[0].filename)
                future.set_result(function(*arguments))
                return future

        outcomes = grade_tasks(
            tasks,
            COURSE,
            settings,
            cache=small_class / "cache",
            jobs=1,
            done=lambda _: None,
            executor=Counting(),
        )
        assert all(outcome.report is not None for outcome in outcomes)
        return len(submitted)

    assert graded() == 2
    assert graded() == 0
    tasks[1].path.write_text(tasks[1].path.read_text() + "\n# one more line\n")
    assert graded() == 1


def test_wrong_use(tmp_path, monkeypatch, capsys):
    """Exit code 2, and a line that names what is wrong."""
    monkeypatch.chdir(ROOT)
    assert run(["grade", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert run(["grade", str(tmp_path), "--out", str(tmp_path / "out"), "--topic", "99_none"]) == 2
    assert "99_none" in capsys.readouterr().err


def test_a_killed_run_goes_on(small_class):
    """What was graded before the kill is not graded again."""
    out = small_class / "out"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom grader.batch import find_tasks, grade_tasks\n"
        "from grader.course import load_course\nfrom grader.grading import Settings\n"
        "if __name__ == '__main__':\n"
        f"    course = load_course(Path({str(ROOT)!r}))\n"
        f"    tasks = find_tasks(Path({str(small_class / 'class')!r}), course, None)\n"
        f"    grade_tasks(tasks, course, Settings(examples=0, isolated=False), cache=Path({str(out)!r}), jobs=1,\n"
        "                done=lambda outcome: os.kill(os.getpid(), 9))\n"
    )
    script = small_class / "killed.py"
    script.write_text(code)
    assert subprocess.run([sys.executable, str(script)], check=False).returncode == -9
    assert len(list(out.glob("*.json"))) == 1
    tasks = find_tasks(small_class / "class", COURSE, None)
    done = []
    grade_tasks(
        tasks,
        COURSE,
        Settings(examples=0, isolated=False),
        cache=out,
        jobs=1,
        done=done.append,
    )
    assert len(done) == 2
    assert len(list(out.glob("*.json"))) == 2


def test_a_table_of_grades():
    """An empty class has a header."""
    assert grades_csv({}, [TOPIC]) == f"student,{TOPIC},total\n"
