"""Single-precision uniform numbers, compared from the other side; the cache is an object."""

import numpy as np


class Mask:
    def __init__(self, factor):
        self.factor = factor

    def apply(self, values):
        return values * self.factor.astype(values.dtype)


def kept(rng, shape, q):
    return (
        np.floor(rng.random(shape, dtype=np.float32) + np.float32(q)) >= 1
        if q < 1
        else np.ones(shape, bool)
    )


def inverted(x, p, shape, rng, training):
    factor = np.ones(shape)
    if training:
        factor = kept(rng, shape, 1 - p) / max(1 - p, np.finfo(float).tiny)
        factor = np.where(p < 1, factor, 0.0)
    cache = Mask(factor)
    return cache.apply(x), cache


def dropout_forward(x, p, *, training, rng):
    if p != min(max(p, 0), 1):
        raise ValueError(p)
    return inverted(x, p, x.shape, rng, training)


def classic_dropout_forward(x, keep_prob, *, training, rng):
    if keep_prob <= 0 or keep_prob > 1:
        raise ValueError(keep_prob)
    cache = Mask(kept(rng, x.shape, keep_prob) if training else np.array(keep_prob))
    return cache.apply(x), cache


def channel_dropout_forward(x, p, *, training, rng):
    return inverted(x, p, (*x.shape[:-2], 1, 1), rng, training)


def dropout_backward(grad_out, cache):
    return cache.apply(grad_out)


classic_dropout_backward = channel_dropout_backward = dropout_backward


def mc_dropout_predict(x, w1, b1, w2, b2, p, *, samples, rng):
    hidden = x @ w1.T + b1
    hidden = hidden * (hidden > 0)
    wide = np.repeat(hidden[None], samples, axis=0)
    out = inverted(wide, p, wide.shape, rng, True)[0] @ w2.T + b2
    mean = out.sum(axis=0) / x.dtype.type(samples)
    return mean, np.sqrt(((out - mean) ** 2).sum(axis=0) / x.dtype.type(samples))
