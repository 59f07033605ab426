"""Each assertion rejects what is wrong, says so in words, and accepts every right form."""

import numpy as np
import pytest

from grader import assert_close, assert_equal, assert_raises, assert_true
from grader.checks.compare import show
from grader.failure import Failure, StudentError

EXPECTED = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("actual", "aspect", "words"),
    [
        (
            EXPECTED + np.array([[0, 0], [0, 1e-3]]),
            "value",
            "out is 4.001 at [1, 1], but should be 4",
        ),
        (EXPECTED[:, :, None], "shape", "keepdims=True"),
        (EXPECTED[0], "shape", "summed over too many axes"),
        (EXPECTED.astype(np.float32), "dtype", "has dtype float32, but should have float64"),
        (EXPECTED.astype(int), "dtype", "int64"),
        (np.array([[1.0, np.nan], [3.0, 4.0]]), "finite", "NaN at [0, 1]"),
        (np.array([[1.0, 2.0], [np.inf, 4.0]]), "finite", "infinite at [1, 0]"),
        (EXPECTED.tolist(), "type", "but should be a numpy.ndarray"),
        (np.matrix(EXPECTED), "type", "but should be a numpy.ndarray"),
        (None, "type", "is a `return` missing?"),
        (EXPECTED.T, "value", "2 of 4 elements are wrong"),
    ],
)
def test_assert_close_rejects(actual, aspect, words):
    """A wrong array is rejected, for the right reason."""
    with pytest.raises(Failure) as failure:
        assert_close(actual, EXPECTED, what="out")
    assert failure.value.aspect == aspect
    assert words in str(failure.value)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (EXPECTED, np.asfortranarray(EXPECTED)),
        (EXPECTED, EXPECTED[::-1][::-1]),
        (EXPECTED, EXPECTED * (1 + 1e-9)),
        (0.5, np.float32(0.5)),
        (0.5, np.array(0.5)),
        (0.0, 0),
        (np.array([np.inf, np.nan]), np.array([np.inf, np.nan])),
        ([EXPECTED, EXPECTED], (EXPECTED, EXPECTED)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_assert_close_accepts(expected, actual):
    """Memory order, form of a scalar, list or tuple do not matter."""
    assert_close(actual, expected, what="out")


def test_a_scalar_is_no_array():
    """A loss that was not averaged is told so."""
    with pytest.raises(Failure, match="should be a single number"):
        assert_close(np.ones(3), 1.0, what="loss")


def test_small_errors_of_eps_size_are_seen():
    """An eps of 1e-5 in the wrong place, relative 5e-6, is outside the tolerance of float64."""
    with pytest.raises(Failure):
        assert_close(np.array([1.0 + 5e-6]), np.array([1.0]), what="out")


def test_tolerance_follows_the_dtype_not_the_number_of_elements():
    """A thousand right elements do not excuse a wrong one."""
    expected = np.ones(1000)
    actual = expected.copy()
    actual[7] += 1e-5
    with pytest.raises(Failure, match=r"at \[7\]"):
        assert_close(actual, expected, what="out")
    assert_close(actual.astype(np.float32), expected.astype(np.float32), what="out")


def test_slack_is_asked_only_where_values_disagree():
    """Conditioning costs nothing while answers agree, and excuses no more than it measured."""
    asked = []

    def slack():
        asked.append(1)
        return np.array([1e-3])

    assert_close(np.array([1.0]), np.array([1.0]), what="out", slack=slack)
    assert not asked
    assert_close(np.array([1.0005]), np.array([1.0]), what="out", slack=slack)
    assert asked
    with pytest.raises(Failure):
        assert_close(np.array([1.002]), np.array([1.0]), what="out", slack=slack)


def test_trees_are_compared_item_by_item():
    """The failing item is named."""
    with pytest.raises(Failure, match=r"grads\[1\] is 2 at \[0\]"):
        assert_close([np.ones(1), 2 * np.ones(1)], [np.ones(1), np.ones(1)], what="grads")
    with pytest.raises(Failure, match="has 1 item, but should have 2"):
        assert_close([np.ones(1)], [np.ones(1), np.ones(1)], what="grads")
    with pytest.raises(Failure, match="no entry 'b'"):
        assert_close({"a": np.ones(1)}, {"a": np.ones(1), "b": np.ones(1)}, what="grads")


class AlwaysEqual:
    """A hostile answer."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


def test_an_object_that_equals_everything_is_rejected():
    """Only arrays and numbers count."""
    with pytest.raises(Failure):
        assert_close(AlwaysEqual(), 1.0, what="loss")
    with pytest.raises(Failure):
        assert_equal(AlwaysEqual(), "saddle", what="kind")


def test_assert_equal():
    """Exact, but numpy integers and lists are welcome; True is not 1."""
    assert_equal([np.int64(9), 4], (9, 4), what="fans")
    assert_equal(np.bool_(True), True, what="stop")
    with pytest.raises(Failure, match="fans is"):
        assert_equal((4, 9), (9, 4), what="fans")
    with pytest.raises(Failure):
        assert_equal(1, True, what="stop")
    with pytest.raises(Failure):
        assert_equal(9.0, 9, what="fan")


def test_assert_true():
    """The message is the student's."""
    assert_true(True, "fine")
    with pytest.raises(Failure, match="never rises"):
        assert_true(False, "The rate never rises.")


def test_assert_raises(student_of):
    """Only the listed error counts; returning is told as such."""
    student = student_of(
        """
        class MyError(ValueError): pass
        def good(p): raise ValueError("p is wrong")
        def derived(p): raise MyError("p")
        def silent(p): return p
        def other(p): raise KeyError("p")
        """
    )
    assert_raises(ValueError, student.good, 2.0)
    assert_raises(ValueError, student.derived, 2.0)
    with pytest.raises(Failure, match=r"silent returns the float 2.0, but should raise ValueError"):
        assert_raises(ValueError, student.silent, 2.0, because="p > 1")
    with pytest.raises(Failure, match="other raises KeyError, but should raise ValueError"):
        assert_raises(ValueError, student.other, 2.0)


def test_what_cannot_be_compared_is_the_students_error(student_of):
    """A sequence that holds an object has no value to compare."""
    student = student_of("def f(): return [1, {'a': object()}]")
    with pytest.raises(StudentError, match="holds a object"):
        assert_equal(student.f(), (1, 2), what="f")


def test_long_arrays_are_wrapped_and_small_numbers_keep_their_digits():
    """As a terminal of 80 columns shows them, with five digits of the largest element."""
    lines = show(np.linspace(0, 1, 21)).splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 70
    assert "0.0012498" in show(np.array([0.00124984, 0.0]))
    assert show(np.array([1.2813493e-12])) == "[1.28135e-12]"
    assert show(np.array([1.23456789, -20.0])) == "[1.23457, -20.]"
