"""Every geometric change is a matrix: permutations, shifted identities, tent weights, a reflecting blur."""

import numpy as np


def _columns(images, matrix):
    """Multiplies the rows of each image: out[..., x] = sum_i matrix[x, i] in[..., i]."""
    return np.einsum("xi,nchi->nchx", matrix.astype(images.dtype), images)


def _rows(images, matrix):
    return np.einsum("yj,ncjw->ncyw", matrix.astype(images.dtype), images)


def horizontal_flip(images):
    return _columns(images, np.fliplr(np.eye(images.shape[3])))


def random_horizontal_flip(images, p, *, rng):
    coin = rng.binomial(1, p, size=(images.shape[0], 1, 1, 1)).astype(images.dtype)
    return coin * horizontal_flip(images) + (1 - coin) * images


def translate(images, dx, dy):
    H, W = images.shape[2:]
    return _rows(_columns(images, np.eye(W, k=-dx)), np.eye(H, k=-dy))


def random_crop(images, padding, *, rng):
    """A crop is a shift, and a batch of shifts is a batch of matrices."""
    N, _, H, W = images.shape
    choice = rng.choice((2 * padding + 1) ** 2, size=N)
    down, right = choice // (2 * padding + 1) - padding, choice % (2 * padding + 1) - padding

    def matrices(length, shift):
        i = np.arange(length)
        return (i[None, None, :] == i[None, :, None] + shift[:, None, None]).astype(images.dtype)

    return np.einsum("nyj,ncji,nxi->ncyx", matrices(H, down), images, matrices(W, right))


def _tent(distance):
    return np.maximum(0, 1 - np.abs(distance))


def _warp(images, x, y):
    """Weights of all pixels for all samples; x and y have shape (N, H, W)."""
    H, W = images.shape[2:]
    wx = _tent(x[..., None] - np.arange(W)).astype(images.dtype)
    wy = _tent(y[..., None] - np.arange(H)).astype(images.dtype)
    return np.einsum("nyxj,ncji,nyxi->ncyx", wy, images, wx)


def rotate(images, degrees):
    N, _, H, W = images.shape
    t = degrees * np.pi / 180
    matrix = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    centre = np.array([(W - 1) / 2, (H - 1) / 2])
    xy = np.stack(np.meshgrid(np.arange(W), np.arange(H)), axis=-1)
    source = (xy - centre) @ matrix.T + centre
    return _warp(images, *np.moveaxis(np.broadcast_to(source, (N, H, W, 2)), -1, 0))


def elastic_deform(images, displacement):
    H, W = images.shape[2:]
    y, x = np.indices((H, W))
    return _warp(images, x + displacement[..., 0], y + displacement[..., 1])


def _refuse(factor):
    if factor < 0:
        raise ValueError(f"negative factor: {factor}")


def adjust_brightness(images, factor):
    _refuse(factor)
    return np.minimum(images * factor, 1).astype(images.dtype)


def adjust_contrast(images, factor):
    _refuse(factor)
    N, C, H, W = images.shape
    weights = np.array([0.299, 0.587, 0.114] if C == 3 else [1], dtype=images.dtype) / (H * W)
    mean = np.einsum("nchw,c->n", images, weights).reshape(N, 1, 1, 1)
    out = mean * (1 - factor) + images * factor
    return np.where(out < 0, 0, np.where(out > 1, 1, out)).astype(images.dtype)


def adjust_hue(images, shift):
    """Sorted channels: the largest and the smallest value stay, the middle one follows a triangle wave."""
    r, g, b = np.moveaxis(images.astype(np.float64), 1, 0)
    high, low = np.maximum(np.maximum(r, g), b), np.minimum(np.minimum(r, g), b)
    with np.errstate(divide="ignore", invalid="ignore"):
        h = np.select(
            [high == low, high == r, high == g],
            [0 * r, (g - b) / (high - low) % 6, (b - r) / (high - low) + 2],
            (r - g) / (high - low) + 4,
        )
    h = (h + 6 * shift) % 6
    wave = [np.clip(np.abs(h - 3) - 1, 0, 1), np.clip(2 - np.abs(h - 2), 0, 1), np.clip(2 - np.abs(h - 4), 0, 1)]  # fmt: skip
    out = [low + (high - low) * w for w in wave]
    return np.stack(out, axis=1).astype(images.dtype)


def gaussian_noise(images, std, *, rng):
    noise = std * rng.standard_normal(images.size).reshape(images.shape)
    return np.clip(images + noise, 0.0, 1.0).astype(images.dtype)


def _blur_matrix(length, sigma, kernel_size):
    r = kernel_size // 2
    taps = np.exp(-0.5 * (np.arange(-r, r + 1) / sigma) ** 2)
    taps /= taps.sum()
    index = np.pad(np.arange(length), r, mode="reflect")
    matrix = np.zeros((length, length))
    for k in range(kernel_size):
        np.add.at(matrix, (np.arange(length), index[k : k + length]), taps[k])
    return matrix


def gaussian_blur(images, sigma, *, kernel_size):
    if not kernel_size & 1:
        raise ValueError("kernel_size must be odd")
    H, W = images.shape[2:]
    blurred = _rows(images, _blur_matrix(H, sigma, kernel_size))
    return _columns(blurred, _blur_matrix(W, sigma, kernel_size))
