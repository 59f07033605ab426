"""The checks of topic 12, training: the network beside a twin in torch, step for step, then real digits."""

import dataclasses
import functools
import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from scipy import stats
from sklearn.datasets import load_digits

from grader import (
    Failure,
    assert_close,
    assert_true,
    cases,
    check_backward,
    check_forward,
    check_frequency,
    check_law,
    check_rng,
    check_uncorrelated,
    given,
    points,
    reveal,
    to_tensor,
    unpack,
)
from grader.failure import TimeLimit

# torch loads its compiler with the first optimizer: here, and not in the time of a check.
torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.1)

SIZES = [
    [2, 3, 2],
    [3, 4, 4, 2],
    [4, 4, 3],
    [3, 5, 5, 5, 4],
    [5, 2, 4, 4, 3, 3, 2],
    [1, 1, 1],
    [6, 8, 8, 5, 3],
    [3, 5, 4, 4],
]
"""Widths with and without shortcuts, from one block to five."""
WIDE = [sizes for sizes in SIZES if min(sizes[1:-1]) > 2]
"""A norm of one or two values has a gradient of nearly 0, of which rounding to float32 leaves nothing."""


def twin(params, x):
    """The network's logits, dropout apart, in torch."""
    h = x
    for i in range(sum(name.endswith(".gamma") for name in params)):
        weight, bias, gamma, beta = (
            params[f"block{i}.{part}"] for part in ("weight", "bias", "gamma", "beta")
        )
        out = F.relu(F.layer_norm(F.linear(h, weight, bias), bias.shape, gamma, beta, 1e-5))
        h = h + out if h.shape == out.shape else out
    return F.linear(h, params["head.weight"], params["head.bias"])


def shapes(sizes):
    """Name -> shape of each parameter, as the topic's text has it."""
    found = {}
    for i, (fan_in, width) in enumerate(zip(sizes[:-2], sizes[1:-1], strict=True)):
        found[f"block{i}.weight"] = (width, fan_in)
        found |= {f"block{i}.{part}": (width,) for part in ("bias", "gamma", "beta")}
    return found | {"head.weight": (sizes[-1], sizes[-2]), "head.bias": (sizes[-1],)}


def network(draw, sizes, *, batch=(1, 6)):
    """Parameters of order 1, none at its initial value, and a batch."""
    params = {}
    for name, shape in shapes(sizes).items():
        fan_in = shape[-1] if len(shape) == 2 else 1
        array = draw.array(*shape, scale=1 / math.sqrt(fan_in))
        params[name] = (array + 0.5).astype(array.dtype) if name.endswith("gamma") else array
    return {"params": params, "x": draw.array(draw.integer(*batch), sizes[0])}


def sizes_for(draw):
    return draw.choice(SIZES if draw.dtype == np.float64 else WIDE)


def networks(draw):
    return network(draw, sizes_for(draw))


def single(draw):
    """A batch of one."""
    return network(draw, sizes_for(draw), batch=(1, 1))


PLAIN = {"dtypes": ("float64",), "layouts": ("C",), "kinds": ("normal",)}
"""For checks that only need a seed and options."""

# Ordinary values: of others, rounding may decide which side of the kink an activation lies on.
KINDS = ("normal", "offset")


def require(value, sizes, what):
    """A dict with the right names and shapes of float64 arrays, revealed."""
    found = reveal(value)
    wanted = {name: np.zeros(shape) for name, shape in shapes(sizes).items()}
    assert_true(isinstance(found, dict), f"{what} is no dict of parameters.", aspect="type")
    for name, zeros in wanted.items():
        has = f"It has {sorted(map(str, found))}."
        assert_true(name in found, f"{what} has no entry {name!r}.", has, aspect="type")
        assert_close(_nothing_of(found[name]), zeros, what=f"{what}, {name!r}")
    extra = sorted(map(str, set(found) - set(wanted)))
    assert_true(not extra, f"{what} has entries that do not belong there: {extra}.", aspect="type")
    return found


def _nothing_of(array):
    """Zeros of the same type, shape and dtype."""
    return np.zeros_like(array) if type(array) is np.ndarray else array


def names(draw):
    return {"sizes": list(draw.choice([[2, 3, 2], [3, 4, 4, 2], [7, 1, 5], [1, 1, 1], [5, 2, 4, 4, 3]]))}  # fmt: skip


@points(1)
@given(case=cases(names, **PLAIN))
def test_init_network(student, case):
    """Names and shapes are those of the text; biases and shifts are 0, gains 1, all float64."""
    params = require(
        student.init_network(case.sizes, rng=case.rng()), case.sizes, "What init_network returns"
    )
    for name, array in params.items():
        if not name.endswith("weight"):
            wanted = np.full(array.shape, 1.0 if name.endswith("gamma") else 0.0)
            assert_close(array, wanted, what=f"{name!r} of init_network")


@points(1, exact=True)
@given(case=cases(x="1", options={"width": [30, 50, 40]}, **PLAIN))
def test_init_network_law(student, case):
    """Weights follow He's normal law, the head's too, independently of each other; they come from rng."""
    wide, narrow = 4 * case.width, case.width
    sizes = [narrow, wide, narrow, narrow, wide, narrow]
    rng = case.rng()
    pair = [
        require(student.init_network(sizes, rng=rng), sizes, "What init_network returns")
        for _ in range(2)
    ]
    weights = {name: array for name, array in pair[0].items() if name.endswith("weight")}
    for name, array in weights.items():
        law = stats.norm(0, math.sqrt(2 / array.shape[1]))
        check_law(array.ravel(), law, what=f"The elements of {name!r} of init_network")
        other = pair[1][name]
        check_uncorrelated(array, other, what=f"{name!r} of two networks from one rng")
        check_uncorrelated(array[1:], array[:-1], what=f"Neighbouring rows of {name!r}")
        check_uncorrelated(array[:, 1:], array[:, :-1], what=f"Neighbouring columns of {name!r}")
    together = np.concatenate(
        [
            (network[name] * math.sqrt(array.shape[1] / 2)).ravel()
            for network in pair
            for name, array in weights.items()
        ]
    )
    what = "All weights of init_network together, each times sqrt(fan_in / 2),"
    check_law(together, stats.norm(), what=what)
    flat = {
        name: (array / array.std()).ravel()[: narrow * narrow] for name, array in weights.items()
    }
    for (one, first), (other, second) in itertools.combinations(flat.items(), 2):
        size = min(first.size, second.size)
        what = f"The elements of {one!r} and {other!r}"
        check_uncorrelated(first[:size], second[:size], what=what)
    check_rng(
        lambda rng: reveal(student.init_network([4, 9, 3], rng=rng))["block0.weight"],
        what="init_network",
        seed=case.seed,
    )


@points(1.5, exact=True)
@given(case=cases(networks, kinds=KINDS))
def test_network_forward(student, case):
    """Without dropout, logits are the torch twin's, in training and in evaluation."""
    for training, dropout in ((True, 0.0), (False, 0.0), (False, 0.5)):
        check_forward(
            student.network_forward,
            reference=lambda params, x, **_: twin(params, x),
            inputs=case.inputs,
            options={"training": training, "dropout": dropout, "rng": case.rng()},
            returns=("logits", None),
        )


def identity_network(width, blocks, *, gamma=0.0, beta=1.0):
    """A network whose blocks add a constant, whatever x: its logits are sums of the masks."""
    params = {}
    for i in range(blocks):
        params[f"block{i}.weight"] = np.eye(width)
        params[f"block{i}.bias"] = np.zeros(width)
        params[f"block{i}.gamma"] = np.full(width, gamma)
        params[f"block{i}.beta"] = np.full(width, beta * 4.0**i)
    return params | {"head.weight": np.eye(width), "head.bias": np.zeros(width)}


def drawn_masks(student, p, *, blocks, rows, width, rng):
    """What every block kept: with shifts 1, 4, 16 the logits tell each block's mask."""
    params = identity_network(width, blocks)
    logits, cache = unpack(
        student.network_forward(params, np.zeros((rows, width)), training=True, dropout=p, rng=rng),
        "logits",
        "cache",
        what="network_forward",
    )
    assert_close(_nothing_of(logits), np.zeros((rows, width)), what="logits of network_forward")
    counts = np.rint(logits * (1 - p))
    close = np.abs(logits * (1 - p) - counts) < 1e-6
    digits = [counts // 4.0**i % 4 for i in range(blocks)]
    known = close & np.logical_and.reduce([digit <= 1 for digit in digits]) & (counts >= 0)
    assert_true(
        bool((known & (counts < 4.0**blocks)).all()),
        "Dropout in network_forward neither zeroes an activation nor divides it by 1 - dropout.",
        "It acts on the output of relu, before the shortcut is added, and on nothing else.",
        f"In a block that adds 1 everywhere, with dropout = {p:g}, logits are "
        f"{np.unique(logits.round(4))[:5]}.",
    )
    return [digit == 1 for digit in digits], cache


RATES = [0.5, 0.2, 0.3, 0.75]


@points(1, repeat=False)
@given(case=cases(x="1", options={"p": RATES}, **PLAIN))
def test_network_forward_dropout(student, case):
    """In training the output of each block's relu is dropped, each element by a draw of its own from rng."""
    rng = case.rng()
    kept, _ = drawn_masks(student, case.p, blocks=3, rows=40, width=50, rng=rng)
    again, _ = drawn_masks(student, case.p, blocks=3, rows=40, width=50, rng=rng)
    for i, mask in enumerate(kept):
        check_frequency(
            int(mask.sum()), mask.size, 1 - case.p, what=f"Elements that block {i} keeps"
        )
        check_uncorrelated(mask[1:], mask[:-1], what=f"Masks of neighbouring rows in block {i}")
        check_uncorrelated(
            mask[:, 1:], mask[:, :-1], what=f"Masks of neighbouring units, block {i}"
        )
        check_uncorrelated(mask, again[i], what=f"Masks of two calls in block {i}")
        if i:
            check_uncorrelated(mask, kept[i - 1], what=f"Masks of blocks {i - 1} and {i}")
    check_rng(
        lambda rng: drawn_masks(student, case.p, blocks=1, rows=9, width=8, rng=rng)[0][0],
        what="network_forward",
        seed=case.seed,
    )


@points(2.5, exact=True)
@given(case=cases(networks, kinds=KINDS))
def test_network_backward(student, case):
    """Gradients of all parameters are autograd's, in training and in evaluation."""
    for training in (True, False):
        check_backward(
            student.network_forward,
            student.network_backward,
            reference=lambda params, x, **_: twin(params, x),
            inputs=case.inputs,
            options={"training": training, "dropout": 0.0, "rng": case.rng()},
            constant=("x",),
        )


@points(0.5, exact=True)
@given(case=cases(single, kinds=KINDS))
def test_network_backward_batch_of_one(student, case):
    """A batch of one image is enough; in evaluation nothing is dropped, whatever `dropout`."""
    check_backward(
        student.network_forward,
        student.network_backward,
        reference=lambda params, x, **_: twin(params, x),
        inputs=case.inputs,
        options={"training": False, "dropout": 0.5, "rng": case.rng()},
        constant=("x",),
    )


@points(1)
@given(case=cases(x="1", options={"p": RATES}, **PLAIN))
def test_network_backward_dropout(student, case):
    """Gradients pass where the forward kept the activation, with its scale; the shortcut is not dropped."""
    rows, width = 6, 5
    masks, cache = drawn_masks(student, case.p, blocks=2, rows=rows, width=width, rng=case.rng())
    drawn_masks(student, 0.4, blocks=2, rows=rows, width=width, rng=case.rng(1))
    params = {
        name: torch.from_numpy(value).requires_grad_()
        for name, value in identity_network(width, 2).items()
    }
    h = torch.zeros(rows, width, dtype=torch.float64)
    for i, mask in enumerate(masks):
        weight, bias, gamma, beta = (
            params[f"block{i}.{part}"] for part in ("weight", "bias", "gamma", "beta")
        )
        z = F.relu(F.layer_norm(F.linear(h, weight, bias), bias.shape, gamma, beta, 1e-5))
        h = h + z * torch.from_numpy(mask / (1 - case.p))
    logits = F.linear(h, params["head.weight"], params["head.bias"])
    upstream = case.rng(2).standard_normal((rows, width))
    (logits * torch.from_numpy(upstream)).sum().backward()
    for factor in (1.0, -2.0):
        assert_close(
            student.network_backward(factor * upstream, cache),
            {name: factor * value.grad.numpy() for name, value in params.items()},
            what="The gradients of network_backward after dropout",
        )


def trajectory(draw):
    """A network, and batches of changing size with a learning rate for each step."""
    made = network(draw, sizes_for(draw), batch=(1, 1))
    steps = draw.choice([3, 1, 2, 5, 4])
    sizes = [len(made["params"]["head.bias"]), made.pop("x").shape[1]]
    batches = [draw.array(draw.integer(1, 6), sizes[1]) for _ in range(steps)]
    targets = [draw.rng.integers(0, sizes[0], size=len(x)) for x in batches]
    start = int(draw.rng.integers(4))
    rates = [[0.1, 0.01, 0.03, 0.003][(start + i // 2) % 4] for i in range(steps)]
    return {**made, "batches": batches, "targets": targets, "rates": rates}


def follow_twin(
    student,
    params,
    batches,
    targets,
    rates,
    *,
    weight_decay,
    dtype="float64",
    tolerance=1.0,
    scale=None,
    every=1,
):
    """The student's losses at each step, and parameters after every so many, beside torch.optim.AdamW's, without dropout."""
    tensors = {name: torch.nn.Parameter(to_tensor(value)) for name, value in params.items()}
    rule = torch.optim.AdamW(tensors.values(), lr=0.1, weight_decay=weight_decay)
    state = {}
    for number, (x, labels, rate) in enumerate(zip(batches, targets, rates, strict=True), 1):
        rng = np.random.default_rng(number)
        params, state, loss = unpack(
            student.train_step(
                params, state, x, labels, lr=rate, weight_decay=weight_decay, dropout=0.0, rng=rng
            ),
            "params", "state", "loss", what="train_step",
        )  # fmt: skip
        expected = F.cross_entropy(twin(tensors, to_tensor(x)), torch.from_numpy(labels))
        rule.param_groups[0]["lr"] = rate
        rule.zero_grad()
        expected.backward()
        rule.step()
        at = f"of train_step at step {number}"
        loose = tolerance if dtype == "float64" else tolerance * 5e3
        assert_close(
            loss, float(expected.detach()), what=f"loss {at}", tolerance=loose, scale=scale
        )
        if number % every == 0:
            expected = {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}
            what = f"params {at}"
            assert_close(params, expected, what=what, dtype=dtype, tolerance=tolerance, scale=scale)


# Adam divides by the gradient's own size, so that rounding counts where a gradient is nearly 0: ten times the allowance.
@points(1.5, exact=True)
@given(
    case=cases(
        trajectory,
        kinds=KINDS,
        dtypes=("float64",),
        options={"weight_decay": [0.1, 0.0, 0.01, 0.5]},
    )
)
def test_train_step(student, case):
    """Parameters and losses follow the torch twin under torch.optim.AdamW, while the learning rate changes."""
    follow_twin(
        student,
        case.params,
        case.batches,
        case.targets,
        case.rates,
        weight_decay=case.weight_decay,
        tolerance=10.0,
    )


def fifty_steps(seed):
    """A network as it is initialized, and fifty batches."""
    rng = np.random.default_rng([seed, 12])
    sizes = [6, 8, 8, 5, 3]
    params = {}
    for name, shape in shapes(sizes).items():
        if name.endswith("weight"):
            params[name] = rng.normal(0, math.sqrt(2 / shape[1]), size=shape)
        else:
            params[name] = np.full(shape, 1.0 if name.endswith("gamma") else 0.0)
    batches = [rng.standard_normal((8, sizes[0])) for _ in range(50)]
    targets = [rng.integers(0, sizes[-1], size=8) for _ in batches]
    return params, batches, targets, list(np.linspace(0.01, 0.001, 50))


@points(1, repeat=False, exact=True)
@given(case=cases(x="1", options={"weight_decay": [0.05, 0.0]}, **PLAIN))
def test_train_step_fifty_times(student, case):
    """After fifty steps from a fresh network the torch twin still agrees to 1e-8."""
    if case.plan.index in (0, 1):  # two networks: these are long
        steps = fifty_steps(case.seed)
        follow_twin(student, *steps, weight_decay=case.weight_decay, tolerance=0.1, every=10)


@points(0.5)
@given(case=cases(trajectory, kinds=KINDS, dtypes=("float32",)))
def test_train_step_keeps_float32(student, case):
    """Parameters in float32 stay in float32."""
    follow_twin(
        student,
        case.params,
        case.batches[:2],
        case.targets[:2],
        [1e-3, 1e-3][: len(case.batches)],
        weight_decay=0.1,
        dtype="float32",
        tolerance=100.0,  # rounding may turn the sign of a gradient near 0, and with it a step of 1e-3
        scale=1.0,
    )


@points(1, repeat=False)
@given(case=cases(x="1", options={"p": RATES}, **PLAIN))
def test_train_step_dropout(student, case):
    """Loss and gradients are those of one forward pass with dropout."""
    width, rng, scale = 8, case.rng(), 1 / (1 - case.p)
    params = identity_network(width, 1)
    kept = []
    for _ in range(40 if case.plan.index in (0, 1, 2, 3) else 3):
        target = len(kept) % width
        found, _, loss = unpack(
            student.train_step(
                params, {}, np.zeros((1, width)), np.array([target]),
                lr=0.1, weight_decay=0.0, dropout=case.p, rng=rng,
            ),
            "params", "state", "loss", what="train_step",
        )  # fmt: skip
        found = reveal(found)
        beta = found.get("block0.beta") if isinstance(found, dict) else None
        assert_close(_nothing_of(beta), np.zeros(width), what="params['block0.beta'] of train_step")
        mask = np.abs(beta - 1.0) > 0.05  # Adam's first step is lr wherever there is a gradient
        logits = scale * mask
        assert_close(
            loss,
            float(np.log(np.exp(logits).sum()) - logits[target]),
            what="loss of train_step with dropout, for the activations whose parameters it moved,",
        )
        kept.append(mask)
    count, draws = int(np.sum(kept)), int(np.size(kept))
    what = "Activations that dropout in train_step keeps"
    check_frequency(count, draws, 1 - case.p, what=what)


def blank(targets, shape=(1, 2, 3)):
    """Black images: no shift changes them, and of a fresh network only the head's bias learns from them."""
    return np.zeros((len(targets), *shape)), np.asarray(targets, dtype=np.int64)


def data_of(train, val):
    return {
        "train_images": train[0],
        "train_targets": train[1],
        "val_images": val[0],
        "val_targets": val[1],
    }


def planned_rate(step, base_lr, total):
    """The learning rate of the topic's text."""
    warmup = max(1, total // 10)
    if step < warmup:
        return base_lr * (1 / 3 + 2 / 3 * step / warmup)
    return base_lr / 2 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


@dataclasses.dataclass(frozen=True)
class OnBlack:
    """A training on black images: the head's bias under AdamW, and the history."""

    bias: np.ndarray
    mean: float | np.ndarray = 0.0
    square: float | np.ndarray = 0.0
    steps: int = 0
    history: tuple = ()

    def loss(self, labels):
        return float(np.mean(np.log(np.exp(self.bias).sum()) - self.bias[labels]))

    def step(self, labels, rate, weight_decay):
        chances = np.exp(self.bias) / np.exp(self.bias).sum()
        grad = chances - np.bincount(labels, minlength=len(self.bias)) / len(labels)
        mean, square = 0.9 * self.mean + 0.1 * grad, 0.999 * self.square + 0.001 * grad**2
        n = self.steps + 1
        move = mean / (1 - 0.9**n) / (np.sqrt(square / (1 - 0.999**n)) + 1e-8)
        bias = (1 - rate * weight_decay) * self.bias - rate * move
        return OnBlack(bias, mean, square, n, self.history)

    def epoch(self, batches, val, *, base_lr, weight_decay, total):
        """After a step per batch, each a list of labels, and an evaluation."""
        now, losses = self, []
        for labels in batches:
            rate = planned_rate(now.steps, base_lr, total)
            losses.append(now.loss(np.asarray(labels)))
            now = now.step(np.asarray(labels), rate, weight_decay)
        accuracy = float(np.mean(np.argmax(now.bias) == val))
        row = (rate, float(np.mean(losses)), now.loss(val), accuracy)
        return dataclasses.replace(now, history=(*self.history, row))


NAMES = ("lr", "train_loss", "val_loss", "val_accuracy")


def twin_on_black(batches, val, classes, *, epochs, base_lr, weight_decay, patience):
    """History and best head's bias, where every epoch has batches of these labels."""
    now = best = OnBlack(np.zeros(classes))
    best_loss, waited = math.inf, 0
    plan = {
        "base_lr": base_lr,
        "weight_decay": weight_decay,
        "total": epochs * len(batches),
    }
    while len(now.history) < epochs and waited < patience:
        now = now.epoch(batches, np.asarray(val), **plan)
        loss = now.history[-1][2]
        best, best_loss, waited = (now, loss, 0) if loss < best_loss else (best, best_loss, waited + 1)  # fmt: skip
    return dict(zip(NAMES, np.array(now.history).T, strict=True)), best.bias


def fitted(student, data, rng, **options):
    """best_params and history, with everything that can be said of their form."""
    usual = {"epochs": 2, "batch_size": 4, "base_lr": 0.1, "weight_decay": 0.0}
    chosen = {**usual, "dropout": 0.0, "patience": 50, **options}
    params, history = unpack(
        student.fit(data, **chosen, rng=rng), "best_params", "history", what="fit"
    )
    params = reveal(params)
    assert_true(
        isinstance(params, dict) and "head.bias" in params,
        "best_params of fit is no dict of parameters.", aspect="type",
    )  # fmt: skip
    blocks = sum(str(name).endswith(".gamma") for name in params)
    widths = [np.size(params.get(f"block{i}.bias", ())) for i in range(blocks)]
    pixels, classes = math.prod(data["train_images"].shape[1:]), int(data["train_targets"].max()) + 1  # fmt: skip
    params = require(params, [pixels, *widths, classes], "best_params of fit")
    found = curves(history)
    assert_patience(found["val_loss"], chosen["epochs"], chosen["patience"])
    return params, found


def assert_patience(val_loss, epochs, patience):
    """A training ends with its epochs, or with the first epoch that fills the patience."""
    ran = len(val_loss)
    waited = [n - int(np.argmin(val_loss[: n + 1])) for n in range(ran)]
    full = [n + 1 for n in range(ran) if waited[n] >= patience]
    expected = full[0] if full else epochs
    if ran != expected:
        failure = Failure(
            f"fit ran {ran} epochs of {epochs} with a patience of {patience}, but should have run {expected}.",
            details=["val_loss: " + ", ".join(f"{loss:.6g}" for loss in val_loss[:20])],
            aspect="shape",
        )
        failure.what = f"{ran} epochs"
        raise failure


def curves(history):
    """The four lists of a history, as float arrays of one length."""
    found = reveal(history)
    assert_true(isinstance(found, dict), "history of fit is no dict.", aspect="type")
    lists = {}
    for name in NAMES:
        assert_true(
            name in found, f"history of fit has no entry {name!r}.", f"It has {sorted(map(str, found))}.", aspect="type",
        )  # fmt: skip
        values = found[name]
        what = f"history[{name!r}] of fit is no list of numbers."
        assert_true(isinstance(values, (list, tuple, np.ndarray)), what, aspect="type")
        number = (float, int, np.generic, np.ndarray)
        single = all(isinstance(one, number) and np.ndim(one) == 0 for one in values)
        assert_true(single, what, aspect="type")
        lists[name] = np.array([float(one) for one in values])
    lengths = {name: len(values) for name, values in lists.items()}
    assert_true(
        len(set(lengths.values())) == 1,
        f"The lists of history have different lengths: {lengths}. Each has one number per epoch.",
        aspect="shape",
    )
    return lists


def one_class(draw):
    """Every training image is of the same class, so that the order of the batches does not show."""
    classes = draw.choice([3, 2, 5])
    train = [classes - 1] * draw.choice([5, 1, 8, 3, 4])
    val = [int(label) for label in draw.rng.integers(0, classes, size=draw.integer(2, 7))]
    return {"train": train, "val": val}


SCHEDULES = {
    "epochs": [3, 1, 5, 6],
    "batch_size": [2, 4, 3, 20, 1],
    "base_lr": [0.1, 0.3, 0.02],
    "weight_decay": [0.0, 0.5, 0.1],
}


def check_on_black(student, case, *, patience):
    """A whole training on black images beside the twin's."""
    n, size, classes = len(case.train), case.batch_size, max(case.train) + 1
    plan = {name: case.options[name] for name in ("epochs", "base_lr", "weight_decay")}
    history, bias = twin_on_black(
        [case.train[start : start + size] for start in range(0, n, size)],
        case.val, classes, **plan, patience=patience,
    )  # fmt: skip
    data = data_of(blank(case.train), blank(case.val))
    params, found = fitted(
        student, data, case.rng(), **plan, batch_size=size, dropout=0.3, patience=patience
    )
    for name in NAMES:
        assert_close(found[name], history[name], what=f"history[{name!r}] of fit")
    what = f"'head.bias' of best_params of fit (val_loss: {found['val_loss'].round(5)})"
    assert_close(params["head.bias"], bias, what=what)


@points(1, repeat=False, exact=True)
@given(case=cases(one_class, options=SCHEDULES, **PLAIN))
def test_fit_history(student, case):
    """On black images, where all is known, each epoch's rate, losses and accuracy are those of the text."""
    check_on_black(student, case, patience=50)


def overfitting(draw):
    """A validation loss that soon rises, and stays above its lowest or swings and finds a lower one; or none that moves."""
    weight_decay = draw.choice([0.0, 0.1])
    patience = draw.choice([2, 1, 4, 3])
    kind = draw.choice(["rises", "swings", "rises", "stays"])
    if kind != "rises":
        both = [0, 1, 1]  # in one batch, at a rate that overshoots, or moves nothing
        base_lr = 2.0 if kind == "swings" else 0.0
        plan = {"epochs": draw.choice([12, 16]), "batch_size": 3, "base_lr": base_lr}
        return {"train": both, "val": both, "weight_decay": 0.0, "patience": patience, **plan}
    classes = draw.choice([2, 3])
    others = [0] * draw.choice([4, 1, 2, 3])
    val = others + [classes - 1] * draw.choice([0, 1, 3, 2, 5])
    plan = {
        "epochs": draw.choice([6, 12, 9]),
        "batch_size": draw.choice([4, 2, 3]),
        "base_lr": draw.choice([0.3, 0.1, 0.6]),
        "weight_decay": weight_decay,
        "patience": patience,
    }
    return {"train": [classes - 1] * draw.choice([4, 6]), "val": val, **plan}


PLAN = ("epochs", "batch_size", "base_lr", "weight_decay", "patience")


@points(1, repeat=False, exact=True)
@given(case=cases(overfitting, options_of=PLAN, **PLAIN))
def test_fit_stops_early(student, case):
    """It stops after `patience` epochs without a lower validation loss, and returns the best parameters, not the last."""
    check_on_black(student, case, patience=case.patience)


def noise(rng, n, classes, shape):
    """Random images; all classes occur."""
    targets = np.arange(n) % classes
    return rng.uniform(0, 1, size=(n, *shape)), targets


@points(0.5, repeat=False)
@given(
    case=cases(
        x="1",
        options={
            "shape": [(1, 4, 5), (1, 3, 2), (1, 5, 5)],
            "dropout": [0.5, 0.0, 0.8],
            "n_val": [9, 270, 41],  # an average over chunks of any usual size differs
        },
        **PLAIN,
    )
)
def test_fit_evaluates_without_dropout(student, case):
    """val_loss and val_accuracy of the best epoch are best_params' own on the validation images as they are."""
    rng = case.rng()
    data = data_of(noise(rng, 14, 4, case.shape), noise(rng, case.n_val, 4, case.shape))
    params, history = fitted(
        student, data, case.rng(1), epochs=3, batch_size=7, base_lr=0.05, dropout=case.dropout
    )
    x = data["val_images"].reshape(case.n_val, -1)
    logits = twin({name: to_tensor(value) for name, value in params.items()}, to_tensor(x))
    labels = torch.from_numpy(data["val_targets"])
    best = int(np.argmin(history["val_loss"]))
    for name, expected in (
        ("val_loss", float(F.cross_entropy(logits, labels))),
        ("val_accuracy", float((logits.argmax(dim=1) == labels).double().mean())),
    ):
        found = history[name][best]
        assert_true(
            bool(np.isclose(found, expected, rtol=1e-7, atol=1e-10)),
            f"{name} of fit is {found:.6g} at the best epoch, but best_params have {expected:.6g}.",
            f"val_loss: {history['val_loss'].round(6)}; epoch {best + 1} is the best.",
            "On the validation images as they are, without dropout: are these the parameters of that epoch?",
            aspect="law",  # which examples show it depends on what was drawn
        )


@points(0.5, repeat=False)
@given(case=cases(x="1", **PLAIN))
def test_fit_drops_in_training(student, case):
    """The option `dropout` holds in every step of the training."""
    if case.plan.index not in (0, 1):
        return
    data = data_of(noise(case.rng(), 1, 1, (1, 3, 4)), noise(case.rng(), 1, 1, (1, 3, 4)))
    data["train_targets"] = data["val_targets"] = np.array([2])
    rng, moved = case.rng(1), []
    while np.size(moved) < 400 and len(moved) < 40:
        params, _ = fitted(student, data, rng, epochs=1, batch_size=1, dropout=0.9)
        last = max((name for name in params if name.endswith("beta")), key=_number_of)
        moved.extend(params[last] != 0.0)
    # An activation that is dropped, or that relu cuts off, leaves its shift where it was: about one in twenty moves.
    assert_true(
        float(np.mean(moved)) <= 0.3,
        f"With dropout = 0.9, {np.mean(moved):.0%} of the last block's shifts move in one step of fit, "
        "but should be about 5%.",
        "Is dropout handed to every train_step?",
        aspect="law",
    )


def _number_of(name):
    """Of a block."""
    return int(name.removeprefix("block").partition(".")[0])


@points(0.5, repeat=False)
@given(case=cases(x="1", options={"pixel": [(2, 3), (0, 0), (4, 5), (3, 0), (0, 4)]}, **PLAIN))
def test_fit_shifts_each_image(student, case):
    """Training images are shifted by one pixel at most, each by itself, anew in every epoch; what leaves the image is gone."""
    if case.plan.index is None:
        return
    images, targets = np.zeros((300, 1, 5, 6)), case.rng(1).permutation(np.arange(300) % 4)
    images[:, 0, case.pixel[0], case.pixel[1]] = 1.0
    data = data_of((images, targets), (images[:4], np.arange(4)))
    params, _ = fitted(student, data, case.rng(2), epochs=1, batch_size=300, base_lr=10.0)
    # He's law has a standard deviation of 0.26 here; the one step moves the weights of a pixel that was seen by 3.3.
    seen = (np.abs(params["block0.weight"]).max(axis=0) > 2.5).reshape(5, 6)
    rows, columns = np.indices((5, 6))
    expected = (abs(rows - case.pixel[0]) <= 1) & (abs(columns - case.pixel[1]) <= 1)
    assert_true(
        bool((seen == expected).all()),
        "The shifts of fit are not those of the text: -1, 0 or 1 in each direction, for each image by itself.",
        f"300 images with one bright pixel at row {case.pixel[0]}, column {case.pixel[1]}; the network saw it at (x):",
        *("".join(".x"[int(one)] for one in row) for row in seen),
        aspect="law",
    )
    if case.plan.index == 0:
        assert_shifts_of_pairs(student, case)


def assert_shifts_of_pairs(student, case):
    """A network that hardly learns tells by its loss how the two images of each epoch were shifted."""
    epochs, labels = 100, np.array([0, 1])
    images, _ = noise(case.rng(3), 2, 2, (1, 3, 4))
    params, history = fitted(
        student, data_of((images, labels), (images, labels)), case.rng(4),
        epochs=epochs, batch_size=2, base_lr=1e-13, patience=epochs,
    )  # fmt: skip
    shifts = list(itertools.product((-1, 0, 1), repeat=2))
    padded = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)))
    moved = np.stack([padded[:, 1 - dy : 4 - dy, 1 - dx : 5 - dx] for dy, dx in shifts], axis=1)
    tensors = {name: to_tensor(value) for name, value in params.items()}
    logits = twin(tensors, to_tensor(moved.reshape(18, 12)))
    single = F.cross_entropy(logits, torch.tensor([0, 1]).repeat_interleave(9), reduction="none")
    pairs = (single[:9, None] + single[None, 9:]).numpy().ravel() / 2
    off = np.abs(history["train_loss"][:, None] - pairs)
    assert_true(
        bool((off.min(axis=1) < 1e-6).all()),
        "The images that fit trains on are no shifts of those that it was given.",
        "Two images, a learning rate of nearly 0: no shifts of the two give the loss "
        f"{history['train_loss'][np.argmax(off.min(axis=1))]:.6g} of epoch {np.argmax(off.min(axis=1)) + 1}.",
        aspect="law",
    )
    drawn = np.divmod(off.argmin(axis=1), 9)
    for number, found in enumerate(drawn):
        counts = np.bincount(found, minlength=9)
        assert_true(
            np.count_nonzero(counts) >= 6,  # of nine
            "fit does not shift the images anew in every epoch, by -1, 0 or 1 in each direction.",
            f"In {epochs} epochs image {number} was shifted by (down, right):",
            *(f"{shift}: {count} times" for shift, count in zip(shifts, counts, strict=True)),
            aspect="law",
        )
        for count in counts:
            check_frequency(int(count), epochs, 1 / 9, what="How often an image is shifted by (dx, dy)")  # fmt: skip
    assert_true(
        bool((drawn[0] != drawn[1]).any()),
        "fit shifts all images of a batch alike.",
        "Draw dx and dy for each image.",
        aspect="law",
    )


def leftover(number):
    """Batches of an epoch over one image of each of five classes, four and then the last one."""
    return [[label for label in range(5) if label != number], [number]]


@points(0.5, repeat=False)
@given(case=cases(x="1", **PLAIN))
def test_fit_shuffles_every_epoch(student, case):
    """Every epoch takes every image once, in an order of its own that is drawn from rng."""
    if case.plan.index not in (0, 1, 2):
        return
    val = np.repeat(
        np.arange(5), np.arange(1, 6)
    )  # so that the loss tells which class was the last
    data = data_of(blank(range(5)), blank(val))
    plan = {"epochs": 25, "base_lr": 0.3, "weight_decay": 0.1}
    _, history = fitted(student, data, case.rng(), **plan, patience=25)
    now, last = OnBlack(np.zeros(5)), []
    for number, found in enumerate(zip(*(history[name] for name in NAMES), strict=True), 1):
        possible = [
            now.epoch(leftover(label), val, base_lr=0.3, weight_decay=0.1, total=50)
            for label in range(5)
        ]
        off = [np.abs(np.subtract(one.history[-1], found)[1:3]).max() for one in possible]
        label = int(np.argmin(off))
        assert_true(
            off[label] < 1e-6,
            f"Epoch {number} of fit does not take every image once, in batches of batch_size.",
            "Five images, one of each class, in batches of four: no order of them gives these losses.",
            f"train_loss: {found[1]:.6g}, val_loss: {found[2]:.6g}",
            aspect="law",
        )
        now = possible[label]
        last.append(label)
    assert_true(
        len(set(last)) > 1,
        "fit takes the same batches in every epoch.",
        "Draw a new order at the beginning of each epoch.",
        aspect="law",
    )
    images = data_of(noise(case.rng(1), 6, 3, (1, 2, 3)), blank([0, 1, 2]))

    def train(stream):
        params, _ = fitted(student, images, case.rng(stream), epochs=1, dropout=0.2)
        return params["head.weight"]

    first, again, other = train(2), train(2), train(3)
    same = first.shape == again.shape and np.allclose(first, again, rtol=1e-5, atol=1e-8)
    assert_true(same, "fit gives another answer for the same state of rng.", aspect="rng")
    assert_true(
        first.shape != other.shape or not np.allclose(first, other, rtol=1e-5, atol=1e-8),
        "fit gives the same answer for another rng: does it draw from the rng that it is given?",
        aspect="rng",
    )


@functools.cache
def digits():
    """scikit-learn's digits in the course's order: 70 % to train, 15 % to validate, 15 % to test."""
    found = load_digits()
    order = np.random.default_rng(12).permutation(1797)
    images, targets = found.images[order][:, None] / 16.0, found.target[order].astype(np.int64)
    parts = [slice(0, 1257), slice(1257, 1527), slice(1527, None)]
    return [(images[part], targets[part]) for part in parts]


def as_lines(history):
    """The curve of a training, in ten lines at most."""
    epochs = len(history["lr"])
    shown = sorted({round(i * (epochs - 1) / 9) for i in range(10)})
    yield "epoch  lr        train_loss  val_loss  val_accuracy"
    for epoch in shown:
        rate, train, val, accuracy = (history[name][epoch] for name in NAMES)
        yield f"{epoch + 1:5d}  {rate:8.2g}  {train:10.4f}  {val:8.4f}  {accuracy:12.3f}"


CAPSTONE = {
    "epochs": 60,
    "batch_size": 64,
    "base_lr": 0.02,
    "weight_decay": 0.1,
    "dropout": 0.2,
    "patience": 20,
}


@points(3.5, timeout_s=300, call_timeout_s=120, repeat=False)  # twice a minute, for slower machines
def test_fit_reads_digits(student):
    """Trained on 1,257 digits within a minute, the network reads at least 97 % of the 270 that it never saw."""
    train, val, test = digits()
    data = data_of(train, val)
    _, short = fitted(student, data, np.random.default_rng(9), **(CAPSTONE | {"epochs": 2}))
    x, labels = to_tensor(test[0].reshape(len(test[0]), -1)), test[1]
    best, curve = -1, short
    for seed in range(2):  # a training depends on luck: a second one may mend the first
        try:
            params, history = fitted(student, data, np.random.default_rng(seed), **CAPSTONE)
        except TimeLimit as limit:
            limit.details = ("A training of two epochs gave:", *as_lines(curve))
            raise
        logits = twin({name: to_tensor(value) for name, value in params.items()}, x)
        right = int((logits.argmax(dim=1).numpy() == labels).sum())
        if right >= 0.97 * len(labels):
            return
        if right > best:
            best, curve = right, history
    raise Failure(
        f"The trained network reads {best} of {len(labels)} test digits ({best / len(labels):.1%}), "
        "but should read 97%.",
        details=["The better of two trainings:", *as_lines(curve)],
    )
