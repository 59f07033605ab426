"""How a check is run: replay, the smallest case, time limits."""

import numpy as np
import pytest

from grader import assert_close, cases, given, points
from grader.checks.check import _DRAWN, Check, forget_examples
from grader.failure import Failure, Missing, TimeLimit


@points(2)
@given(case=cases(x="N D"))
def test_double(student, case):
    """The double of every element."""
    assert_close(student.double(case.x), 2 * case.x, what="double")


@points(1, timeout_s=0.3)
def test_once(student):
    """A check without generated values."""
    student.double(np.ones(1))


DOUBLE, ONCE = Check.of(test_double), Check.of(test_once)
del test_double, test_once


def test_what_a_check_is():
    """Name, title, points from the function."""
    assert (DOUBLE.name, DOUBLE.title, DOUBLE.points) == (
        "test_double",
        "The double of every element.",
        2,
    )


def test_examples_are_drawn_once():
    """Every submission meets the same arrays."""
    first, again = DOUBLE.examples(0, 25), list(DOUBLE.in_turn(0, 25))
    assert len(first) == len(again) > 25
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert len(DOUBLE.examples(0, 40)) > len(DOUBLE.examples(0, 5))


def test_random_examples_wait_for_the_edge_cases(student_of):
    """Who fails at an edge case is told without waiting for hypothesis."""
    forget_examples()
    with pytest.raises(Missing):
        DOUBLE.run(student_of("def double(x): raise NotImplementedError"), seed=5, examples=25)
    assert [key[1:] for key in _DRAWN] == [(5,)]


def test_a_right_answer_passes(student_of):
    """And leaves no failure."""
    DOUBLE.run(student_of("def double(x): return 2 * x"))


def test_the_smallest_case_is_found(student_of):
    """An answer that is wrong for wide arrays only is shown on the narrowest."""
    student = student_of("def double(x): return 2 * x if x.shape[1] < 3 else 3 * x")
    with pytest.raises(Failure) as failure:
        DOUBLE.run(student)
    case = failure.value.case["case"]
    assert case.x.shape[1] == 3
    assert case.x.shape[0] == 1
    assert case.x.dtype == np.float64


def test_missing_is_not_shrunk(student_of):
    """One call says it all."""
    student = student_of("calls = []\ndef double(x): calls.append(1); raise NotImplementedError")
    with pytest.raises(Missing):
        DOUBLE.run(student)
    assert len(student._backend.module.calls) == 1


def test_an_endless_loop_costs_its_check_only(student_of):
    """Even one that swallows exceptions."""
    student = student_of(
        """
        def double(x):
            while True:
                try:
                    while True: pass
                except Exception: pass
        """
    )
    with pytest.raises(TimeLimit):
        ONCE.run(student)


def test_a_stateful_fault_that_does_not_show_again_is_still_reported(student_of):
    """The first failure stands where no smaller one is found."""
    student = student_of(
        """
        first = [True]
        def double(x):
            if first and x.size > 3:
                first.clear()
                return 3 * x
            return 2 * x
        """
    )
    with pytest.raises(Failure):
        DOUBLE.run(student)
