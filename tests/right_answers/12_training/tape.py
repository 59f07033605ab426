"""A small tape of reverse-mode differentiation: every operation appends how its gradient goes back."""

import math

import numpy as np


class Tape:
    def __init__(self):
        self.backs = []
        self.grads = {}

    def add(self, key, value):
        self.grads[key] = self.grads[key] + value if key in self.grads else value

    def replay(self, key, grad):
        self.grads = {key: grad}
        for back in reversed(self.backs):
            back()
        return self.grads


def _linear(tape, key, x, params, name):
    weight = params[f"{name}.weight"]
    out = f"{name}.u"

    def back():
        g = tape.grads[out]
        tape.add(f"{name}.weight", np.tensordot(g, x, axes=(0, 0)))
        tape.add(f"{name}.bias", g.sum(axis=0))
        tape.add(key, np.dot(g, weight))

    tape.backs.append(back)
    return out, np.dot(x, weight.T) + params[f"{name}.bias"]


def _norm(tape, key, u, params, name):
    width = u.shape[1]
    c = u - u.sum(axis=1, keepdims=True) / width
    root = np.sqrt((c * c).sum(axis=1, keepdims=True) / width + 1e-5)
    hat, gamma, out = c / root, params[f"{name}.gamma"], f"{name}.z"

    def back():
        g = tape.grads[out]
        tape.add(f"{name}.gamma", (g * hat).sum(axis=0))
        tape.add(f"{name}.beta", g.sum(axis=0))
        g = g * gamma
        inner = (g * hat).sum(axis=1, keepdims=True) / width
        tape.add(key, (g - g.sum(axis=1, keepdims=True) / width - hat * inner) / root)

    tape.backs.append(back)
    return out, hat * gamma + params[f"{name}.beta"]


def _times(tape, key, x, factor, name):
    def back():
        tape.add(key, tape.grads[name] * factor)

    tape.backs.append(back)
    return name, x * factor


def _sum(tape, one, other, name):
    def back():
        tape.add(one[0], tape.grads[name])
        tape.add(other[0], tape.grads[name])

    tape.backs.append(back)
    return name, one[1] + other[1]


def init_network(sizes, *, rng):
    count = len(sizes) - 2
    params = {}
    for i in range(count):
        shape = sizes[i + 1], sizes[i]
        params[f"block{i}.weight"] = rng.standard_normal(shape) * math.sqrt(2 / shape[1])
        params[f"block{i}.bias"], params[f"block{i}.beta"] = np.zeros((2, shape[0])).copy()
        params[f"block{i}.gamma"] = np.zeros(shape[0]) + 1
    params["head.weight"] = rng.standard_normal((sizes[-1], sizes[-2])) * math.sqrt(2 / sizes[-2])
    params["head.bias"] = np.zeros(sizes[-1])
    return {name: value.copy() for name, value in params.items()}


def network_forward(params, x, *, training, dropout, rng):
    tape, h, i = Tape(), ("x", x), 0
    while (name := f"block{i}") + ".weight" in params:
        u = _linear(tape, *h, params, name)
        z = _norm(tape, *u, params, name)
        d = _times(tape, *z, (z[1] > 0).astype(x.dtype), f"{name}.relu")
        if training and dropout:
            survive = rng.random(d[1].shape, dtype=np.float32) < 1 - dropout
            d = _times(tape, *d, (survive / (1 - dropout)).astype(x.dtype), f"{name}.drop")
        h = _sum(tape, h, d, f"{name}.h") if h[1].shape == d[1].shape else d
        i += 1
    key, logits = _linear(tape, *h, params, "head")
    return logits, [tape, key, list(params)]


def network_backward(grad_logits, cache):
    tape, key, names = cache
    grads = tape.replay(key, grad_logits)
    return {name: grads[name] for name in names}


def _surprise(logits, targets):
    """The loss of each row, and the probabilities."""
    shifted = logits - logits.max(axis=1)[:, None]
    total = np.exp(shifted).sum(axis=1)[:, None]
    rows = np.log(total[:, 0]) - shifted[range(len(targets)), targets]
    return rows, np.exp(shifted) / total


def train_step(params, state, x, targets, *, lr, weight_decay, dropout, rng):
    logits, cache = network_forward(params, x, training=True, dropout=dropout, rng=rng)
    rows, grad = _surprise(logits, targets)
    np.subtract.at(grad, (range(len(targets)), targets), 1)
    grads = network_backward(grad / len(targets), cache)
    count = 1 + max([entry[0] for entry in state.values()], default=0)
    new_params, new_state = {}, {}
    for name, param in params.items():
        _, m, v = state.get(name, (0, np.zeros_like(param), np.zeros_like(param)))
        m, v = m * 0.9 + grads[name] * 0.1, v * 0.999 + grads[name] * grads[name] * 0.001
        step = m / (1 - 0.9**count) / (np.sqrt(v) / math.sqrt(1 - 0.999**count) + 1e-8)
        new_params[name] = param - lr * (weight_decay * param + step)
        new_state[name] = count, m, v
    return new_params, new_state, rows.mean()


def _translate(image, dx, dy):
    big = np.zeros((image.shape[0] + 2, image.shape[1] + 2))
    big[1 + dy : 1 + dy + image.shape[0], 1 + dx : 1 + dx + image.shape[1]] = image
    return big[1:-1, 1:-1]


def fit(data, *, epochs, batch_size, base_lr, weight_decay, dropout, patience, rng):
    images, targets = data["train_images"], data["train_targets"]
    val_x = data["val_images"].reshape(data["val_images"].shape[0], -1)
    params, state = init_network([val_x.shape[1], 160, targets.max() + 1], rng=rng), {}
    batches = math.ceil(len(images) / batch_size)
    total = batches * epochs
    warmup = total // 10 or 1
    history = {"val_accuracy": (), "val_loss": (), "train_loss": (), "lr": ()}
    kept, failures = None, 0
    for epoch in range(epochs):
        losses = np.zeros(batches)
        order = rng.permutation(len(images))
        for number, batch in enumerate(
            np.array_split(order, range(batch_size, len(order), batch_size))
        ):
            at = epoch * batches + number
            if at < warmup:
                lr = base_lr * (warmup + 2 * at) / (3 * warmup)
            else:
                lr = base_lr * math.cos(math.pi / 2 * (at - warmup) / (total - warmup)) ** 2
            moves = rng.integers(-1, 2, size=(len(batch), 2)).tolist()
            x = np.stack([_translate(images[i, 0], *move) for i, move in zip(batch, moves)])
            params, state, losses[number] = train_step(
                params, state, x.reshape(len(batch), -1), targets[batch],
                lr=lr, weight_decay=weight_decay, dropout=dropout, rng=rng,
            )  # fmt: skip
        logits = network_forward(params, val_x, training=False, dropout=dropout, rng=rng)[0]
        rows, _ = _surprise(logits, data["val_targets"])
        right = np.count_nonzero(logits.argmax(axis=1) == data["val_targets"])
        if not history["val_loss"] or rows.mean() < min(history["val_loss"]):
            kept, failures = params, 0
        else:
            failures += 1
        found = right / len(rows), rows.mean(), losses.mean(), lr
        history = {name: (*old, new) for (name, old), new in zip(history.items(), found)}
        if failures == patience:
            break
    return kept, history
