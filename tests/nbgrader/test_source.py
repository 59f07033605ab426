"""`grader nbgrader init`: what the source notebook holds, and what a second run leaves alone."""

import json

import pytest
from nbgrader_folder import TOPIC, NbgraderFolder, cell_of

from grader.cli import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return NbgraderFolder(
        tmp_path_factory.mktemp("source"),
        "--course-id",
        "dl",
        "--db",
        "postgresql://grades.example/dl",
    )


def test_the_source_notebook(folder):
    """A solution cell per function, behind it its checks with their points, then the hidden cell and the question."""
    notebook = json.loads((folder.root / "source" / TOPIC / "doubling.ipynb").read_text())
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id", "") for cell in notebook["cells"]]
    assert [one for one in ids if one] == [
        "setup", "helpers-1", "double", "test_double", "Counter", "test_counting", "hidden", "written",
    ]  # fmt: skip
    check = cell_of(notebook, "test_double")
    assert "".join(check["source"]) == 'check("test_double")'
    assert check["metadata"]["nbgrader"]["points"] == 2
    assert "### BEGIN SOLUTION" in "".join(cell_of(notebook, "double")["source"])
    assert "SECRET SCHEME" in "".join(cell_of(notebook, "written")["source"])


def test_the_config(folder):
    """Course id and gradebook as asked for; a seed that is not the public one."""
    text = (folder.root / "nbgrader_config.py").read_text()
    assert "c.CourseDirectory.course_id = 'dl'" in text
    assert "c.CourseDirectory.db_url = 'postgresql://grades.example/dl'" in text
    assert "c.GradeInSandbox.seed = 0\n" not in text


def test_a_second_run_changes_nothing(folder, monkeypatch, capsys):
    """Edited notebooks and the seed stay; what was deleted comes back."""
    config = (folder.root / "nbgrader_config.py").read_text()
    gone = folder.root / "source" / TOPIC / "course.toml"
    gone.unlink()
    monkeypatch.chdir(folder.course.root)
    capsys.readouterr()
    assert run(["nbgrader", "init", str(folder.root)]) == 0
    assert "1 files written" in capsys.readouterr().out
    assert (folder.root / "nbgrader_config.py").read_text() == config
    assert gone.is_file()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"points": "0"}, "points is 0, but should be a number above 0"),
        ({"question": '""'}, "question is empty"),
        ({"scheme": '"END MARK SCHEME"'}, "the marks around the scheme are written by `init`"),
    ],
)
def test_a_broken_question(folder, monkeypatch, capsys, tmp_path, change, words):
    """One line that names the file and the rule."""
    values = {"format": "1", "points": "4", "question": '"Why?"', "scheme": '"Because."', **change}
    text = "".join(f"{key} = {value}\n" for key, value in values.items())
    before = (folder.course.solution / "written.toml").read_text()
    folder.course.write(f"solutions/{TOPIC}/written.toml", text)
    monkeypatch.chdir(folder.course.root)
    try:
        assert run(["nbgrader", "init", str(tmp_path / "new")]) == 2
        assert words in capsys.readouterr().err
    finally:
        folder.course.write(f"solutions/{TOPIC}/written.toml", before)
