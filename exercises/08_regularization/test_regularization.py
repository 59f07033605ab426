"""The checks of topic 08, regularization: penalties beside autograd, early stopping beside its definition."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it

from grader import (
    Failure,
    assert_close,
    assert_equal,
    assert_raises,
    cases,
    check_forward,
    check_value_and_gradient,
    given,
    load_optimizers,
    overwriting,
    points,
    to_tensor,
)

load_optimizers()  # in no check's time

STRENGTHS = [0.5, 0.1, 2, 1.5, 1e-4, 0.25]
WITHOUT_ZEROS = ("normal", "offset", "wide", "huge", "tiny")
UNITS = {"huge": 1e6, "tiny": 1e-6}
BELOW, ABOVE = 1 / 16, 1 / 8
"""By so much a loss falls or rises at least; exact in binary, as all losses are."""


def shaped(draw, axes):
    """An array with so many axes; a scalar is made of an array of one, which has every memory layout."""
    if axes == 0:
        return draw.array(1).reshape(())
    return draw.array(*(draw.integer(1, 4) for _ in range(axes)))


def layers(draw):
    """A list of one to five arrays, mostly of different shapes."""
    count = draw.choice([2, 3, 1, 5, 4])
    return {"params": [shaped(draw, draw.choice([2, 1, 3, 0, 4])) for _ in range(count)]}


def layers_with_zeros(draw):
    """The same, with zeros of both signs."""
    params = [np.array(param) for param in layers(draw)["params"]]
    for param in params:
        which = draw.rng.random(param.shape)
        param[which < 0.5] = 0.0
        param[which < 0.25] = -0.0
    return {"params": params}


def l2(params, strength):
    return strength / 2 * sum((param**2).sum() for param in params)


def l1(params, strength):
    return strength * sum(param.abs().sum() for param in params)


def check_penalty(function, reference, params, strength):
    check_value_and_gradient(
        function,
        reference=reference,
        inputs={"params": params},
        wrt="params",
        options={"strength": strength},
    )


@points(2)
@given(case=cases(layers, options={"strength": STRENGTHS}))
def test_l2_penalty(student, case):
    """Value and gradients of the squares agree with autograd over arrays of any shapes."""
    check_penalty(student.l2_penalty, l2, case.params, case.strength)


@points(1)
@given(case=cases(a=["N D", "D", "N C H"], options={"strength": [1.0, 0.5, 3]}))
def test_l2_penalty_of_equal_shapes_and_strength_0(student, case):
    """For L2 one array, several of one shape, and a strength of 0 are nothing special."""
    for params in ([case.a], [case.a, -2 * case.a, case.a]):
        check_penalty(student.l2_penalty, l2, params, case.strength)
    check_penalty(student.l2_penalty, l2, [case.a], 0.0)


@points(1.5)
@given(case=cases(layers, options={"strength": STRENGTHS}, kinds=WITHOUT_ZEROS))
def test_l1_penalty(student, case):
    """Value and gradients of the magnitudes agree with autograd over arrays of any shapes."""
    check_penalty(student.l1_penalty, l1, case.params, case.strength)


@points(1)
@given(case=cases(layers_with_zeros, options={"strength": STRENGTHS}))
def test_l1_penalty_at_zero(student, case):
    """The subgradient at 0 is 0, whatever the sign of the zero."""
    check_penalty(student.l1_penalty, l1, case.params, case.strength)


@points(0.5)
@given(
    case=cases(a=["N D", "D", "N C H"], options={"strength": [1.0, 0.5, 3]}, kinds=WITHOUT_ZEROS)
)
def test_l1_penalty_of_equal_shapes_and_strength_0(student, case):
    """For L1 one array, several of one shape, and a strength of 0 are nothing special."""
    for params in ([case.a], [case.a, -2 * case.a, case.a]):
        check_penalty(student.l1_penalty, l1, params, case.strength)
    check_penalty(student.l1_penalty, l1, [case.a], 0.0)


def thresholded(draw):
    """An array, and a threshold of its magnitude."""
    factor = draw.choice([1, 0.5, 1.5, 0.1, 2, 3.5, 0.75])
    return {
        "x": shaped(draw, draw.choice([2, 1, 3, 0, 4])),
        "threshold": factor * UNITS.get(draw.plan.kind, 1),
    }


def on_the_threshold(draw):
    """Multiples of the threshold, itself among them; everything is exact in binary."""
    threshold = draw.choice([1.0, 0.5, 2, 0.25, 64.0])
    shape = draw.choice([(2, 3), (8,), (), (0, 3), (3, 1, 5)])
    multiples = draw.rng.choice([-3, -1.5, -1, -0.5, -0.0, 0, 0.5, 1, 1.5, 3], size=shape)
    return {"x": np.asarray(threshold * multiples, dtype=draw.dtype), "threshold": threshold}


def shrunk(x, threshold):
    return F.softshrink(x, threshold)


def check_threshold(function, x, threshold):
    # Where a value lies just above the threshold, the difference is as exact as the value itself.
    check_forward(
        function,
        reference=shrunk,
        inputs={"x": x},
        options={"threshold": threshold},
        scale=float(np.max(np.abs(x), initial=0.0)),
    )


@points(2)
@given(case=cases(thresholded, options_of=("threshold",)))
def test_soft_threshold(student, case):
    """Values move towards zero by the threshold and stop there, as in F.softshrink."""
    check_threshold(student.soft_threshold, case.x, case.threshold)


@points(1)
@given(case=cases(on_the_threshold, options_of=("threshold",)))
def test_soft_threshold_at_the_threshold(student, case):
    """A value on the threshold becomes 0, and a threshold of 0 changes nothing."""
    check_threshold(student.soft_threshold, case.x, case.threshold)
    for nothing in (0, 0.0):
        check_threshold(student.soft_threshold, case.x, nothing)


@points(0.5)
@given(case=cases(x=["N", "N D", "N C H W"], options={"threshold": [-1.0, -1e-9, -2, -0.5]}))
def test_soft_threshold_refuses_negative_thresholds(student, case):
    """A negative threshold raises ValueError."""
    assert_raises(
        ValueError,
        student.soft_threshold,
        case.x,
        case.threshold,
        because=f"threshold = {case.threshold} is negative",
    )


def param_and_grad(draw):
    axes = draw.choice([2, 1, 3, 0])
    shape = [draw.integer(1, 4) for _ in range(axes)] or [1]
    param, grad = draw.array(*shape), draw.array(*shape, scale=2.0)
    return (
        {"param": param, "grad": grad}
        if axes
        else {"param": param[0:1].reshape(()), "grad": grad.reshape(())}
    )


def sgd(param, grad, lr, weight_decay):
    tensor = torch.nn.Parameter(param.clone())
    tensor.grad = grad
    torch.optim.SGD([tensor], lr=lr, weight_decay=weight_decay).step()
    return tensor.detach()


@points(2)
@given(
    case=cases(
        param_and_grad,
        options={
            "lr": [0.1, 0.5, 0.01, 1.0, 2, 0.3],
            "weight_decay": [0.1, 0.5, 0.01, 2, 0.0, 1.0, 0.3],
        },
    )
)
def test_decayed_sgd_step(student, case):
    """A step is that of torch.optim.SGD with weight decay."""
    largest = max(float(np.max(np.abs(value))) for value in case.inputs.values())
    check_forward(
        student.decayed_sgd_step,
        reference=sgd,
        inputs=case.inputs,
        options=case.options,
        scale=(1 + case.lr * (1 + case.weight_decay)) * largest,
    )


@points(1)
@given(
    case=cases(
        param="N D",
        target="N D",
        options={"lr": [0.1, 0.4, 0.02, 0.0], "weight_decay": [0.5, 0.1, 1.0, 0.0]},
    )
)
def test_decayed_sgd_step_descends_on_the_penalized_loss(student, case):
    """Five steps are plain descent on the loss with the L2 penalty."""
    param = case.param
    tensor, target = to_tensor(case.param), to_tensor(case.target)
    for number in range(1, 6):
        param = student.decayed_sgd_step(
            param, param - case.target, lr=case.lr, weight_decay=case.weight_decay
        )
        tensor.requires_grad_()
        loss = ((tensor - target) ** 2).sum() / 2 + l2([tensor], case.weight_decay)
        (slope,) = torch.autograd.grad(loss, tensor)
        tensor = (tensor - case.lr * slope).detach()
        assert_close(
            param,
            tensor.numpy(),
            what=f"param after step {number} of decayed_sgd_step",
            dtype=case.dtype,
            scale=float(np.max(np.abs([case.param, case.target]))),
        )


class Definition:
    """Early stopping, word for word."""

    def __init__(self, patience, min_delta):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_step, self.best_params = math.inf, None, None
        self.improved = []

    def step(self, loss, params):
        self.improved.append(loss < self.best_loss - self.min_delta)
        if self.improved[-1]:
            self.best_loss, self.best_step, self.best_params = loss, len(self.improved) - 1, params
        return len(self.improved) >= self.patience and not any(self.improved[-self.patience :])


def no_improvement(draw, best, delta):
    """A loss that is lower by min_delta at most: exactly, by half of it, not at all, or higher."""
    return best + float(draw.rng.choice([-delta, -delta, -delta / 2, 0.0, ABOVE, 1.0, 3.0]))


def watched(draw, deltas=(0.0,)):
    """Losses up to the step where the patience ends; the count begins anew several times."""
    patience, delta = draw.choice([2, 3, 5, 4]), draw.choice(deltas)
    best = draw.choice([2.0, -1.5, 0.0, 0.25, 96.0])
    losses = [best]
    for _ in range(draw.integer(0, 3)):
        waits = patience - 1 if draw.rng.random() < 0.6 else int(draw.rng.integers(patience))
        losses += [no_improvement(draw, best, delta) for _ in range(waits)]
        best -= delta + float(draw.rng.choice([BELOW, ABOVE, 2.0]))
        losses.append(best)
    losses += [no_improvement(draw, best, delta) for _ in range(patience)]
    return {"losses": losses, "patience": patience, "min_delta": delta}


def watched_with_min_delta(draw):
    """The same, where small falls are none."""
    return watched(draw, deltas=(0.5, 0.25, 1.0, 4.0, 0.125))


def watched_with_params(draw):
    """Losses, and other parameters at each step: a list or a dict of arrays."""
    made = watched(draw)
    named = draw.choice([False, True])
    shapes = [(draw.integer(1, 3), draw.integer(1, 3)), (draw.integer(1, 4),)]
    arrays = [[draw.array(*shape) for shape in shapes] for _ in made["losses"]]
    made["params"] = [
        dict(zip(("weight", "bias"), pair, strict=True)) if named else pair for pair in arrays
    ]
    return made


OPTIONS = ("patience", "min_delta")


def follow(stopper, definition, losses, look, params=None):
    """Both step by step; `look(number, stop, expected_stop)` compares after each."""
    for number, loss in enumerate(losses):
        arrays = [np.full(2, float(number))] if params is None else params[number]
        look(number, stopper.step(loss, arrays), definition.step(loss, arrays))


def same_stop(losses):
    """Compares what `step` returned."""

    def look(number, stop, expected):
        seen = ", ".join(f"{loss:.12g}" for loss in losses[: number + 1])
        plural = "" if number == 0 else "es"
        assert_equal(stop, expected, what=f"What step returns after the loss{plural} {seen}")

    return look


def when(number):
    return "Before the first step" if number is None else f"After step {number}"


def assert_best(stopper, definition, number):
    """Compares best_loss and best_step."""
    assert_close(stopper.best_loss, definition.best_loss, what=f"{when(number)} best_loss")
    what = f"{when(number)} best_step"
    if definition.best_step is None:
        assert_equal(stopper.best_step, None, what=what)
    else:
        assert_close(stopper.best_step, definition.best_step, what=what)


def assert_best_params(stopper, definition, number):
    what = f"{when(number)} best_params"
    if definition.best_params is None:
        assert_equal(stopper.best_params, None, what=what)
    else:
        assert_close(stopper.best_params, definition.best_params, what=what)


@points(1.5)
@given(case=cases(watched, options_of=OPTIONS))
def test_early_stopping_stops(student, case):
    """It stops at once when `patience` steps in a row brought no improvement, and not before."""
    stopper = student.EarlyStopping(**case.options)
    follow(stopper, Definition(**case.options), case.losses, same_stop(case.losses))


@points(1)
@given(case=cases(watched, options_of=OPTIONS))
def test_early_stopping_remembers_the_best(student, case):
    """best_loss and best_step change with an improvement, and only then."""
    stopper, definition = student.EarlyStopping(**case.options), Definition(**case.options)
    assert_best(stopper, definition, None)
    follow(
        stopper,
        definition,
        case.losses,
        lambda number, *_: assert_best(stopper, definition, number),
    )


# Nobody can write into these arrays: whether they were copied is the next check's affair.
@points(1)
@given(case=cases(watched_with_params, options_of=OPTIONS, layouts=("readonly",)))
def test_early_stopping_keeps_the_best_parameters(student, case):
    """best_params are those of the best step, a list or a dict of arrays as they were given."""
    stopper, definition = student.EarlyStopping(**case.options), Definition(**case.options)
    assert_best_params(stopper, definition, None)
    follow(
        stopper,
        definition,
        case.losses,
        lambda number, *_: assert_best_params(stopper, definition, number),
        case.params,
    )


@points(1)
@given(case=cases(watched_with_params, options_of=OPTIONS, kinds=("normal", "wide")))
def test_early_stopping_copies_the_parameters(student, case):
    """best_params stay as they were when training goes on in the same arrays."""
    stopper, definition = student.EarlyStopping(**case.options), Definition(**case.options)
    for number, (loss, params) in enumerate(zip(case.losses, case.params, strict=True)):
        overwriting(stopper.step)(loss, params)
        definition.step(loss, params)
        try:
            assert_best_params(stopper, definition, number)
        except Failure as failure:
            raise failure.with_details(
                "After each call of step its arrays were overwritten, as training does: copy each of them."
            ) from None


@points(1)
@given(case=cases(watched_with_min_delta, options_of=OPTIONS))
def test_early_stopping_min_delta(student, case):
    """A fall by min_delta or less is no improvement, and changes nothing that is remembered."""
    stopper, definition = student.EarlyStopping(**case.options), Definition(**case.options)
    same = same_stop(case.losses)

    def look(number, stop, expected):
        same(number, stop, expected)
        assert_best(stopper, definition, number)
        assert_best_params(stopper, definition, number)

    follow(stopper, definition, case.losses, look)


@points(0.5)
@given(case=cases(watched, options_of=OPTIONS))
def test_early_stopping_does_not_trust_nan(student, case):
    """NaN is never an improvement, nor is infinity, not even at the first step."""
    finite, patience = case.losses[0], case.patience
    for bad in (math.nan, math.inf):
        for losses in (
            [bad] * patience,
            [bad] * (patience - 1) + [finite] + [bad] * patience,
            [finite, *[bad] * (patience - 1), finite - 8, *[finite, bad, finite][:patience]],
        ):
            stopper, definition = student.EarlyStopping(**case.options), Definition(**case.options)
            follow(stopper, definition, losses, same_stop(losses))
            assert_best(stopper, definition, len(losses) - 1)
            assert_best_params(stopper, definition, len(losses) - 1)


@points(0.5)
@given(case=cases(watched, options_of=OPTIONS))
def test_early_stopping_counts_every_improvement_by_default(student, case):
    """Without min_delta any fall is an improvement, and an equal loss is none."""
    start, patience = case.losses[0], case.patience
    falls = [start - fall * 2.0**-20 for fall in range(1, patience + 2)]
    losses = [start, *falls, *[falls[-1]] * patience]
    stopper, definition = student.EarlyStopping(patience=patience), Definition(patience, 0.0)
    follow(stopper, definition, losses, same_stop(losses))
    assert_close(stopper.best_loss, definition.best_loss, what=f"{when(len(losses) - 1)} best_loss")


@points(0.5)
@given(case=cases(watched, options_of=OPTIONS), other=cases(watched, options_of=OPTIONS))
def test_early_stopping_instances_are_separate(student, case, other):
    """Two of them, used in turn, do not know of each other."""
    pairs = []
    for number in range(max(len(case.losses), len(other.losses)) + 1):
        for which, own in enumerate((case, other)):
            at = number - which
            if at == 0:
                pairs.append((student.EarlyStopping(**own.options), Definition(**own.options)))
            if not 0 <= at < len(own.losses):
                continue
            arrays = [np.full(2, float(number))]
            stop, expected = (one.step(own.losses[at], arrays) for one in pairs[which])
            name = ("first", "second")[which]
            assert_equal(stop, expected, what=f"What step {at} of the {name} of two returns")
            best, wanted = (one.best_loss for one in pairs[which])
            assert_close(best, wanted, what=f"{when(at)} of the {name} of two its best_loss")


@points(0.5)
@given(case=cases(watched, options_of=OPTIONS))
def test_early_stopping_patience_of_1_and_below(student, case):
    """A patience of 1 stops at the first step without an improvement; one below 1 raises ValueError."""
    start = case.losses[0]
    losses = [start, start - 1, start - 2, start - 2 + float(case.rng().integers(2))]
    stopper, definition = student.EarlyStopping(patience=1), Definition(1, 0.0)
    follow(stopper, definition, losses, same_stop(losses))
    for patience in (0, -1, -case.patience):
        assert_raises(
            ValueError,
            student.EarlyStopping,
            patience=patience,
            min_delta=case.min_delta,
            because=f"patience = {patience} leaves no step to improve",
        )
