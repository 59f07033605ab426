"""The explicit Jacobian of a row's normalization, applied row by row; the cache is an object; answers are F-ordered."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Cache:
    rows: np.ndarray
    hats: np.ndarray
    jacobians: list
    gamma: np.ndarray
    order: tuple
    shape: tuple


def jacobian(row, eps, centre=True):
    """d x_hat / d row, shape (m, m)."""
    m = row.size
    mean = row.mean() if centre else row.dtype.type(0)
    centred = row - mean
    s = np.sqrt((centred @ centred) / m + row.dtype.type(eps))
    projector = np.eye(m, dtype=row.dtype) - (1 / m if centre else 0)
    projector = projector.astype(row.dtype)
    return (projector / s - np.outer(centred, centred) / (m * s**3)).astype(row.dtype), centred / s


def shaped(v, ndim):
    return v.reshape((1, -1) + (1,) * (ndim - 2))


def to_rows(x, order, count):
    return np.transpose(x, order).reshape(count, -1)


def from_rows(rows, order, shape):
    return np.transpose(rows.reshape([shape[axis] for axis in order]), np.argsort(order))


def forward(x, gamma, beta, order, count, eps):
    rows = to_rows(x, order, count)
    pairs = [jacobian(row, eps) for row in rows]
    hats = np.array([hat for _, hat in pairs], dtype=x.dtype).reshape(rows.shape)
    hat = from_rows(hats, order, x.shape)
    out = np.asfortranarray(shaped(gamma, x.ndim) * hat + shaped(beta, x.ndim))
    return out, Cache(rows, hat, [j for j, _ in pairs], gamma, order, x.shape)


def backward(grad_out, cache):
    g = grad_out * shaped(cache.gamma, grad_out.ndim)
    rows = to_rows(g, cache.order, len(cache.rows))
    dx = np.array([j.T @ row for j, row in zip(cache.jacobians, rows)], dtype=g.dtype).reshape(
        rows.shape
    )
    axes = (0, *range(2, grad_out.ndim))
    return (
        np.asfortranarray(from_rows(dx, cache.order, cache.shape)),
        np.sum(grad_out * cache.hats, axis=axes),
        np.sum(grad_out, axis=axes),
    )


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5
):
    axes = (0, *range(2, x.ndim))
    m = int(np.prod([x.shape[axis] for axis in axes]))
    if training and m == 1:
        raise ValueError("x: one value per channel")
    if training and m > 1:
        out, cache = forward(x, gamma, beta, (1, 0, *range(2, x.ndim)), x.shape[1], eps)
        mean = running_mean * (1 - momentum) + x.mean(axes) * momentum
        var = running_var * (1 - momentum) + x.var(axes) * (momentum * m / (m - 1))
        return out, cache, mean, var
    s = np.sqrt(running_var + eps)
    hat = (x - shaped(running_mean, x.ndim)) / shaped(s, x.ndim)
    out = shaped(gamma, x.ndim) * hat + shaped(beta, x.ndim)
    return out, (hat, s, gamma), np.array(running_mean), np.array(running_var)


def batch_norm_backward(grad_out, cache):
    if isinstance(cache, Cache):
        return backward(grad_out, cache)
    hat, s, gamma = cache
    axes = (0, *range(2, grad_out.ndim))
    return (
        grad_out * shaped(gamma / s, grad_out.ndim),
        np.sum(grad_out * hat, axes),
        np.sum(grad_out, axes),
    )


def layer_norm_forward(x, gamma, beta, *, eps=1e-5):
    flat = x.reshape(-1, x.shape[-1])
    pairs = [jacobian(row, eps) for row in flat]
    hat = np.array([hat for _, hat in pairs], dtype=x.dtype).reshape(x.shape)
    return hat * gamma + beta, (hat, [j for j, _ in pairs], gamma)


def layer_norm_backward(grad_out, cache):
    hat, jacobians, gamma = cache
    d = gamma.size
    rows = (grad_out * gamma).reshape(-1, d)
    dx = np.array([row @ j for row, j in zip(rows, jacobians)], dtype=grad_out.dtype).reshape(
        grad_out.shape
    )
    return dx, (grad_out * hat).reshape(-1, d).sum(0), grad_out.reshape(-1, d).sum(0)


def instance_norm_forward(x, gamma, beta, *, eps=1e-5):
    return forward(x, gamma, beta, (0, 1, 2, 3), x.shape[0] * x.shape[1], eps)


def group_norm_forward(x, gamma, beta, *, num_groups, eps=1e-5):
    if x.shape[1] not in range(num_groups, x.shape[1] + 1, num_groups):
        raise ValueError("num_groups does not divide C")
    return forward(x, gamma, beta, tuple(range(x.ndim)), x.shape[0] * num_groups, eps)


instance_norm_backward = group_norm_backward = backward


def rms_norm_forward(x, gamma, *, eps=1e-5):
    flat = x.reshape(-1, x.shape[-1])
    pairs = [jacobian(row, eps, centre=False) for row in flat]
    hat = np.array([hat for _, hat in pairs], dtype=x.dtype).reshape(x.shape)
    return gamma * hat, [hat, [j for j, _ in pairs], gamma]


def rms_norm_backward(grad_out, cache):
    hat, jacobians, gamma = cache
    rows = (grad_out * gamma).reshape(-1, gamma.size)
    dx = np.array([j @ row for row, j in zip(rows, jacobians)], dtype=grad_out.dtype).reshape(
        grad_out.shape
    )
    return [dx, (grad_out * hat).reshape(-1, gamma.size).sum(axis=0)]
