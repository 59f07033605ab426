"""The checks of topic 05: numpy is the reference."""

import numpy as np

from grader import assert_close, assert_raises, cases, given, points


@points(2)
@given(case=cases(x="N", options={"width": [1, 2, 3]}, where=lambda dims: dims["N"] >= 3))
def test_moving_average(student, case):
    """Each full window gives its mean."""
    x = case.x.astype("float64")
    expected = [x[i : i + case.width].mean() for i in range(len(x) - case.width + 1)]
    scale = float(np.abs(x).max())
    answer = student.moving_average(case.x, case.width)
    assert_close(answer, np.array(expected), what="moving_average", dtype=case.dtype, scale=scale)


@points(0.5)
def test_moving_average_refuses_bad_widths(student):
    """An empty window, and one longer than the signal, raise ValueError."""
    for width in (0, 4):
        assert_raises(ValueError, student.moving_average, np.ones(3), width, because=f"{width=}")


@points(2)
def test_running_mean(student):
    """The mean follows the values, and two means do not disturb each other."""
    one, other = student.RunningMean(), student.RunningMean(start=1.0)
    for count, value in enumerate([2.0, -4.0, 8.0], 1):
        mean = [2.0, -1.0, 2.0][count - 1]
        assert_close(one.update(value), mean, what="update")
        assert_close(other.update(value), mean + 1 / count, what="update with start=1")
