"""Sums of x and of x squared instead of centring first, in float64 inside; lists for tuples, views for arrays."""

import numpy as np


class State:
    def __init__(self, **values):
        self.__dict__.update(values)


def stats(x, axes, eps):
    wide = x.astype(np.float64)
    m = 1
    for axis in axes:
        m *= x.shape[axis]
    s1 = wide.sum(axis=axes, keepdims=True)
    s2 = (wide * wide).sum(axis=axes, keepdims=True)
    mean = s1 / m
    var = np.maximum(s2 / m - mean * mean, 0)
    return wide, mean, var, np.sqrt(var + eps), m


def c_shape(v, x):
    return v.astype(np.float64).reshape([-1 if i == 1 else 1 for i in range(x.ndim)])


def out_of(values, like):
    return values.astype(like.dtype)[::-1][::-1]


def gradients(g, s, axes, param_axes):
    g = g.astype(np.float64)
    scaled = g * s.gamma
    if s.m is None:
        dx = scaled / s.std
    else:
        a = scaled.sum(axis=axes, keepdims=True)
        b = (scaled * s.hat).sum(axis=axes, keepdims=True)
        dx = (s.m * scaled - a - s.hat * b) / (s.m * s.std)
    return dx, (g * s.hat).sum(axis=param_axes), g.sum(axis=param_axes)


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5
):
    axes = tuple(i for i in range(x.ndim) if i != 1)
    count = x.size // x.shape[1]
    if training and count == 1:
        raise ValueError("batch too small: x")
    new_mean, new_var = running_mean, running_var
    if training and count:
        wide, mean, var, std, m = stats(x, axes, eps)
        new_mean = out_of(running_mean + momentum * (mean.ravel() - running_mean), running_mean)
        unbiased = var.ravel() * (m / (m - 1))
        new_var = out_of(running_var + momentum * (unbiased - running_var), running_var)
    else:
        wide, mean, m = x.astype(np.float64), c_shape(running_mean, x), None
        std = np.sqrt(c_shape(running_var, x) + eps)
    hat = (wide - mean) / std
    out = hat * c_shape(gamma, x) + c_shape(beta, x)
    state = State(hat=hat, std=std, m=m, gamma=c_shape(gamma, x), axes=axes)
    return [out_of(out, x), state, new_mean, new_var]


def batch_norm_backward(grad_out, cache):
    return [out_of(g, grad_out) for g in gradients(grad_out, cache, cache.axes, cache.axes)]


def layer_norm_forward(x, gamma, beta, *, eps=1e-5):
    axes = (x.ndim - 1,)
    wide, mean, _, std, m = stats(x, axes, eps)
    hat = (wide - mean) / std
    state = State(hat=hat, std=std, m=m, gamma=gamma.astype(np.float64), axes=axes)
    return [out_of(hat * gamma + beta, x), state]


def layer_norm_backward(grad_out, cache):
    leading = tuple(range(grad_out.ndim - 1))
    return [out_of(g, grad_out) for g in gradients(grad_out, cache, cache.axes, leading)]


def instance_norm_forward(x, gamma, beta, *, eps=1e-5):
    wide, mean, _, std, m = stats(x, (2, 3), eps)
    hat = (wide - mean) / std
    state = State(hat=hat, std=std, m=m, gamma=c_shape(gamma, x))
    return [out_of(hat * c_shape(gamma, x) + c_shape(beta, x), x), state]


def instance_norm_backward(grad_out, cache):
    return [out_of(g, grad_out) for g in gradients(grad_out, cache, (2, 3), (0, 2, 3))]


def group_norm_forward(x, gamma, beta, *, num_groups, eps=1e-5):
    if x.shape[1] % num_groups:
        raise ValueError("num_groups")
    parts = np.split(x, num_groups, axis=1)
    axes = tuple(range(1, x.ndim))
    pieces = [stats(part, axes, eps) for part in parts]
    hats = [(wide - mean) / std for wide, mean, _, std, _ in pieces]
    hat = np.concatenate(hats, axis=1)
    state = State(
        hats=hats,
        stds=[piece[3] for piece in pieces],
        m=pieces[0][4],
        hat=hat,
        gamma=c_shape(gamma, x),
    )
    return [out_of(hat * state.gamma + c_shape(beta, x), x), state]


def group_norm_backward(grad_out, cache):
    g = grad_out.astype(np.float64)
    axes = tuple(range(1, g.ndim))
    pieces = []
    for part, hat, std in zip(
        np.split(g * cache.gamma, len(cache.hats), axis=1), cache.hats, cache.stds
    ):
        a = part.sum(axis=axes, keepdims=True)
        b = (part * hat).sum(axis=axes, keepdims=True)
        pieces.append((cache.m * part - a - hat * b) / (cache.m * std))
    others = tuple(i for i in range(g.ndim) if i != 1)
    dx = np.concatenate(pieces, axis=1)
    return [out_of(v, grad_out) for v in (dx, (g * cache.hat).sum(axis=others), g.sum(axis=others))]


def rms_norm_forward(x, gamma, *, eps=1e-5):
    wide = x.astype(np.float64)
    root = np.linalg.norm(wide, axis=-1, keepdims=True) / np.sqrt(x.shape[-1])
    root = np.hypot(root, np.sqrt(eps))
    return [
        out_of(wide / root * gamma, x),
        State(x=wide, root=root, gamma=gamma.astype(np.float64)),
    ]


def rms_norm_backward(grad_out, cache):
    g = grad_out.astype(np.float64) * cache.gamma
    inner = (g * cache.x).sum(axis=-1, keepdims=True) / g.shape[-1]
    dx = (g - cache.x * inner / cache.root**2) / cache.root
    dgamma = (grad_out * cache.x / cache.root).reshape(-1, g.shape[-1]).sum(axis=0)
    return [out_of(dx, grad_out), out_of(dgamma, grad_out)]
