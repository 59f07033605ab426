"""Python loops: one draw per element, Gram-Schmidt for orthogonal vectors, the chain rule unit by unit."""

import math

import numpy as np


def fan_in_and_fan_out(shape):
    if len(shape) in (0, 1):
        raise ValueError("shape needs two dimensions at least")
    fans = [shape[1], shape[0]]
    for k in shape[2:]:
        fans[0] *= k
        fans[1] *= k
    return fans


def gain(nonlinearity, param=None):
    if nonlinearity == "linear" or nonlinearity == "sigmoid":
        return 1
    elif nonlinearity == "tanh":
        return 5.0 / 3
    elif nonlinearity == "relu":
        return 2**0.5
    elif nonlinearity == "leaky_relu":
        if param is None:
            param = 0.01
        return math.sqrt(2.0 / (1 + param * param))
    elif nonlinearity == "selu":
        return 0.75
    raise ValueError("unknown nonlinearity " + str(nonlinearity))


def filled(shape, draw):
    out = np.zeros(shape)
    for index in np.ndindex(*shape):
        out[index] = draw()
    return out


def xavier_uniform(shape, rng, *, gain=1.0):
    std = gain * math.sqrt(2 / sum(fan_in_and_fan_out(shape)))
    bound = math.sqrt(3) * std
    return filled(shape, lambda: (2 * rng.random() - 1) * bound)


def xavier_normal(shape, rng, *, gain=1.0):
    std = gain * math.sqrt(2 / sum(fan_in_and_fan_out(shape)))
    return filled(shape, lambda: rng.normal(0, std))


def kaiming_std(shape, a, mode, nonlinearity):
    if mode not in ["fan_in", "fan_out"]:
        raise ValueError("mode must be fan_in or fan_out, not %s" % mode)
    fan = fan_in_and_fan_out(shape)[["fan_in", "fan_out"].index(mode)]
    return gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    bound = kaiming_std(shape, a, mode, nonlinearity) * math.sqrt(3)
    return filled(shape, lambda: rng.uniform(-bound, bound))


def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    std = kaiming_std(shape, a, mode, nonlinearity)
    return filled(shape, lambda: std * rng.standard_normal())


def orthogonal(shape, rng, *, gain=1.0):
    rows = shape[0]
    columns = 1
    for k in shape[1:]:
        columns *= k
    basis = []
    while len(basis) < min(rows, columns):
        vector = rng.normal(size=max(rows, columns))
        for _ in range(2):
            for other in basis:
                vector = vector - (vector @ other) * other
        length = math.sqrt(vector @ vector)
        if length > 1e-9:
            basis.append(vector / length)
    matrix = np.array(basis)
    if rows > columns:
        matrix = matrix.T
    return np.reshape(matrix * gain, shape)


def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    def draw():
        while True:
            value = mean + std * rng.standard_normal()
            if low <= value <= high:
                return value

    return filled(shape, draw)


def activate(z, activation):
    if activation == "relu":
        return z if z > 0 else 0.0
    if activation == "tanh":
        return math.tanh(z)
    if activation == "sigmoid":
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
    return z


def activation_scales(x, weights, *, activation):
    rows = [[float(value) for value in row] for row in x]
    found = []
    for weight in [None, *weights]:
        if weight is not None:
            rows = [
                [
                    activate(math.fsum(float(w) * h for w, h in zip(unit, row)), activation)
                    for unit in weight
                ]
                for row in rows
            ]
        squares = [value * value for row in rows for value in row]
        found.append(math.sqrt(math.fsum(squares) / len(squares)))
    return np.array(found, dtype=x.dtype)


def symmetry_gap(x, target, w1, w2):
    (n, inputs), units, outputs = x.shape, w1.shape[0], w2.shape[0]
    gradient = [[0.0] * inputs for _ in range(units)]
    for s in range(n):
        hidden = [math.tanh(float(np.dot(w1[k], x[s]))) for k in range(units)]
        for o in range(outputs):
            error = sum(float(w2[o, k]) * hidden[k] for k in range(units)) - float(target[s, o])
            for k in range(units):
                slope = 2 * error / (n * outputs) * float(w2[o, k]) * (1 - hidden[k] ** 2)
                for i in range(inputs):
                    gradient[k][i] += slope * float(x[s, i])
    gap = 0.0
    for k in range(units):
        for m in range(k):
            for i in range(inputs):
                gap = max(gap, abs(gradient[k][i] - gradient[m][i]))
    return gap
