"""Packages of others: examples/extension is built, installed into a folder of its own, and used from the command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.build import build
from grader.cli import run
from grader.course import load_course
from grader.executors import opened
from grader.extensions import NoSuchExtension, function_named

EXAMPLE = Path(__file__).parent.parent / "examples/extension"
SOLUTION = "solutions/01_doubling/doubling.py"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that pip installed the example into, without touching this environment."""
    source = (
        tmp_path_factory.mktemp("source") / "extension"
    )  # a build leaves nothing in the repository
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path_factory.mktemp("packages")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-compile"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder, source], check=True
    )
    return folder


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course, built, as the working directory."""
    build(load_course(small_course.root).topics)
    monkeypatch.chdir(small_course.root)
    return small_course


@pytest.fixture
def example(installed, monkeypatch):
    """The example package can be imported, as after `pip install`."""
    monkeypatch.syspath_prepend(str(installed))
    yield
    sys.modules.pop("grader_example", None)


def test_a_report_format(course, example, capsys):
    """`--format NAME=FILE` finds it by its entry point, beside the built-in ones."""
    formats = ["--format", "one-line=points.txt", "--format", "json=report.json"]
    assert run(["check", "--in-process", SOLUTION, *formats]) == 0
    assert (course.root / "points.txt").read_text() == "01_doubling\t3\t3\n"
    assert json.loads((course.root / "report.json").read_text())["points"] == 3


def test_an_executor(course, example, capsys):
    """`--executor NAME=ARGUMENT` grades there; what is wrong with the argument is one line."""
    for student in ("ann", "bob"):
        shutil.copy(SOLUTION, course.write(f"class/{student}/doubling.py", ""))
    command = ["grade", "class", "--out", "out", "--in-process", "--executor"]
    assert run([*command, "threads=2"]) == 0
    grades = (course.root / "out/grades.csv").read_text()
    assert grades == "student,01_doubling,total\nann,3,3\nbob,3,3\n"
    capsys.readouterr()
    assert run([*command, "threads=many"]) == 2
    assert capsys.readouterr().err == (
        "grader: threads=many: give a number of threads, such as threads=4\n"
    )


def test_a_helper_for_checks(course, example, capsys):
    """A check imports it like any module; what it says is what the student reads."""
    checks = "exercises/01_doubling/test_doubling.py"
    course.change(
        checks, "import numpy as np\n", "import numpy as np\nfrom grader_example import *\n"
    )
    course.change(
        checks,
        'assert_close(student.double(x), 2 * x, what="double")',
        'assert_bounded(student.double(x), -6, 2, what="double")',
    )
    assert run(["check", "--in-process", SOLUTION]) == 0
    course.write("doubling.py", "def double(x):\n    return x * x\n")
    assert run(["check", "--in-process", "doubling.py"]) == 1
    assert "double is 9 at [1], but should lie between -6 and 2." in capsys.readouterr().out


def test_names_that_cannot_be_used(installed, tmp_path, monkeypatch):
    """Unknown, claimed twice, or not importable: the message says which, and what to do."""
    with pytest.raises(NoSuchExtension, match="no executor 'threads'; there are: dask"):
        opened("threads=2")
    for package, entries in (
        (
            "one",
            "[a]\nagain = one:f\nbuilt = one:f\nbroken = no_such_module:f\nlist = one:__path__\n",
        ),
        ("two", "[a]\nagain = two:f\n"),
    ):
        folder = tmp_path / f"{package}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(entries)
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("def f(): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, message in (
        ("again", "the thing 'again' is claimed by one:f, two:f: uninstall all but one"),
        ("built", "the thing 'built' is claimed by one:f and is built in: uninstall"),
        ("broken", r"the thing 'broken' \(no_such_module:f\) cannot be imported: No module named"),
        ("list", r"the thing 'list' \(one:__path__\) is not a function"),
    ):
        with pytest.raises(NoSuchExtension, match=message):
            function_named(name, "a", "thing", {"built": print})
    assert function_named("plain", "a", "thing", {"plain": print}) is print


def test_two_places_at_once(course, capsys):
    """--cluster and --executor exclude each other; an unknown place is named."""
    (course.root / "class").mkdir()
    command = ["grade", "class", "--out", "out", "--in-process"]
    assert run([*command, "--cluster", "a:1", "--executor", "dask=a:1"]) == 2
    assert "--cluster and --executor exclude each other" in capsys.readouterr().err
    assert run([*command, "--executor", "slurm"]) == 2
    assert "there is no executor 'slurm'; there are: dask." in capsys.readouterr().err
