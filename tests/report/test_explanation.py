"""What a failing check says fits a screen, and what it leaves out it counts."""

import math
from pathlib import Path

import numpy as np
import pytest

from grader import cases
from grader.checks.strategies import edge_cases
from grader.content.text_rules import wrong_answer
from grader.course import find_course
from grader.diagnosis.fingerprints import fingerprints_of
from grader.diagnosis.matching import Diagnosis
from grader.diagnosis.misconceptions import load_misconceptions
from grader.failure import Failure
from grader.grading import Settings, outcome, topic_checks
from grader.opening import the_student
from grader.report.explanation import SCREEN, explain, laid_out, smallest_case
from grader.report.terminal import explanation
from grader.submission import submission_from_bytes

COURSE = find_course(Path(__file__))


def height(text):
    """Lines of a terminal of 80 columns."""
    return sum(max(1, math.ceil(len(line) / 80)) for line in text.splitlines())


LONG = [
    ("01_gradient_flow", "mlp-backward-normalizes-depth", "test_mlp_backward_through_depth"),
    ("02_residual", "conv-edge-padding", "test_conv2d_backward"),
    ("04_normalization", "group-channels-interleaved", "test_group_norm_backward"),
    ("06_optimizers", "adam-decay-after-average", "test_adam_step_amsgrad"),
    ("07_schedules", "plateau-patience-ignored", "test_reduce_on_plateau_threshold"),
    (
        "08_regularization",
        "best-params-are-the-first",
        "test_early_stopping_keeps_the_best_parameters",
    ),
    ("09_augmentation", "sample-three-corners", "test_elastic_deform"),
    ("11_loss_landscape", "surface-alphas-sorted", "test_loss_surface_plain"),
    ("12_training", "step-l2-in-the-gradient", "test_train_step"),
]
"""The longest that benchmarks/screens.py finds, of each topic that has long ones."""


@pytest.mark.parametrize(("name", "wrong", "check"), LONG, ids=[one[0] for one in LONG])
def test_a_failing_check_fits_a_screen(name, wrong, check):
    """Title, what is wrong, smallest case, misconception and pointer take less than 25 lines of 80 columns."""
    topic = COURSE.topic(name)
    bank = {one.id: one for one in load_misconceptions(topic.misconceptions)}
    source = wrong_answer(bank[wrong], topic)
    student = the_student(submission_from_bytes(source, topic.source.name), topic, isolated=False)
    checks = topic_checks(topic)
    diagnosis = Diagnosis(fingerprints_of(topic), checks, student)
    (judged,) = [one for one in checks if one.name == check]
    result = outcome(judged, student, Settings(isolated=False), diagnosis)
    text = explanation(result, topic, at_most=SCREEN)
    assert height(f"{result.title}\n\n{text}") < 25
    assert result.verdict == "failed"
    for part in (
        result.message.splitlines()[0],
        "the smallest case found that shows it",
        "A known mistake behaves just like this.",
        ".py.",
    ):
        assert part in text


NUMBERS = [f"line {number}" for number in range(50)]


def test_the_middle_of_a_long_case_is_left_out():
    """The headline, the details, the case's first lines and its last one stay, where the options are."""
    text = laid_out(["Wrong.", "By 3."], "\n".join(NUMBERS), "An idea.", "Read it.", at_most=15)
    lines = text.splitlines()
    assert height(text) == 15
    assert lines[:5] == [
        "Wrong.",
        "  By 3.",
        "",
        "  the smallest case found that shows it:",
        "    line 0",
    ]
    assert "    ... 43 more lines ..." in lines
    assert lines[-4:] == [
        "    line 49",
        "",
        "  A known mistake behaves just like this. An idea.",
        "  Read it.",
    ]


def test_long_details_are_left_out_too():
    """When the case is as short as it may be."""
    text = laid_out(["Wrong.", *NUMBERS], "\n".join(NUMBERS), "", "Read it.", at_most=20)
    assert height(text) == 20
    assert text.count("more lines ...") == 2
    assert "  line 49\n\n  the smallest case" in text


def test_all_lines():
    """Where nothing limits them."""
    text = laid_out(["Wrong.", *NUMBERS], "\n".join(NUMBERS), "", "Read it.", at_most=None)
    assert all(text.count(f" {line}\n") == 2 for line in NUMBERS)
    assert "more lines" not in text


def test_lines_that_are_wrapped_count_as_what_they_fill():
    """A line of 200 characters fills three."""
    text = laid_out(["Wrong."], "\n".join(["x" * 196] * 9), "", "", at_most=15)
    assert height(text) <= 15
    assert "... 6 more lines ..." in text


def shown(build, **options):
    failure = Failure("Wrong.")
    failure.case = {
        "case": edge_cases(cases(build, layouts=("C",), dtypes=("float64",), **options), seed=0)[0]
    }
    return smallest_case(failure)


def test_a_case_of_any_length_is_shown_whole():
    """Where nothing limits the lines, also beyond those that a Report holds."""
    failure = Failure("Wrong.")
    arrays = [np.arange(20.0) + 100 * number for number in range(40)]
    failure.case = {"weights": arrays}
    assert "more lines" in explain(failure)
    assert "more lines" in smallest_case(failure)
    whole = explain(failure, at_most=None)
    assert "more lines" not in whole
    assert all(f"[{number}] = [" in whole for number in range(40))


def test_short_values_share_a_line():
    """Arrays have lines of their own."""
    text = shown(
        lambda _: {"x": np.array([1.0, 2.0])},
        options={"eps": [0.1], "momentum": [0.25], "training": [True]},
    )
    assert text == "x = [1., 2.]\neps = 0.1, momentum = 0.25, training = True"


def test_lists_and_dicts_of_arrays():
    """On one line where they are short, else an entry a line."""
    short = [np.array([1.0]), np.array([[2.0], [3.0]])]
    assert shown(lambda _: {"grads": short}) == "grads = [[1.], [[2.], [3.]]]"
    long = {"weight": np.arange(8.0).reshape(2, 4), "bias": np.arange(12.0)}
    assert shown(lambda _: {"params": long}).splitlines() == [
        "params = a dict of 2:",
        "  ['weight'] = [[0., 1., 2., 3.], [4., 5., 6., 7.]]",
        "  ['bias'] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.]",
    ]


def test_two_cases_have_their_names():
    """Where a check draws two, an argument says whose it is."""
    drawn = edge_cases(
        cases(x="1", layouts=("C",), dtypes=("float64",), options={"p": [0.5]}), seed=0
    )[0]
    failure = Failure("Wrong.")
    failure.case = {"case": drawn, "other": drawn}
    lines = smallest_case(failure).splitlines()
    assert [line.partition(" =")[0] for line in lines] == ["case.x", "other.x", "case.p"]
    assert lines[-1] == "case.p = 0.5, other.p = 0.5"
