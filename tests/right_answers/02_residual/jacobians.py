"""Explicit Jacobians of each sample, and convolutions as one big matrix; objects as caches."""

from types import SimpleNamespace

import numpy as np


def _block(x, w1, b1, w2, b2, skip):
    z = x @ w1.T + b1
    slope = (z > 0).astype(x.dtype)
    # (N, E, D): skip + W2 diag(slope) W1
    jacobian = skip + (w2 * slope[:, None, :]) @ w1
    out = x @ skip.T + np.maximum(z, 0) @ w2.T + b2
    return out, SimpleNamespace(x=x, w2=w2, hidden=np.maximum(z, 0), slope=slope, jacobian=jacobian)


def _grads(g, c):
    at_z = g[:, None, :] @ (c.w2 * c.slope[:, None, :])
    at_z = at_z[:, 0, :]
    grad_x = (g[:, None, :] @ c.jacobian)[:, 0, :]
    grad_w1 = (at_z[:, :, None] * c.x[:, None, :]).sum(axis=0)
    grad_w2 = (g[:, :, None] * c.hidden[:, None, :]).sum(axis=0)
    return grad_x, grad_w1, at_z.sum(axis=0), grad_w2, g.sum(axis=0)


def residual_forward(x, w1, b1, w2, b2):
    return _block(x, w1, b1, w2, b2, np.eye(x.shape[1], dtype=x.dtype))


def residual_backward(grad_out, cache):
    return _grads(grad_out, cache)


def projection_residual_forward(x, w1, b1, w2, b2, w_skip):
    return _block(x, w1, b1, w2, b2, w_skip)


def projection_residual_backward(grad_out, cache):
    return (*_grads(grad_out, cache), (grad_out[:, :, None] * cache.x[:, None, :]).sum(axis=0))


def residual_stack_forward(x, blocks):
    trail = []
    for block in blocks:
        x, cache = residual_forward(x, *block)
        trail += [cache]
    return [x, SimpleNamespace(trail=trail)]


def residual_stack_backward(grad_out, cache):
    grads = [None] * len(cache.trail)
    for k in range(len(grads) - 1, -1, -1):
        whole = _grads(grad_out, cache.trail[k])
        grad_out, grads[k] = whole[0], whole[1:]
    return [grad_out, grads]


def _columns(shape, kernel, stride, padding):
    """Index into the flattened padded image for each output pixel and kernel entry, (P, C*kH*kW)."""
    c, h, w = shape
    kh, kw = kernel
    index = np.arange(c * h * w).reshape(c, h, w)
    rows = range(0, h - kh + 1, stride)
    cols = range(0, w - kw + 1, stride)
    return np.array([index[:, i : i + kh, j : j + kw].ravel() for i in rows for j in cols]), (
        len(rows),
        len(cols),
    )


def conv2d_forward(x, weight, bias, *, stride=1, padding=0):
    p = padding
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    if not all(k <= n for k, n in zip(weight.shape[2:], padded.shape[2:])):
        raise ValueError(f"weight of shape {weight.shape} does not fit")
    index, size = _columns(padded.shape[1:], weight.shape[2:], stride, padding)
    n, o = len(x), len(weight)
    flat = padded.reshape(n, -1)
    # the matrix of the whole map: (O, P, C*H*W)
    matrix = np.zeros((o, len(index), flat.shape[1]), dtype=x.dtype)
    matrix[:, np.arange(len(index))[:, None], index] = weight.reshape(o, 1, -1)
    out = np.tensordot(flat, matrix, axes=(1, 2)) + bias[:, None]
    cache = SimpleNamespace(
        flat=flat, matrix=matrix, index=index, padded=padded.shape, weight=weight.shape, p=p
    )
    return np.asfortranarray(out.reshape(n, o, *size)), cache


def conv2d_backward(grad_out, cache):
    n, o = grad_out.shape[:2]
    g = grad_out.reshape(n, o, -1)
    h, w = cache.padded[2:]
    grad_flat = np.tensordot(g, cache.matrix, axes=([1, 2], [0, 1]))
    grad_x = grad_flat.reshape(cache.padded)[:, :, cache.p : h - cache.p, cache.p : w - cache.p]
    grad_weight = np.tensordot(g, cache.flat[:, cache.index], axes=([0, 2], [0, 1])).reshape(
        cache.weight
    )
    return grad_x, grad_weight, g.sum(axis=2).sum(axis=0)


def basic_block_forward(x, w1, w2):
    a, c1 = conv2d_forward(x, w1, np.zeros(w1.shape[0], dtype=x.dtype), padding=1)
    b, c2 = conv2d_forward(np.maximum(a, 0), w2, np.zeros(w2.shape[0], dtype=x.dtype), padding=1)
    out = np.maximum(x + b, 0)
    return out, SimpleNamespace(c1=c1, c2=c2, a=np.sign(np.maximum(a, 0)), out=np.sign(out))


def basic_block_backward(grad_out, cache):
    g = grad_out * cache.out
    grad_a, grad_w2, _ = conv2d_backward(g, cache.c2)
    grad_x, grad_w1, _ = conv2d_backward(grad_a * cache.a, cache.c1)
    return [grad_x + g, grad_w1, grad_w2]


def gradient_signal(grad_out, x, blocks, *, skip):
    eye = np.eye(x.shape[1], dtype=x.dtype) * skip
    jacobians = []
    for block in blocks:
        x, cache = _block(x, *block, eye.astype(x.dtype))
        jacobians.append(cache.jacobian)
    norms = np.empty(len(blocks) + 1, dtype=x.dtype)
    norms[-1] = np.linalg.norm(grad_out)
    for k in range(len(blocks) - 1, -1, -1):
        grad_out = (grad_out[:, None, :] @ jacobians[k])[:, 0]
        norms[k] = np.linalg.norm(grad_out)
    return norms
