"""Python loops over rows of numbers; every layer is a list of index sets that share a mean."""

import math

import numpy as np


def rows_of(x, kind, groups=None):
    """Lists of flat indices that share their statistics, and the channel of every flat index."""
    number = np.arange(x.size).reshape(x.shape)
    n, c = x.shape[0], x.shape[1]
    if kind == "batch":
        rows = [number[:, j].ravel() for j in range(c)]
    elif kind == "instance":
        rows = [number[i, j].ravel() for i in range(n) for j in range(c)]
    else:
        size = c // groups
        rows = [
            number[i, k * size : (k + 1) * size].ravel() for i in range(n) for k in range(groups)
        ]
    channel = np.broadcast_to(np.arange(c).reshape((1, c) + (1,) * (x.ndim - 2)), x.shape).ravel()
    return rows, channel


def normalize(x, gamma, beta, rows, channel, eps):
    flat = [float(v) for v in x.ravel()]
    hat, inv = [0.0] * len(flat), [0.0] * len(flat)
    for row in rows:
        m = len(row)
        mean = math.fsum(flat[i] for i in row) / m
        var = math.fsum((flat[i] - mean) ** 2 for i in row) / m
        for i in row:
            inv[i] = 1.0 / math.sqrt(var + eps)
            hat[i] = (flat[i] - mean) * inv[i]
    out = [float(gamma[channel[i]]) * hat[i] + float(beta[channel[i]]) for i in range(len(flat))]
    out = np.array(out, dtype=x.dtype).reshape(x.shape)
    return out, {
        "hat": hat,
        "inv": inv,
        "rows": rows,
        "channel": channel,
        "gamma": gamma.copy(),
        "through": True,
    }


def backward(grad_out, cache):
    g = [float(v) for v in grad_out.ravel()]
    hat, inv, channel, gamma = cache["hat"], cache["inv"], cache["channel"], cache["gamma"]
    gh = [g[i] * float(gamma[channel[i]]) for i in range(len(g))]
    dx = [0.0] * len(g)
    for row in cache["rows"]:
        m = len(row)
        first = math.fsum(gh[i] for i in row) / m if cache["through"] else 0.0
        second = math.fsum(gh[i] * hat[i] for i in row) / m if cache["through"] else 0.0
        for i in row:
            dx[i] = inv[i] * (gh[i] - first - hat[i] * second)
    dgamma = [
        math.fsum(g[i] * hat[i] for i in range(len(g)) if channel[i] == c)
        for c in range(len(gamma))
    ]
    dbeta = [math.fsum(g[i] for i in range(len(g)) if channel[i] == c) for c in range(len(gamma))]
    dtype = grad_out.dtype
    return [
        np.array(dx, dtype=dtype).reshape(grad_out.shape),
        np.array(dgamma, dtype=dtype),
        np.array(dbeta, dtype=dtype),
    ]


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5
):
    rows, channel = rows_of(x, "batch")
    m = len(rows[0]) if rows else 0
    if training and m == 1:
        raise ValueError("x has one value per channel")
    if training:
        out, cache = normalize(x, gamma, beta, rows, channel, eps) if m else (x.copy(), None)
        if m == 0:
            return out, None, running_mean.copy(), running_var.copy()
        mean = [
            momentum * math.fsum(map(float, x[:, c].ravel())) / m
            + (1 - momentum) * float(running_mean[c])
            for c in range(len(gamma))
        ]
        var = []
        for c in range(len(gamma)):
            values = [float(v) for v in x[:, c].ravel()]
            mu = math.fsum(values) / m
            var.append(
                momentum * math.fsum((v - mu) ** 2 for v in values) / (m - 1)
                + (1 - momentum) * float(running_var[c])
            )
        return out, cache, np.array(mean, dtype=x.dtype), np.array(var, dtype=x.dtype)
    inv = [1.0 / math.sqrt(float(running_var[c]) + eps) for c in channel]
    hat = [(float(v) - float(running_mean[c])) * i for v, c, i in zip(x.ravel(), channel, inv)]
    out = np.array(
        [float(gamma[c]) * h + float(beta[c]) for h, c in zip(hat, channel)], dtype=x.dtype
    ).reshape(x.shape)
    cache = {
        "hat": hat,
        "inv": inv,
        "rows": rows,
        "channel": channel,
        "gamma": gamma.copy(),
        "through": False,
    }
    return out, cache, running_mean.copy(), running_var.copy()


batch_norm_backward = backward


def layer_norm_forward(x, gamma, beta, *, eps=1e-5):
    flat = x.reshape(-1, x.shape[-1])
    rows = [np.arange(i * flat.shape[1], (i + 1) * flat.shape[1]) for i in range(flat.shape[0])]
    channel = np.tile(np.arange(flat.shape[1]), flat.shape[0])
    out, cache = normalize(flat, gamma, beta, rows, channel, eps)
    return out.reshape(x.shape), cache


layer_norm_backward = backward


def instance_norm_forward(x, gamma, beta, *, eps=1e-5):
    return normalize(x, gamma, beta, *rows_of(x, "instance"), eps)


instance_norm_backward = backward


def group_norm_forward(x, gamma, beta, *, num_groups, eps=1e-5):
    if x.shape[1] % num_groups > 0:
        raise ValueError("num_groups")
    return normalize(x, gamma, beta, *rows_of(x, "group", num_groups), eps)


group_norm_backward = backward


def rms_norm_forward(x, gamma, *, eps=1e-5):
    out = np.empty_like(x)
    for index in np.ndindex(x.shape[:-1]):
        square = math.fsum(float(v) ** 2 for v in x[index]) / x.shape[-1]
        out[index] = [
            float(v) * float(g) / math.sqrt(square + eps) for v, g in zip(x[index], gamma)
        ]
    return out, (np.array(x), np.array(gamma), eps)


def rms_norm_backward(grad_out, cache):
    x, gamma, eps = cache
    dx, dgamma = np.zeros(x.shape), np.zeros(gamma.shape)
    for index in np.ndindex(x.shape[:-1]):
        row = x[index].astype(float)
        r = math.sqrt(math.fsum(row * row) / len(row) + eps)
        g = grad_out[index] * gamma.astype(float)
        dot = math.fsum(g * row)
        dx[index] = g / r - row * dot / (len(row) * r**3)
        dgamma += grad_out[index] * row / r
    return dx.astype(x.dtype), dgamma.astype(x.dtype)
