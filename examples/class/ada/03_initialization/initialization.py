"""Weights from a table of fans and gains; orthogonal by two rounds of Gram-Schmidt; every gradient step named as in the notes."""

import math

import numpy as np

GAINS = {
    "linear": lambda slope: 1.0,
    "sigmoid": lambda slope: 1.0,
    "tanh": lambda slope: 5.0 / 3.0,
    "relu": lambda slope: math.sqrt(2.0),
    "leaky_relu": lambda slope: math.sqrt(2.0 / (1.0 + slope**2)),
    "selu": lambda slope: 0.75,
}


def fan_in_and_fan_out(shape):
    if len(shape) < 2:
        raise ValueError(f"a weight's shape has at least two axes, not {shape}")
    n_out, n_in = shape[0], shape[1]
    kernel = math.prod(shape[2:])
    return n_in * kernel, n_out * kernel


def gain(nonlinearity, param=None):
    if nonlinearity not in GAINS:
        raise ValueError(f"no gain is known for nonlinearity {nonlinearity!r}")
    return GAINS[nonlinearity](0.01 if param is None else param)


def uniform_with_std(shape, rng, std):
    half_width = std * math.sqrt(3.0)
    return (2.0 * rng.random(shape) - 1.0) * half_width


def normal_with_std(shape, rng, std):
    return rng.normal(0.0, std, shape)


def xavier_std(shape, gain):
    return gain * math.sqrt(2.0 / sum(fan_in_and_fan_out(shape)))


def kaiming_std(shape, a, mode, nonlinearity):
    fans = dict(zip(("fan_in", "fan_out"), fan_in_and_fan_out(shape)))
    if mode not in fans:
        raise ValueError(f"mode must be fan_in or fan_out, not {mode!r}")
    return gain(nonlinearity, a) / math.sqrt(fans[mode])


def xavier_uniform(shape, rng, *, gain=1.0):
    return uniform_with_std(shape, rng, xavier_std(shape, gain))


def xavier_normal(shape, rng, *, gain=1.0):
    return normal_with_std(shape, rng, xavier_std(shape, gain))


def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return uniform_with_std(shape, rng, kaiming_std(shape, a, mode, nonlinearity))


def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return normal_with_std(shape, rng, kaiming_std(shape, a, mode, nonlinearity))


def orthogonal(shape, rng, *, gain=1.0):
    rows, cols = shape[0], math.prod(shape[1:])
    short, long = sorted((rows, cols))
    basis = np.zeros((short, long))
    for k in range(short):
        v = rng.standard_normal(long)
        for _ in range(2):  # once is not enough in floating point
            v -= basis[:k].T @ (basis[:k] @ v)
        basis[k] = v / np.linalg.norm(v)
    weight = basis if rows == short else basis.T
    return gain * weight.reshape(shape)


def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    accepted = np.empty(0)
    total = math.prod(shape)
    while accepted.size < total:
        candidates = rng.normal(mean, std, size=2 * total)
        inside = candidates[(low <= candidates) & (candidates <= high)]
        accepted = np.concatenate([accepted, inside])
    return accepted[:total].reshape(shape)


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def activation_scales(x, weights, *, activation):
    h = x
    scales = [np.sqrt(np.mean(h * h))]
    for w in weights:
        z = h @ w.T
        if activation == "relu":
            h = np.maximum(z, 0)
        elif activation == "tanh":
            h = np.tanh(z)
        elif activation == "sigmoid":
            h = sigmoid(z)
        else:
            h = z
        scales.append(np.sqrt(np.mean(h * h)))
    return np.array(scales).astype(x.dtype)


def symmetry_gap(x, target, w1, w2):
    z = x @ w1.T
    h = np.tanh(z)
    y = h @ w2.T
    dy = (y - target) * (2 / y.size)
    dh = dy @ w2
    dz = dh * (1 - h * h)
    dw1 = dz.T @ x
    differences = dw1[:, np.newaxis, :] - dw1[np.newaxis, :, :]
    return np.abs(differences).max()
