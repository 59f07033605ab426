"""torch's own functions, seeded from rng: flip, pad, grid_sample, conv2d."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def seeded(rng):
    torch.manual_seed(int(rng.integers(2**63 - 1)))


def tensor(array):
    return torch.from_numpy(np.array(array, order="C"))


def horizontal_flip(images):
    return torch.flip(tensor(images), dims=(3,)).numpy()


def random_horizontal_flip(images, p, *, rng):
    seeded(rng)
    x = tensor(images)
    coin = torch.rand(len(x), 1, 1, 1, dtype=torch.float64) < p
    return torch.where(coin, x.flip(3), x).numpy()


def translate(images, dx, dy):
    H, W = images.shape[2:]
    dx, dy = max(-W, min(dx, W)), max(-H, min(dy, H))
    return F.pad(tensor(images), (dx, -dx, dy, -dy)).numpy()


def random_crop(images, padding, *, rng):
    seeded(rng)
    H, W = images.shape[2:]
    padded = F.pad(tensor(images), (padding,) * 4)
    crops = []
    for image in padded:
        top, left = torch.randint(0, 2 * padding + 1, size=(2,)).tolist()
        crops.append(image[:, top : top + H, left : left + W])
    return torch.stack(crops).numpy()


def rotate(images, degrees):
    x = tensor(images)
    N, C, H, W = x.shape
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    theta = torch.tensor([[[c, -s * H / W, 0], [s * W / H, c, 0]]], dtype=x.dtype).expand(N, 2, 3)
    grid = F.affine_grid(theta, [N, C, H, W], align_corners=False)
    return F.grid_sample(x, grid, align_corners=False).numpy()


def elastic_deform(images, displacement):
    x, d = tensor(images), tensor(displacement)
    H, W = x.shape[2:]
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    place = torch.stack([columns, rows], dim=-1) + d
    size = torch.tensor([W, H], dtype=x.dtype)
    return F.grid_sample(x, (2 * place + 1) / size - 1, align_corners=False).numpy()


def adjust_brightness(images, factor):
    if factor < 0:
        raise ValueError(f"brightness factor ({factor}) is not non-negative")
    return torch.clamp(tensor(images) * factor, 0, 1).numpy()


def adjust_contrast(images, factor):
    if factor < 0:
        raise ValueError(f"contrast factor ({factor}) is not non-negative")
    x = tensor(images)
    grey = x
    if x.shape[1] == 3:
        r, g, b = x.unbind(1)
        grey = (0.299 * r + 0.587 * g + 0.114 * b).unsqueeze(1)
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean.expand_as(x), x, float(factor)).clamp(0, 1).numpy()


def adjust_hue(images, shift):
    x = tensor(images)
    r, g, b = x.unbind(1)
    maximum, minimum = x.amax(1), x.amin(1)
    delta = maximum - minimum
    grey = delta == 0
    delta = torch.where(grey, torch.ones_like(delta), delta)
    rc, gc, bc = (maximum - r) / delta, (maximum - g) / delta, (maximum - b) / delta
    h = torch.where(maximum == r, bc - gc, torch.where(maximum == g, 2 + rc - bc, 4 + gc - rc))
    s = torch.where(grey, 0.0, delta / torch.where(maximum == 0, torch.ones_like(maximum), maximum))
    h = torch.remainder(h / 6 + shift, 1.0)
    i = torch.floor(6 * h)
    f = 6 * h - i
    v = maximum
    p, q, t = v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))
    i = i.to(torch.int64) % 6
    table = torch.stack(
        [
            torch.stack([v, q, p, p, t, v]),
            torch.stack([t, v, v, q, p, p]),
            torch.stack([p, p, t, v, v, q]),
        ]
    )
    out = torch.gather(table, 1, i.expand(3, 1, *i.shape))[:, 0]
    return out.transpose(0, 1).contiguous().numpy()


def gaussian_noise(images, std, *, rng):
    seeded(rng)
    x = tensor(images)
    return (x + std * torch.randn_like(x)).clamp(0, 1).numpy()


def gaussian_blur(images, sigma, *, kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size ({kernel_size}) must be odd")
    x = tensor(images)
    C, r = x.shape[1], kernel_size // 2
    steps = torch.linspace(-r, r, kernel_size, dtype=x.dtype)
    weights = torch.exp(-0.5 * (steps / sigma) ** 2)
    weights = weights / weights.sum()
    kernel = (weights[:, None] * weights).expand(C, 1, kernel_size, kernel_size)
    return F.conv2d(F.pad(x, (r, r, r, r), mode="reflect"), kernel, groups=C).numpy()
