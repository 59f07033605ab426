"""`grader new`: skeletons that are sound but for the TODOs that `grader verify` names."""

import pytest

from grader.cli import run
from grader.course import load_course


def verified(capsys, *arguments):
    """The exit code of `grader verify` and its lines."""
    capsys.readouterr()
    code = run(["verify", *arguments])
    return code, capsys.readouterr().err.splitlines()


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A new course of one topic, as the working directory."""
    monkeypatch.chdir(tmp_path)
    assert run(["new", "course", "my-course", "--topic", "attention"]) == 0
    monkeypatch.chdir(tmp_path / "my-course")
    return tmp_path / "my-course"


def test_a_new_course_is_sound_but_for_its_todos(course, capsys):
    """Each is named with its file and line; without them the course is sound as it is."""
    assert load_course(course).title == "My course"
    assert run(["build"]) == 0
    code, lines = verified(capsys)
    assert code == 2
    assert {line.split(":")[2].strip() for line in lines} == {"a TODO is left"}
    files = [path for path in course.rglob("*") if path.suffix in (".py", ".toml")]
    written = [path for path in files if path.name != "attention.py" or "solutions" in path.parts]
    todos = sum(path.read_text().count("TODO") for path in written)
    assert len(lines) == todos
    for path in written:
        path.write_text(path.read_text().replace("TODO", "done"))
    assert run(["build"]) == 0
    assert verified(capsys) == (0, [])


def test_a_new_topic_comes_last(course, capsys):
    """With the next number, or one of its own; the topics that were there stay as they were."""
    before = (course / "course.toml").read_text()
    assert run(["new", "topic", "padding"]) == 0
    assert run(["new", "topic", "20_layer_scale"]) == 0
    assert (course / "course.toml").read_text().startswith(before)
    topics = load_course(course).topics
    assert [topic.name for topic in topics] == ["01_attention", "02_padding", "20_layer_scale"]
    assert topics[-1].title == "Layer scale"
    assert run(["build"]) == 0
    code, lines = verified(capsys, "layer_scale")
    assert code == 2
    assert all("a TODO is left" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["topic", "attention"], "two topics have the module 'attention'"),
        (["topic", "01_padding"], "two topics have the number '01'"),
        (["topic", "Self-attention"], "two digits, an underscore and a Python name"),
        (["topic", "numpy"], "is a word or a module of Python itself"),
        (["course", "."], "is not empty"),
        (["course", "other", "--topic", "class"], "is a word or a module of Python itself"),
    ],
)
def test_names_that_cannot_be(course, capsys, arguments, message):
    """One line, and nothing is written."""
    before = sorted(course.rglob("*"))
    capsys.readouterr()
    assert run(["new", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert sorted(course.rglob("*")) == before


def test_files_that_are_there_stay(course, capsys):
    """A folder of that name is nobody's to overwrite."""
    (course / "solutions/02_padding").mkdir()
    assert run(["new", "topic", "padding"]) == 2
    assert "exists already" in capsys.readouterr().err
