"""Masks from waiting times: exponential numbers against a threshold; one flat draw; the cache is a tuple of factor arrays."""

import numpy as np


def kept(rng, count, q):
    """True with probability q: a waiting time stays below -log(1 - q)."""
    if q >= 1:
        return np.ones(count, dtype=bool)
    if q <= 0:
        return np.zeros(count, dtype=bool)
    return rng.exponential(size=count) < -np.log1p(-q)


def valid(p):
    return 0.0 <= p <= 1.0


def dropout_forward(x, p, *, training, rng):
    if not valid(p):
        raise ValueError("argument p is not a probability: %r" % p)
    factors = np.ones(x.size)
    if training:
        factors = np.zeros(x.size)
        mask = kept(rng, x.size, 1 - p)
        factors[mask] = 1 / (1 - p) if p < 1 else 0
    factors = factors.reshape(x.shape).astype(x.dtype)
    return factors * x, (factors,)


def dropout_backward(grad_out, cache):
    (factors,) = cache
    return factors * grad_out


def classic_dropout_forward(x, keep_prob, *, training, rng):
    if not valid(keep_prob) or keep_prob == 0:
        raise ValueError("keep_prob is not in (0, 1]")
    factors = kept(rng, x.size, keep_prob) * 1.0 if training else np.full(x.size, keep_prob)
    factors = factors.reshape(x.shape).astype(x.dtype)
    return factors * x, (factors,)


classic_dropout_backward = dropout_backward


def channel_dropout_forward(x, p, *, training, rng):
    n, c, h, w = x.shape
    ones, cache = dropout_forward(np.ones((n, c), x.dtype), p, training=training, rng=rng)
    factors = np.kron(ones.reshape(n * c, 1), np.ones((1, h * w))).reshape(x.shape).astype(x.dtype)
    return factors * x, (factors,)


channel_dropout_backward = dropout_backward


def mc_dropout_predict(x, w1, b1, w2, b2, p, *, samples, rng):
    """Welford's running mean and variance, pass by pass."""
    hidden = np.maximum(np.einsum("ni,ki->nk", x, w1) + b1, 0)
    mean = np.zeros((x.shape[0], w2.shape[0]))
    moment = np.zeros_like(mean)
    for t in range(1, samples + 1):
        y = np.einsum("nk,ok->no", dropout_forward(hidden, p, training=True, rng=rng)[0], w2) + b2
        step = y - mean
        mean = mean + step / t
        moment = moment + step * (y - mean)
    return np.array(mean, dtype=x.dtype), np.array(np.sqrt(moment / samples), dtype=x.dtype)
