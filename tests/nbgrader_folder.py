"""nbgrader's course folder around a small course, for tests that run nbgrader's own commands."""

import contextlib
import copy
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from small_course import COUNTER, COURSE, DOUBLE, SmallCourse

from grader.build import build
from grader.cli import run
from grader.course import load_course

TOPIC = "01_doubling"

HIDDEN = '''\
import numpy as np
from grader import assert_close, points

SECRET_INPUT = 777.125


@points(2)
def test_secret_name(student):
    """A secret title."""
    x = np.array([SECRET_INPUT])
    assert_close(student.double(x), 2 * x, what="double")
'''

WRITTEN = """\
format = 1
points = 4
question = "Why is *twice* not the square?"
scheme = "SECRET SCHEME: the sum, 2 points; an example, 2 points."
"""


class NbgraderFolder:
    """An nbgrader course folder with the small course's topic, its hidden check and its written question."""

    def __init__(self, root, *options):
        self.course = SmallCourse(root / "course")
        self.course.write("course.toml", COURSE + "hidden_points = 2\n")
        self.course.write(f"solutions/{TOPIC}/test_hidden.py", HIDDEN)
        self.course.write(f"solutions/{TOPIC}/written.toml", WRITTEN)
        build(load_course(self.course.root).topics)
        self.root = root / "nbgrader"
        here = Path.cwd()
        os.chdir(self.course.root)
        try:
            assert run(["nbgrader", "init", str(self.root), *options]) == 0
        finally:
            os.chdir(here)

    def nbgrader(self, *arguments):
        """Runs a command of nbgrader in this process."""
        nbgrader_here(self.root, *arguments)

    def release(self):
        """The released notebook, as data of its own."""
        path = self.root / "release" / TOPIC / "doubling.ipynb"
        return json.loads(path.read_text(encoding="utf-8"))

    def answered(self, **sources):
        """The released notebook with other texts in some of its cells; right answers unless told otherwise."""
        notebook = self.release()
        for name, source in {"double": DOUBLE, "Counter": COUNTER, **sources}.items():
            cell_of(notebook, name)["source"] = source
        return notebook

    def hand_in(self, student, notebook):
        """Writes a submission: a notebook as data, or bytes."""
        path = self.root / "submitted" / student / TOPIC / "doubling.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())
        return path

    def scores(self):
        """Student -> cell -> (auto_score, max_score, needs_manual_grade), from the SQLite gradebook."""
        return scores(self.root / "gradebook.db", TOPIC)

    def autograded(self, student):
        """The autograded notebook, as data."""
        path = self.root / "autograded" / student / TOPIC / "doubling.ipynb"
        return json.loads(path.read_text(encoding="utf-8"))


def nbgrader_here(folder, *arguments):
    """Runs a command of nbgrader in a folder, in this process, which has loaded it once."""
    from jupyter_core.application import NoStart
    from nbgrader.apps import NbGraderApp

    here = Path.cwd()
    os.chdir(folder)
    app = NbGraderApp.instance()
    try:
        app.initialize(list(arguments))
        with contextlib.suppress(NoStart):  # how it says that a subcommand is done
            app.start()
    finally:
        app.reset()
        NbGraderApp.clear_instance()
        os.chdir(here)


def nbgrader(folder, *arguments, code=0):
    """Runs a command of nbgrader in a folder, with a PATH on which nothing of the environment lies."""
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    text = done.stdout + done.stderr
    assert done.returncode == code, text
    return text


def cell_of(notebook, name):
    """The cell with a grade_id."""
    return next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def without(notebook, name):
    """The notebook without a cell."""
    changed = copy.deepcopy(notebook)
    changed["cells"].remove(cell_of(changed, name))
    return changed


def scores(database, assignment):
    """Student -> cell -> (auto_score, max_score, needs_manual_grade)."""
    rows = (
        sqlite3.connect(database)
        .execute(
            "select sa.student_id, bc.name, g.auto_score, coalesce(gc.max_score, tc.max_score), g.needs_manual_grade"
            " from grade g join base_cell bc on g.cell_id = bc.id"
            " left join grade_cells gc on gc.id = bc.id left join task_cells tc on tc.id = bc.id"
            " join submitted_notebook sn on g.notebook_id = sn.id"
            " join submitted_assignment sa on sn.assignment_id = sa.id"
            " join assignment a on sa.assignment_id = a.id where a.name = ?",
            (assignment,),
        )
        .fetchall()
    )
    found = {}
    for student, cell, auto, most, manual in rows:
        found.setdefault(student, {})[cell] = (auto, most, bool(manual))
    return found


def marks_of_reports(out, topic):
    """Student -> cell -> points, from the Reports of `grader grade`; hidden checks are one cell."""
    found = {}
    for path in sorted((out / "reports").glob(f"*/{topic}.json")):
        mine = found.setdefault(path.parent.name, {})
        for check in json.loads(path.read_text())["checks"]:
            cell = "hidden" if re.fullmatch(r"hidden_\d+", check["name"]) else check["name"]
            mine[cell] = mine.get(cell, 0) + check["points"]
    return found
