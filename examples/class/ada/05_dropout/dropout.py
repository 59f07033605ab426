"""Masks from rng.binomial; the cache is a closure; draws in evaluation too."""

import numpy as np


def checked(name, value, low_open):
    if value > 1 or value < 0 or (low_open and value == 0):
        raise ValueError(f"{name}={value} is no valid probability")


def scaled(x, factor):
    factor = np.asarray(factor, dtype=x.dtype)
    return np.multiply(x, factor), lambda grad: np.multiply(grad, factor)


def inverted(x, p, shape, training, rng):
    mask = rng.binomial(1, 1 - p, size=shape)
    if not training:
        return scaled(x, 1)
    return scaled(x, mask / (1 - p) if p != 1 else np.zeros(shape))


def dropout_forward(x, p, *, training, rng):
    checked("p", p, False)
    return inverted(x, p, x.shape, training, rng)


def classic_dropout_forward(x, keep_prob, *, training, rng):
    checked("keep_prob", keep_prob, True)
    return scaled(x, rng.binomial(1, keep_prob, size=x.shape) if training else keep_prob)


def channel_dropout_forward(x, p, *, training, rng):
    return inverted(x, p, (x.shape[0], x.shape[1], 1, 1), training, rng)


def dropout_backward(grad_out, cache):
    return cache(grad_out)


classic_dropout_backward = channel_dropout_backward = dropout_backward


def mc_dropout_predict(x, w1, b1, w2, b2, p, *, samples, rng):
    hidden = np.clip(x @ w1.T + b1, 0, None)
    mask = rng.binomial(1, 1 - p, size=(samples, *hidden.shape)).astype(x.dtype) / x.dtype.type(
        1 - p
    )
    out = np.einsum("snk,ok->sno", mask * hidden, w2) + b2
    return [out.mean(0), out.std(0)]
