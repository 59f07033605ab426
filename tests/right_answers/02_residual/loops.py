"""Python loops, element by element, with dict caches."""

import numpy as np


def _affine(x, w, b):
    out = np.empty((x.shape[0], w.shape[0]), dtype=x.dtype)
    for n in range(x.shape[0]):
        for o in range(w.shape[0]):
            out[n, o] = np.dot(w[o], x[n]) + b[o]
    return out


def _affine_grads(g, x, w):
    gx, gw, gb = np.zeros_like(x), np.zeros_like(w), np.zeros(len(w), dtype=w.dtype)
    for n in range(len(g)):
        for o in range(len(w)):
            gx[n] += g[n, o] * w[o]
            gw[o] += g[n, o] * x[n]
            gb[o] += g[n, o]
    return gx, gw, gb


def _branch(x, w1, b1, w2, b2):
    z = _affine(x, w1, b1)
    h = np.where(z > 0, z, np.zeros_like(z))
    return _affine(h, w2, b2), {"x": x, "z": z, "h": h, "w1": w1, "w2": w2}


def _branch_grads(g, c):
    gh, gw2, gb2 = _affine_grads(g, c["h"], c["w2"])
    gh[c["z"] <= 0] = 0
    gx, gw1, gb1 = _affine_grads(gh, c["x"], c["w1"])
    return gx, gw1, gb1, gw2, gb2


def residual_forward(x, w1, b1, w2, b2):
    branch, cache = _branch(x, w1, b1, w2, b2)
    return x + branch, cache


def residual_backward(grad_out, cache):
    gx, *rest = _branch_grads(grad_out, cache)
    return [grad_out + gx, *rest]


def projection_residual_forward(x, w1, b1, w2, b2, w_skip):
    branch, cache = _branch(x, w1, b1, w2, b2)
    cache["skip"] = w_skip
    return _affine(x, w_skip, np.zeros(len(w_skip), dtype=x.dtype)) + branch, cache


def projection_residual_backward(grad_out, cache):
    gx, *rest = _branch_grads(grad_out, cache)
    gskip_x, gskip, _ = _affine_grads(grad_out, cache["x"], cache["skip"])
    return (gx + gskip_x, *rest, gskip)


def residual_stack_forward(x, blocks):
    cache = {}
    for k, block in enumerate(blocks):
        x, cache[k] = residual_forward(x, *block)
    return x, cache


def residual_stack_backward(grad_out, cache):
    grads = {}
    for k in sorted(cache, reverse=True):
        grad_out, *grads[k] = residual_backward(grad_out, cache[k])
    return grad_out, [tuple(grads[k]) for k in sorted(cache)]


def conv2d_forward(x, weight, bias, *, stride=1, padding=0):
    n, c, h, w = x.shape
    o, _, kh, kw = weight.shape
    if kh > h + 2 * padding or kw > w + 2 * padding:
        raise ValueError("weight is larger than the padded x")
    big = np.zeros((n, c, h + 2 * padding, w + 2 * padding), dtype=x.dtype)
    big[:, :, padding : padding + h, padding : padding + w] = x
    out = np.empty(
        (n, o, (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1),
        dtype=x.dtype,
    )
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            patch = big[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            for k in range(o):
                out[:, k, i, j] = (patch * weight[k]).sum(axis=(1, 2, 3)) + bias[k]
    return out, {"big": big, "weight": weight, "stride": stride, "padding": padding, "hw": (h, w)}


def conv2d_backward(grad_out, cache):
    big, weight, s, p = cache["big"], cache["weight"], cache["stride"], cache["padding"]
    h, w = cache["hw"]
    kh, kw = weight.shape[2:]
    gbig, gw = np.zeros_like(big), np.zeros_like(weight)
    gb = np.zeros(len(weight), dtype=weight.dtype)
    for i in range(grad_out.shape[2]):
        for j in range(grad_out.shape[3]):
            rows, cols = slice(i * s, i * s + kh), slice(j * s, j * s + kw)
            for k in range(len(weight)):
                g = grad_out[:, k, i, j][:, None, None, None]
                gbig[:, :, rows, cols] += g * weight[k]
                gw[k] += (g * big[:, :, rows, cols]).sum(axis=0)
                gb[k] += g.sum()
    return gbig[:, :, p : p + h, p : p + w], gw, gb


def basic_block_forward(x, w1, w2):
    first, c1 = conv2d_forward(x, w1, np.zeros(len(w1), dtype=x.dtype), padding=1)
    second, c2 = conv2d_forward(
        np.maximum(first, 0), w2, np.zeros(len(w2), dtype=x.dtype), padding=1
    )
    total = x + second
    return np.maximum(total, 0), {"c1": c1, "c2": c2, "first": first, "total": total}


def basic_block_backward(grad_out, cache):
    g = np.where(cache["total"] > 0, grad_out, 0).astype(grad_out.dtype)
    ginner, gw2, _ = conv2d_backward(g, cache["c2"])
    gx, gw1, _ = conv2d_backward(ginner * (cache["first"] > 0), cache["c1"])
    return g + gx, gw1, gw2


def gradient_signal(grad_out, x, blocks, *, skip):
    caches = []
    for block in blocks:
        branch, cache = _branch(x, *block)
        caches.append(cache)
        x = x + branch if skip else branch
    grads = [grad_out]
    for cache in caches[::-1]:
        gx = _branch_grads(grads[0], cache)[0]
        grads.insert(0, grads[0] + gx if skip else gx)
    out = np.empty(len(grads), dtype=grad_out.dtype)
    for k, g in enumerate(grads):
        out[k] = np.sqrt(sum(float(v) ** 2 for v in g.ravel()))
    return out
