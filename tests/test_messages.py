"""What a student reads, for each kind of failure: a snapshot of the words."""

import numpy as np
import pytest
import torch

from grader import assert_close, assert_raises, cases, check_backward, given, points, unpack
from grader.checks.check import Check
from grader.failure import Failure
from grader.report.explanation import explain

RIGHT = """
import numpy as np
def forward(x, w):
    out = x * w
    return out, (x, w)
def backward(grad_out, cache):
    x, w = cache
    return grad_out * w, (grad_out * x).sum(axis=0)
"""
SIGNATURES = {"forward": "(x, w)", "backward": "(grad_out, cache)"}
WRONG = {
    "value": ("grad_out * w, ", "grad_out * w * w, "),
    "forward value": ("out = x * w", "out = x * np.abs(w)"),
    "shape": (".sum(axis=0)", ".sum(axis=0, keepdims=True)"),
    "dtype": ("out = x * w", "out = (x * w).astype(np.float64)"),
    "nan": ("out = x * w", "out = np.exp(np.log(x) + np.log(w))"),
    "modified argument": ("out = x * w", "x *= w; out = x.copy()"),
    "wrong type": ("return out, (x, w)", "return out.tolist(), (x, w)"),
    "not a pair": ("return out, (x, w)", "return out"),
    "exception": ("x, w = cache", "x, w, b = cache"),
    "signature": ("def backward(grad_out, cache)", "def backward(grad_out, x, w)"),
    "missing": ("def backward", "def backwards"),
    "not written": ("x, w = cache", "raise NotImplementedError"),
    "global seed": ("out = x * w", "np.random.seed(0); out = x * w"),
    "right for square shapes only": (
        "(grad_out * x).sum(axis=0)",
        "(grad_out * x).sum(axis=0 if x.shape[0] == x.shape[1] else 1)",
    ),
    "kept in a global": ("x, w = cache", "x, w = globals().setdefault('kept', cache)"),
    "endless loop": ("x, w = cache", "x, w = cache\n    while True: pass"),
}


@points(1, timeout_s=1.5)
@given(case=cases(x="N D", w="D"))
def test_product(student, case):
    """The gradient of a product."""
    check_backward(
        student.forward, student.backward, reference=lambda x, w: x * w, inputs=case.inputs
    )


PRODUCT = Check.of(test_product)
del test_product


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_messages(student_of, snapshot, kind):
    """Each kind says what is wrong, where, and on which case; nothing of the engine's frames."""
    find, replace = WRONG[kind]
    assert find in RIGHT
    student = student_of(RIGHT.replace(find, replace), signatures=SIGNATURES)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # a time limit is no Exception
        PRODUCT.run(student, examples=5)
    text = explain(caught.value)
    assert "grader/" not in text
    assert text == snapshot


def test_the_right_answer_says_nothing(student_of):
    """The snapshots above are of wrong answers."""
    PRODUCT.run(student_of(RIGHT, signatures=SIGNATURES))
    assert torch.get_num_threads() == 1


def test_text_of_a_student_is_made_visible(student_of):
    """Control, bidirectional and zero-width characters cannot change the terminal."""
    student = student_of('def f(): raise ValueError("\\x1b[2Jgone \\u202e\\u200b \\ud800")')
    with pytest.raises(Failure) as failure:
        assert_close(student.f(), np.ones(1), what="f")
    text = explain(failure.value)
    assert "\\x1b[2Jgone \\u202e\\u200b \\ud800" in text
    text.encode("utf-8")


def test_a_missing_value_error(student_of, snapshot):
    """What came instead, and why it should be refused."""
    student = student_of("def f(p): return p, None")
    unpack(student.f(0.5), "out", "cache", what="f")
    with pytest.raises(Failure) as failure:
        assert_raises(ValueError, student.f, 1.5, because="p = 1.5 lies outside [0, 1]")
    assert explain(failure.value) == snapshot
