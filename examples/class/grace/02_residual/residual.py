import numpy as np

# all blocks are the same thing with or without a matrix on the shortcut


def _branch(x, w1, b1, w2, b2):
    a = x @ w1.T + b1
    r = a * (a > 0)
    return r @ w2.T + b2, dict(x=x, a=a, r=r, w1=w1, w2=w2)


def _branch_backward(dy, c):
    """dx (through the branch only) and the four parameter gradients."""
    dw2 = dy.T @ c["r"]
    db2 = dy.sum(0)
    da = dy @ c["w2"]
    da = np.where(c["a"] > 0, da, 0 * da)
    dw1 = da.T @ c["x"]
    db1 = da.sum(0)
    return da @ c["w1"], (dw1, db1, dw2, db2)


def residual_forward(x, w1, b1, w2, b2):
    f, c = _branch(x, w1, b1, w2, b2)
    return f + x, c


def residual_backward(grad_out, cache):
    dx, params = _branch_backward(grad_out, cache)
    return (dx + grad_out,) + params


def projection_residual_forward(x, w1, b1, w2, b2, w_skip):
    f, c = _branch(x, w1, b1, w2, b2)
    return f + x @ w_skip.T, (c, w_skip)


def projection_residual_backward(grad_out, cache):
    c, w_skip = cache
    dx, params = _branch_backward(grad_out, c)
    return (dx + grad_out @ w_skip,) + params + (grad_out.T @ c["x"],)


def residual_stack_forward(x, blocks):
    if len(blocks) == 0:
        return x, None
    h, first = residual_forward(x, *blocks[0])
    out, others = residual_stack_forward(h, blocks[1:])
    return out, (first, others)


def residual_stack_backward(grad_out, cache):
    if cache is None:
        return grad_out, []
    first, others = cache
    g, grads = residual_stack_backward(grad_out, others)
    g, *mine = residual_backward(g, first)
    return g, [tuple(mine)] + grads


def conv2d_forward(x, weight, bias, *, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, HH, WW = weight.shape
    p, s = padding, stride
    if HH > H + 2 * p or WW > W + 2 * p:
        raise ValueError("weight: kernel %dx%d is too big for the image" % (HH, WW))
    xp = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=x.dtype)
    xp[:, :, p : p + H, p : p + W] = x
    Ho = 1 + (H + 2 * p - HH) // s
    Wo = 1 + (W + 2 * p - WW) // s
    out = np.empty((N, F, Ho, Wo), dtype=x.dtype)
    rows = weight.reshape(F, C * HH * WW)
    for i in range(Ho):
        for j in range(Wo):
            patch = xp[:, :, i * s : i * s + HH, j * s : j * s + WW]
            out[:, :, i, j] = patch.reshape(N, C * HH * WW) @ rows.T + bias
    return out, (x.shape, xp, weight, s, p)


def conv2d_backward(grad_out, cache):
    (N, C, H, W), xp, weight, s, p = cache
    F, _, HH, WW = weight.shape
    dxp = np.zeros(xp.shape, dtype=xp.dtype)
    dw = np.zeros(weight.shape, dtype=weight.dtype)
    for i in range(grad_out.shape[2]):
        for j in range(grad_out.shape[3]):
            g = grad_out[:, :, i, j]  # (N, F)
            here = (slice(None), slice(None), slice(i * s, i * s + HH), slice(j * s, j * s + WW))
            dw += np.tensordot(g, xp[here], axes=([0], [0]))
            dxp[here] += np.tensordot(g, weight, axes=([1], [0]))
    return dxp[:, :, p : p + H, p : p + W], dw, grad_out.sum((0, 2, 3))


def basic_block_forward(x, w1, w2):
    def conv(a, w):
        return conv2d_forward(a, w, np.zeros(w.shape[0], a.dtype), stride=1, padding=1)

    a, c1 = conv(x, w1)
    b, c2 = conv(a * (a > 0), w2)
    s = x + b
    return s * (s > 0), dict(a=a, s=s, c1=c1, c2=c2)


def basic_block_backward(grad_out, cache):
    ds = grad_out * (cache["s"] > 0)
    dr, dw2, _ = conv2d_backward(ds, cache["c2"])
    da = dr * (cache["a"] > 0)
    dx, dw1, _ = conv2d_backward(da, cache["c1"])
    return dx + ds, dw1, dw2


def gradient_signal(grad_out, x, blocks, *, skip):
    caches = []
    for block in blocks:
        f, c = _branch(x, *block)
        caches.append(c)
        if skip:
            f = f + x
        x = f
    g = grad_out
    norms = np.zeros(len(blocks) + 1, dtype=grad_out.dtype)
    norms[-1] = np.sqrt(np.sum(g * g))
    for k in reversed(range(len(blocks))):
        dx, _ = _branch_backward(g, caches[k])
        g = dx + g if skip else dx
        norms[k] = np.sqrt(np.sum(g * g))
    return norms
