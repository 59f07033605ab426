"""check_forward and check_backward: what they reject, and where they say the fault lies."""

import contextlib

import numpy as np
import pytest
import torch

from grader import check_backward, check_forward, check_gradients, check_value_and_gradient
from grader.failure import Failure, StudentError

RIGHT = """
import numpy as np
def forward(x, w):
    return np.tanh(x * w), (x, w)
def backward(g, cache):
    x, w = cache
    slope = g * (1 - np.tanh(x * w) ** 2)
    return slope * w, (slope * x).sum(axis=0)
"""
INPUTS = {"x": np.array([[0.5, -1.0], [1.5, 0.25], [2.0, -0.5]]), "w": np.array([0.75, -1.25])}


def judge(student, **options):
    check_backward(
        student.forward,
        student.backward,
        reference=lambda x, w: torch.tanh(x * w),
        inputs=options.pop("inputs", INPUTS),
        **options,
    )


def test_a_right_pair_passes(student_of):
    """In either precision."""
    judge(student_of(RIGHT))
    judge(student_of(RIGHT), inputs={k: v.astype(np.float32) for k, v in INPUTS.items()})


@pytest.mark.parametrize(
    ("find", "replace", "words"),
    [
        ("1 - np", "1 + np", "the fault lies in backward"),
        ("slope * w,", "slope,", "grad_x of backward"),
        (".sum(axis=0)", ".sum(axis=0, keepdims=True)", "keepdims=True"),
        (".sum(axis=0)", ".mean(axis=0)", "grad_w of backward"),
        ("slope = g *", "slope = np.sign(g) *", "grad_x of backward"),
        ("np.tanh(x * w), (x, w)", "np.tanh(x * w) + 1e-4, (x, w)", "out of forward"),
        ("return slope * w, ", "return ", "but should return (grad_x, grad_w)"),
        ("x, w = cache", "x, w = cache; w = np.ones_like(w)", "grad_x of backward"),
    ],
)
def test_a_wrong_pair_is_rejected(student_of, find, replace, words):
    """Each with a message of its own."""
    assert find in RIGHT
    with pytest.raises(Failure, match=words.replace("(", r"\(").replace(")", r"\)")):
        judge(student_of(RIGHT.replace(find, replace)))


def test_a_forward_with_a_constant_inside_is_at_fault(student_of):
    """Where backward is the gradient of the student's own forward, the forward is named."""
    student = student_of(
        """
        import numpy as np
        def forward(x): return np.where(x > 1, x, x), x
        def backward(g, x): return g
        """
    )
    with pytest.raises(Failure, match="backward is the right gradient of your forward"):
        check_backward(
            student.forward,
            student.backward,
            reference=lambda x: x * 1.0 + (x - x.detach()),
            inputs={"x": np.array([0.5, 2.0])},
        )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "kept = []\ndef forward(x): kept[:] = [x]; return x * x, None\ndef backward(g, c): return 2 * g * kept[0]",
            "grad_x of backward",
        ),
        (
            "def forward(x): return x * x, [x.copy()]\ndef backward(g, c):\n    return 2 * g * c.pop()",
            "modifies its argument",
        ),
    ],
)
def test_caches_in_globals_and_used_up_caches_are_found(student_of, source, words):
    """Another forward call in between, and a second backward on the same cache."""
    student = student_of(source)
    with pytest.raises(Failure, match=words):
        check_backward(
            student.forward,
            student.backward,
            reference=lambda x: x * x,
            inputs={"x": np.array([1.0, 2.0, 3.0])},
        )


def test_a_single_gradient_is_bare(student_of):
    """A tuple of one is not an array."""
    student = student_of("def forward(x): return x * 1, None\ndef backward(g, c): return (g * 1,)")
    with pytest.raises(Failure, match="a single gradient is returned bare"):
        check_backward(
            student.forward, student.backward, reference=lambda x: x * 1, inputs={"x": np.ones(2)}
        )


def test_kinks_are_told_apart_by_conditioning_not_by_luck(student_of):
    """A float32 sum whose sign depends on rounding does not reject a right relu."""
    x = np.array([[1.0, 1e-8, -1.0]], dtype=np.float32)
    student = student_of(
        """
        import numpy as np
        def forward(x): return np.maximum(x.sum(axis=1), 0), x
        def backward(g, x): return np.broadcast_to((g * (x.sum(axis=1) > 0))[:, None], x.shape).copy()
        """
    )
    check_backward(
        student.forward,
        student.backward,
        reference=lambda x: torch.relu(x.sum(1)),
        inputs={"x": x},
    )


def test_check_forward_compares_named_items(student_of):
    """Opaque items are passed over, the others named."""
    student = student_of("def f(x): return x + 1, object(), x.sum()")
    check_forward(
        student.f,
        reference=lambda x: (x + 1, x.sum()),
        inputs={"x": np.ones(2)},
        returns=("out", None, "total"),
    )
    with pytest.raises(Failure, match="total of f is 2, but should be 3"):
        check_forward(
            student.f,
            reference=lambda x: (x + 1, x.sum() + 1),
            inputs={"x": np.ones(2)},
            returns=("out", None, "total"),
        )
    with pytest.raises(StudentError, match="should return"):
        check_forward(student.f, reference=lambda x: x, inputs={"x": np.ones(2)}, returns=("out",))


def test_check_gradients_needs_no_reference(student_of):
    """Differences alone accept the right pair and reject a wrong factor."""
    student = student_of(RIGHT)
    check_gradients(student.forward, student.backward, inputs=INPUTS)
    wrong = student_of(RIGHT.replace("slope * w,", "1.01 * slope * w,"))
    with pytest.raises(Failure, match="grad_x of backward"):
        check_gradients(wrong.forward, wrong.backward, inputs=INPUTS)


def test_check_value_and_gradient(student_of):
    """Value and gradient are both compared."""
    source = "def loss(p, t): return float(((p - t) ** 2).mean()), 2 * (p - t) / p.size"
    arguments = {
        "reference": lambda p, t: ((p - t) ** 2).mean(),
        "inputs": {"p": np.array([[1.0, 2.0], [0.5, 1.0]]), "t": np.zeros((2, 2))},
        "wrt": "p",
    }
    check_value_and_gradient(student_of(source).loss, **arguments)
    for find, replace, words in [
        ("mean()", "sum()", "value of loss"),
        ("/ p.size", "", "grad_p of loss"),
    ]:
        with pytest.raises(Failure, match=words):
            check_value_and_gradient(student_of(source.replace(find, replace)).loss, **arguments)


def test_a_float32_value_is_judged_by_the_tolerance_of_float32(student_of):
    """Whether it comes back as float32 or, just as exact, as a float."""
    arguments = {
        "reference": lambda p: (p**2).sum(),
        "inputs": {"p": np.array([1.1, 2.3], dtype=np.float32)},
        "wrt": "p",
    }
    for value in ("(p**2).sum()", "float((p**2).sum())"):
        source = f"def loss(p): return {value}, 2 * p"
        check_value_and_gradient(student_of(source).loss, **arguments)
        wrong = student_of(source.replace("return", "return 1.01 *"))
        with pytest.raises(Failure, match=r"value of loss is 6\.565"):
            check_value_and_gradient(wrong.loss, **arguments)


def test_an_array_without_an_axis_has_a_wrong_gradient(student_of):
    """The conditioning of a case is measured on scalars too."""
    student = student_of(
        "def total(ps): return sum(p.sum() for p in ps), [1.5 + 0 * p for p in ps]"
    )
    with pytest.raises(Failure, match=r"grad_ps\[0\] of total is 1.5, but should be 1"):
        check_value_and_gradient(
            student.total,
            reference=lambda ps: sum(p.sum() for p in ps),
            inputs={"ps": [np.array(2.0), np.ones(3)]},
            wrt="ps",
        )


NAMED = """
def forward(params, x):
    return x * params["w"] + params["b"], x
def backward(g, x):
    return {"b": g.sum(axis=0), "w": (g * x).sum(axis=0)}
"""
PARAMS = {"params": {"w": INPUTS["w"], "b": np.array([0.5, -2.0])}, "x": INPUTS["x"]}


@pytest.mark.parametrize(
    ("find", "replace", "words"),
    [
        ("", "", ""),
        ("g * x", "g", r"grad_params\['w'\] of backward"),
        ('{"b": g.sum(axis=0), ', "{", "no entry 'b'"),
        ('{"b"', '{"c": g, "b"', "'c' that does not belong there"),
        ('params["w"] +', 'params["w"] * 2 +', "out of forward"),
    ],
)
def test_inputs_and_gradients_may_be_dicts(student_of, find, replace, words):
    """Of arrays by name, as the parameters of a network; each slip is told by the name."""
    student = student_of(NAMED.replace(find, replace) if find else NAMED)
    expectation = pytest.raises(Failure, match=words) if words else contextlib.nullcontext()
    with expectation:
        check_backward(
            student.forward,
            student.backward,
            reference=lambda params, x: x * params["w"] + params["b"],
            inputs=PARAMS,
            constant=("x",),
        )
