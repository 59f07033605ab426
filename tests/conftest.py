"""Fixtures of the whole suite."""

import os
import sys
import textwrap
from pathlib import Path

import pytest

from grader.student import InProcess, Student

# nbgrader starts programs of its environment by their names, also where that is not activated
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

pytest_plugins = ["pytester", "small_course"]

collect_ignore = ["courses"]  # their checks judge stubs; test_other_courses.py runs them


@pytest.fixture
def student_of():
    """Source text -> the `student` that checks see, in this process."""

    def make(source, **options):
        host = InProcess()
        host.load(
            [("answer.py", textwrap.dedent(source))], name="answer_under_test", stop_at_error=True
        )
        student = Student(host, filename="answer.py", **options)
        student._begin(repeat=True)
        return student

    return make
