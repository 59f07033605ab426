"""Everything in float64 on normalized grids in [-1, 1]; other draws of the same laws; converted at the end."""

import numpy as np


def _like(images, values):
    return np.asarray(values, dtype=images.dtype, order="F")


def horizontal_flip(images):
    return images[:, :, :, list(range(images.shape[3]))[::-1]]


def random_horizontal_flip(images, p, *, rng):
    """An exponential waiting time is below -log(1 - p) with probability p."""
    with np.errstate(divide="ignore"):
        chosen = rng.exponential(size=images.shape[0]) < -np.log1p(-np.float64(p))
    signs = np.where(chosen, -1, 1)
    columns = np.where(
        signs[:, None] < 0, np.arange(images.shape[3])[::-1], np.arange(images.shape[3])
    )
    return np.take_along_axis(images, columns[:, None, None, :], axis=3)


def _grid(height, width):
    """Pixel centres; -1 and 1 are the outer edges. x and y of shape (H, W)."""
    x = (2 * np.arange(width) + 1) / width - 1
    y = (2 * np.arange(height) + 1) / height - 1
    return np.meshgrid(x, y)


def _grid_sample(images, gx, gy):
    N, C, H, W = images.shape
    x, y = ((gx + 1) * W - 1) / 2, ((gy + 1) * H - 1) / 2
    x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    flat = images.astype(np.float64).reshape(N, C, H * W)
    out = np.zeros((N, C, H * W))
    for dy in (0, 1):
        for dx in (0, 1):
            xi, yi = x0 + dx, y0 + dy
            weight = np.where(dx, x - x0, 1 - (x - x0)) * np.where(dy, y - y0, 1 - (y - y0))
            weight = np.where((xi < 0) | (xi >= W) | (yi < 0) | (yi >= H), 0.0, weight)
            index = np.clip(yi, 0, H - 1) * W + np.clip(xi, 0, W - 1)
            values = np.take_along_axis(flat, index.reshape(N, 1, H * W), axis=2)
            out = out + weight.reshape(N, 1, H * W) * values
    return _like(images, out.reshape(N, C, H, W))


def translate(images, dx, dy):
    H, W = images.shape[2:]
    gx, gy = _grid(H, W)
    shape = (images.shape[0], H, W)
    return _grid_sample(
        images, np.broadcast_to(gx - 2 * dx / W, shape), np.broadcast_to(gy - 2 * dy / H, shape)
    )


def random_crop(images, padding, *, rng):
    """Offsets from the ranks of a table of all windows."""
    N, _, H, W = images.shape
    table = [(y, x) for y in range(2 * padding + 1) for x in range(2 * padding + 1)]
    drawn = rng.choice(len(table), size=N, replace=True)
    padded = np.zeros((N, images.shape[1], H + 2 * padding, W + 2 * padding))
    padded[:, :, padding : padding + H, padding : padding + W] = images
    out = np.zeros(images.shape)
    for n, number in enumerate(drawn):
        y, x = table[number]
        out[n] = padded[n, :, y : y + H, x : x + W]
    return _like(images, out)


def rotate(images, degrees):
    N, _, H, W = images.shape
    gx, gy = _grid(H, W)
    turned = (gx * W + 1j * gy * H) * np.exp(1j * np.pi * degrees / 180)
    shape = (N, H, W)
    return _grid_sample(
        images, np.broadcast_to(turned.real / W, shape), np.broadcast_to(turned.imag / H, shape)
    )


def elastic_deform(images, displacement):
    H, W = images.shape[2:]
    gx, gy = _grid(H, W)
    wide = displacement.astype(np.float64)
    return _grid_sample(images, gx + 2 * wide[..., 0] / W, gy + 2 * wide[..., 1] / H)


def adjust_brightness(images, factor):
    if factor < 0:
        raise ValueError("factor")
    return _like(images, np.clip(images.astype(np.float64) * factor, 0, 1))


def adjust_contrast(images, factor):
    if factor < 0:
        raise ValueError("factor")
    wide = images.astype(np.float64)
    weights = np.array([0.299, 0.587, 0.114]) if images.shape[1] == 3 else np.ones(1)
    grey = np.tensordot(weights, wide, axes=(0, 1))
    mean = grey.reshape(len(images), -1).mean(axis=1) if len(images) else np.zeros(0)
    out = wide.T * factor + mean * (1 - factor)
    return _like(images, np.clip(out.T, 0, 1))


def adjust_hue(images, shift):
    """Hue as a position on the hexagon's six edges, found by the order of the channels."""
    wide = images.astype(np.float64)
    order = np.argsort(wide, axis=1, kind="stable")
    ranked = np.take_along_axis(wide, order, axis=1)
    low, middle, high = ranked[:, 0], ranked[:, 1], ranked[:, 2]
    span = high - low
    part = np.where(span > 0, (middle - low) / np.where(span > 0, span, 1), 0)
    top, second = order[:, 2], order[:, 1]
    forward = (top + 1) % 3 == second
    h = (2 * top + np.where(forward, part, -part)) / 6 + shift
    h = 6 * (h - np.floor(h))
    out = np.empty_like(wide)
    for channel in range(3):
        distance = np.abs((h - 2 * channel + 3) % 6 - 3)
        out[:, channel] = low + span * np.clip(2 - distance, 0, 1)
    return _like(images, out)


def gaussian_noise(images, std, *, rng):
    """Box and Muller: a radius and an angle for each pair of pixels."""
    count = images.size
    radius = np.sqrt(-2 * np.log1p(-rng.random((count + 1) // 2)))
    angle = 2 * np.pi * rng.random((count + 1) // 2)
    noise = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
    return _like(images, np.clip(images + std * noise.reshape(images.shape), 0, 1))


def gaussian_blur(images, sigma, *, kernel_size):
    """A sum of shifted, weighted copies, along rows and then along columns."""
    if kernel_size % 2 == 0:
        raise ValueError("kernel_size")
    r = kernel_size // 2
    wide = images.astype(np.float64)
    for axis in (2, 3):
        length = wide.shape[axis]
        places = np.arange(length)
        total, weights = np.zeros_like(wide), 0.0
        for k in range(-r, r + 1):
            weight = np.exp(-((k / sigma) ** 2) / 2)
            index = np.abs(places + k)
            index = np.where(index > length - 1, 2 * (length - 1) - index, index)
            total = total + weight * np.take(wide, index, axis=axis)
            weights += weight
        wide = total / weights
    return _like(images, wide)
