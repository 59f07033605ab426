"""`grader progress`: where one stands, from the files alone."""

import pytest

from grader.build import build
from grader.cli import run
from grader.course import load_course
from grader.progress import bar, standing

BROKEN = {
    "a syntax error": ("def double(x:\n", "is not valid Python: line 1"),
    "an error while loading": ("1 / 0\n", "cannot be loaded: "),
    "a loop while loading": ("while True:\n    pass\n", "still being loaded"),
}


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course, built, as the working directory; a loop is waited for as briefly as can be."""
    build(load_course(small_course.root).topics)
    (small_course.exercise / "doubling.ipynb").unlink()
    monkeypatch.chdir(small_course.root)
    monkeypatch.setattr("grader.progress.CHECK_LIMIT_S", 1.0)
    return small_course


def the_standing(course):
    """Of its only topic."""
    return standing(load_course(course.root).topics[0])


def half_done(course):
    """The stub with one function of two written."""
    return course.change(
        "exercises/01_doubling/doubling.py",
        'raise NotImplementedError("double is yours to write")',
        "print('noise'); return x + x",
    )


def test_what_is_printed(course, capsys):
    """Points, a bar, the sum, and what to do next; the student's own printing is not shown."""
    half_done(course)
    assert run(["progress"]) == 0
    out = capsys.readouterr().out
    assert "01 Doubling" in out
    assert "######----     2 of 3" in out
    assert "\n2 of 3 points\n" in out
    assert "Next: 01 Doubling\n  A counter goes up by one.\n" in out
    assert "grader watch 01" in out
    assert "noise" not in out


def test_plain_sentences(course, capsys):
    """For a screen reader: no bar, no columns."""
    half_done(course)
    assert run(["progress", "--plain"]) == 0
    out = capsys.readouterr().out
    assert "01 Doubling: 2 of 3 points, not done yet\n" in out
    assert "#" not in out


def test_all_done(course, capsys):
    """There is an end."""
    (course.exercise / "doubling.py").write_bytes((course.solution / "doubling.py").read_bytes())
    assert the_standing(course).done
    assert run(["progress"]) == 0
    assert "Nothing is left to do" in capsys.readouterr().out


@pytest.mark.parametrize(("source", "note"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_a_calm_line(course, capsys, source, note):
    """It has no points, and the line says why; the command goes on."""
    course.write("exercises/01_doubling/doubling.py", source)
    found = the_standing(course)
    assert (found.points, found.done) == (0, False)
    assert note in found.note
    assert run(["progress"]) == 0
    assert note in " ".join(capsys.readouterr().out.split())


def test_missing_files(course):
    """A topic that is not handed out is no fault; a stub that is gone is named."""
    (course.exercise / "doubling.py").unlink()
    assert the_standing(course).note == "doubling.py is missing: get it again"
    (course.exercise / "test_doubling.py").unlink()
    assert the_standing(course).note == "not handed out yet"


def test_checks_that_cannot_be_loaded(course):
    """Half an update of the course is said as such."""
    course.change("exercises/01_doubling/test_doubling.py", "import numpy", "import nonsense_here")
    assert "test_doubling.py cannot be loaded (ModuleNotFoundError" in the_standing(course).note


def test_an_endless_loop_ends(course):
    """In a function too."""
    course.change(
        "exercises/01_doubling/doubling.py",
        'raise NotImplementedError("double is yours to write")',
        "while True: pass",
    )
    found = the_standing(course)
    assert (found.points, found.first.verdict) == (0, "timeout")


def test_the_better_of_script_and_notebook(small_course):
    """An untouched stub beside a notebook that is done, and a broken one, do not count."""
    topic = load_course(small_course.root).topics[0]
    build([topic])
    topic.stub.write_bytes(topic.source.read_bytes())
    assert standing(topic).points == 3
    topic.notebook.write_text("{", encoding="utf-8")
    assert standing(topic).done


def test_the_bar_is_full_only_at_the_end():
    """Nearly is not done."""
    assert bar(19.99, 20) == "#########-"
    assert bar(20, 20) == "##########"
