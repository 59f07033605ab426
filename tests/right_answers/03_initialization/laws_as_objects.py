"""A law is an object that knows its scale; gamma, chi-square and beta draws; the polar factor from eigenvalues."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Uniform:
    std: float

    def draw(self, shape, rng):
        return self.std * 12**0.5 * (rng.beta(1, 1, size=shape) - 0.5)


@dataclass(frozen=True)
class Normal:
    std: float

    def draw(self, shape, rng):
        sign = np.where(rng.integers(0, 2, size=shape) == 1, 1.0, -1.0)
        return self.std * sign * np.sqrt(rng.chisquare(1, size=shape))


class Fans:
    def __init__(self, shape):
        if len(shape) < 2:
            raise ValueError("Fan in and fan out can not be computed for shape " + str(shape))
        pixels = 1
        for length in shape[2:]:
            pixels = pixels * length
        self.fan_in, self.fan_out = shape[1] * pixels, shape[0] * pixels

    def by(self, mode):
        if mode == "fan_in" or mode == "fan_out":
            return getattr(self, mode)
        raise ValueError("bad mode")


def fan_in_and_fan_out(shape):
    fans = Fans(shape)
    return [fans.fan_in, fans.fan_out]


def gain(nonlinearity, param=None):
    rules = {
        "linear": lambda _: 1,
        "sigmoid": lambda _: 1,
        "tanh": lambda _: 5 / 3,
        "relu": lambda _: 2**0.5,
        "selu": lambda _: 3 / 4,
        "leaky_relu": lambda slope: (0.5 + 0.5 * slope**2) ** -0.5,
    }
    rule = rules.get(nonlinearity)
    if rule is None:
        raise ValueError("bad nonlinearity")
    return rule(1 / 100 if param is None else param)


def xavier_uniform(shape, rng, *, gain=1.0):
    fans = Fans(shape)
    return Uniform(gain * (2 / (fans.fan_in + fans.fan_out)) ** 0.5).draw(shape, rng)


def xavier_normal(shape, rng, *, gain=1.0):
    fans = Fans(shape)
    return Normal(gain * (2 / (fans.fan_in + fans.fan_out)) ** 0.5).draw(shape, rng)


def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return Uniform(gain(nonlinearity, a) * Fans(shape).by(mode) ** -0.5).draw(shape, rng)


def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return Normal(gain(nonlinearity, a) * Fans(shape).by(mode) ** -0.5).draw(shape, rng)


def orthogonal(shape, rng, *, gain=1.0):
    """G (G^T G)^(-1/2), which a rotation of G rotates along."""
    rows = shape[0]
    g = rng.standard_normal((rows, np.empty(shape).size // rows))
    tall = g if g.shape[0] >= g.shape[1] else g.T
    values, vectors = np.linalg.eigh(tall.T @ tall)
    polar = tall @ (vectors / np.sqrt(values)) @ vectors.T
    for _ in range(2):  # Newton and Schulz: what rounding lost comes back
        polar = polar @ (1.5 * np.eye(polar.shape[1]) - 0.5 * polar.T @ polar)
    return gain * (polar if tall is g else polar.T).reshape(shape)


def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    found, wanted = [], int(np.prod(shape))
    while len(found) < wanted:
        more = rng.normal(mean, std, size=4 * wanted)
        found.extend(more[(more > low) & (more < high)].tolist())
    return np.array(found[:wanted]).reshape(shape)


def activation_scales(x, weights, *, activation):
    functions = {
        "relu": lambda z: (z + np.abs(z)) / 2,
        "tanh": np.tanh,
        "sigmoid": lambda z: (1 + np.tanh(z / 2)) / 2,
        "identity": lambda z: z,
    }
    outputs = [x]
    for w in weights:
        outputs += [functions[activation](np.inner(outputs[-1], w))]
    return np.fromiter((np.sqrt(np.square(h).mean()) for h in outputs), dtype=x.dtype)


def symmetry_gap(x, target, w1, w2):
    h = np.tanh(x @ w1.T)
    error = h @ w2.T - target
    rows = [
        ((error @ w2[:, k]) * (1 - h[:, k] ** 2)) @ x * (2 / error.size) for k in range(len(w1))
    ]
    return max(float(np.abs(one - other).max()) for one in rows for other in rows)
