"""grade(): the same report for the same submission, isolated or not; bad files get a report too."""

from pathlib import Path

import msgspec
import pytest

from grader.course import load_course
from grader.grading import Report, Settings, grade

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
