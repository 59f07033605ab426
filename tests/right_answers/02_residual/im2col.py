"""Convolutions by im2col and col2im, tuple caches, one matrix product per layer."""

import numpy as np


def residual_forward(x, w1, b1, w2, b2):
    pre = np.dot(x, w1.T) + b1
    return b2 + np.dot(np.maximum(pre, 0), w2.T) + x, (x, w1, w2, pre)


def residual_backward(grad_out, cache):
    x, w1, w2, pre = cache
    gpre = np.dot(grad_out, w2)
    gpre[pre <= 0] = 0
    ones = np.ones(len(x), dtype=x.dtype)
    return (
        grad_out + np.dot(gpre, w1),
        np.dot(gpre.T, x),
        ones @ gpre,
        np.dot(grad_out.T, np.maximum(pre, 0)),
        ones @ grad_out,
    )


def projection_residual_forward(x, w1, b1, w2, b2, w_skip):
    # both branches as one product with the concatenated weights
    pre = x @ w1.T + b1
    both = np.concatenate([np.maximum(pre, 0), x], axis=1)
    weight = np.concatenate([w2, w_skip], axis=1)
    return both @ weight.T + b2, (x, w1, pre, both, weight)


def projection_residual_backward(grad_out, cache):
    x, w1, pre, both, weight = cache
    h = pre.shape[1]
    gboth = grad_out @ weight
    gweight = grad_out.T @ both
    gpre = np.where(pre > 0, gboth[:, :h], np.zeros_like(pre))
    return (
        gboth[:, h:] + gpre @ w1,
        gpre.T @ x,
        gpre.sum(0),
        gweight[:, :h],
        grad_out.sum(0),
        gweight[:, h:],
    )


def residual_stack_forward(x, blocks):
    inputs = [x]
    for block in blocks:
        inputs.append(residual_forward(inputs[-1], *block)[0])
    return inputs[-1], (tuple(inputs[:-1]), tuple(tuple(b) for b in blocks))


def residual_stack_backward(grad_out, cache):
    """Recomputes each block from its input, as gradient checkpointing does."""
    grads = []
    for x, block in zip(cache[0][::-1], cache[1][::-1]):
        _, inner = residual_forward(x, *block)
        grad_out, *rest = residual_backward(grad_out, inner)
        grads.insert(0, tuple(rest))
    return grad_out, tuple(grads)


def _index(shape, kernel, stride):
    c, h, w = shape
    kh, kw = kernel
    oh, ow = (h - kh) // stride + 1, (w - kw) // stride + 1
    k = np.repeat(np.arange(c), kh * kw)[:, None]
    i = (
        np.tile(np.repeat(np.arange(kh), kw), c)[:, None]
        + stride * np.repeat(np.arange(oh), ow)[None]
    )
    j = np.tile(np.arange(kw), kh * c)[:, None] + stride * np.tile(np.arange(ow), oh)[None]
    return k, i, j, oh, ow


def conv2d_forward(x, weight, bias, *, stride=1, padding=0):
    n, c, h, w = x.shape
    o = weight.shape[0]
    if weight.shape[2] > h + 2 * padding or weight.shape[3] > w + 2 * padding:
        raise ValueError("kernel of weight larger than padded image")
    big = np.zeros((n, c, h + 2 * padding, w + 2 * padding), x.dtype)
    big[:, :, padding : h + padding, padding : w + padding] = x
    k, i, j, oh, ow = _index(big.shape[1:], weight.shape[2:], stride)
    cols = big[:, k, i, j]
    out = np.matmul(weight.reshape(o, -1), cols) + bias[None, :, None]
    return out.reshape(n, o, oh, ow), (cols, weight, (k, i, j), big.shape, padding)


def conv2d_backward(grad_out, cache):
    cols, weight, (k, i, j), shape, p = cache
    n, o, oh, ow = grad_out.shape
    g = grad_out.reshape(n, o, oh * ow)
    gcols = np.matmul(weight.reshape(o, -1).T, g)
    big = np.zeros(shape, grad_out.dtype)
    np.add.at(big, (slice(None), k, i, j), gcols)
    gw = np.matmul(g, cols.transpose(0, 2, 1)).sum(axis=0).reshape(weight.shape)
    return big[:, :, p : shape[2] - p, p : shape[3] - p], gw, g.sum(axis=(0, 2))


def basic_block_forward(x, w1, w2):
    a, c1 = conv2d_forward(x, w1, np.zeros(len(w1), x.dtype), stride=1, padding=1)
    b, c2 = conv2d_forward((np.abs(a) + a) / 2, w2, np.zeros(len(w2), x.dtype), stride=1, padding=1)
    s = b + x
    return (np.abs(s) + s) / 2, (c1, c2, a, s)


def basic_block_backward(grad_out, cache):
    c1, c2, a, s = cache
    gs = (s > 0) * grad_out
    ga, gw2, _ = conv2d_backward(gs, c2)
    gx, gw1, _ = conv2d_backward((a > 0) * ga, c1)
    return (gx + gs, gw1, gw2)


def gradient_signal(grad_out, x, blocks, *, skip):
    pres = []
    for w1, b1, w2, b2 in blocks:
        pres.append(x @ w1.T + b1)
        x = x * skip + np.maximum(pres[-1], 0) @ w2.T + b2
    norms = [np.sqrt((grad_out**2).sum())]
    for (w1, _, w2, _), pre in zip(blocks[::-1], pres[::-1]):
        grad_out = grad_out * skip + ((grad_out @ w2) * (pre > 0)) @ w1
        norms = [np.sqrt((grad_out**2).sum()), *norms]
    return np.stack(norms)
