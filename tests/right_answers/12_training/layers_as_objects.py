"""Layers as objects with a forward and a backward of their own; a cache of objects, an optimizer as a class."""

import copy
import math

import numpy as np


class Linear:
    def __init__(self, params, name):
        self.weight, self.bias, self.name = params[f"{name}.weight"], params[f"{name}.bias"], name

    def forward(self, x):
        self.x = x
        return np.einsum("ni,oi->no", x, self.weight) + self.bias

    def backward(self, g, grads):
        grads[f"{self.name}.weight"] = np.einsum("no,ni->oi", g, self.x)
        grads[f"{self.name}.bias"] = np.einsum("no->o", g)
        return g @ self.weight


class Norm:
    def __init__(self, params, name):
        self.gamma, self.beta, self.name = params[f"{name}.gamma"], params[f"{name}.beta"], name

    def forward(self, x):
        self.root = np.sqrt(x.var(axis=1, keepdims=True) + np.asarray(1e-5, x.dtype))
        self.hat = (x - x.mean(axis=1, keepdims=True)) / self.root
        return self.gamma * self.hat + self.beta

    def backward(self, g, grads):
        grads[f"{self.name}.gamma"] = np.sum(g * self.hat, axis=0)
        grads[f"{self.name}.beta"] = np.sum(g, axis=0)
        g = g * self.gamma / self.root
        g = g - np.mean(g, axis=1, keepdims=True)
        return g - self.hat * np.mean(g * self.hat, axis=1, keepdims=True)


class Relu:
    def forward(self, x):
        self.on = x > 0
        return np.where(self.on, x, np.zeros_like(x))

    def backward(self, g, grads):
        return np.where(self.on, g, np.zeros_like(g))


class Dropout:
    def __init__(self, p, rng):
        self.p, self.rng = p, rng

    def forward(self, x):
        keep = self.rng.choice([0.0, 1.0], size=x.shape, p=[self.p, 1 - self.p]) / (1 - self.p)
        self.keep = keep.astype(x.dtype)
        return x * self.keep

    def backward(self, g, grads):
        return g * self.keep


class Chain:
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, g, grads):
        for layer in reversed(self.layers):
            g = layer.backward(g, grads)
        return g


class Residual(Chain):
    def forward(self, x):
        return x + super().forward(x)

    def backward(self, g, grads):
        return g + super().backward(g, grads)


def _network(params, training, dropout, rng):
    layers, i = [], 0
    while f"block{i}.weight" in params:
        name = f"block{i}"
        inner = [Linear(params, name), Norm(params, name), Relu()]
        if training:
            inner.append(Dropout(dropout, rng))
        wide, narrow = params[f"{name}.weight"].shape
        layers.append((Residual if wide == narrow else Chain)(*inner))
        i += 1
    return Chain(*layers, Linear(params, "head"))


def init_network(sizes, *, rng):
    *hidden, classes = sizes[1:]
    params, fan_in = {}, sizes[0]
    for i, width in enumerate(hidden):
        params |= {
            f"block{i}.weight": math.sqrt(2 / fan_in) * rng.standard_normal((fan_in, width)).T,
            f"block{i}.bias": np.zeros(width),
            f"block{i}.gamma": np.ones(width),
            f"block{i}.beta": np.zeros(width),
        }
        fan_in = width
    params["head.bias"] = np.zeros(classes)
    params["head.weight"] = math.sqrt(2 / fan_in) * rng.standard_normal((classes, fan_in))
    return params


def network_forward(params, x, *, training, dropout, rng):
    network = _network(params, training, dropout, rng)
    return network.forward(x), network


def network_backward(grad_logits, cache):
    grads = {}
    cache.backward(grad_logits, grads)
    return grads


def _loss(logits, targets):
    chosen = np.take_along_axis(logits, targets[:, None], axis=1)
    return np.mean(np.logaddexp.reduce(logits - chosen, axis=1))


class AdamW:
    def __init__(self):
        self.t, self.slots = 0, {}

    def step(self, params, grads, lr, weight_decay):
        self.t += 1
        rate = lr * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        eps = 1e-8 * math.sqrt(1 - 0.999**self.t)
        new = {}
        for name in params:
            m, v = self.slots.get(name, (0 * grads[name], 0 * grads[name]))
            m = m + (1 - 0.9) * (grads[name] - m)
            v = v + (1 - 0.999) * (grads[name] ** 2 - v)
            self.slots[name] = m, v
            new[name] = params[name] - lr * weight_decay * params[name]
            new[name] = new[name] - rate * m / (np.sqrt(v) + eps)
        return new


def train_step(params, state, x, targets, *, lr, weight_decay, dropout, rng):
    network = _network(params, True, dropout, rng)
    logits = network.forward(x)
    p = np.exp(logits - logits.max(axis=1)[:, None])
    p /= p.sum(axis=1)[:, None]
    hot = np.eye(logits.shape[1], dtype=p.dtype)[targets]
    grads = {}
    network.backward((p - hot) / len(x), grads)
    optimizer = copy.deepcopy(state["optimizer"]) if state else AdamW()
    new = optimizer.step(params, grads, lr, weight_decay)
    return new, {"optimizer": optimizer}, _loss(logits, targets)


def _augmented(images, rng):
    out = np.zeros_like(images)
    height, width = images.shape[2:]
    for i in range(len(images)):
        dx, dy = rng.choice([-1, 0, 1], size=2)
        rows = slice(max(0, dy), height + min(0, dy)), slice(max(0, -dy), height + min(0, -dy))
        columns = slice(max(0, dx), width + min(0, dx)), slice(max(0, -dx), width + min(0, -dx))
        out[i, :, rows[0], columns[0]] = images[i, :, rows[1], columns[1]]
    return out


def _rates(base_lr, total):
    warmup = max(1, int(0.1 * total + 1e-9))
    up = np.linspace(base_lr / 3, base_lr, warmup + 1)[:-1]
    down = np.arange(total - warmup) / max(1, total - warmup)
    return np.concatenate([up, base_lr * np.cos(np.pi / 2 * down) ** 2])


def fit(data, *, epochs, batch_size, base_lr, weight_decay, dropout, patience, rng):
    x, y = data["train_images"], data["train_targets"]
    val_x = data["val_images"].reshape(len(data["val_images"]), -1)
    params = init_network([x[0].size, 100, 100, 100, 1 + y.max()], rng=rng)
    state, rows, seen = {}, [], []
    per_epoch = -(-len(x) // batch_size)
    rates = iter(_rates(base_lr, epochs * per_epoch))
    while len(rows) < epochs:
        order, losses = np.argsort(rng.random(len(x))), []
        augmented = _augmented(x, rng).reshape(len(x), -1)
        for batch in np.split(order, range(batch_size, len(x), batch_size)):
            lr = next(rates)
            params, state, loss = train_step(
                params, state, augmented[batch], y[batch],
                lr=lr, weight_decay=weight_decay, dropout=dropout, rng=rng,
            )  # fmt: skip
            losses.append(loss)
        logits, _ = network_forward(params, val_x, training=False, dropout=dropout, rng=rng)
        hits = np.argmax(logits, axis=1) == data["val_targets"]
        rows.append((lr, np.mean(losses), _loss(logits, data["val_targets"]), hits.mean()))
        seen.append(params)
        best = int(np.argmin([row[2] for row in rows]))
        if len(rows) - 1 - best >= patience:
            break
    names = ("lr", "train_loss", "val_loss", "val_accuracy")
    return seen[best], dict(zip(names, map(list, zip(*rows))))
