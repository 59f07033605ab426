"""`check` in a real kernel, as a student's notebook runs it, and as nbgrader's Validate does."""

import copy
import json

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader_folder import COUNTER, DOUBLE, TOPIC, NbgraderFolder, cell_of

from grader.course import CourseError
from grader.notebook import CheckFailed, check

WRONG = "def double(x):\n    import sys\n    print('a remark', file=sys.stderr)\n    return x * x\n"


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder that a student fetches: notebook, checks and a course.toml of its own."""
    folder = NbgraderFolder(tmp_path_factory.mktemp("lab"))
    folder.nbgrader("generate_assignment", TOPIC)
    return folder


def outputs(notebook, name):
    """The outputs of a cell, by kind."""
    return {output["output_type"]: output for output in cell_of(notebook, name)["outputs"]}


def test_a_notebook_in_a_kernel(released):
    """Right: the feedback says so. Wrong: the same words as in the terminal, and the cell fails. Mended: it passes again."""
    answers = released.answered(double=WRONG, Counter=COUNTER)
    again = [
        {"cell_type": "code", "id": "mended", "metadata": {}, "outputs": [], "execution_count": None, "source": DOUBLE},
        {**copy.deepcopy(cell_of(answers, "test_double")), "id": "again"},
    ]  # fmt: skip
    again[1]["metadata"] = {"nbgrader": {"grade_id": "again"}}
    answers["cells"] += again
    notebook = nbformat.reads(json.dumps(answers), as_version=4)
    where = released.root / "release" / TOPIC
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3",
                   resources={"metadata": {"path": str(where)}}).execute()  # fmt: skip

    failed = outputs(notebook, "test_double")
    assert "double is 9 at [1], but should be -6." in failed["display_data"]["data"]["text/html"]
    assert "A known mistake behaves just like this." in failed["display_data"]["data"]["text/html"]
    assert (
        "Read &quot;Doubling&quot; in doubling.py." in failed["display_data"]["data"]["text/html"]
    )
    assert failed["error"]["ename"] == "CheckFailed"
    assert failed["error"]["traceback"] == [
        "CheckFailed: failed: double is 9 at [1], but should be -6."
    ], "the words stand above"
    assert "double is 9 at [1], but should be -6." in failed["error"]["evalue"]
    for name in ("test_counting", "again"):
        passed = outputs(notebook, name)
        assert set(passed) == {"display_data"}, (
            "an error, stderr or a last value would count in Validate"
        )
        assert "passed" in passed["display_data"]["data"]["text/html"]
        assert "Read" not in passed["display_data"]["data"]["text/html"]


def test_validate(released, monkeypatch):
    """nbgrader's Validate reports the check that fails, and only that."""
    from nbgrader.validator import Validator

    answers = released.answered(double=WRONG, Counter=COUNTER)
    path = released.root / "release" / TOPIC / "validated.ipynb"
    path.write_text(json.dumps(answers))
    found = Validator().validate(str(path))
    assert [one["source"] for one in found["failed"]] == ['check("test_double")']
    assert "double is 9 at [1], but should be -6." in found["failed"][0]["raw_error"]


def test_what_check_refuses(released, monkeypatch):
    """A name that is no check, and a folder without a course."""
    monkeypatch.chdir(released.root / "release" / TOPIC)
    with pytest.raises(
        CourseError, match="no check 'test_dubble'; there are: test_double, test_counting"
    ):
        check("test_dubble")
    with pytest.raises(CourseError, match="has no topic '07'"):
        check("test_double", topic="07")
    monkeypatch.chdir("/")
    with pytest.raises(CourseError, match=r"no course\.toml"):
        check("test_double")


def test_check_in_plain_python(released, monkeypatch, capsys):
    """The functions of whoever calls it are judged."""
    monkeypatch.chdir(released.root / "release" / TOPIC)
    namespace = {"check": check, "__name__": "__main__"}
    exec(DOUBLE + "check('test_double')", namespace)
    with pytest.raises(CheckFailed, match="missing: `Counter` is not defined in this notebook"):
        exec("check('test_counting', topic='01')", namespace)
