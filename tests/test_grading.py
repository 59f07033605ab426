"""grade(): the same report for the same submission, isolated or not; bad files get a report too."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from grader.build import build
from grader.course import load_course
from grader.failure import Failure, Missing
from grader.grading import Report, Settings, grade
from grader.opening import open_submission, the_student
from grader.worker.selftest import usable_sandbox

ROOT = Path(__file__).parent.parent
COURSE = load_course(ROOT)
CLASS = sorted(
    path for path in (ROOT / "examples/class").glob("*/*/*") if path.suffix in (".py", ".ipynb")
)
HONEST = [
    path for path in CLASS if path.parts[-3] != "lise"
]  # lise imports torch, which workers lack
FEW = {"seed": 3, "examples": 0}


def plain(report, *, without_isolated=False):
    """The report but for the seconds."""
    data = msgspec.to_builtins(report)
    for check in data["checks"]:
        del check["seconds"]
    if without_isolated:
        del data["settings"]
    return data


@pytest.mark.parametrize("path", HONEST, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_isolated_and_in_process_agree(path):
    """Verdicts, messages and smallest cases of the whole sample class, equal but for the seconds."""
    topic = COURSE.topic(path.parent.name)
    here = grade(path, topic, Settings(**FEW, isolated=False))
    there = grade(path, topic, Settings(**FEW, isolated=True))
    assert plain(there, without_isolated=True) == plain(here, without_isolated=True)
    assert there.settings.isolated
    assert not here.settings.isolated


def test_same_seed_same_report():
    """Byte for byte but for the seconds; JSON there and back."""
    path = ROOT / "examples/class/joan/05_dropout/dropout.ipynb"
    topic = COURSE.topic("05_dropout")
    first, second = (grade(path, topic, Settings(**FEW, isolated=False)) for _ in range(2))
    assert plain(first) == plain(second)
    assert msgspec.json.decode(first.to_json(), type=Report) == first
    assert first.points < first.max_points == 20


def test_torch_is_absent_from_the_worker():
    """A submission that imports it is told which packages there are not."""
    path = ROOT / "examples/class/lise/04_normalization/normalization.py"
    report = grade(path, COURSE.topic("04_normalization"), Settings(**FEW))
    assert report.points == 0
    assert {check.verdict for check in report.checks} == {"error"}
    assert "No module named 'torch'" in report.checks[0].message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("normalization.py", b"def f(:\n", "not valid Python: line 1"),
        ("normalization.py", b"\xff\xfe", "not UTF-8"),
        ("normalization.ipynb", b"no json", "not JSON"),
        ("normalization.ipynb", b'{"nbformat": 3, "worksheets": []}', "format 3"),
        ("normalization.py", b"raise SystemExit(0)", "SystemExit"),
        ("normalization.py", b"x = " + b"(" * 5000 + b")" * 5000, "normalization.py"),
    ],
)
@pytest.mark.parametrize("isolated", [False, True])
def test_a_file_that_cannot_be_graded_has_a_report(tmp_path, name, content, words, isolated):
    """Zero points and the reason at every check."""
    path = tmp_path / name
    path.write_bytes(content)
    report = grade(path, COURSE.topic("04_normalization"), Settings(**FEW, isolated=isolated))
    assert report.points == 0
    assert all(check.verdict == "error" for check in report.checks)
    assert all(words in check.message for check in report.checks)


PLOTS = """\
import absent_plots.pyplot as plt
import numpy as np
plt.style.use("dark")
def double(x):
    return np.asarray(x) + x
def show():
    plt.plot(double(2))
show()
display(double(2))
def Counter(start=0, *, by=1):
    return start
unknown
def later(): pass
"""


@pytest.mark.parametrize("isolated", [False, True])
def test_what_only_draws_does_not_cost_a_notebook_its_functions(small_course, isolated):
    """Where grading has no such package, its import and what needs it are passed over; any other error ends the cell."""
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source}
        for source in (PLOTS, "plt.show(double(3))\nfrom __future__ import annotations\nx: int = 1")
    ]
    file = small_course.write("doubling.ipynb", json.dumps({"nbformat": 4, "cells": cells}))
    topic = load_course(small_course.root).topics[0]
    student = the_student(open_submission(file), topic, isolated=isolated)
    try:
        assert student.double(2) == 4
        with pytest.raises(Missing) as missing:
            student.later()
    finally:
        student._close()
    assert [note.partition(" raised ")[2] for note in missing.value.details] == [
        "ModuleNotFoundError: No module named 'absent_plots'",
        "NameError: name 'plt' is not defined",
        "NameError: name 'plt' is not defined",
        "NameError: name 'display' is not defined",
        "NameError: name 'unknown' is not defined",
        "NameError: name 'plt' is not defined",
    ]


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("np.random.seed(0); return 2 * x", "global random state"),
        (
            "last[:] = [*[a.fill(0) for a in last], 2 * x][-1:]; return last[0]",
            "changes what double returned earlier",
        ),
    ],
    ids=["the seed that a worker starts with", "an answer that is spoilt later"],
)
def test_where_it_runs_makes_no_difference(small_course, isolated, body, said):
    """What is caught in this process is caught in a worker, in the same words."""
    file = small_course.write(
        "doubling.py", f"import numpy as np\nlast = []\ndef double(x): {body}\n"
    )
    topic = load_course(small_course.root).topics[0]
    student = the_student(open_submission(file), topic, isolated=isolated)
    student._begin(repeat=False)
    x = np.ones(3)
    with pytest.raises(Failure, match=said):  # noqa: PT012  # the second call shows the second
        assert np.array_equal(student.double(x), 2 * x)
        student.double(x)
    student._close()


SLOW_ONCE = '''\
import time
from grader import assert_equal, points

TIMES = []

@points(1, timeout_s=0.3)
def test_double(student):
    """Doubled, on a machine that is busy for a while."""
    TIMES.append(time.monotonic())
    if len(TIMES) in {slow}:
        time.sleep(5)
    assert_equal(student.double(2), 4, what="double")
'''


@pytest.mark.parametrize(
    ("slow", "isolated", "verdict"),
    [
        ((1,), True, "passed"),
        ((1, 2), True, "timeout"),
        ((1,), False, "timeout"),
    ],
)
def test_a_time_out_counts_when_it_comes_twice(small_course, slow, isolated, verdict):
    """A machine may be busy for a moment; a student at the terminal is answered at once."""
    small_course.write(
        "exercises/01_doubling/test_doubling.py", SLOW_ONCE.replace("{slow}", repr(slow))
    )
    topic = load_course(small_course.root).topics[0]
    file = small_course.write("doubling.py", "def double(x):\n    return 2 * x\n")
    report = grade(file, topic, Settings(isolated=isolated))
    assert [check.verdict for check in report.checks] == [verdict]


def test_the_report_names_the_sandbox(small_course):
    """By its settings; "none" only when that was asked for. In this process there is no such key."""
    build(load_course(small_course.root).topics)
    topic = load_course(small_course.root).topics[0]
    file = small_course.write("doubling.py", "def double(x):\n    return 2 * x\n")
    named = grade(file, topic, Settings(sandbox="none"))
    assert msgspec.json.decode(named.to_json())["settings"]["sandbox"] == "none"
    best = grade(file, topic, Settings())
    assert best.settings.sandbox == usable_sandbox()
    assert best.points == named.points == 2
    here = grade(file, topic, Settings(isolated=False))
    assert "sandbox" not in msgspec.json.decode(here.to_json())["settings"]


def test_a_machine_without_room_costs_nobody_points(small_course, monkeypatch):
    """What the judge's own machine lacks is raised, not put into a report."""
    small_course.change(
        "exercises/01_doubling/test_doubling.py",
        "    x = np.array",
        "    raise OSError(28, 'No space left on device')\n    x = np.array",
    )
    topic = load_course(small_course.root).topics[0]
    file = small_course.write("doubling.py", "def double(x):\n    return 2 * x\n")
    with pytest.raises(OSError, match="No space"):
        grade(file, topic, Settings(isolated=False))


def test_what_an_isolated_submission_prints(small_course):
    """It is handed on, capped, and costs nothing."""
    topic = load_course(small_course.root).topics[0]
    file = small_course.write(
        "doubling.py", "print('a' * 100_000)\ndef double(x):\n    return 2 * x\n"
    )
    printed = []
    report = grade(file, topic, Settings(), printed=printed.append)
    assert report.checks[0].verdict == "passed"
    assert "".join(printed) == "a" * 64 * 1024
