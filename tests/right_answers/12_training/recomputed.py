"""Nothing but inputs and masks is kept: backward runs forward again; einsum, a Trainer object, AdamW as torch writes it."""

from collections import OrderedDict
from math import cos, pi, sqrt

import numpy as np


def init_network(sizes, *, rng):
    *widths, classes = sizes[1:]
    params = OrderedDict()
    below = sizes[0]
    for i, width in enumerate([*widths, classes]):
        owner = f"block{i}" if i < len(widths) else "head"
        draws = np.array([rng.standard_normal(below) for _ in range(width)])
        params[owner + ".weight"] = draws / sqrt(below / 2)
        params[owner + ".bias"] = 0 * draws[:, 0]
        below = width
    for i, width in enumerate(widths):
        params[f"block{i}.gamma"], params[f"block{i}.beta"] = np.ones(width), np.zeros(width)
    return dict(params)


def _count(params):
    return len(params) // 4


def _pre(params, i, h):
    u = np.einsum("ni,oi->no", h, params[f"block{i}.weight"]) + params[f"block{i}.bias"]
    mean = np.mean(u, axis=1, keepdims=True)
    std = np.sqrt(np.var(u, axis=1, keepdims=True) + np.asarray(1e-5, u.dtype))
    hat = (u - mean) / std
    return hat, std, params[f"block{i}.gamma"] * hat + params[f"block{i}.beta"]


def _inputs(params, x, masks):
    """h of every block, and of the head."""
    hs = [x]
    for i, mask in enumerate(masks):
        out = np.maximum(_pre(params, i, hs[-1])[2], 0)
        if mask is not None:
            out = np.where(mask, out / (1 - mask.p), 0).astype(x.dtype)
        hs.append(hs[-1] + out if out.shape == hs[-1].shape else out)
    return hs


class _Mask(np.ndarray):
    p = 0.0


def _drawn(params, rows, p, rng):
    flat = rng.random(sum(rows * len(params[f"block{i}.bias"]) for i in range(_count(params))))
    masks = []
    for i in range(_count(params)):
        width = len(params[f"block{i}.bias"])
        part, flat = flat[: rows * width], flat[rows * width :]
        masks.append((part.reshape(rows, width) < 1 - p).view(_Mask))
        masks[-1].p = p
    return masks


def network_forward(params, x, *, training, dropout, rng):
    drops = training and dropout > 0
    masks = _drawn(params, len(x), dropout, rng) if drops else [None] * _count(params)
    h = _inputs(params, x, masks)[-1]
    logits = np.einsum("ni,oi->no", h, params["head.weight"]) + params["head.bias"]
    return logits, (params, x, masks)


def network_backward(grad_logits, cache):
    params, x, masks = cache
    *below, top = _inputs(params, x, masks)
    grads = {
        "head.weight": np.einsum("no,ni->oi", grad_logits, top),
        "head.bias": np.einsum("no->o", grad_logits),
    }
    g = np.einsum("no,oi->ni", grad_logits, params["head.weight"])
    for i in range(len(below) - 1, -1, -1):
        hat, std, z = _pre(params, i, below[i])
        gz = np.where(z > 0, g, np.zeros_like(g))
        if masks[i] is not None:
            gz = np.where(masks[i], gz / (1 - masks[i].p), 0).astype(g.dtype)
        gn = gz * params[f"block{i}.gamma"]
        gc = gn - np.einsum("nd,nd->n", gn, hat)[:, None] / np.asarray(gn.shape[1], gn.dtype) * hat
        gu = (gc - np.mean(gc, axis=1, keepdims=True)) / std
        grads[f"block{i}.weight"] = np.einsum("no,ni->oi", gu, below[i])
        for part, value in (("bias", gu), ("gamma", gz * hat), ("beta", gz)):
            grads[f"block{i}.{part}"] = np.einsum("no->o", value)
        down = np.einsum("no,oi->ni", gu, params[f"block{i}.weight"])
        g = g + down if gz.shape == below[i].shape else down
    return grads


def _nll(logits, targets):
    z = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(z)
    p = p / p.sum(axis=1, keepdims=True)
    return np.mean(
        np.log(np.exp(z).sum(axis=1)) - np.take_along_axis(z, targets[:, None], 1)[:, 0]
    ), p


def train_step(params, state, x, targets, *, lr, weight_decay, dropout, rng):
    logits, cache = network_forward(params, x, training=True, dropout=dropout, rng=rng)
    loss, p = _nll(logits, targets)
    grads = network_backward((p - np.eye(p.shape[1], dtype=p.dtype)[targets]) / len(targets), cache)
    step = state.get(("step", None), 0) + 1
    new, later = {}, {("step", None): step}
    for name in sorted(params):
        g = grads[name]
        m = state.get(("m", name), np.zeros_like(g))
        v = state.get(("v", name), np.zeros_like(g))
        m, v = m + 0.1 * (g - m), 0.999 * v + 0.001 * g * g  # lerp, as torch has it
        denominator = np.sqrt(v) / sqrt(1 - 0.999**step) + 1e-8
        new[name] = params[name] * (1 - lr * weight_decay) - lr / (1 - 0.9**step) * m / denominator
        later["m", name], later["v", name] = m, v
    return new, later, loss


class Trainer:
    def __init__(self, data, epochs, batch_size, base_lr, rng):
        self.images, self.targets = data["train_images"], data["train_targets"]
        self.val = data["val_images"].reshape(len(data["val_images"]), -1), data["val_targets"]
        self.size, self.base_lr, self.rng = batch_size, base_lr, rng
        self.total = epochs * -(-len(self.images) // batch_size)
        self.step, self.history = (
            0,
            {"val_loss": [], "lr": [], "train_loss": [], "val_accuracy": []},
        )

    @property
    def rate(self):
        warmup = max(self.total // 10, 1)
        if self.step < warmup:
            return self.base_lr * np.interp(self.step, [0, warmup], [1 / 3, 1])
        return self.base_lr * (1 + cos(pi * (self.step - warmup) / (self.total - warmup))) / 2

    def shifted(self, images):
        n, _, height, width = images.shape
        padded = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
        corners = self.rng.integers(0, 9, size=n)
        return windows[np.arange(n), corners // 3, corners % 3].reshape(n, -1)

    def epoch(self, params, state, **options):
        losses = []
        for batch in np.array_split(
            self.rng.permutation(len(self.images)), range(self.size, len(self.images), self.size)
        ):
            x, rate = self.shifted(self.images[batch]), self.rate
            params, state, loss = train_step(
                params, state, x, self.targets[batch], lr=rate, rng=self.rng, **options
            )
            losses.append(loss)
            self.step += 1
        logits, _ = network_forward(params, self.val[0], training=False, dropout=0.0, rng=self.rng)
        values = {
            "lr": rate,
            "train_loss": np.mean(losses),
            "val_loss": _nll(logits, self.val[1])[0],
        }
        values["val_accuracy"] = np.mean(logits.argmax(1) == self.val[1])
        for name, value in values.items():
            self.history[name].append(value)
        return params, state


def fit(data, *, epochs, batch_size, base_lr, weight_decay, dropout, patience, rng):
    trainer = Trainer(data, epochs, batch_size, base_lr, rng)
    pixels = trainer.val[0].shape[1]
    params, state = init_network([pixels, 128, 64, int(trainer.targets.max()) + 1], rng=rng), {}
    best, losses = params, trainer.history["val_loss"]
    for _ in range(epochs):
        params, state = trainer.epoch(params, state, weight_decay=weight_decay, dropout=dropout)
        if losses[-1] < min(losses[:-1], default=float("inf")):
            best, waited = params, 0
        else:
            waited += 1
        if waited == patience:
            break
    return best, trainer.history
