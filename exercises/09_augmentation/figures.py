"""The pictures of topic 09, drawn by the student's own functions: `grader figures 09`."""

import numpy as np

from grader.figures import figure

SIZE = 32


def digit():
    """A scanned 8 x 8 digit, drawn four times as large: (1, 1, 32, 32), values in [0, 1]."""
    from sklearn.datasets import load_digits

    image = load_digits().images[34] / 16
    return np.kron(image, np.ones((4, 4)))[None, None]


def smooth_displacement(rng):
    """A displacement field of a few pixels that varies slowly: (1, SIZE, SIZE, 2)."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    field = np.zeros((1, SIZE, SIZE, 2))
    for axis in range(2):
        for kx, ky in ((1, 0), (0, 1), (1, 1), (2, 1)):
            phase, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.1)
            field[0, :, :, axis] += size * np.sin(2 * np.pi * (kx * x + ky * y) + phase)
    return field


@figure(
    "Augmentations of one digit",
    caption="One scan and what the student's functions make of it: for the label nothing changes, for the network each is a new "
    "image. Not every change is harmless for every label: a flipped digit is no digit any more, a 6 that is turned "
    "by 180 degrees is a 9. Hue needs colour, so the digit was tinted for it.",
    size=(9.5, 6.8),
)
def augmentations_of_one_digit(fig, student):
    """A grid of fifteen."""
    image = digit()
    rng = np.random.default_rng(4)
    tinted = np.concatenate([0.9 * image, 0.35 * image, 0.2 * image], axis=1)
    grid = {
        "original": image,
        "horizontal flip": student.horizontal_flip(image),
        "translate (5, -3)": student.translate(image, 5, -3),
        "crop, padding 6": student.random_crop(image, 6, rng=rng),
        "rotate 20°": student.rotate(image, 20.0),
        "rotate -35°": student.rotate(image, -35.0),
        "elastic": student.elastic_deform(image, smooth_displacement(rng)),
        "brightness 0.5": student.adjust_brightness(image, 0.5),
        "brightness 1.6": student.adjust_brightness(image, 1.6),
        "contrast 0.4": student.adjust_contrast(image, 0.4),
        "noise, std 0.2": student.gaussian_noise(image, 0.2, rng=rng),
        "blur, sigma 2": student.gaussian_blur(image, 2.0, kernel_size=9),
        "tinted": tinted,
        "hue +1/3": student.adjust_hue(tinted, 1 / 3),
        "hue -1/4": student.adjust_hue(tinted, -0.25),
    }
    axes = fig.subplots(3, 5, sharex=True, sharey=True)
    for number, (ax, (name, images)) in enumerate(zip(axes.flat, grid.items(), strict=True)):
        picture = np.clip(np.moveaxis(images[0], 0, -1), 0, 1)
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
        ax.grid(visible=False)
        ax.set(title=name, xticks=(0, SIZE - 1), yticks=(0, SIZE - 1))
        if number >= 10:
            ax.set_xlabel("x (pixels)")
        if number % 5 == 0:
            ax.set_ylabel("y (pixels)")
