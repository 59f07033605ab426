"""The checks of topic 01, gradient flow: torch's functions and autograd are the reference, in float64."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it

from grader import (
    assert_close,
    assert_raises,
    cases,
    check_backward,
    check_forward,
    check_value_and_gradient,
    given,
    labels,
    points,
    to_tensor,
    unpack,
)

ANY_SHAPE = ["N", "N D", "N C H W"]
AWAY_FROM_ZERO = ("normal", "offset", "wide", "huge", "tiny")
MODERATE = ("integers", "normal", "offset")
"""Kinds whose tanh and sigmoid keep their leading digits in every sound formula."""
ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}


def linear_cases(**options):
    return cases(x="N I", weight="O I", bias="O", **options)


@points(1)
@given(case=linear_cases())
def test_linear_forward(student, case):
    """Each sample is multiplied by the weights and shifted by the bias."""
    check_forward(
        student.linear_forward, reference=F.linear, inputs=case.inputs, returns=("out", None)
    )


@points(0.5)
@given(case=linear_cases(dims={"N": (1, 1)}, empty=("N",)))
def test_linear_forward_edges(student, case):
    """An empty batch and a batch of one keep the shape (N, O)."""
    check_forward(
        student.linear_forward, reference=F.linear, inputs=case.inputs, returns=("out", None)
    )


@points(1)
@given(case=linear_cases())
def test_linear_backward(student, case):
    """The gradients of x, weight and bias of a linear layer are those of autograd."""
    check_backward(
        student.linear_forward, student.linear_backward, reference=F.linear, inputs=case.inputs
    )


@points(0.5)
@given(case=linear_cases(dims={"N": (1, 1)}, empty=("N",)))
def test_linear_backward_edges(student, case):
    """The gradients keep their shapes for an empty batch and a batch of one."""
    check_backward(
        student.linear_forward, student.linear_backward, reference=F.linear, inputs=case.inputs
    )


@points(0.5)
@given(case=cases(x=ANY_SHAPE, empty=("N",)))
def test_relu_forward(student, case):
    """Negative values become zero, positive ones stay."""
    check_forward(student.relu_forward, reference=F.relu, inputs=case.inputs, returns=("out", None))


@points(0.5)
@given(case=cases(x=[*ANY_SHAPE, ""], kinds=("normal", "wide", "zeros")))
def test_relu_forward_keeps_the_shape(student, case):
    """Any number of axes is allowed, none too."""
    check_forward(student.relu_forward, reference=F.relu, inputs=case.inputs, returns=("out", None))


@points(1)
@given(case=cases(x=ANY_SHAPE, empty=("N",), kinds=AWAY_FROM_ZERO))
def test_relu_backward(student, case):
    """The gradient passes where the input was positive, and nowhere else."""
    check_backward(
        student.relu_forward, student.relu_backward, reference=F.relu, inputs=case.inputs
    )


@points(0.5)
@given(case=cases(x=ANY_SHAPE, kinds=("zeros", "integers")))
def test_relu_backward_at_zero(student, case):
    """The slope of relu at 0 is 0."""
    check_backward(
        student.relu_forward, student.relu_backward, reference=F.relu, inputs=case.inputs
    )


def check_elementwise(forward, reference, case, backward=None):
    """Compares with an absolute error, as every sound formula of a saturating function has."""
    dtype = case.dtype
    out, cache = unpack(forward(case.x), "out", "cache", what=forward.__name__)
    tensor = to_tensor(case.x).requires_grad_()
    expected = reference(tensor)
    if backward is None:
        what = f"out of {forward.__name__}"
        assert_close(out, expected, what=what, dtype=dtype, scale=1.0)
        return
    (gradient,) = torch.autograd.grad((expected * to_tensor(case.grad_out)).sum(), tensor)
    what = f"grad_x of {backward.__name__}"
    assert_close(backward(case.grad_out, cache), gradient, what=what, dtype=dtype, scale=1.0)


def saturated(draw, drawn):
    """Whole numbers of magnitude 5 to 1e4, both signs in turn."""
    x = drawn["x"]
    signs = np.where(np.arange(x.size) % 2, 1.0, -1.0) * draw.rng.choice([-1.0, 1.0])
    sizes = np.rint(10.0 ** draw.rng.uniform(0.7, 4, size=x.size))
    sizes[draw.rng.random(x.size) < 0.4] = 1e4
    return {"x": draw.laid_out((signs * sizes).reshape(x.shape))}


def saturated_with_gradient(draw, drawn):
    grad_out = draw.rng.uniform(-2, 2, size=drawn["x"].shape).round(2)
    return {"grad_out": draw.laid_out(grad_out), **saturated(draw, drawn)}


@points(0.5)
@given(case=cases(x=ANY_SHAPE, empty=("N",)))
def test_tanh_forward(student, case):
    """tanh is taken of each element."""
    check_elementwise(student.tanh_forward, torch.tanh, case)


@points(0.5)
@given(case=cases(x=ANY_SHAPE, change=saturated))
def test_tanh_forward_saturated(student, case):
    """tanh of large inputs is -1 or 1, never NaN."""
    check_elementwise(student.tanh_forward, torch.tanh, case)


@points(1)
@given(case=cases(x=ANY_SHAPE, empty=("N",), kinds=MODERATE))
def test_tanh_backward(student, case):
    """The gradient of tanh is that of autograd."""
    check_backward(
        student.tanh_forward, student.tanh_backward, reference=torch.tanh, inputs=case.inputs
    )


@points(0.5)
@given(case=cases(x=ANY_SHAPE, change=saturated_with_gradient))
def test_tanh_backward_saturated(student, case):
    """Where tanh is saturated its gradient is zero, never NaN."""
    check_elementwise(student.tanh_forward, torch.tanh, case, student.tanh_backward)


@points(0.5)
@given(case=cases(x=ANY_SHAPE, empty=("N",), kinds=(*MODERATE, "wide", "tiny")))
def test_sigmoid_forward(student, case):
    """The logistic function is taken of each element."""
    check_elementwise(student.sigmoid_forward, torch.sigmoid, case)


@points(0.5)
@given(case=cases(x=ANY_SHAPE, change=saturated))
def test_sigmoid_forward_saturated(student, case):
    """The sigmoid of inputs up to 1e4 is 0 or 1, never NaN."""
    check_elementwise(student.sigmoid_forward, torch.sigmoid, case)


@points(1)
@given(case=cases(x=ANY_SHAPE, empty=("N",), kinds=MODERATE))
def test_sigmoid_backward(student, case):
    """The gradient of the sigmoid is that of autograd."""
    check_backward(
        student.sigmoid_forward,
        student.sigmoid_backward,
        reference=torch.sigmoid,
        inputs=case.inputs,
    )


@points(0.5)
@given(case=cases(x=ANY_SHAPE, change=saturated_with_gradient))
def test_sigmoid_backward_saturated(student, case):
    """Where the sigmoid is saturated its gradient is zero, never NaN."""
    check_elementwise(student.sigmoid_forward, torch.sigmoid, case, student.sigmoid_backward)


@points(0.5)
@given(case=cases(prediction="N D", target="N D"))
def test_mse_loss(student, case):
    """The squared error is averaged over all elements, and so is its gradient."""
    check_value_and_gradient(
        student.mse_loss, reference=F.mse_loss, inputs=case.inputs, wrt="prediction"
    )


def with_target(draw, drawn):
    prediction = drawn["prediction"]
    return {"prediction": prediction, "target": draw.array(*prediction.shape)}


@points(0.5)
@given(case=cases(prediction=["N", "N C H", "N C H W"], change=with_target))
def test_mse_loss_of_any_shape(student, case):
    """The mean runs over all axes, whatever the number of axes."""
    check_value_and_gradient(
        student.mse_loss, reference=F.mse_loss, inputs=case.inputs, wrt="prediction"
    )


def check_cross_entropy(function, logits, targets):
    """The loss is a difference of logits, so its error is measured on their scale; a gradient's on that of 1/N."""
    dtype = str(logits.dtype)
    loss, gradient = unpack(
        function(logits, targets), "loss", "grad_logits", what=function.__name__
    )
    tensor = to_tensor(logits).requires_grad_()
    expected = F.cross_entropy(tensor, to_tensor(targets))
    (expected_gradient,) = torch.autograd.grad(expected, tensor)
    largest = max(1.0, float(np.abs(logits).max()))
    what = f"loss of {function.__name__}"
    assert_close(loss, expected.detach(), what=what, dtype=dtype, scale=largest)
    # Rounding a logit of magnitude m moves a probability by about m times the unit roundoff.
    unit = float(np.finfo(dtype).eps)
    atol = 1e-10 if dtype == "float64" else 5e-5
    scale = max(1.0, 4 * unit * largest / atol) / len(targets)
    what = f"grad_logits of {function.__name__}"
    assert_close(gradient, expected_gradient, what=what, dtype=dtype, scale=scale)


@points(1)
@given(
    case=cases(
        logits="N C",
        targets=labels("N", "C"),
        kinds=("integers", "normal", "offset", "wide", "tiny"),
    )
)
def test_softmax_cross_entropy(student, case):
    """Loss and gradient of the cross-entropy are means over the batch."""
    check_cross_entropy(student.softmax_cross_entropy, case.logits, case.targets)


def large_logits(draw, drawn):
    """The largest logit has a magnitude of up to 1e4; whole numbers."""
    logits = np.asarray(drawn["logits"], dtype="float64")
    scaled = np.rint(logits * (1e4 / max(1.0, float(np.abs(logits).max()))))
    return {"logits": draw.laid_out(scaled), "targets": drawn["targets"]}


@points(1)
@given(
    case=cases(
        logits="N C",
        targets=labels("N", "C"),
        kinds=("integers", "normal", "offset"),
        change=large_logits,
    )
)
def test_softmax_cross_entropy_of_large_logits(student, case):
    """Logits up to 1e4 give a finite loss and a finite gradient."""
    check_cross_entropy(student.softmax_cross_entropy, case.logits, case.targets)


def network(draw, *, shallowest=1, deepest=5, single=False):
    """Inputs of a network whose layers keep the magnitude of their inputs roughly, times a factor."""
    if draw.index in (4, 5):
        depth = deepest
    else:
        depth = min(draw.integer(shallowest, deepest), deepest)
    activation = draw.choice(list(ACTIVATIONS))
    gain = draw.choice([1.0, 0.6, 1.8, 1.0, 1.4])
    sizes = [draw.integer(1 if depth < 3 else 2, 5) for _ in range(depth + 1)]
    batch = 0 if draw.index == 7 else draw.integer(1, 5)
    x = draw.array(sizes[0]) if single else draw.array(batch, sizes[0])
    weights = [
        draw.array(after, before, scale=gain / before**0.5)
        for before, after in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    biases = [draw.array(after, scale=0.5) for after in sizes[1:]]
    return {"x": x, "weights": weights, "biases": biases, "activation": activation}


def deep_network(draw):
    return network(draw, shallowest=6, deepest=12)


def deep_network_with_gradient(draw):
    inputs = deep_network(draw)
    return {**inputs, "grad_out": draw.array(len(inputs["x"]), len(inputs["biases"][-1]))}


def network_of_one(draw):
    return network(draw, single=True)


def deep_network_of_one(draw):
    return network(draw, shallowest=6, deepest=12, single=True)


def network_cases(builder, **options):
    return cases(builder, options_of=("activation",), **{"kinds": ("normal",), **options})


def mlp(x, weights, biases, *, activation):
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = ACTIVATIONS[activation](F.linear(x, weight, bias))
    return F.linear(x, weights[-1], biases[-1])


def jacobian(x, weights, biases, *, activation):
    return torch.func.jacrev(lambda v: mlp(v, weights, biases, activation=activation))(x)


@points(1)
@given(case=network_cases(network))
def test_mlp_forward(student, case):
    """The network applies its activation between layers, and none after the last."""
    check_forward(
        student.mlp_forward,
        reference=mlp,
        inputs=case.inputs,
        options=case.options,
        returns=("out", None),
    )


@points(0.5)
def test_mlp_forward_refuses_unknown_activations(student):
    """An unknown activation raises ValueError."""
    weights, biases = [np.ones((3, 2)), np.ones((1, 3))], [np.zeros(3), np.zeros(1)]
    for name in ("softsign", "linear_unit", "gelu"):
        assert_raises(
            ValueError,
            student.mlp_forward,
            np.ones((4, 2)),
            weights,
            biases,
            activation=name,
            because=f"there is no activation {name!r}",
        )


@points(1)
@given(case=network_cases(network))
def test_mlp_backward(student, case):
    """The gradients of x, of all weights and of all biases are those of autograd."""
    check_backward(
        student.mlp_forward,
        student.mlp_backward,
        reference=mlp,
        inputs=case.inputs,
        options=case.options,
    )


@points(1)
@given(case=network_cases(deep_network_with_gradient, dtypes=("float64",)))
def test_mlp_backward_through_depth(student, case):
    """Through 12 layers even a gradient that has nearly vanished is right in each layer."""
    arguments = case.x, case.weights, case.biases
    out, cache = unpack(
        student.mlp_forward(*arguments, **case.options), "out", "cache", what="mlp_forward"
    )
    x, weights, biases = tensors = to_tensor(arguments)
    leaves = [leaf.requires_grad_() for leaf in (x, *weights, *biases)]
    expected_out = mlp(*tensors, **case.options)
    where = f"with activation {case.activation!r}"
    assert_close(out, expected_out.detach(), what=f"out of mlp_forward {where}")
    grads = torch.autograd.grad((expected_out * to_tensor(case.grad_out)).sum(), leaves)
    names = ("grad_x", "grad_weights", "grad_biases")
    actual = unpack(student.mlp_backward(case.grad_out, cache), *names, what="mlp_backward")
    depth = len(weights)
    expected = (grads[0], list(grads[1 : depth + 1]), list(grads[depth + 1 :]))
    for name, one, other in zip(names, actual, expected, strict=True):
        assert_close(one, other, what=f"{name} of mlp_backward {where}")


def at_the_kink(draw):
    """The first layer's units get exactly 0."""
    hidden = 3
    x = np.zeros((2, 4), dtype=draw.dtype)
    weights = [draw.array(hidden, 4), draw.array(2, hidden)]
    biases = [np.zeros(hidden, dtype=draw.dtype), draw.array(2)]
    return {"x": x, "weights": weights, "biases": biases}


@points(0.5)
@given(case=cases(at_the_kink, kinds=("normal",)))
def test_mlp_backward_at_zero(student, case):
    """A relu unit that gets exactly 0 passes no gradient on."""
    check_backward(
        student.mlp_forward,
        student.mlp_backward,
        reference=mlp,
        inputs=case.inputs,
        options={"activation": "relu"},
    )


@points(1)
@given(case=network_cases(network_of_one))
def test_input_jacobian(student, case):
    """The Jacobian of the output by the input is the product of the layers' Jacobians."""
    check_forward(
        student.input_jacobian, reference=jacobian, inputs=case.inputs, options=case.options
    )


@points(0.5)
@given(case=network_cases(deep_network_of_one))
def test_input_jacobian_through_depth(student, case):
    """The Jacobian is right through 12 layers, where it vanishes or explodes."""
    check_forward(
        student.input_jacobian, reference=jacobian, inputs=case.inputs, options=case.options
    )


def gradients(draw):
    depth = 12 if draw.index in (4, 5) else draw.integer(1, 5)
    return {
        "grad_weights": [draw.array(draw.integer(1, 5), draw.integer(1, 6)) for _ in range(depth)]
    }


def norms(grad_weights):
    return torch.stack([torch.linalg.norm(grad) for grad in grad_weights])


@points(0.5)
@given(case=cases(gradients))
def test_gradient_norms(student, case):
    """Each layer's gradient gives its Frobenius norm, first layer first."""
    check_forward(student.gradient_norms, reference=norms, inputs=case.inputs)


def vanishing(draw, drawn):
    depth = len(drawn["grad_weights"])
    scaled = [grad * 10.0 ** (k - depth) for k, grad in enumerate(drawn["grad_weights"])]
    return {"grad_weights": [draw.laid_out(grad) for grad in scaled]}


@points(0.5)
@given(case=cases(gradients, kinds=("normal",), change=vanishing))
def test_gradient_norms_of_vanishing_gradients(student, case):
    """Norms that fall by a factor of ten per layer are all right, also the smallest."""
    actual = student.gradient_norms(case.grad_weights)
    expected = norms(to_tensor(case.grad_weights)).numpy()
    assert_close(actual, expected, what="gradient_norms", dtype=case.dtype)
    for k, (one, other) in enumerate(zip(actual, expected, strict=True)):
        assert_close(one, float(other), what=f"entry {k} of gradient_norms")
