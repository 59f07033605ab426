"""Frames of zeros around everything: one padded copy, clamped indices, sliding windows, sectors of the colour wheel."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _framed(images, y, x=None):
    x = y if x is None else x
    return np.pad(images, [(0, 0), (0, 0), (y, y), (x, x)])


def horizontal_flip(images):
    return np.flip(images, axis=-1)


def random_horizontal_flip(images, p, *, rng):
    out = np.array(images)
    chosen = np.flatnonzero(rng.choice([True, False], size=len(images), p=[p, 1 - p]))
    out[chosen] = out[chosen][..., ::-1]
    return out


def translate(images, dx, dy):
    H, W = images.shape[-2:]
    framed = _framed(images, abs(dy), abs(dx))
    rolled = np.roll(framed, (dy, dx), axis=(2, 3))
    return rolled[:, :, abs(dy) : abs(dy) + H, abs(dx) : abs(dx) + W]


def random_crop(images, padding, *, rng):
    N, _, H, W = images.shape
    windows = sliding_window_view(_framed(images, padding), (H, W), axis=(2, 3))
    corner = np.floor(rng.random((2, N)) * (2 * padding + 1)).astype(int)
    return windows[np.arange(N), :, corner[0], corner[1]]


def _lookup(images, x, y):
    """Samples of a copy with a frame of one zero; what lies further out is clamped onto the frame."""
    N, _, H, W = images.shape
    framed = _framed(images, 2)
    x, y = np.clip(x, -1, W) + 2, np.clip(y, -1, H) + 2
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = ((x - x0)[:, None]).astype(images.dtype), ((y - y0)[:, None]).astype(images.dtype)
    n, c = np.ogrid[:N, : images.shape[1]]
    n, c = n[..., None, None], c[..., None, None]
    x0, y0 = x0[:, None], y0[:, None]
    top = framed[n, c, y0, x0] * (1 - fx) + framed[n, c, y0, x0 + 1] * fx
    bottom = framed[n, c, y0 + 1, x0] * (1 - fx) + framed[n, c, y0 + 1, x0 + 1] * fx
    return top * (1 - fy) + bottom * fy


def rotate(images, degrees):
    N, _, H, W = images.shape
    t = np.deg2rad(degrees % 360)
    v, u = np.mgrid[:H, :W].astype(float)
    u -= (W - 1) / 2
    v -= (H - 1) / 2
    x = u * np.cos(t) - v * np.sin(t) + (W - 1) / 2
    y = u * np.sin(t) + v * np.cos(t) + (H - 1) / 2
    return _lookup(images, np.repeat(x[None], N, axis=0), np.repeat(y[None], N, axis=0))


def elastic_deform(images, displacement):
    H, W = images.shape[2:]
    dx, dy = np.moveaxis(displacement, 3, 0)
    return _lookup(images, np.arange(W)[None, None] + dx, np.arange(H)[None, :, None] + dy)


def adjust_brightness(images, factor):
    if factor < 0:
        raise ValueError("factor is negative")
    return (images * factor).clip(0, 1)


def adjust_contrast(images, factor):
    if factor < 0:
        raise ValueError("factor is negative")
    mean = images.mean(axis=(2, 3), keepdims=True)
    if images.shape[1] == 3:
        weights = np.array([0.299, 0.587, 0.114], images.dtype).reshape(1, 3, 1, 1)
        mean = (weights * mean).sum(axis=1, keepdims=True)
    return (mean + factor * (images - mean)).clip(0, 1)


def adjust_hue(images, shift):
    eps = 1e-12
    r, g, b = images[:, 0], images[:, 1], images[:, 2]
    v = np.max(images, axis=1)
    d = v - np.min(images, axis=1)
    s = d / np.maximum(v, eps)
    which = np.argmax(images, axis=1)
    differences = np.stack([g - b, b - r, r - g]) / np.maximum(d, eps)
    h = np.choose(which, differences) / 6 + which / 3
    h = np.mod(h + shift, 1.0)
    sector = np.floor(h * 6).astype(int) % 6
    f = h * 6 - np.floor(h * 6)
    p, q, t = v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))
    out = np.empty(images.shape, images.dtype)
    out[:, 0] = np.choose(sector, [v, q, p, p, t, v])
    out[:, 1] = np.choose(sector, [t, v, v, q, p, p])
    out[:, 2] = np.choose(sector, [p, p, t, v, v, q])
    return out


def gaussian_noise(images, std, *, rng):
    out = images + images.dtype.type(std) * rng.standard_normal(images.shape, dtype=images.dtype)
    out[out < 0] = 0
    out[out > 1] = 1
    return out


def gaussian_blur(images, sigma, *, kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError("kernel_size is even")
    r = kernel_size // 2
    k = np.arange(kernel_size) - r
    kernel = np.exp(-np.add.outer(k**2, k**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    kernel = (kernel / kernel.sum()).astype(images.dtype)
    windows = sliding_window_view(
        np.pad(images, [(0, 0), (0, 0), (r, r), (r, r)], mode="reflect"), kernel.shape, axis=(2, 3)
    )
    return np.tensordot(windows, kernel, axes=2)
