"""Python loops over the pixels; colorsys for the hue; one random number at a time."""

import colorsys
import math

import numpy as np


def _each_pixel(images, function):
    """An array like images, filled by function(n, c, y, x)."""
    out = np.zeros(images.shape, images.dtype)
    for index in np.ndindex(images.shape):
        out[index] = function(*index)
    return out


def _pixel(image, y, x):
    H, W = image.shape
    return float(image[y, x]) if 0 <= y < H and 0 <= x < W else 0.0


def _bilinear(image, y, x):
    y0, x0 = math.floor(y), math.floor(x)
    fy, fx = y - y0, x - x0
    upper = (1 - fx) * _pixel(image, y0, x0) + fx * _pixel(image, y0, x0 + 1)
    lower = (1 - fx) * _pixel(image, y0 + 1, x0) + fx * _pixel(image, y0 + 1, x0 + 1)
    return (1 - fy) * upper + fy * lower


def horizontal_flip(images):
    W = images.shape[3]
    return _each_pixel(images, lambda n, c, y, x: images[n, c, y, W - 1 - x])


def random_horizontal_flip(images, p, *, rng):
    out = images.copy()
    for n in range(len(images)):
        if rng.uniform() < p:
            out[n] = images[n, :, :, ::-1]
    return out


def translate(images, dx, dy):
    return _each_pixel(images, lambda n, c, y, x: _pixel(images[n, c], y - dy, x - dx))


def random_crop(images, padding, *, rng):
    out = np.empty_like(images)
    for n in range(len(images)):
        dx = int(rng.integers(-padding, padding, endpoint=True))
        dy = int(rng.integers(-padding, padding, endpoint=True))
        out[n : n + 1] = _shifted(images[n : n + 1], dx, dy)
    return out


def _shifted(images, dx, dy):
    H, W = images.shape[2:]
    out = np.zeros(images.shape, images.dtype)
    for y in range(H):
        for x in range(W):
            if 0 <= y - dy < H and 0 <= x - dx < W:
                out[:, :, y, x] = images[:, :, y - dy, x - dx]
    return out


def rotate(images, degrees):
    H, W = images.shape[2:]
    angle = math.radians(degrees)
    c, s = math.cos(angle), math.sin(angle)
    cx, cy = 0.5 * (W - 1), 0.5 * (H - 1)

    def value(n, k, y, x):
        u, v = x - cx, y - cy
        return _bilinear(images[n, k], cy + s * u + c * v, cx + c * u - s * v)

    return _each_pixel(images, value)


def elastic_deform(images, displacement):
    def value(n, c, y, x):
        dx, dy = displacement[n, y, x]
        return _bilinear(images[n, c], y + float(dy), x + float(dx))

    return _each_pixel(images, value)


def _clip(value):
    return max(0.0, min(1.0, value))


def adjust_brightness(images, factor):
    if factor < 0:
        raise ValueError("factor < 0")
    return _each_pixel(images, lambda *index: _clip(factor * float(images[index])))


def adjust_contrast(images, factor):
    if not factor >= 0:
        raise ValueError("factor must be >= 0, not %s" % factor)
    N, C, H, W = images.shape
    weights = {1: [1.0], 3: [0.299, 0.587, 0.114]}[C]
    means = []
    for n in range(N):
        total = 0.0
        for c in range(C):
            for value in images[n, c].flat:
                total += weights[c] * float(value)
        means.append(total / (H * W))
    return _each_pixel(
        images, lambda n, c, y, x: _clip(means[n] + factor * (float(images[n, c, y, x]) - means[n]))
    )


def adjust_hue(images, shift):
    N, _, H, W = images.shape
    out = np.empty(images.shape, images.dtype, order="F")
    for n, y, x in np.ndindex(N, H, W):
        h, s, v = colorsys.rgb_to_hsv(*(float(value) for value in images[n, :, y, x]))
        out[n, :, y, x] = colorsys.hsv_to_rgb((h + shift) % 1.0, s, v)
    return out


def gaussian_noise(images, std, *, rng):
    return _each_pixel(images, lambda *index: _clip(float(images[index]) + rng.normal(0, std)))


def _mirror(i, length):
    if i < 0:
        i = -i
    if i >= length:
        i = 2 * (length - 1) - i
    return i


def gaussian_blur(images, sigma, *, kernel_size):
    if kernel_size % 2 != 1:
        raise ValueError("kernel_size is even")
    H, W = images.shape[2:]
    r = kernel_size // 2
    weights = {
        (j, i): math.exp(-(i * i + j * j) / (2 * sigma * sigma))
        for j in range(-r, r + 1)
        for i in range(-r, r + 1)
    }
    total = sum(weights.values())

    out = np.zeros(images.shape, np.float64)
    for (j, i), weight in weights.items():
        for y in range(H):
            for x in range(W):
                out[:, :, y, x] += (
                    weight / total * images[:, :, _mirror(y + j, H), _mirror(x + i, W)]
                )
    return out.astype(images.dtype)
