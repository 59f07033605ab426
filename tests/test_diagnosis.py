"""Misconceptions: named where a submission behaves like one, and nothing else is named."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from grader import assert_close, check_law, points, reveal
from grader.checks.check import Check
from grader.cli import run
from grader.course import load_course
from grader.diagnosis.fingerprints import FORMAT, Fingerprints, WrongAnswer, fingerprints_of
from grader.diagnosis.matching import named
from grader.diagnosis.misconceptions import load_misconceptions
from grader.diagnosis.trace import Trace, agree, trace_of
from grader.grading import Settings, grade, topic_checks
from grader.submission import submission_from_bytes
from grader.tables import CourseError

ROOT = Path(__file__).parent.parent
COURSE = load_course(ROOT)
HERE = Settings(examples=0, isolated=False)
OTHER_STYLES = {
    "rms": (
        "04_normalization",
        """
import numpy as np
def rms_norm_forward(x, gamma, *, eps=1e-5):
    n = x.shape[-1]
    size = (np.einsum("...i,...i->...", x, x)[..., None] / n) ** 0.5
    normal = x / (size + eps)
    return (normal * gamma).astype(x.dtype), [x, size, gamma]
""",
        "test_rms_norm_forward",
    ),
    "adam": (
        "06_optimizers",
        """
import math
import numpy as np
def adam_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0,
              amsgrad=False, maximize=False):
    if lr < 0 or eps < 0 or weight_decay < 0 or not all(0 <= b < 1 for b in betas):
        raise ValueError("lr, eps, weight_decay or betas")
    g = (-grad if maximize else grad) + weight_decay * param
    step, one, two, top = state.get("all", (0, 0 * param, 0 * param, 0 * param))
    step, one, two = step + 1, betas[0] * one + (1 - betas[0]) * g, betas[1] * two + (1 - betas[1]) * g * g
    top = np.maximum(top, two)
    corrected = (top if amsgrad else two) / (1 - betas[1] ** step)
    new = param - lr / (1 - betas[0] ** step) * one / np.sqrt(corrected + eps)
    return new.astype(param.dtype), {"all": (step, one, two, top)}
""",
        "test_adam_step",
    ),
}


def misconception(topic, source, check):
    submission = submission_from_bytes(source.encode(), topic.source.name)
    report = grade(submission, topic, HERE)
    return next(one.misconception for one in report.checks if one.name == check)


@pytest.mark.parametrize("name", OTHER_STYLES)
def test_named_in_another_style(name):
    """By what the answer returns, however it is written."""
    topic_name, source, check = OTHER_STYLES[name]
    found = misconception(COURSE.topic(topic_name), source, check)
    assert found is not None
    assert found.id == {"adam": "adam-eps-inside-root", "rms": "rms-eps-outside-the-root"}[name]


def test_a_mistake_of_nobody_is_not_named():
    """One that no bank has: nothing is named."""
    topic = COURSE.topic("04_normalization")
    source = topic.source.read_text()
    assert source.count("(1 - momentum) * running_mean") == 1
    wrong = source.replace("(1 - momentum) * running_mean", "(1 - momentum) * running_mean * 1.25")
    report = grade(submission_from_bytes(wrong.encode(), topic.source.name), topic, HERE)
    failing = [check for check in report.checks if check.verdict == "failed"]
    assert failing
    assert all(check.misconception is None for check in failing)


@pytest.mark.parametrize("topic", COURSE.topics, ids=lambda topic: topic.name)
def test_traces_tell_wrong_answers_apart(topic):
    """A wrong answer's own trace names it, or nothing, where too many behave the same; never another."""
    fingerprints = fingerprints_of(topic)
    bank = {one.id for one in load_misconceptions(topic.misconceptions)}
    assert set(fingerprints.misconceptions) == bank
    told = 0
    for name, wrong in fingerprints.misconceptions.items():
        found = [named(fingerprints, check, wrong.traces.get) for check in wrong.traces]
        assert all(name in some for some in found if some), f"{name} is taken for another"
        told += any(found)
    assert told >= 0.85 * len(bank)


def test_agreement():
    """The pattern must be the same but where an error is barely one; numbers up to rounding; draws up to chance."""
    wrong = Trace("..v?v", {2: [[["float64 3", 1.0, 2.0]]]})
    assert agree(wrong, Trace("..v.v", {2: [[["float64 3", 1.0 + 1e-9, 2.0]]], 4: []}))
    assert not agree(wrong, Trace("..v.v", {2: [[["float64 3", 1.001, 2.0]]]}))
    assert not agree(wrong, Trace("..vv.", {2: [[["float64 3", 1.0, 2.0]]]}))
    assert not agree(wrong, Trace(".....", {}))
    assert not agree(wrong, Trace("..d.d", {2: [[["float64 3", 1.0, 2.0]]]}))
    law = Trace("l", {0: [[["~", 4000, 0.5, 0.5, 0.7]]]})
    assert agree(law, Trace("l", {0: [[["~", 4000, 0.51, 0.49, 0.71]]]}))
    assert not agree(law, Trace("l", {0: [[["~", 4000, 0.9, 0.5, 0.7]]]}))


def test_what_is_not_written_leaves_no_trace(student_of):
    """Nor is one taken for a function that modifies its argument, whose letter is the same."""
    topic = COURSE.topic("04_normalization")
    check = next(one for one in topic_checks(topic) if one.name == "test_rms_norm_forward")
    assert (
        trace_of(check, student_of("def rms_norm_forward(*a, **k): raise NotImplementedError"))
        is None
    )
    changing = student_of(
        """
        def rms_norm_forward(x, gamma, *, eps=1e-5):
            gamma *= 2
            return x, None
        """
    )
    assert set(trace_of(check, changing).pattern) == {"m"}


@points(1, exact=True)
def test_mean(student):
    """Of draws that are none: whatever rng gives, the answer is the same."""
    drawn = student.draw(np.ones(3), rng=np.random.default_rng(0))
    assert_close(reveal(drawn)["mean"], 1.0, what="mean of draw")
    sample = np.random.default_rng(1).standard_normal(400) * 2
    check_law(sample, stats.norm(), what="draws")


@points(1, call_timeout_s=60)
def test_long(student):
    """A check whose calls train."""
    assert_close(student.draw(np.ones(3)), 1.0, what="mean of draw")


EXACT, LONG = Check.of(test_mean), Check.of(test_long)
del test_mean, test_long


def test_an_exact_check_leaves_what_it_compares(student_of):
    """Though the function draws, and hides its answer in a dict; a law that is broken leaves its sample."""

    def trace(wrong, draws):
        source = f"""
        def draw(x, *, rng):
            rng.random({draws})
            return {{"mean": {wrong} * x.mean(), "other": rng.random()}}
        """
        return trace_of(EXACT, student_of(source))

    wrong = trace(2, 0)
    assert wrong.numbers == {0: [[["text", "mean of draw"], ["number", 1.910673, 2.0]]]}
    assert agree(wrong, trace(2, 5))
    assert not agree(wrong, trace(3, 0))
    (law,) = trace(1, 0).numbers[0]
    assert law[1][:2] == ["~", 400]


def test_a_long_check_is_not_run_again_for_a_diagnosis(student_of):
    """Its trace would take minutes."""
    assert trace_of(LONG, student_of("def draw(x): return 2.0")) is None


def test_more_than_three_are_not_named():
    """What fits many misconceptions tells nothing."""
    same = {"test_a": Trace("r", {})}
    for count, expected in ((1, 1), (3, 3), (4, 0)):
        wrong = {f"m{i}": WrongAnswer("text", ["a"], same) for i in range(count)}
        found = named(
            Fingerprints(FORMAT, {"a": "(x)"}, "", {}, wrong), "test_a", lambda _: Trace("r", {})
        )
        assert len(found) == expected


A, B = Trace("v", {}), Trace("s", {})
PASSES = Trace(".", {})


@pytest.mark.parametrize(
    ("traces", "named_so"),
    [
        ({"test_a": A, "test_a_more": A, "test_b": B}, True),
        ({"test_a": A, "test_a_more": PASSES, "test_b": B}, False),
        ({"test_a": B, "test_a_more": A, "test_b": B}, False),
        ({"test_a": A, "test_a_more": A, "test_b": B, "test_b_more": B}, False),
        ({"test_a": A, "test_a_more": A, "test_b": B, "test_a_rest": B}, False),
        ({"test_a": A, "test_a_more": A, "test_b": B, "test_a_rest": Trace("l", {})}, True),
        ({"test_a": A, "test_a_more": A, "test_b": B, "test_c": B}, True),
    ],
    ids=["all of it", "one passes", "one fails otherwise", "one more", "one more of its function",
         "a law, which chance may break", "one of another function"],
)  # fmt: skip
def test_what_a_misconception_must_explain(traces, named_so):
    """Every failure of the function that is explained and of those that it makes wrong, and no other function's."""
    wrong = WrongAnswer("text", ["a"], {"test_a": A, "test_a_more": A, "test_b": B})
    known = Fingerprints(FORMAT, dict.fromkeys("abc", "(x)"), "", {}, {"m": wrong})
    assert bool(named(known, "test_b", traces.get, traces)) == named_so


def test_a_function_that_calls_wrong_ones_is_not_explained():
    """What fails in it may be theirs."""
    wrong = WrongAnswer("text", ["a"], {"test_a": A})
    known = Fingerprints(FORMAT, dict.fromkeys("abc", "(x)"), "", {"a": ["b"]}, {"m": wrong})
    for traces, count in (
        ({"test_a": A, "test_b": PASSES, "test_c": B}, 1),
        ({"test_a": A, "test_b": B}, 0),
    ):
        assert len(named(known, "test_a", traces.get, traces)) == count


def test_broken_fingerprints(small_course):
    """One line that says what to run."""
    topic = load_course(small_course.root).topics[0]
    for text in ('{"format": 1, "signatures": {}}', "{", "[]"):
        topic.fingerprints.write_text(text)
        with pytest.raises(CourseError, match="grader build"):
            fingerprints_of(topic)
        topic.fingerprints.unlink()


def test_a_class_has_its_misconceptions_ranked(tmp_path, monkeypatch):
    """In report.html and as JSON, the most frequent first, with who made them."""
    topic = COURSE.topic("06_optimizers")
    source = topic.source.read_text()
    bank = {one.id: one for one in load_misconceptions(topic.misconceptions)}
    first, second = "adam-eps-inside-root", "clip-each-alone"
    for student, name in (("ann", first), ("bob", first), ("eve", second)):
        path = tmp_path / "class" / student / topic.name / topic.source.name
        path.parent.mkdir(parents=True)
        path.write_text(bank[name].edited(source) + f"\n# {student}\n")
    monkeypatch.chdir(ROOT)
    out = tmp_path / "out"
    quick = ("--in-process", "--examples", "0", "--jobs", "1")
    assert run(["grade", str(tmp_path / "class"), "--out", str(out), *quick]) == 0
    ranking = json.loads((out / "misconceptions.json").read_text())[topic.name]
    assert [(one["id"], one["students"]) for one in ranking] == [
        (first, ["ann", "bob"]),
        (second, ["eve"]),
    ]
    assert bank[first].text[:40] in (out / "report.html").read_text()
    assert "A known mistake" in (out / "feedback/ann.html").read_text()
