"""Einstein sums over sliding windows, and closures as caches."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def residual_forward(x, w1, b1, w2, b2):
    z = np.einsum("nd,hd->nh", x, w1) + b1
    h = z * (z > 0)
    out = x + np.einsum("nh,dh->nd", h, w2) + b2

    def backward(g):
        gz = np.einsum("nd,dh->nh", g, w2) * (z > 0)
        return (
            g + np.einsum("nh,hd->nd", gz, w1),
            np.einsum("nh,nd->hd", gz, x),
            np.einsum("nh->h", gz),
            np.einsum("nd,nh->dh", g, h),
            np.einsum("nd->d", g),
        )

    return out, backward


def residual_backward(grad_out, cache):
    return cache(grad_out)


def projection_residual_forward(x, w1, b1, w2, b2, w_skip):
    z = np.einsum("nd,hd->nh", x, w1) + b1
    h = np.where(z > 0, z, 0).astype(x.dtype)
    out = np.einsum("nd,ed->ne", x, w_skip) + np.einsum("nh,eh->ne", h, w2) + b2

    def backward(g):
        gz = np.where(z > 0, np.einsum("ne,eh->nh", g, w2), 0).astype(x.dtype)
        gx = np.einsum("ne,ed->nd", g, w_skip) + np.einsum("nh,hd->nd", gz, w1)
        gw1, gw2 = np.einsum("nh,nd->hd", gz, x), np.einsum("ne,nh->eh", g, h)
        return [gx, gw1, gz.sum(0), gw2, g.sum(0), np.einsum("ne,nd->ed", g, x)]

    return out, backward


def projection_residual_backward(grad_out, cache):
    return cache(grad_out)


def residual_stack_forward(x, blocks):
    backs = ()
    for block in blocks:
        x, back = residual_forward(x, *block)
        backs = (back, *backs)

    def backward(g):
        grads = ()
        for back in backs:
            g, *rest = back(g)
            grads = (tuple(rest), *grads)
        return g, grads

    return x, backward


def residual_stack_backward(grad_out, cache):
    return cache(grad_out)


def conv2d_forward(x, weight, bias, *, stride=1, padding=0):
    kh, kw = weight.shape[-2:]
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], mode="constant")
    if padded.shape[2] < kh or padded.shape[3] < kw:
        raise ValueError("the kernel (weight) is larger than the padded image")
    view = sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.einsum("nchwuv,ocuv->nohw", view, weight) + bias.reshape(1, -1, 1, 1)

    def backward(g):
        spread = np.zeros(
            (*g.shape[:2], padded.shape[2] - kh + 1, padded.shape[3] - kw + 1), g.dtype
        )
        spread[:, :, ::stride, ::stride] = g
        around = np.pad(spread, [(0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)])
        windows = sliding_window_view(around, (kh, kw), axis=(2, 3))
        gx = np.einsum("nohwuv,ocuv->nchw", windows, weight[:, :, ::-1, ::-1])
        gx = gx[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
        return gx, np.einsum("nohw,nchwuv->ocuv", g, view), np.einsum("nohw->o", g)

    return out, backward


def conv2d_backward(grad_out, cache):
    return cache(grad_out)


def basic_block_forward(x, w1, w2):
    none1, none2 = np.zeros(w1.shape[0], x.dtype), np.zeros(w2.shape[0], x.dtype)
    a, back1 = conv2d_forward(x, w1, none1, padding=1)
    b, back2 = conv2d_forward(a.clip(min=0), w2, none2, padding=1)

    def backward(g):
        g = g * (x + b > 0)
        ga, gw2, _ = back2(g)
        gx, gw1, _ = back1(ga * (a > 0))
        return gx + g, gw1, gw2

    return (x + b).clip(min=0), backward


def basic_block_backward(grad_out, cache):
    return cache(grad_out)


def gradient_signal(grad_out, x, blocks, *, skip):
    steps = []
    for w1, b1, w2, b2 in blocks:
        z = np.einsum("nd,hd->nh", x, w1) + b1
        after = np.einsum("nh,dh->nd", np.maximum(z, 0), w2) + b2
        steps.append((w1, w2, z > 0))
        x = x + after if skip else after
    squares = [np.einsum("nd,nd->", grad_out, grad_out)]
    for w1, w2, on in steps[::-1]:
        through = np.einsum("nd,dh,nh,hk->nk", grad_out, w2, on.astype(x.dtype), w1)
        grad_out = grad_out + through if skip else through
        squares.append(np.einsum("nd,nd->", grad_out, grad_out))
    return np.sqrt(np.array(squares, dtype=x.dtype))[::-1]
