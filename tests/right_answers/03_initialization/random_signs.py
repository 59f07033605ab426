"""QR with random signs for the Haar law; single-precision draws; whole-array redraws; views and Fortran order."""

import numpy as np


def fan_in_and_fan_out(shape):
    if len(shape) <= 1:
        raise ValueError(f"dimensions of shape: {len(shape)}")
    taps = np.prod(shape[2:], dtype=int)
    return (shape[1] * taps, shape[0] * taps)


def gain(nonlinearity, param=None):
    known = ["linear", "sigmoid", "tanh", "relu", "selu", "leaky_relu"]
    if nonlinearity not in known:
        raise ValueError(f"nonlinearity must be one of {known}")
    slope = 0.01 if param is None else param
    values = [1, 1, 5 / 3, np.sqrt(2), 0.75, (2 / (1 + slope**2)) ** 0.5]
    return np.float32(values[known.index(nonlinearity)])


def xavier_uniform(shape, rng, *, gain=1.0):
    bound = gain * np.sqrt(6.0 / np.sum(fan_in_and_fan_out(shape)))
    return rng.uniform(low=-bound, high=bound, size=shape[::-1]).T


def xavier_normal(shape, rng, *, gain=1.0):
    std = gain * np.sqrt(2.0 / np.sum(fan_in_and_fan_out(shape)))
    return np.asfortranarray(rng.normal(loc=0.0, scale=std, size=shape))


def scale(shape, mode, nonlinearity, a):
    fans = dict(zip(["fan_in", "fan_out"], fan_in_and_fan_out(shape)))
    if mode not in fans:
        raise ValueError(f"mode must be one of {list(fans)}")
    return float(gain(nonlinearity, a)) / fans[mode] ** 0.5


def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    limit = scale(shape, mode, nonlinearity, a) * np.sqrt(3.0)
    draws = rng.random(shape, dtype=np.float32).astype(np.float64)
    return limit * (2.0 * draws - 1.0)


def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    draws = rng.standard_normal((*shape, 2), dtype=np.float32).astype(np.float64)
    return scale(shape, mode, nonlinearity, a) * draws[..., 0]


def orthogonal(shape, rng, *, gain=1.0):
    gaussian = rng.normal(size=shape).reshape(shape[0], -1)
    wide = gaussian.shape[0] < gaussian.shape[1]
    q, _ = np.linalg.qr(gaussian.T if wide else gaussian, mode="complete")
    q = q[:, : min(gaussian.shape)]
    q = q * rng.choice([-1.0, 1.0], size=q.shape[1])
    return np.multiply(gain, np.reshape(q.T if wide else q, shape))


def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    values = np.full(shape, np.nan)
    while np.isnan(values).any():
        fresh = mean + std * rng.standard_normal(shape)
        inside = np.logical_and(fresh >= low, fresh <= high)
        values = np.where(np.isnan(values) & inside, fresh, values)
    return values


def activation_scales(x, weights, *, activation):
    scales = np.empty(len(weights) + 1, dtype=x.dtype)
    hidden = x
    scales[0] = (hidden**2).mean() ** 0.5
    with np.errstate(over="ignore"):
        for layer, weight in enumerate(weights, 1):
            z = np.dot(hidden, np.transpose(weight))
            if activation == "sigmoid":
                hidden = 1 / (1 + np.exp(-z))
            else:
                hidden = {"relu": z.clip(min=0), "tanh": np.tanh(z), "identity": z}[activation]
            scales[layer] = (hidden**2).mean() ** 0.5
    return scales


def symmetry_gap(x, target, w1, w2):
    a = np.tanh(x.dot(w1.T))
    d_out = (a.dot(w2.T) - target) * (2 / target.size)
    d_z = d_out.dot(w2) * (1 + a) * (1 - a)
    gradient = d_z.T.dot(x)
    rolled = [np.abs(gradient - np.roll(gradient, k, axis=0)).max() for k in range(len(w1))]
    return np.array(max(rolled))
