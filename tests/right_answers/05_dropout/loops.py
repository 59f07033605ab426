"""Python loops with one draw per element; the cache is a list of flags."""

import math

import numpy as np


def dropout_forward(x, p, *, training, rng):
    if p < 0.0 or p > 1.0:
        raise ValueError("p must be a probability")
    flags = []
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        keep = not training or rng.uniform() >= p
        flags.append(keep)
        if keep:
            out[index] = x[index] / (1 - p) if training else x[index]
    return out, [training, p, flags]


def dropout_backward(grad_out, cache):
    training, p, flags = cache
    out = np.zeros_like(grad_out)
    for keep, index in zip(flags, np.ndindex(grad_out.shape)):
        if keep:
            out[index] = grad_out[index] / (1 - p) if training else grad_out[index]
    return out


def classic_dropout_forward(x, keep_prob, *, training, rng):
    if keep_prob > 1 or not keep_prob > 0:
        raise ValueError("keep_prob must be in (0, 1]")
    factors = []
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        factor = float(rng.random() < keep_prob) if training else keep_prob
        factors.append(factor)
        out[index] = factor * x[index]
    return out, factors


def classic_dropout_backward(grad_out, cache):
    out = np.zeros_like(grad_out)
    for factor, index in zip(cache, np.ndindex(grad_out.shape)):
        out[index] = factor * grad_out[index]
    return out


def channel_dropout_forward(x, p, *, training, rng):
    factors = {}
    out = np.array(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            kept = rng.random() >= p
            factors[n, c] = 1.0 if not training else (1 / (1 - p) if kept else 0.0)
            out[n, c] = x[n, c] * factors[n, c]
    return out, factors


def channel_dropout_backward(grad_out, cache):
    out = np.array(grad_out)
    for (n, c), factor in cache.items():
        out[n, c] *= factor
    return out


def mc_dropout_predict(x, w1, b1, w2, b2, p, *, samples, rng):
    rows, outputs = x.shape[0], w2.shape[0]
    mean, std = np.zeros((rows, outputs), x.dtype), np.zeros((rows, outputs), x.dtype)
    for i in range(rows):
        hidden = [max(float(w @ x[i] + b), 0.0) for w, b in zip(w1, b1)]
        draws = []
        for _ in range(samples):
            thinned = [h / (1 - p) if rng.random() >= p else 0.0 for h in hidden]
            draws.append(
                [
                    math.fsum(float(w) * t for w, t in zip(row, thinned)) + float(b)
                    for row, b in zip(w2, b2)
                ]
            )
        for o in range(outputs):
            column = [draw[o] for draw in draws]
            mu = math.fsum(column) / samples
            mean[i, o] = mu
            std[i, o] = math.sqrt(math.fsum((v - mu) ** 2 for v in column) / samples)
    return mean, std
