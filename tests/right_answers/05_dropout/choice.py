"""Masks from rng.choice of True and False; the cache is a dict; answers in Fortran order."""

import numpy as np


def keep(shape, q, rng):
    return rng.choice([True, False], size=shape, p=[q, 1 - q])


def dropout_forward(x, p, *, training, rng):
    if not (p >= 0 and p <= 1):
        raise ValueError("0 <= p <= 1 does not hold")
    mask = keep(x.shape, 1 - p, rng) if training else np.ones(x.shape, dtype=bool)
    factor = 1 / (1 - p) if training and p < 1 else 1
    return np.asfortranarray(np.where(mask, x * factor, 0).astype(x.dtype)), {
        "mask": mask,
        "factor": factor,
    }


def dropout_backward(grad_out, cache):
    grad = np.where(cache["mask"], grad_out * cache["factor"], 0)
    return np.asfortranarray(grad.astype(grad_out.dtype))


def classic_dropout_forward(x, keep_prob, *, training, rng):
    if keep_prob <= 0 or keep_prob > 1:
        raise ValueError("keep_prob out of range")
    if training:
        mask = keep(x.shape, keep_prob, rng)
        return np.where(mask, x, x.dtype.type(0)), {"mask": mask, "factor": 1}
    return (keep_prob * x).astype(x.dtype), {"mask": np.ones(x.shape, bool), "factor": keep_prob}


classic_dropout_backward = dropout_backward


def channel_dropout_forward(x, p, *, training, rng):
    if not training:
        return x, {"mask": np.ones(x.shape, bool), "factor": 1}
    mask = np.broadcast_to(keep(x.shape[:2], 1 - p, rng)[:, :, None, None], x.shape)
    factor = 0 if p == 1 else 1 / (1 - p)
    return np.where(mask, factor * x, 0).astype(x.dtype), {"mask": mask, "factor": factor}


channel_dropout_backward = dropout_backward


def mc_dropout_predict(x, w1, b1, w2, b2, p, *, samples, rng):
    hidden = np.maximum(0, x @ w1.T + b1)
    total = np.zeros((x.shape[0], w2.shape[0]))
    squares = np.zeros_like(total)
    first = None
    for _ in range(samples):
        y = np.where(keep(hidden.shape, 1 - p, rng), hidden / (1 - p), 0) @ w2.T.astype(float) + b2
        first = y if first is None else first
        total += y - first
        squares += (y - first) ** 2
    shift = total / samples
    std = np.sqrt(np.maximum(squares / samples - shift**2, 0))
    return (first + shift).astype(x.dtype), std.astype(x.dtype)
