"""A class written straight into the gradebook; PostgreSQL, with two autograders at once."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from nbgrader_folder import TOPIC, NbgraderFolder, marks_of_reports

from grader.cli import run

SQUARE = "def double(x):\n    return x * x\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four students, two of them wrong, and one whose notebook is none."""
    folder = NbgraderFolder(tmp_path_factory.mktemp("direct"))
    folder.nbgrader("generate_assignment", TOPIC)
    for student in ("ada", "bob"):
        folder.hand_in(student, folder.answered())
    for student in ("eve", "fay"):
        folder.hand_in(student, folder.answered(double=SQUARE))
    folder.hand_in("gus", b"none")
    return folder


def marks(gradebook_url):
    """Student -> cell -> (auto_score, needs_manual_grade), through nbgrader's own interface."""
    from nbgrader.api import Gradebook

    with Gradebook(gradebook_url) as gradebook:
        return {
            entry.student.id: {
                grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in entry.grades
            }
            for entry in gradebook.notebook_submissions("doubling", TOPIC)
        }


def test_straight_into_the_gradebook(folder, capsys):
    """Without converting notebooks the same points, cell by cell, as `nbgrader autograde` writes."""
    database = folder.root / "gradebook.db"
    direct = folder.root / "direct.db"
    shutil.copy(database, direct)
    out = folder.root / "graded"
    options = ["--out", str(out), "--jobs", "1", "--gradebook", f"sqlite:///{direct}"]
    assert run(["grade", str(folder.root / "submitted"), *options]) == 0
    assert "5 submissions written into the gradebook" in capsys.readouterr().out
    assert not (folder.root / "autograded").exists()
    folder.nbgrader("autograde", TOPIC)
    written = marks(f"sqlite:///{direct}")
    assert written == marks(f"sqlite:///{database}")
    assert written["ada"]["hidden"] == (2.0, False)
    assert written["eve"]["test_double"] == (0.0, False)
    points = {
        student: {cell: score for cell, (score, _) in cells.items() if cell != "written"}
        for student, cells in written.items()
    }
    assert points == marks_of_reports(out, TOPIC)


def test_what_is_refused_before_anything_is_graded(folder, capsys):
    """A gradebook that does not know the assignment, and one that is none: one line each."""
    submitted, out = str(folder.root / "submitted"), str(folder.root / "refused")
    empty = folder.root / "empty.db"
    assert run(["grade", submitted, "--out", out, "--gradebook", f"sqlite:///{empty}"]) == 2
    assert f"run `nbgrader generate_assignment {TOPIC}` first" in capsys.readouterr().err
    assert run(["grade", submitted, "--out", out, "--gradebook", "nonsense://"]) == 2
    assert capsys.readouterr().err.startswith("grader: The gradebook cannot be used: ")
    assert not Path(out).exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("c.GradeInSandbox.seed = 2 * 3", "c.GradeInSandbox.seed is 2 * 3, but should be a whole number"),
        ("c.GradeInSandbox.cache = True", "c.GradeInSandbox.cache is True, but should be a text in quotes"),
        ("c.GradeInSandbox.seed = (", "not valid Python"),
    ],
)  # fmt: skip
def test_settings_are_read_not_run(folder, capsys, line, words):
    """`grader grade` takes seed and kept reports from nbgrader_config.py without executing it."""
    config = folder.root / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(f"{before}\nraise SystemExit('executed')\n{line}\n")
    try:
        assert run(["grade", str(folder.root / "submitted"), "--out", str(folder.root / "no")]) == 2
        assert words in capsys.readouterr().err
    finally:
        config.write_text(before)


@pytest.fixture(scope="module")
def postgres():
    """The URL of a real PostgreSQL server of our own (Debian package `postgresql`), stopped afterwards."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert programs, "PostgreSQL is not installed: make setup, or apt-get install postgresql"
    # not below pytest's own folder, which every run of pytest closes to other accounts
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    data = folder / "data"
    account = {}
    if os.getuid() == 0:  # the server refuses to run as root
        who = pwd.getpwnam("postgres")
        account = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        os.chown(folder, who.pw_uid, who.pw_gid)
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder, "timeout": 120, **account}
    subprocess.run(
        [programs[-1] / "initdb", "-D", data, "-U", "grader", "-A", "trust", "-N"],
        check=True,
        **quiet,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    control = [programs[-1] / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], check=True, **quiet)
    yield f"postgresql+psycopg://grader@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "fast", "stop"], check=True, **quiet)
    shutil.rmtree(folder)


def test_postgres_with_two_autograders_at_once(folder, postgres):
    """The gradebook lies where the URL says; two runs of nbgrader side by side write every mark."""
    config = folder.root / "nbgrader_config.py"
    config.write_text(config.read_text() + f"\nc.CourseDirectory.db_url = {postgres!r}\n")
    folder.nbgrader("generate_assignment", TOPIC, "--force")
    shutil.rmtree(folder.root / "autograded", ignore_errors=True)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "nbgrader", "autograde", TOPIC, "--student", students],
            cwd=folder.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for students in ("[a-d]*", "[e-z]*")
    ]
    for process in running:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
    assert marks(postgres) == marks(f"sqlite:///{folder.root / 'direct.db'}")
