"""Findings: stated where they hold in every example, and not otherwise."""

import pytest

from grader import assert_close, cases, given, points
from grader.checks.check import Check
from grader.failure import Failure


@points(1)
@given(
    case=cases(
        x="N D",
        options={"p": [0.25, 0.5], "mode": ["a", "b"], "scale": [None, 2.0]},
        kinds=("normal",),
    )
)
def check_mean(student, case):
    """The mean over the rows."""
    answer = student.mean(case.x, **case.options)
    assert_close(answer, case.x.mean(axis=0), what="the answer of mean")


def lines(student_of, body):
    source = f"import numpy as np\ndef mean(x, *, p, mode, scale):\n    right = x.mean(axis=0)\n    {body}"
    with pytest.raises(Failure) as caught:
        Check.of(check_mean).run(student_of(source))
    return [line for line in caught.value.details if "examples" in line or "times" in line]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return x.sum(axis=0)", "the answer of mean is N times the right answer, in all"),
        ("return right / (1 - p)", "the answer of mean is 1/(1 - p) times the right answer"),
        ("return right * x.dtype.type(3 ** 0.5)", "is sqrt(3) times the right answer"),
        ("return -right", "is the right answer with the other sign"),
        ("return 0 * right", "is zero everywhere"),
        ("return right if mode == 'a' else right + 1", "examples where mode = 'b', and passes"),
        ("return right if len(x) == 1 else x[0] + 1", "examples where N > 1, and passes"),
        ("return right.astype(float)", "examples where the dtype is float32, and passes"),
        ("return right if scale is None else 2 * right", "examples where scale = 2.0, and passes"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_found(student_of, body, words):
    """A factor by its name, a condition by its option, axis or dtype."""
    assert any(words in line for line in lines(student_of, body)), lines(student_of, body)


@pytest.mark.parametrize(
    "body",
    [
        "return right + 1",
        "return right * (2 if p == 0.5 else 3 if mode == 'a' else 4)",
        "return right if (len(x) + x.shape[1]) % 3 else right + x[0, 0] + 1",
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_not_found(student_of, body):
    """What has no single factor, and no single condition, has no finding."""
    assert lines(student_of, body) == []


def test_integers_and_truth_values(student_of):
    """Their differences have findings too, or none, but never a fault of the judge."""

    @points(1)
    @given(case=cases(x="N"))
    def check_sign(student, case):
        """Whether elements are positive."""
        assert_close(student.positive(case.x), case.x > 0, what="positive")

    with pytest.raises(Failure, match="positive is"):
        Check.of(check_sign).run(student_of("def positive(x): return x <= 0"))
