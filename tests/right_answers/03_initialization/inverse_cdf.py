"""Laws by their inverse distribution function; orthogonal from a singular value decomposition; Jacobians for the gap."""

import math
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()


def quantiles(u, law=NORMAL):
    u = np.clip(u, 1e-300, 1 - 2**-53)
    return np.array([law.inv_cdf(value) for value in u.ravel().tolist()]).reshape(u.shape)


def fan_in_and_fan_out(shape):
    if np.ndim(np.empty(shape)) < 2:
        raise ValueError("shape has no two dimensions")
    size = np.prod(shape)
    return size / shape[0], size / shape[1]


def gain(nonlinearity, param=None):
    match nonlinearity:
        case "linear" | "sigmoid":
            return 1.0
        case "tanh":
            return np.float64(5 / 3)
        case "relu":
            return gain("leaky_relu", 0)
        case "leaky_relu":
            slope = param if param is not None else 0.01
            return math.sqrt(2) / math.hypot(1, slope)
        case "selu":
            return 3 / 4
    raise ValueError(f"{nonlinearity} is not supported")


def flat(shape, rng, std):
    width = math.sqrt(12) * std
    return width * rng.random(shape) - width / 2


def normal(shape, rng, std):
    return quantiles(rng.random(shape), NormalDist(0.0, std))


def xavier(shape, gain):
    return gain / math.sqrt(sum(fan_in_and_fan_out(shape)) / 2)


def kaiming(shape, a, mode, nonlinearity):
    fan_in, fan_out = fan_in_and_fan_out(shape)
    if mode == "fan_in":
        return gain(nonlinearity, a) / math.sqrt(fan_in)
    if mode == "fan_out":
        return gain(nonlinearity, a) / math.sqrt(fan_out)
    raise ValueError(f"mode = {mode!r}")


def xavier_uniform(shape, rng, *, gain=1.0):
    return flat(shape, rng, xavier(shape, gain))


def xavier_normal(shape, rng, *, gain=1.0):
    return normal(shape, rng, xavier(shape, gain))


def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return flat(shape, rng, kaiming(shape, a, mode, nonlinearity))


def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return normal(shape, rng, kaiming(shape, a, mode, nonlinearity))


def orthogonal(shape, rng, *, gain=1.0):
    matrix = rng.standard_normal((shape[0], math.prod(shape[1:])))
    u, _, vt = np.linalg.svd(matrix, full_matrices=True)
    short = min(matrix.shape)
    return (gain * (u[:, :short] @ vt[:short])).reshape(shape)


def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    if low > mean:  # the lower tail has the digits
        mirrored = truncated_normal(shape, rng, mean=-mean, std=std, low=-high, high=-low)
        return -mirrored
    law = NormalDist(mean, std)
    first, last = law.cdf(low), law.cdf(high)
    return np.clip(quantiles(first + (last - first) * rng.random(shape), law), low, high)


def activation_scales(x, weights, *, activation):
    def phi(z):
        if activation == "relu":
            return np.where(z > 0, z, 0)
        if activation == "tanh":
            return np.tanh(z)
        if activation == "sigmoid":
            return np.exp(-np.logaddexp(0, -z))
        return z

    def powers(h, rest):
        here = np.sqrt((h * h).sum() / h.size)
        return [here] if not rest else [here, *powers(phi(h @ rest[0].T), rest[1:])]

    return np.asarray(powers(x.astype(np.float64), list(weights))).astype(x.dtype)


def symmetry_gap(x, target, w1, w2):
    x, target, w1, w2 = (np.asarray(array, dtype=np.float64) for array in (x, target, w1, w2))
    units, inputs = w1.shape
    gradient = np.zeros((units, inputs))
    for sample, wanted in zip(x, target):
        hidden = np.tanh(w1 @ sample)
        jacobian = w2 * (1 - hidden**2)
        gradient += np.outer(jacobian.T @ (w2 @ hidden - wanted), sample)
    gradient *= 2 / target.size
    ordered = np.sort(gradient, axis=0)
    return float(max(ordered[-1] - ordered[0]))
