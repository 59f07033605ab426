"""Normal numbers from uniform ones by Box and Muller; Householder reflections; truncation by proposals and acceptance."""

from functools import reduce
from operator import mul

import numpy as np


def size_of(shape):
    return reduce(mul, shape, 1)


def normals(count, rng):
    half = (count + 1) // 2
    radius = np.sqrt(-2 * np.log(1 - rng.random(half)))
    angle = 2 * np.pi * rng.random(half)
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]


def fan_in_and_fan_out(shape):
    try:
        out, into, *kernel = shape
    except ValueError:
        raise ValueError(f"shape {shape}") from None
    return np.int64(into * size_of(kernel)), np.int64(out * size_of(kernel))


GAIN_SQUARED = {"linear": 1, "sigmoid": 1, "tanh": 25 / 9, "relu": 2, "selu": 9 / 16}


def gain(nonlinearity, param=None):
    if nonlinearity == "leaky_relu":
        squared = 2 / (1 + (1e-2 if param is None else float(param)) ** 2)
    else:
        try:
            squared = GAIN_SQUARED[nonlinearity]
        except KeyError:
            raise ValueError(f"nonlinearity={nonlinearity}") from None
    return np.asarray(squared**0.5)


def xavier_uniform(shape, rng, *, gain=1.0):
    fan_in, fan_out = fan_in_and_fan_out(shape)
    return gain * (6 / (fan_in + fan_out)) ** 0.5 * (1 - 2 * rng.random(shape))


def xavier_normal(shape, rng, *, gain=1.0):
    fan_in, fan_out = fan_in_and_fan_out(shape)
    return (gain * ((fan_in + fan_out) / 2) ** -0.5 * normals(size_of(shape), rng)).reshape(shape)


def kaiming_variance(shape, a, mode, nonlinearity):
    fan = dict(zip(("fan_in", "fan_out"), fan_in_and_fan_out(shape))).get(mode)
    if fan is None:
        raise ValueError(f"mode={mode}")
    return gain(nonlinearity, a) ** 2 / fan


def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    variance = kaiming_variance(shape, a, mode, nonlinearity)
    return np.sqrt(12 * variance) * (rng.random(shape) - 0.5)


def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    variance = kaiming_variance(shape, a, mode, nonlinearity)
    return np.sqrt(variance) * normals(size_of(shape), rng).reshape(shape)


def orthogonal(shape, rng, *, gain=1.0):
    """Stewart's way: a product of reflections of random vectors of growing length, and random signs."""
    rows, columns = shape[0], size_of(shape[1:])
    long, short = max(rows, columns), min(rows, columns)
    q = np.eye(long, short)
    for k in reversed(range(short)):
        v = normals(long - k, rng)
        sign = 1.0 if v[0] >= 0 else -1.0
        v[0] += sign * np.sqrt(v @ v)
        if v @ v > 0:
            q[k:] -= 2 * np.outer(v, v @ q[k:]) / (v @ v)
        q[k:] *= -sign
    return gain * (q if rows >= columns else q.T).reshape(shape)


def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    """Proposals are flat over a narrow interval and normal over a wide one."""
    count = size_of(shape)
    kept = np.empty(0)
    low_z, high_z = (low - mean) / std, (high - mean) / std
    while kept.size < count:
        if high_z - low_z < 2:
            z = rng.uniform(low_z, high_z, size=2 * count)
            nearest = min(max(0.0, low_z), high_z)
            accepted = rng.random(2 * count) < np.exp((nearest**2 - z**2) / 2)
        else:
            z = normals(2 * count, rng)
            accepted = (z >= low_z) & (z <= high_z)
        kept = np.append(kept, z[accepted])
    return np.clip(mean + std * kept[:count], low, high).reshape(shape)


def activation_scales(x, weights, *, activation):
    def rms(h):
        return np.linalg.norm(h) / np.sqrt(np.asarray(h.size, dtype=x.dtype))

    def sigmoid(z):
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1 / (1 + e), e / (1 + e))

    phi = {"relu": lambda z: z * (z > 0), "tanh": np.tanh, "sigmoid": sigmoid, "identity": np.array}
    h, out = x, [rms(x)]
    for w in weights:
        h = phi[activation](np.einsum("ni,oi->no", h, w))
        out.append(rms(h))
    return np.stack(out).astype(x.dtype)


def symmetry_gap(x, target, w1, w2):
    z = np.einsum("ni,ki->nk", x, w1)
    h = np.tanh(z)
    residual = np.einsum("nk,ok->no", h, w2) - target
    slope = 1 - np.square(h)
    gradient = 2 * np.einsum("no,ok,nk,ni->ki", residual, w2, slope, x) / residual.size
    return np.abs(gradient[:, None, :] - gradient[None, :, :]).max()
