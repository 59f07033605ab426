"""Reference values are computed once per process, and never taken for those of something else."""

from functools import partial

import numpy as np
import pytest

from grader import cases, check_backward, check_forward, given, points
from grader.checks.check import Check, forget_examples
from grader.checks.memo import once, remembering
from grader.failure import Failure

X = np.arange(3.0)


@pytest.fixture(autouse=True)
def _forgotten():
    """Nothing is remembered from one test to the next."""
    forget_examples()
    yield
    forget_examples()


def double(x):
    """A reference."""
    return 2 * x


def asked(*calls):
    """How often the values of two replays of an example were computed, where each call gives `once`'s arguments."""
    forget_examples()
    count = 0

    def compute():
        nonlocal count
        count += 1
        return count

    for call in calls:
        with remembering("example"):
            once(compute, *call)
    return count


def scaling(factor):
    """A reference that closes over a value."""
    return lambda x: factor * x


def test_the_same_is_computed_once():
    """A reference, its closure, the arrays and options of the same example."""
    assert asked((double, {"x": X}, {"eps": 0.1}), (double, {"x": X}, {"eps": 0.1})) == 1
    assert asked((scaling(2.0), {"x": [X]}, {}), (scaling(2.0), {"x": [X]}, {})) == 1
    assert asked(*((double, {}, {"rng": np.random.default_rng(1)}) for _ in range(2))) == 1
    mask = X > 1
    assert asked((scaling(mask), {}, {}), (scaling(mask), {}, {})) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((double, {"x": X}, {}), (double, {"x": X.copy()}, {})),
        ((double, {"x": X}, {}), (double, {"y": X}, {})),
        ((double, {"x": [X, [X]]}, {}), (double, {"x": [[X], X]}, {})),
        ((double, {"x": 1.0}, {}), (double, {"x": 2.0}, {})),
        ((double, {"x": 1}, {}), (double, {"x": 1.0}, {})),
        ((double, {"x": X}, {"eps": 0.1}), (double, {"x": X}, {"eps": 0.2})),
        ((double, {"x": X}, {"training": True}), (double, {"x": X}, {"training": 1})),
        ((double, {"x": X}, {}), (scaling(2), {"x": X}, {})),
        tuple((double, {"x": X}, {"rng": np.random.default_rng(seed)}) for seed in (1, 2)),
        ((scaling(2.0), {"x": X}, {}), (scaling(3.0), {"x": X}, {})),
        ((scaling(X), {"x": X}, {}), (scaling(X.copy()), {"x": X}, {})),
        ((lambda x, p=1.0: p * x, {"x": X}, {}), (lambda x, p=2.0: p * x, {"x": X}, {})),
        ((double, {"x": X}, {}, "float32"), (double, {"x": X}, {}, "float64")),
        ((partial(double), {"x": X}, {}), (partial(double), {"x": X}, {})),
    ],
)
def test_anything_else_is_computed_anew(one, other):
    """Another array, even an equal one, another option, another code, another closure."""
    assert asked(one, other) == 2


def test_nothing_is_kept_outside_of_an_example():
    """The steps that explain a failure have inputs of their own."""
    values = iter(range(9))
    assert [once(partial(next, values), double, {"x": X}, {}) for _ in range(2)] == [0, 1]


CALLS: list[int] = []


def _counted(x):
    CALLS.append(1)
    return x**2


@points(1)
@given(case=cases(x="N D"))
def test_square(student, case):
    """The square, forward and backward."""
    check_forward(
        student.square_forward, reference=_counted, inputs=case.inputs, returns=("out", None)
    )
    check_backward(
        student.square_forward, student.square_backward, reference=_counted, inputs=case.inputs
    )


SQUARE = Check.of(test_square)
del test_square
RIGHT = "def square_forward(x): return x * x, x\ndef square_backward(g, x): return 2 * g * x"


def test_a_second_submission_costs_no_reference(student_of):
    """The verdicts stay what they are."""
    SQUARE.run(student_of(RIGHT))
    first = len(CALLS)
    SQUARE.run(student_of(RIGHT))
    assert len(CALLS) == first > 0
    with pytest.raises(Failure, match="grad_x"):
        SQUARE.run(student_of(RIGHT.replace("2 * g", "3 * g")))
    with pytest.raises(Failure, match="out of"):
        SQUARE.run(student_of(RIGHT.replace("x * x", "x + x")))


def test_a_cache_in_a_global_is_found_among_the_first_examples(student_of):
    """And the smallest case is found although later examples have no further calls."""
    source = "CACHE = []\ndef square_forward(x):\n    CACHE[:] = [x]\n    return x * x, None\n"
    with pytest.raises(Failure, match="grad_x") as caught:
        SQUARE.run(
            student_of(source + "def square_backward(g, cache): return 2 * g * CACHE[0]"),
        )
    assert caught.value.case["case"].elements() <= 2
