"""The checks of topic 12, training: the network beside a twin in torch, step for step, then real digits."""

import functools
import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from scipy import stats
from sklearn.datasets import load_digits

from grader import (
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

# torch loads its compiler with the first optimizer: here, and not in the time of a check.
torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.1)

SIZES = [[2, 3, 2], [3, 4, 4, 2], [4, 4, 3], [3, 5, 5, 5, 4], [5, 2, 4, 4, 3, 3, 2], [1, 1, 1], [6, 8, 8, 5, 3]]  # fmt: skip
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
@given(case=cases(names, dtypes=("float64",), layouts=("C",), kinds=("normal",)))
def test_init_network(student, case):
    """Names and shapes are those of the text; biases and shifts are 0, gains 1, all float64."""
    params = require(
        student.init_network(case.sizes, rng=case.rng()), case.sizes, "What init_network returns"
    )
    for name, array in params.items():
        if not name.endswith("weight"):
            wanted = np.full(array.shape, 1.0 if name.endswith("gamma") else 0.0)
            assert_close(array, wanted, what=f"{name!r} of init_network")


@points(1)
@given(
    case=cases(
        x="1", options={"width": [30, 90, 60]}, layouts=("C",), dtypes=("float64",), kinds=("normal",)
    )
)  # fmt: skip
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


@points(1.5)
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
@given(
    case=cases(x="1", options={"p": RATES}, layouts=("C",), dtypes=("float64",), kinds=("normal",))
)
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


@points(2.5)
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


@points(0.5)
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
@given(
    case=cases(x="1", options={"p": RATES}, layouts=("C",), dtypes=("float64",), kinds=("normal",))
)
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
):
    """The student's parameters and losses after each step beside torch.optim.AdamW's, without dropout."""
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
        assert_close(
            params,
            {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()},
            what=f"params {at}",
            dtype=dtype,
            tolerance=tolerance,
            scale=scale,
        )


# Adam divides by the gradient's own size, so that rounding counts where a gradient is nearly 0: ten times the allowance.
@points(1.5)
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


@points(1)
def test_train_step_fifty_times(student):
    """After fifty steps from a fresh network the torch twin still agrees to 1e-8."""
    for seed in range(2):
        follow_twin(student, *fifty_steps(seed), weight_decay=0.05, tolerance=0.1)


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
@given(
    case=cases(x="1", options={"p": RATES}, layouts=("C",), dtypes=("float64",), kinds=("normal",))
)
def test_train_step_dropout(student, case):
    """Loss and gradients are those of one forward pass with dropout."""
    params = identity_network(2, 1)
    rng, s = case.rng(), 1 / (1 - case.p)
    calls = 150 if case.plan.index is not None and case.plan.index < 4 else 8
    values = {name: math.log1p(math.exp(gap)) for name, gap in (("second", s), ("equal", 0.0), ("first", -s))}  # fmt: skip
    counts = dict.fromkeys(values, 0)
    for _ in range(calls):
        found, _, loss = unpack(
            student.train_step(
                params, {}, np.zeros((1, 2)), np.array([0]),
                lr=0.1, weight_decay=0.0, dropout=case.p, rng=rng,
            ),
            "params", "state", "loss", what="train_step",
        )  # fmt: skip
        near = min(values, key=lambda name: abs(values[name] - float(loss)))
        assert_close(loss, values[near], what="loss of train_step with dropout")
        counts[near] += 1
        if near != "equal":
            kept = np.array([near == "first", near == "second"])
            moved = reveal(found)["block0.beta"] != 1.0
            assert_true(
                bool((moved == kept).all()),
                "The step of train_step is not that of the forward pass that gave its loss.",
                f"Kept by dropout: {kept}; shifts that moved: {moved}. Is there one forward pass per step?",
            )
    for name in ("first", "second"):
        p = case.p * (1 - case.p)
        what = f"Steps of train_step where only the {name} of two activations is kept"
        check_frequency(counts[name], calls, p, what=what)


def blank(targets, shape=(1, 4, 3)):
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


def twin_on_blank(epoch, val_targets, classes, *, epochs, base_lr, weight_decay, patience):
    """History and best head's bias of a training on black images; `epoch` lists the targets of its batches."""
    bias = torch.nn.Parameter(torch.zeros(classes, dtype=torch.float64))
    rule = torch.optim.AdamW([bias], lr=0.1, weight_decay=weight_decay)
    labels = torch.from_numpy(np.asarray(val_targets))
    history = {"lr": [], "train_loss": [], "val_loss": [], "val_accuracy": []}
    best, best_epoch, step = bias.detach().numpy().copy(), -1, 0
    for number in range(epochs):
        losses = []
        for targets in epoch:
            rate = rule.param_groups[0]["lr"] = planned_rate(step, base_lr, epochs * len(epoch))
            loss = F.cross_entropy(bias.expand(len(targets), -1), torch.from_numpy(targets))
            rule.zero_grad()
            loss.backward()
            rule.step()
            losses.append(float(loss.detach()))
            step += 1
        with torch.no_grad():
            val_loss = float(F.cross_entropy(bias.expand(len(labels), -1), labels))
            accuracy = float((bias.argmax() == labels).double().mean())
        if not history["val_loss"] or val_loss < min(history["val_loss"]):
            best, best_epoch = bias.detach().numpy().copy(), number
        for name, value in zip(history, (rate, np.mean(losses), val_loss, accuracy), strict=True):
            history[name].append(float(value))
        if number - best_epoch >= patience:
            break
    return history, best


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
    assert_true(
        ran == expected,
        f"fit ran {ran} epochs of {epochs} with a patience of {patience}, but should have run {expected}.",
        "val_loss: " + ", ".join(f"{loss:.6g}" for loss in val_loss[:20]),
        aspect="shape",
    )


def curves(history):
    """The four lists of a history, as float arrays of one length."""
    found = reveal(history)
    wanted = ("lr", "train_loss", "val_loss", "val_accuracy")
    assert_true(isinstance(found, dict), "history of fit is no dict.", aspect="type")
    lists = {}
    for name in wanted:
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


def assert_history(found, expected, what="fit"):
    """Every list of a history beside the twin's."""
    epochs = len(found["lr"]), len(expected["lr"])
    assert_true(
        epochs[0] == epochs[1],
        f"{what} ran {epochs[0]} epochs, but should have run {epochs[1]}.",
        "val_loss: " + ", ".join(f"{loss:.6g}" for loss in found["val_loss"]),
        aspect="shape",
    )
    for name, values in expected.items():
        assert_close(found[name], np.array(values), what=f"history[{name!r}] of {what}")


def one_class(draw):
    """Every training image is of the same class, so that the order of the batches does not show."""
    classes = draw.choice([3, 2, 5])
    train = [classes - 1] * draw.choice([5, 1, 8, 11, 4])
    val = [int(label) for label in draw.rng.integers(0, classes, size=draw.integer(2, 7))]
    return {"train": train, "val": val}


PLAIN = {"dtypes": ("float64",), "layouts": ("C",), "kinds": ("normal",)}
SCHEDULES = {
    "epochs": [3, 1, 5, 6],
    "batch_size": [2, 4, 3, 20, 1],
    "base_lr": [0.1, 0.3, 0.02],
    "weight_decay": [0.0, 0.5, 0.1],
}


def check_on_blank(student, case, *, patience):
    """A whole training on black images beside the twin's."""
    n, size, classes = len(case.train), case.batch_size, max(case.train) + 1
    plan = {name: case.options[name] for name in ("epochs", "base_lr", "weight_decay")}
    history, bias = twin_on_blank(
        [np.array(case.train[start : start + size]) for start in range(0, n, size)],
        case.val, classes, **plan, patience=patience,
    )  # fmt: skip
    data = data_of(blank(case.train), blank(case.val))
    params, found = fitted(
        student, data, case.rng(), **plan, batch_size=size, dropout=0.3, patience=patience
    )
    assert_history(found, history)
    what = f"'head.bias' of best_params of fit (val_loss: {found['val_loss'].round(5)})"
    assert_close(params["head.bias"], bias, what=what)


@points(1, repeat=False)
@given(case=cases(one_class, options=SCHEDULES, **PLAIN))
def test_fit_history(student, case):
    """On black images, where all is known, each epoch's rate, losses and accuracy are those of the text."""
    check_on_blank(student, case, patience=50)


def overfitting(draw):
    """All training images are of one class, most validation images of others: the loss soon rises."""
    classes = draw.choice([2, 3])
    others = [0] * draw.choice([4, 1, 2, 3])
    val = others + [classes - 1] * draw.choice([0, 1, 3, 2, 5])
    return {"train": [classes - 1] * draw.choice([4, 8]), "val": val}


@points(1, repeat=False)
@given(
    case=cases(
        overfitting,
        options={
            "epochs": [6, 12, 9],
            "batch_size": [4, 2, 3],
            "base_lr": [0.3, 0.1, 0.6],
            "weight_decay": [0.0, 0.1],
            "patience": [2, 1, 4, 3],
        },
        **PLAIN,
    )
)
def test_fit_stops_early(student, case):
    """It stops after `patience` epochs without a lower validation loss, and returns the best parameters, not the last."""
    check_on_blank(student, case, patience=case.patience)


def noise(rng, n, classes, shape):
    """Random images; all classes occur."""
    targets = np.arange(n) % classes
    return rng.uniform(0, 1, size=(n, *shape)), targets


@points(0.5, repeat=False)
@given(
    case=cases(x="1", options={"shape": [(1, 4, 5), (1, 3, 2), (1, 5, 5)], "dropout": [0.5, 0.0, 0.8]}, **PLAIN)
)  # fmt: skip
def test_fit_evaluates_without_dropout(student, case):
    """val_loss and val_accuracy of the best epoch are best_params' own on the validation images as they are."""
    rng = case.rng()
    data = data_of(noise(rng, 14, 4, case.shape), noise(rng, 9, 4, case.shape))
    params, history = fitted(
        student,
        data,
        case.rng(1),
        epochs=7,
        batch_size=7,
        base_lr=0.05,
        dropout=case.dropout,
        patience=2,
    )
    x = data["val_images"].reshape(9, -1)
    logits = twin({name: to_tensor(value) for name, value in params.items()}, to_tensor(x))
    labels = torch.from_numpy(data["val_targets"])
    best = int(np.argmin(history["val_loss"]))
    assert_close(
        history["val_loss"][best],
        float(F.cross_entropy(logits, labels)),
        what="The lowest val_loss of fit, for its best_params,",
    )
    assert_close(
        history["val_accuracy"][best],
        float((logits.argmax(dim=1) == labels).double().mean()),
        what="val_accuracy of fit at the best epoch, for its best_params,",
    )


@points(0.5, repeat=False)
@given(case=cases(x="1", options={"pixel": [(2, 3), (0, 0), (5, 7), (3, 0), (0, 4)]}, **PLAIN))
def test_fit_shifts_each_image(student, case):
    """Training images are shifted by one pixel at most, each by itself; what leaves the image is gone."""
    height, width = 6, 8
    images, targets = noise(case.rng(), 300, 4, (1, height, width))
    images = np.zeros_like(images)
    images[:, 0, case.pixel[0], case.pixel[1]] = 1.0
    targets = case.rng(1).permutation(targets)
    data = data_of((images, targets), (images[:8], targets[:8]))
    params, _ = fitted(student, data, case.rng(2), epochs=1, batch_size=50, base_lr=3.0)
    # He's law has a standard deviation of 0.2 here; a pixel that was seen moves its weights by 1 and more.
    seen = (np.abs(params["block0.weight"]).max(axis=0) > 1.25).reshape(height, width)
    rows, columns = np.indices((height, width))
    expected = (abs(rows - case.pixel[0]) <= 1) & (abs(columns - case.pixel[1]) <= 1)
    lines = ["".join(".x"[int(one)] for one in row) for row in seen]
    assert_true(
        bool((seen == expected).all()),
        "The shifts of fit are not those of the text: -1, 0 or 1 in each direction, anew for each image.",
        f"300 images with one bright pixel at row {case.pixel[0]}, column {case.pixel[1]}; the network saw it at (x):",
        *lines,
        aspect="law",
    )


@points(0.5, repeat=False)
def test_fit_shuffles_every_epoch(student):
    """Every epoch has an order of its own, drawn from rng."""
    train = [0, 1] * 8
    data = data_of(blank(train), blank([0, 1, 1]))
    plan = {"epochs": 40, "base_lr": 0.1, "weight_decay": 0.0, "patience": 50}
    _, history = fitted(student, data, np.random.default_rng(5), **plan, batch_size=8)
    for ones in range(9):
        batches = [np.array([1] * ones + [0] * (8 - ones)), np.array([1] * (8 - ones) + [0] * ones)]
        same, _ = twin_on_blank(batches, [0, 1, 1], 2, **plan)
        assert_true(
            not np.allclose(history["train_loss"], same["train_loss"], rtol=1e-9, atol=0),
            "fit takes the same batches in every epoch.",
            "Draw a new order at the beginning of each epoch.",
            aspect="law",
        )
    check_rng(
        lambda rng: fitted(student, data, rng, dropout=0.2)[0]["head.weight"],
        what="fit",
    )


@functools.cache
def digits():
    """scikit-learn's digits in the course's order: 70 % to train, 15 % to validate, 15 % to test."""
    found = load_digits()
    order = np.random.default_rng(12).permutation(len(found.target))
    images = (found.images[order] / 16.0)[:, None]
    targets = found.target[order].astype(np.int64)
    parts = [slice(0, 1257), slice(1257, 1527), slice(1527, None)]
    return [(images[part], targets[part]) for part in parts]


def as_lines(history):
    """The curve of a training, in ten lines at most."""
    epochs = len(history["lr"])
    shown = sorted({round(i * (epochs - 1) / 9) for i in range(10)})
    yield "epoch  lr        train_loss  val_loss  val_accuracy"
    for epoch in shown:
        rate, train, val, accuracy = (history[name][epoch] for name in history)
        yield f"{epoch + 1:5d}  {rate:8.2g}  {train:10.4f}  {val:8.4f}  {accuracy:12.3f}"


@points(4, timeout_s=90, call_timeout_s=90, repeat=False)
def test_fit_reads_digits(student):
    """Trained on 1,257 digits, the network reads at least 97 % of the 270 that it never saw."""
    train, val, test = digits()
    params, history = fitted(
        student,
        data_of(train, val),
        np.random.default_rng(0),
        epochs=50,
        batch_size=64,
        base_lr=3e-3,
        weight_decay=0.1,
        dropout=0.3,
        patience=20,
    )
    x = to_tensor(test[0].reshape(len(test[0]), -1))
    logits = twin({name: to_tensor(value) for name, value in params.items()}, x)
    right = int((logits.argmax(dim=1).numpy() == test[1]).sum())
    assert_true(
        right >= 0.97 * len(test[1]),
        f"The trained network reads {right} of {len(test[1])} test digits ({right / len(test[1]):.1%}), "
        "but should read 97%.",
        *as_lines(history),
    )
