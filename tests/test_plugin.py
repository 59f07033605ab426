"""Whole pytest runs, as a student sees them."""

import subprocess
import sys

import pytest

COURSE = """
format = 1
title = "A course"
[[topic]]
name = "01_doubling"
title = "Doubling"
points = 3
"""
CHECKS = '''
import numpy as np
from grader import assert_close, cases, given, points

@points(2)
@given(case=cases(x="N"))
def test_double(student, case):
    """The double of every element."""
    assert_close(student.double(case.x), 2 * case.x, what="double")

@points(1)
def test_half(student):
    """The half of a number."""
    assert_close(student.half(3.0), 1.5, what="half")
'''
RIGHT = "def double(x): return 2 * x\ndef half(x): return x / 2\n"
STUB = "def double(x): raise NotImplementedError\ndef half(x): raise NotImplementedError\n"
WRONG = "def double(x): return 2 * x if x.shape[0] < 2 else 3 * x\ndef half(x): return x / 2\n"


@pytest.fixture
def course(pytester):
    """A course of one topic in pytester's folder."""
    folder = pytester.mkdir("exercises") / "01_doubling"
    folder.mkdir()
    (pytester.path / "course.toml").write_text(COURSE)
    (folder / "test_doubling.py").write_text(CHECKS)
    (folder / "doubling.py").write_text(STUB)
    return pytester


def run(course, source, *options):
    """A pytest run on the topic with `source` as the student's file, in a process of its own."""
    (course.path / "exercises/01_doubling/doubling.py").write_text(source)
    return course.runpytest_subprocess("-p", "no:cacheprovider", "exercises/01_doubling", *options)


def test_full_marks(course):
    """All passed, and the points say so."""
    result = run(course, RIGHT)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*01_doubling*3 of 3 points*(2 passed)*"])
    assert result.ret == 0


def test_a_stub_is_missing_and_calm(course):
    """No traceback, no failure section."""
    result = run(course, STUB)
    result.stdout.fnmatch_lines(["*01_doubling*0 of 3 points*(2 missing)*"])
    assert "Traceback" not in result.stdout.str()
    assert "FAILURES" not in result.stdout.str()
    assert result.ret == 1


def test_a_failure_reads_well(course, snapshot):
    """Headline, arrays, smallest case; nothing of the engine."""
    result = run(course, WRONG)
    lines = result.stdout.lines
    begin = next(i for i, line in enumerate(lines) if "test_double ___" in line)
    end = next(i for i, line in enumerate(lines) if "= points =" in line)
    assert "\n".join(lines[begin + 1 : end]) == snapshot
    assert "grader/" not in result.stdout.str().replace("grader/pytest", "")


def test_k_x_and_pdb(course):
    """pytest's own options work."""
    run(course, WRONG, "-k", "half").assert_outcomes(passed=1, deselected=1)
    run(course, WRONG, "-x").assert_outcomes(failed=1)


def test_last_failed(course):
    """--lf runs what failed, a missing check included."""
    (course.path / "exercises/01_doubling/doubling.py").write_text(WRONG)
    course.runpytest_subprocess("exercises")
    result = course.runpytest_subprocess("exercises", "--lf")
    result.stdout.fnmatch_lines(["*rerun previous 1 failure*"])
    result.assert_outcomes(failed=1)


def test_xdist(course):
    """Points and explanations survive the way from a worker of xdist."""
    result = run(course, WRONG, "-n", "1")
    result.stdout.fnmatch_lines(["*double is *", "*01_doubling*1 of 3 points*"])


def test_submission_option(course):
    """Another file, a notebook too; a missing one is a usage error that names it."""
    (course.path / "mine.py").write_text(RIGHT)
    run(course, STUB, "--submission", "mine.py").assert_outcomes(passed=2)
    result = run(course, STUB, "--submission", "nowhere.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*nowhere.py: there is no such file*"])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def double(x) return x", "doubling.py is not valid Python: line 1"),
        ("import does_not_exist", "doubling.py cannot be loaded: raised ModuleNotFoundError"),
    ],
)
def test_a_file_that_cannot_be_loaded(course, source, words):
    """Every check says so, in a line."""
    result = run(course, source)
    assert words in result.stdout.str()
    assert result.ret == 1


def test_loading_the_plugin_is_light(course):
    """In a run without checks neither numpy nor torch nor hypothesis is imported by the plugin."""
    course.makepyfile(
        test_other="""
        import sys
        def test_it():
            assert not {"numpy", "torch", "grader.checks"} & set(sys.modules)
        """
    )
    course.runpytest_subprocess("test_other.py", "-p", "no:hypothesispytest").assert_outcomes(
        passed=1
    )
    code = "import sys, grader, grader.plugin; sys.exit(bool({'numpy', 'torch', 'hypothesis'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
