"""The checks of topic 06, optimizers: whole trajectories beside torch.optim, in float64."""

from dataclasses import replace

import numpy as np
import torch

from grader import (
    assert_close,
    assert_raises,
    cases,
    given,
    load_optimizers,
    points,
    showing,
    to_tensor,
    unpack,
)

load_optimizers()  # in no check's time

LENGTHS = [4, 1, 2, 30, 3, 4, 5, 3, 8, 2, 4, 3, 2]
RATES = [0.1, 0.01, 0.03, 0.3, 0.0]
DECAYS = [0.0, 0.1, 0.01, 0.5]
EPSILONS = [1e-8, 1e-2, 1e-4, 1e-3]
BETAS = [(0.9, 0.999), (0.5, 0.8), (0.8, 0.5), (0.0, 0.9), (0.9, 0.0), (0.6, 0.95)]
PATTERNS = ["varied", "spike", "zeros between", "zeros first", "zeros", "small"]
PLACES = ("first", "second")
FLOAT32_TRAJECTORY = 20.0
"""In float32 every step's rounding is carried on, and divided by roots that may be small; 1% still shows a wrong dtype
or an overflow. Formulas are judged in float64."""


def array(draw, shape, scale):
    """An array of the case's kind; a scalar is made of an array of one, which has every memory layout."""
    return draw.array(*shape, scale=scale) if shape else draw.array(1, scale=scale).reshape(())


def gradients(draw, shape, pattern, steps):
    """A gradient per step; a spike comes second and is followed by small ones."""
    found = []
    for step in range(steps):
        factor = 1.0
        if pattern == "spike":
            factor = 100.0 if step == min(1, steps - 1) else 0.07  # in float32 no decay cancels it
        elif pattern == "small":
            factor = 1e-3
        elif (
            pattern == "zeros"
            or (pattern == "zeros first" and step < 2)
            or (pattern == "zeros between" and step % 3 == 1)
        ):
            factor = 0.0
        found.append(array(draw, shape, factor))
    return found


def trajectories(*, patterns=PATTERNS, kinds=None, **options):
    """Two parameters of order 1, with a gradient and a learning rate for each step."""

    def build(draw):
        axes = draw.choice([2, 0, 1, 3])
        shape = tuple(draw.integer(1, 3) for _ in range(axes))
        steps, pattern = draw.choice(LENGTHS), draw.choice(patterns)
        unit = {"huge": 1e-6, "tiny": 1e6}.get(draw.plan.kind, 1.0)
        start = int(draw.rng.integers(len(RATES)))
        rates = [RATES[(start + i // 2) % len(RATES)] for i in range(steps)]
        return {
            "param": array(draw, shape, unit),
            "grads": gradients(draw, shape, pattern, steps),
            "other_param": draw.array(2, scale=unit),
            "other_grads": gradients(draw, (2,), "varied", min(steps, 3)),
            "rates": rates,
        }

    return cases(build, options=options, kinds=kinds)


def reference(optimizer, case, options):
    """torch's two parameters after each step; before its first gradient the second stands still."""
    tensors = [torch.nn.Parameter(to_tensor(value)) for value in (case.param, case.other_param)]
    rule = optimizer(tensors, lr=case.rates[0], **options)
    late = len(case.rates) - len(case.other_grads)
    path = []
    for step, rate in enumerate(case.rates):
        rule.param_groups[0]["lr"] = rate
        tensors[0].grad = to_tensor(case.grads[step])
        tensors[1].grad = to_tensor(case.other_grads[step - late]) if step >= late else None
        rule.step()
        path.append([tensor.detach().numpy().copy() for tensor in tensors])
    return path


def check_trajectory(function, optimizer, case, *, defaults=None, needs_lr=False):
    """Both parameters, step by step in turn, each with a state of its own; the second begins later.

    With `defaults` the function is called without options, or with lr alone where it needs one, and they are torch's.
    """
    options = case.options if defaults is None else defaults
    path = reference(optimizer, case, options)
    late = len(case.rates) - len(case.other_grads)
    params, states = [case.param, case.other_param], [{}, {}]
    scales = [float(np.max(np.abs(value))) for value in params]
    alone = " with lr alone" if needs_lr else " without options"
    how = "" if defaults is None else alone
    for step, rate in enumerate(case.rates):
        chosen = {"lr": rate} if needs_lr or defaults is None else {}
        if defaults is None:
            chosen |= options
        for which, grads, first in ((0, case.grads, 0), (1, case.other_grads, late)):
            if step < first:
                continue
            own, expected = step - first, path[step][which]
            scales[which] = max(scales[which], float(np.max(np.abs(expected))))
            with showing_steps(function, case, which, first, step, defaults, needs_lr):
                found, states[which] = unpack(
                    function(params[which], grads[own], states[which], **chosen),
                    "param",
                    "state",
                    what=function.__name__,
                )
                assert_close(
                    found,
                    expected,
                    what=f"{PLACES[which]} param of {function.__name__}{how} after step {own + 1}",
                    dtype=case.dtype,
                    scale=scales[which],
                    tolerance=FLOAT32_TRAJECTORY if case.dtype == "float32" else 1.0,
                )
            # A scalar may come in any float form; the next step gets an array again.
            params[which] = found if expected.ndim else np.asarray(found, dtype=case.dtype)


def showing_steps(function, case, which, first, step, defaults, needs_lr):
    """What this parameter's steps so far were called with, and how the two take turns."""
    param, grads = ((case.param, case.grads), (case.other_param, case.other_grads))[which]
    inputs = {"param": param, "grads": list(grads[: step - first + 1])}
    if defaults is not None:
        name = function.__name__
        right = ", ".join(f"{key}={value}" for key, value in defaults.items())
        how, lr = (
            ("with lr alone", f", lr={case.rates[0]}") if needs_lr else ("without options", "")
        )
        notes = (
            f"It was called {how}: {name}(param, grad, state{lr}). That should do the same as",
            f"{name}(param, grad, state, lr={case.rates[0]}, {right}).",
        )
        return showing(case, inputs, notes=notes)
    rates = case.rates[first : step + 1]
    key = "lr" if len(set(rates)) == 1 else "lr of each step"
    options = {key: rates[0] if key == "lr" else rates, **case.options}
    turns = "two parameters take turns, each with a state of its own"
    return showing(case, inputs, options, notes=(f"lr = {rates[-1]} in this step; {turns}.",))


def check_defaults(function, optimizer, case, rate, *, needs_lr=False, **defaults):
    """The first steps with no option given (or lr alone), against torch with the course's defaults."""
    steps = min(2, len(case.rates))
    inputs = {
        **case.inputs,
        "grads": case.grads[:steps],
        "other_grads": case.other_grads[:steps],
        "rates": [rate] * steps,
    }
    case = replace(case, inputs=inputs)
    check_trajectory(function, optimizer, case, defaults=defaults, needs_lr=needs_lr)


def check_refused(function, case, *refused, **required):
    """Every dict of options raises ValueError at the first step."""
    for options in refused:
        text = ", ".join(f"{key} = {value}" for key, value in options.items())
        assert_raises(
            ValueError, function, case.x, case.x, {}, because=f"{text} is no valid option",
            **{**required, **options},
        )  # fmt: skip


NEGATIVE = ({"lr": -0.1}, {"weight_decay": -0.1}, {"lr": -1e-9}, {"weight_decay": -1e-9})
NEGATIVE_EPS = ({"eps": -1e-8}, {"eps": -1.0})
BAD_BETAS = tuple(
    {"betas": betas} for betas in ((1.0, 0.9), (0.9, 1.0), (-0.1, 0.9), (0.9, -0.1), (1.5, 0.9))
)


@points(1.5)
@given(case=trajectories(weight_decay=DECAYS, maximize=[False, True]))
def test_sgd_step(student, case):
    """Plain descent follows torch.optim.SGD, with weight decay and maximize, and without any option but lr."""
    check_trajectory(student.sgd_step, torch.optim.SGD, case)
    check_defaults(
        student.sgd_step,
        torch.optim.SGD,
        case,
        0.1,
        needs_lr=True,
        momentum=0.0,
        dampening=0.0,
        weight_decay=0.0,
        nesterov=False,
        maximize=False,
    )


@points(2)
@given(
    case=trajectories(
        momentum=[0.9, 0.5, 0.3],
        dampening=[0.0, 0.2, 0.7, 1.0],
        weight_decay=DECAYS,
        maximize=[False, True],
    )
)
def test_sgd_step_momentum(student, case):
    """Momentum and dampening follow torch.optim.SGD while the learning rate changes."""
    check_trajectory(student.sgd_step, torch.optim.SGD, case)


@points(1)
@given(
    case=trajectories(
        momentum=[0.9, 0.5, 0.3], nesterov=[True], weight_decay=DECAYS, maximize=[False, True]
    )
)
def test_sgd_step_nesterov(student, case):
    """Nesterov momentum follows torch.optim.SGD, with weight decay and maximize."""
    check_trajectory(student.sgd_step, torch.optim.SGD, case)


@points(0.5)
@given(case=cases(x=["N", "N D"]))
def test_sgd_step_refuses_bad_options(student, case):
    """Negative options, and nesterov without momentum or with dampening, raise ValueError."""
    check_refused(
        student.sgd_step,
        case,
        *NEGATIVE,
        {"nesterov": True},
        {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
        lr=0.1,
    )


@points(2)
@given(case=trajectories(alpha=[0.99, 0.5, 0.9, 0.1], eps=EPSILONS))
def test_rmsprop_step(student, case):
    """The step is divided by a running root mean square, as in torch.optim.RMSprop."""
    check_trajectory(student.rmsprop_step, torch.optim.RMSprop, case)
    check_defaults(student.rmsprop_step, torch.optim.RMSprop, case, 1e-2, alpha=0.99, eps=1e-8)


@points(1)
@given(
    case=trajectories(
        alpha=[0.99, 0.5, 0.9], eps=EPSILONS, weight_decay=DECAYS, momentum=[0.9, 0.0, 0.4]
    )
)
def test_rmsprop_step_momentum(student, case):
    """Weight decay and momentum follow torch.optim.RMSprop while the learning rate changes."""
    check_trajectory(student.rmsprop_step, torch.optim.RMSprop, case)


# Where the gradients hardly vary, the variance is what rounding leaves of a difference: such cases are not drawn.
@points(1)
@given(
    case=trajectories(
        patterns=["varied", "spike", "zeros between"],
        kinds=("normal", "offset"),
        alpha=[0.99, 0.9, 0.95],
        eps=EPSILONS,
        weight_decay=[0.0, 0.1, 0.01],
        momentum=[0.0, 0.9, 0.4],
        centered=[True],
    )
)
def test_rmsprop_step_centered(student, case):
    """The centered form divides by a running standard deviation."""
    check_trajectory(student.rmsprop_step, torch.optim.RMSprop, case)


@points(0.5)
@given(case=cases(x=["N", "N D"]))
def test_rmsprop_step_refuses_bad_options(student, case):
    """A negative lr, eps or weight_decay raises ValueError."""
    check_refused(student.rmsprop_step, case, *NEGATIVE, *NEGATIVE_EPS)


@points(2.5)
@given(case=trajectories(betas=BETAS, eps=EPSILONS))
def test_adam_step(student, case):
    """Both running means are corrected for their start at zero, as in torch.optim.Adam."""
    check_trajectory(student.adam_step, torch.optim.Adam, case)
    check_defaults(student.adam_step, torch.optim.Adam, case, 1e-3, betas=(0.9, 0.999), eps=1e-8)


@points(1.5)
@given(
    case=trajectories(betas=BETAS, eps=EPSILONS, weight_decay=DECAYS[1:], maximize=[False, True])
)
def test_adam_step_weight_decay(student, case):
    """Weight decay joins the gradient, also where it is maximized."""
    check_trajectory(student.adam_step, torch.optim.Adam, case)


@points(1)
@given(
    case=trajectories(
        patterns=["spike", "varied", "zeros between"],
        betas=[(0.9, 0.999), (0.5, 0.8), (0.8, 0.5), (0.6, 0.95)],
        eps=EPSILONS,
        weight_decay=DECAYS,
        maximize=[False, True],
        amsgrad=[True],
    )
)
def test_adam_step_amsgrad(student, case):
    """AMSGrad remembers the largest mean square."""
    check_trajectory(student.adam_step, torch.optim.Adam, case)


@points(0.5)
@given(case=cases(x=["N", "N D"]))
def test_adam_step_refuses_bad_options(student, case):
    """Adam's negative options and betas outside [0, 1) raise ValueError."""
    check_refused(student.adam_step, case, *NEGATIVE, *NEGATIVE_EPS, *BAD_BETAS)


@points(2)
@given(case=trajectories(betas=BETAS, eps=EPSILONS, weight_decay=[0.01, 0.1, 0.0, 0.5]))
def test_adamw_step(student, case):
    """The decay is applied to the parameter, apart from the gradient, as in torch.optim.AdamW."""
    check_trajectory(student.adamw_step, torch.optim.AdamW, case)
    defaults = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2}
    check_defaults(student.adamw_step, torch.optim.AdamW, case, 1e-3, **defaults)


@points(1)
@given(
    case=trajectories(
        patterns=["spike", "varied", "zeros between"],
        betas=[(0.9, 0.999), (0.5, 0.8), (0.8, 0.5), (0.6, 0.95)],
        eps=EPSILONS,
        weight_decay=[0.1, 0.0, 0.5],
        maximize=[True, False],
        amsgrad=[True, False, True],
    )
)
def test_adamw_step_options(student, case):
    """AMSGrad and maximize combine with the decay."""
    check_trajectory(student.adamw_step, torch.optim.AdamW, case)


@points(0.5)
@given(case=cases(x=["N", "N D"]))
def test_adamw_step_refuses_bad_options(student, case):
    """AdamW's negative options and betas outside [0, 1) raise ValueError."""
    check_refused(student.adamw_step, case, *NEGATIVE, *NEGATIVE_EPS, *BAD_BETAS)


def check_clip(student, grads, max_norm, dtype):
    """Gradients and norm beside torch's; the norm may be of any float type, and as precise as the inputs allow."""
    tensors = [torch.nn.Parameter(torch.zeros_like(to_tensor(grad))) for grad in grads]
    for tensor, grad in zip(tensors, grads, strict=True):
        tensor.grad = to_tensor(grad)
    norm = torch.nn.utils.clip_grad_norm_(tensors, max_norm)
    found, total = unpack(
        student.clip_gradient_norm(grads, max_norm),
        "grads",
        "total_norm",
        what="clip_gradient_norm",
    )
    assert_close(total, float(norm), what="total_norm of clip_gradient_norm", dtype=dtype)
    expected = [tensor.grad.numpy() for tensor in tensors]
    assert_close(found, expected, what="grads of clip_gradient_norm", dtype=dtype)


def to_clip(draw, drawn):
    """Three gradients, and a largest norm on either side of theirs."""
    grads = list(drawn.values())
    norm = float(np.sqrt(sum(np.sum(np.square(grad, dtype=np.float64)) for grad in grads)))
    factor = draw.choice([0.5, 0.01, 2.0, 0.9, 1.5])
    return {"grads": grads, "max_norm": float(f"{factor * norm:.6g}")}


@points(1)
@given(case=cases(a="N D", b="D", c="N D K", change=to_clip))
def test_clip_gradient_norm(student, case):
    """All gradients are scaled by one factor, and only where their joint norm is too large."""
    check_clip(student, case.grads, case.max_norm, case.dtype)


@points(0.5)
@given(case=cases(a="N D", b="D", options={"max_norm": [1.0, 1e-5, 1e-7, 10.0]}))
def test_clip_gradient_norm_edges(student, case):
    """One array, zero gradients and very small norms are clipped as in torch."""
    small = [(array * 1e-6).astype(case.dtype) for array in (case.a, case.b)]
    for grads in ([case.a], [case.a * 0, case.b * 0], small):
        with showing(case, {"grads": grads, "max_norm": case.max_norm}):
            check_clip(student, grads, case.max_norm, case.dtype)
