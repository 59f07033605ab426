"""What a failure shows in the place of the generated arguments."""

import numpy as np
import pytest

from grader import Failure, cases, check_forward, given, points, showing
from grader.checks.check import Check
from grader.checks.strategies import edge_cases
from grader.failure import Missing
from grader.report.explanation import smallest_case


@points(1)
@given(case=cases(x="N", kinds=("integers",), options={"eps": [0.5]}))
def test_doubled(student, case):
    """Twice x is called without options."""
    with showing(case, {"x": 2 * case.x}, notes=("It was called with twice x.",)):
        if np.any(student.f(2 * case.x) != 2 * case.x):
            raise Failure("f is not x.")


DOUBLED = Check.of(test_doubled)
del test_doubled


def test_the_call_itself_is_shown_and_searched(student_of):
    """After the search for the smallest case, of which nothing else is shown; findings follow the notes."""
    with pytest.raises(Failure) as caught:
        DOUBLED.run(student_of("def f(x): return x + 1"), examples=5)
    failure = caught.value
    assert failure.details[0] == "It was called with twice x."
    assert smallest_case(failure) == f"x = [{2 * failure.case['case'].x[0]:.0f}.]"
    assert failure.case["case"].x.size == 1


def test_a_missing_function_has_no_call():
    """What is not written is told as always."""
    case = edge_cases(cases(x="N"), seed=0)[0]
    with pytest.raises(Missing) as caught, showing(case, {"x": case.x}, notes=("A note.",)):
        raise Missing("`f` is not written yet.")
    assert caught.value.details == ()
    assert caught.value.shown is None


@points(1)
@given(case=cases(x="N D", options={"strength": [1.0]}))
def test_scaled(student, case):
    """Three calls, of which one is what was drawn."""
    for x, strength in ((case.x, case.strength), (case.x[:1], case.strength), (case.x, 0.0)):
        check_forward(
            student.scaled,
            reference=lambda x, strength: strength * x,
            inputs={"x": x},
            options={"strength": strength},
        )


SCALED = Check.of(test_scaled)
del test_scaled


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return strength * x + (strength > 0)", "x = [[-1.]]\nstrength = 1.0"),
        ("return strength * x + (strength == 0)", "x = [[-1.]]\nstrength = 0.0"),
        ("return strength * x + (len(x) == 1 and strength > 0 and x.base is None)", None),
    ],
    ids=["what was drawn", "another option", "a part of it"],
)
def test_the_call_that_failed_is_shown(student_of, body, expected):
    """Where a comparison was called with something else than the case, a student reads what his function was given."""
    student = student_of(f"def scaled(x, *, strength): {body}")
    with pytest.raises(Failure) as failure:
        SCALED.run(student, seed=3)
    text = smallest_case(failure.value)
    if expected is None:
        assert text.startswith("x = [[")
        assert "], [" not in text.splitlines()[0]
    else:
        assert text == expected
