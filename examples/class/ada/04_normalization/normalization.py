"""The chain rule node by node, as in the batch norm paper: d var, d mean, then d x; caches are dicts."""

import numpy as np


def forward(x, axes, eps):
    m = np.prod([x.shape[a] for a in axes]).astype(x.dtype)
    mu = np.sum(x, axis=axes, keepdims=True) / m
    xmu = x - mu
    sq = xmu**2
    var = np.sum(sq, axis=axes, keepdims=True) / m
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    return {"xmu": xmu, "ivar": ivar, "sqrtvar": sqrtvar, "xhat": xmu * ivar, "m": m, "axes": axes}


def backward(dxhat, c):
    axes, m = c["axes"], c["m"]
    dvar = np.sum(dxhat * c["xmu"], axis=axes, keepdims=True) * -0.5 * c["ivar"] ** 3
    dmu = (
        np.sum(-dxhat * c["ivar"], axis=axes, keepdims=True)
        + dvar * np.sum(-2.0 * c["xmu"], axis=axes, keepdims=True) / m
    )
    return dxhat * c["ivar"] + dvar * 2.0 * c["xmu"] / m + dmu / m


def ch(v, x):
    return v[(None, slice(None)) + (None,) * (x.ndim - 2)]


def per_channel(g):
    return tuple(a for a in range(g.ndim) if a != 1)


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5
):
    axes = per_channel(x)
    m = int(np.prod([x.shape[a] for a in axes]))
    if not training or m == 0:
        ivar = 1.0 / np.sqrt(ch(running_var, x) + eps)
        xhat = (x - ch(running_mean, x)) * ivar
        cache = {"mode": "eval", "xhat": xhat, "ivar": ivar, "gamma": gamma}
        return ch(gamma, x) * xhat + ch(beta, x), cache, running_mean, running_var
    if m < 2:
        raise ValueError("x must have more than one value per channel in training")
    c = forward(x, axes, eps)
    c.update(mode="train", gamma=gamma)
    mean = np.squeeze(x.mean(axis=axes, keepdims=True), axes)
    var = np.var(x, axis=axes) * m / (m - 1)
    new_mean = momentum * mean + (1 - momentum) * running_mean
    new_var = momentum * var + (1 - momentum) * running_var
    return ch(gamma, x) * c["xhat"] + ch(beta, x), c, new_mean, new_var


def batch_norm_backward(grad_out, cache):
    axes = per_channel(grad_out)
    dxhat = grad_out * ch(cache["gamma"], grad_out)
    dx = backward(dxhat, cache) if cache["mode"] == "train" else dxhat * cache["ivar"]
    return dx, np.sum(grad_out * cache["xhat"], axis=axes), np.sum(grad_out, axis=axes)


def layer_norm_forward(x, gamma, beta, *, eps=1e-5):
    c = forward(x, (x.ndim - 1,), eps)
    c["gamma"] = gamma
    return gamma * c["xhat"] + beta, c


def layer_norm_backward(grad_out, cache):
    axes = tuple(range(grad_out.ndim))[:-1]
    return (
        backward(grad_out * cache["gamma"], cache),
        np.sum(grad_out * cache["xhat"], axes),
        np.sum(grad_out, axes),
    )


def instance_norm_forward(x, gamma, beta, *, eps=1e-5):
    c = forward(x, (2, 3), eps)
    c["gamma"] = gamma
    return ch(gamma, x) * c["xhat"] + ch(beta, x), c


def instance_norm_backward(grad_out, cache):
    dx = backward(grad_out * ch(cache["gamma"], grad_out), cache)
    return dx, np.sum(grad_out * cache["xhat"], (0, 2, 3)), np.sum(grad_out, (0, 2, 3))


def group_norm_forward(x, gamma, beta, *, num_groups, eps=1e-5):
    n, channels = x.shape[:2]
    if channels % num_groups:
        raise ValueError(f"C={channels} is not divisible by num_groups={num_groups}")
    c = forward(
        x.reshape(n, num_groups, channels // num_groups, *x.shape[2:]),
        tuple(range(2, x.ndim + 1)),
        eps,
    )
    c["gamma"], c["out_hat"] = gamma, c["xhat"].reshape(x.shape)
    return ch(gamma, x) * c["out_hat"] + ch(beta, x), c


def group_norm_backward(grad_out, cache):
    axes = per_channel(grad_out)
    dxhat = (grad_out * ch(cache["gamma"], grad_out)).reshape(cache["xhat"].shape)
    dx = backward(dxhat, cache).reshape(grad_out.shape)
    return dx, np.sum(grad_out * cache["out_hat"], axis=axes), np.sum(grad_out, axis=axes)


def rms_norm_forward(x, gamma, *, eps=1e-5):
    ms = np.sum(np.square(x), -1, keepdims=True) / np.asarray(x.shape[-1], dtype=x.dtype)
    r = np.power(ms + eps, -0.5)
    return x * r * gamma, {"x": x, "r": r, "gamma": gamma}


def rms_norm_backward(grad_out, cache):
    x, r, d = cache["x"], cache["r"], cache["x"].shape[-1]
    dn = grad_out * cache["gamma"]
    dr = np.sum(dn * x, -1, keepdims=True)
    dms = dr * -0.5 * r**3
    dx = dn * r + dms * 2 * x / d
    return dx, np.sum(grad_out * x * r, axis=tuple(range(x.ndim - 1)))
