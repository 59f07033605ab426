"""The checks of topic 02, residual connections: torch's autograd is the reference, in float64."""

import inspect

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it

from grader import (
    Failure,
    assert_close,
    assert_raises,
    cases,
    check_backward,
    check_forward,
    given,
    points,
    to_tensor,
    unpack,
)

SMOOTH = ("normal", "offset", "wide", "tiny")
BLOCK = {"x": "N D", "w1": "H D", "b1": "H", "w2": "D H", "b2": "D"}
PROJECTION = {"x": "N D", "w1": "H D", "b1": "H", "w2": "E H", "b2": "E", "w_skip": "E D"}
IMAGES = {"x": "N C H W", "weight": "O C K L", "bias": "O"}
BASIC = {"x": "N C H W", "w1": "M C 3 3", "w2": "C M 3 3"}
SMALL = {"N": (1, 3), "C": (1, 3), "O": (1, 4), "M": (1, 4), "H": (1, 7), "W": (1, 7)}
BASIC_SMALL = {name: SMALL[name] for name in ("N", "C", "M", "H", "W")}


def branch(x, w1, b1, w2, b2):
    return F.linear(F.relu(F.linear(x, w1, b1)), w2, b2)


def residual(x, w1, b1, w2, b2):
    return x + branch(x, w1, b1, w2, b2)


def projection(x, w1, b1, w2, b2, w_skip):
    return F.linear(x, w_skip) + branch(x, w1, b1, w2, b2)


def stack(x, blocks):
    for block in blocks:
        x = residual(x, *block)
    return x


def basic_block(x, w1, w2):
    return F.relu(x + F.conv2d(F.relu(F.conv2d(x, w1, padding=1)), w2, padding=1))


@points(1)
@given(case=cases(**BLOCK, empty=("N",)))
def test_residual_forward(student, case):
    """The block adds its input to what its two layers compute."""
    check_forward(
        student.residual_forward, reference=residual, inputs=case.inputs, returns=("out", None)
    )


@points(2)
@given(case=cases(**BLOCK, empty=("N",), kinds=SMOOTH))
def test_residual_backward(student, case):
    """The gradient reaches x through the layers and through the shortcut."""
    check_backward(
        student.residual_forward,
        student.residual_backward,
        reference=residual,
        inputs=case.inputs,
    )


def at_zero(draw, drawn):
    """One sample, whose first unit gets exactly 0: its weights lie across x, and the biases are 0."""
    x, w1 = drawn["x"], np.array(drawn["w1"])
    w1[0] = 0
    w1[0, :2] = x[0, 1], -x[0, 0]
    first = {"x": x, "w1": draw.laid_out(w1), "b1": draw.laid_out(np.zeros(len(w1)))}
    return {**first, **{name: drawn[name] for name in ("w2", "b2", "grad_out")}}


@points(0.5)
@given(
    case=cases(
        x="N D",
        w1="H D",
        w2="D H",
        b2="D",
        grad_out="N D",
        dims={"N": (1, 1), "D": (2, 5)},
        kinds=("integers",),
        change=at_zero,
    )
)
def test_residual_backward_at_zero(student, case):
    """Where the argument of relu is 0, its slope is 0."""
    *arguments, grad_out = case.inputs.values()
    _, cache = unpack(student.residual_forward(*arguments), "out", "cache", what="residual_forward")
    names = ("grad_x", "grad_w1", "grad_b1", "grad_w2", "grad_b2")
    grads = unpack(student.residual_backward(grad_out, cache), *names, what="residual_backward")
    tensors = to_tensor(arguments)
    out = residual(*tensors[:2], tensors[2].requires_grad_(), *tensors[3:])
    (expected,) = torch.autograd.grad((out * to_tensor(grad_out)).sum(), tensors[2])
    assert_close(grads[2], expected, what="grad_b1 of residual_backward", dtype=case.dtype)


@points(1)
@given(case=cases(**PROJECTION, empty=("N",)))
def test_projection_residual_forward(student, case):
    """The shortcut is a linear map, so the width may change."""
    check_forward(
        student.projection_residual_forward,
        reference=projection,
        inputs=case.inputs,
        returns=("out", None),
    )


@points(2)
@given(case=cases(**PROJECTION, empty=("N",), kinds=SMOOTH))
def test_projection_residual_backward(student, case):
    """The gradient reaches x through the projection, and w_skip comes last."""
    check_backward(
        student.projection_residual_forward,
        student.projection_residual_backward,
        reference=projection,
        inputs=case.inputs,
    )


def deep(draw):
    """A batch and 1 to 20 blocks of free hidden widths."""
    depth = draw.choice([1, 2, 3, 5, 20, 8, 13, 4])
    batch, width = draw.integer(1, 4), draw.integer(1, 5)
    blocks = []
    for _ in range(depth):
        hidden = draw.integer(1, 5)
        scale = 0.7 / (width * hidden) ** 0.25
        blocks.append(
            (
                draw.array(hidden, width, scale=scale),
                draw.array(hidden, scale=0.5),
                draw.array(width, hidden, scale=scale),
                draw.array(width, scale=0.5),
            )
        )
    return {"x": draw.array(batch, width), "blocks": blocks}


def with_gradient(draw):
    inputs = deep(draw)
    skip = draw.choice([True, False, False, True, True, False, True])
    x = inputs["x"]
    return {"grad_out": draw.array(*x.shape), **inputs, "skip": skip}


@points(1)
@given(case=cases(deep, kinds=("normal",)))
def test_residual_stack_forward(student, case):
    """Each of 1 to 20 blocks adds to the output of the one before."""
    check_forward(
        student.residual_stack_forward, reference=stack, inputs=case.inputs, returns=("out", None)
    )


@points(2)
@given(case=cases(deep, kinds=("normal",)))
def test_residual_stack_backward(student, case):
    """The gradients of x and of each block are those of autograd, in the order of the blocks."""
    check_backward(
        student.residual_stack_forward,
        student.residual_stack_backward,
        reference=stack,
        inputs=case.inputs,
    )


def fits(dims):
    """The kernel is no larger than the image, which every padding only enlarges."""
    return dims["K"] <= dims["H"] and dims["L"] <= dims["W"]


def convolution_cases(**options):
    return cases(
        **IMAGES,
        dims={**SMALL, "K": (1, 4), "L": (1, 4)},
        where=fits,
        options={"stride": [1, 2, 3, 2, 1], "padding": [0, 1, 2, 0, 2, 1, 3]},
        **options,
    )


def not_by_default(case):
    """The case's options, without those that have the course's default."""
    defaults = {"stride": 1, "padding": 0}
    return {name: value for name, value in case.options.items() if value != defaults[name]}


@points(1.5)
@given(case=convolution_cases())
def test_conv2d_forward(student, case):
    """The convolution is right for every stride, padding and shape, and without either option."""
    check_forward(
        student.conv2d_forward,
        reference=F.conv2d,
        inputs=case.inputs,
        options=not_by_default(case),
        returns=("out", None),
    )


def settings_of_convolution(draw):
    """Every stride with every padding, kernels even, odd and oblong, up to the padded image."""
    stride, padding = draw.choice([(s, p) for s in (1, 2, 3) for p in (0, 1, 2)])
    height, width = draw.choice([(5, 8), (7, 4), (6, 9), (4, 4)])
    kernel = draw.choice([(2, 3), (4, 2), (1, 3), (3, 1), (3, 3), (4, 4 + 2 * padding)])
    channels, filters = draw.choice([(2, 3), (3, 2), (1, 2), (3, 1), (2, 2)])
    if kernel[1] > width + 2 * padding:
        kernel = (kernel[0], width + 2 * padding)
    return {
        "x": draw.array(2, channels, height, width),
        "weight": draw.array(filters, channels, *kernel),
        "bias": draw.array(filters),
        "stride": stride,
        "padding": padding,
    }


@points(2.5)
@given(
    case=cases(settings_of_convolution, options_of=("stride", "padding"), kinds=SMOOTH),
)
def test_conv2d_backward(student, case):
    """The gradients of images, kernels and bias are those of autograd for every stride and padding."""
    check_backward(
        student.conv2d_forward,
        student.conv2d_backward,
        reference=F.conv2d,
        inputs=case.inputs,
        options=case.options,
    )


@points(0.5)
@given(case=convolution_cases(kinds=SMOOTH))
def test_conv2d_backward_of_small_images(student, case):
    """One pixel, one channel, one image: the gradients keep their shapes."""
    check_backward(
        student.conv2d_forward,
        student.conv2d_backward,
        reference=F.conv2d,
        inputs=case.inputs,
        options=case.options,
    )


@points(0.5)
def test_conv2d_refuses_large_kernels(student):
    """A kernel larger than the padded image raises ValueError, in either direction."""
    for kernel, stride, padding in (((4, 2), 1, 0), ((2, 6), 1, 0), ((6, 1), 2, 1), ((1, 8), 3, 1)):
        assert_raises(
            ValueError,
            student.conv2d_forward,
            np.ones((2, 1, 3, 5)),
            np.ones((2, 1, *kernel)),
            np.zeros(2),
            stride=stride,
            padding=padding,
            because=f"a kernel {kernel} does not fit an image (3, 5) padded by {padding}",
        )


@points(1)
@given(case=cases(**BASIC, dims=BASIC_SMALL))
def test_basic_block_forward(student, case):
    """The last relu comes after the shortcut has been added."""
    check_forward(
        student.basic_block_forward,
        reference=basic_block,
        inputs=case.inputs,
        returns=("out", None),
    )


@points(2)
@given(case=cases(**BASIC, dims=BASIC_SMALL, kinds=("normal", "offset", "tiny")))
def test_basic_block_backward(student, case):
    """The gradient passes the last relu, then the convolutions and the shortcut."""
    check_backward(
        student.basic_block_forward,
        student.basic_block_backward,
        reference=basic_block,
        inputs=case.inputs,
    )


def signal(grad_out, x, blocks, *, skip):
    with torch.enable_grad():
        stops = [x.detach().requires_grad_()]
        for block in blocks:
            stops.append((residual if skip else branch)(stops[-1], *block))
        grads = torch.autograd.grad((stops[-1] * grad_out).sum(), stops)
    return torch.stack([torch.linalg.norm(grad) for grad in grads])


@points(1.5)
@given(case=cases(with_gradient, options_of=("skip",), kinds=("normal",)))
def test_gradient_signal(student, case):
    """The norms are those of autograd at every depth, plain and residual."""
    check_forward(
        student.gradient_signal, reference=signal, inputs=case.inputs, options=case.options
    )


def twenty_blocks():
    rng = np.random.default_rng(1)
    x, grad_out = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    shapes = ((6, 4), (6,), (4, 6), (4,))
    blocks = [tuple(0.2 * rng.standard_normal(shape) for shape in shapes) for _ in range(20)]
    return grad_out, x, blocks


@points(1)
def test_gradient_signal_over_depth(student):
    """Through 20 blocks the plain gradient vanishes and the residual one does not."""
    arguments = twenty_blocks()
    for skip in (False, True):
        try:
            assert_close(
                student.gradient_signal(*arguments, skip=skip),
                signal(*to_tensor(arguments), skip=skip),
                what=f"norms of gradient_signal with skip={skip}",
            )
        except Failure as failure:
            call = f"gradient_signal(*twenty_blocks(), skip={skip})"
            source = inspect.getsource(twenty_blocks).splitlines()
            raise failure.with_details(f"The call was {call}, with", *source) from None
