"""Images turned to (N, H, W, C), one image at a time, answers as transposed views."""

import math

import numpy as np


def _image_by_image(images, function):
    """Applies function(n, image of shape (H, W, C)) to every image."""
    last = images.transpose(0, 2, 3, 1)
    out = np.zeros(last.shape, images.dtype)
    for n in range(len(last)):
        out[n] = function(n, last[n])
    return out.transpose(0, 3, 1, 2)


def horizontal_flip(images):
    return _image_by_image(images, lambda n, image: np.fliplr(image))


def random_horizontal_flip(images, p, *, rng):
    return _image_by_image(images, lambda n, image: np.fliplr(image) if rng.random() < p else image)


def _move(image, dx, dy):
    h, w = image.shape[:2]
    out = np.zeros_like(image)
    if dx >= 0:
        out[:, dx:] = image[:, : max(w - dx, 0)]
    else:
        out[:, : max(w + dx, 0)] = image[:, -dx:]
    moved = np.zeros_like(out)
    if dy >= 0:
        moved[dy:] = out[: max(h - dy, 0)]
    else:
        moved[: max(h + dy, 0)] = out[-dy:]
    return moved


def translate(images, dx, dy):
    return _image_by_image(images, lambda n, image: _move(image, dx, dy))


def random_crop(images, padding, *, rng):
    def crop(n, image):
        h, w = image.shape[:2]
        big = np.zeros((h + 2 * padding, w + 2 * padding, image.shape[2]), image.dtype)
        big[padding : padding + h, padding : padding + w] = image
        top, left = rng.integers(2 * padding + 1, size=2)
        return big[top : top + h, left : left + w]

    return _image_by_image(images, crop)


def _read(image, place):
    """Samples at complex places x + iy, gathered from a dictionary of corners."""
    h, w, _ = image.shape
    base = np.floor(place.real) + 1j * np.floor(place.imag)
    rest = place - base
    out = 0
    for corner, weight in {
        0: (1 - rest.real) * (1 - rest.imag),
        1: rest.real * (1 - rest.imag),
        1j: (1 - rest.real) * rest.imag,
        1 + 1j: rest.real * rest.imag,
    }.items():
        at = base + corner
        known = (at.real > -1) & (at.real < w) & (at.imag > -1) & (at.imag < h)
        pixels = np.zeros((*place.shape, image.shape[2]))
        pixels[known] = image[at[known].imag.astype(int), at[known].real.astype(int)]
        out = out + weight[..., None] * pixels
    return out


def _places(h, w):
    return np.arange(w) + 1j * np.arange(h)[:, None]


def rotate(images, degrees):
    h, w = images.shape[2:]
    centre = (w - 1) / 2 + 1j * (h - 1) / 2
    angle = math.radians(degrees)
    turn = complex(math.cos(angle), math.sin(angle))
    place = (_places(h, w) - centre) * turn + centre
    return _image_by_image(images, lambda n, image: _read(image, place))


def elastic_deform(images, displacement):
    field = displacement[..., 0] + 1j * displacement[..., 1].astype(np.float64)
    places = _places(*images.shape[2:])
    return _image_by_image(images, lambda n, image: _read(image, places + field[n]))


def adjust_brightness(images, factor):
    if factor < 0:
        raise ValueError(f"factor={factor}")
    return _image_by_image(images, lambda n, image: np.clip(factor * image, 0, 1))


def adjust_contrast(images, factor):
    if factor < 0:
        raise ValueError(f"factor={factor}")

    def blend(n, image):
        grey = np.average(image, axis=2, weights=[299, 587, 114] if image.shape[2] == 3 else None)
        return np.clip((1 - factor) * grey.mean() + factor * image, 0, 1)

    return _image_by_image(images, blend)


def adjust_hue(images, shift):
    """Six sectors, each with its own mask."""

    def turn(n, image):
        r, g, b = (image[..., c].astype(float) for c in range(3))
        v, low = image.max(axis=2).astype(float), image.min(axis=2).astype(float)
        d = v - low
        h = np.zeros(v.shape)
        red, coloured = v == r, d > 0
        green = (v == g) & ~red
        blue = ~red & ~green
        for mask, one, other, offset in ((red, g, b, 0), (green, b, r, 2), (blue, r, g, 4)):
            mask = mask & coloured
            h[mask] = (one[mask] - other[mask]) / d[mask] + offset
        h = (h + 6 * shift) % 6
        x = d * (1 - np.abs(h % 2 - 1))
        zero = np.zeros_like(d)
        out = np.zeros(image.shape)
        table = [(d, x, zero), (x, d, zero), (zero, d, x), (zero, x, d), (x, zero, d), (d, zero, x)]
        for sector, channels in enumerate(table):
            mask = h.astype(int) == sector
            out[mask] = np.stack(channels, axis=-1)[mask]
        return out + low[..., None]

    return _image_by_image(images, turn)


def gaussian_noise(images, std, *, rng):
    return _image_by_image(images, lambda n, image: np.clip(rng.normal(image, std), 0, 1))


def gaussian_blur(images, sigma, *, kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size={kernel_size}")
    r = kernel_size // 2
    kernel = np.exp(-(np.linspace(-r, r, kernel_size) ** 2) / (2 * sigma * sigma))
    kernel = kernel / np.sum(kernel)

    def smooth(line):
        return np.convolve(np.pad(line, r, mode="reflect"), kernel, mode="valid")

    return _image_by_image(
        images,
        lambda n, image: np.apply_along_axis(smooth, 1, np.apply_along_axis(smooth, 0, image)),
    )
