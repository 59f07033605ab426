"""Hidden checks: they run at grading only, count where course.toml says so, and tell nothing."""

import msgspec
import pytest
from nbgrader_folder import HIDDEN
from small_course import COURSE, MISCONCEPTIONS

from grader.build import build
from grader.course import CourseError, load_course
from grader.grading import Settings, grade
from grader.verify import verify_topic

ISOLATED = Settings(examples=0)
SQUARE = "def double(x):\n    return x * x\n"


@pytest.fixture
def course(small_course):
    small_course.write("course.toml", COURSE + "hidden_points = 2\n")
    small_course.write("solutions/01_doubling/test_hidden.py", HIDDEN)
    build(load_course(small_course.root).topics)
    return small_course


def graded(course, source, settings=ISOLATED):
    file = course.write("handed_in/doubling.py", source)
    return grade(file, load_course(course.root).topics[0], settings)


def test_they_count_where_the_course_says_so(course):
    """With `hidden_points` they are part of the points; without, they run and count nothing."""
    right = graded(course, "def double(x):\n    return 2 * x\n")
    assert (right.points, right.max_points) == (4.0, 5.0)
    assert [(check.name, check.title, check.verdict) for check in right.checks][-1] == (
        "hidden_1",
        "A hidden check",
        "passed",
    )
    course.write("course.toml", COURSE)
    plain = graded(course, SQUARE)
    assert (plain.points, plain.max_points) == (0.0, 3.0)
    assert (plain.checks[-1].verdict, plain.checks[-1].max_points) == ("failed", 0.0)


def test_not_in_the_student_s_own_process(course):
    """There a submission could read them."""
    here = graded(course, SQUARE, msgspec.structs.replace(ISOLATED, isolated=False))
    assert [check.name for check in here.checks] == ["test_double", "test_counting"]


@pytest.mark.parametrize(
    ("source", "verdict", "message"),
    [
        (SQUARE, "failed", "The answer is wrong in a case that is not shown."),
        (
            "def double(x):\n    raise KeyError(f'{x}')\n",
            "error",
            "The code gave no usable answer in a case that is not shown. It raised KeyError.",
        ),
        (
            "def double(x):\n    raise type(f'X{int(x[0])}', (Exception,), {})\n",
            "error",
            "The code gave no usable answer in a case that is not shown.",
        ),
        ("def double(x):\n    raise NotImplementedError(f'{x}')\n", "missing", "A function is not written yet."),
        ("def triple(x): ...\n", "missing", "A function is not written yet."),
    ],
)  # fmt: skip
def test_what_is_said_of_them(course, source, verdict, message):
    """Which of Python's exceptions came, and no word of the student's code, which could carry the inputs out."""
    check = graded(course, source).checks[-1]
    assert (check.verdict, check.message) == (verdict, message)
    assert (check.smallest_case, check.misconception) == ("", None)


def test_verify_runs_them_on_the_solution(course):
    """They are sound when the solution passes them and their points are those of course.toml."""
    course.write("solutions/01_doubling/misconceptions.toml", MISCONCEPTIONS)
    topic = load_course(course.root).topics[0]
    assert verify_topic(topic) == []
    course.change("solutions/01_doubling/test_hidden.py", "2 * x", "3 * x")
    assert "the solution fails test_secret_name" in str(verify_topic(topic)[0])
    course.change("solutions/01_doubling/test_hidden.py", "points(2)", "points(1)")
    assert "sum to 1, but course.toml gives hidden_points 2" in str(verify_topic(topic)[0])


def test_hidden_points_are_a_number(course):
    """A negative one is refused, by name."""
    course.write("course.toml", COURSE + "hidden_points = -1\n")
    with pytest.raises(CourseError, match="hidden_points is -1"):
        load_course(course.root)
