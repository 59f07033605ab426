"""The checks of topic 09, data augmentation: pixels beside torch's sampling, colours beside colorsys, chance by its law."""

import colorsys
import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from scipy import stats

from grader import (
    assert_close,
    assert_raises,
    assert_true,
    cases,
    check_forward,
    check_frequency,
    check_law,
    check_rng,
    check_uncorrelated,
    given,
    points,
)
from grader.checks.strategies import laid_out

KINDS = ("integers", "normal", "offset", "tiny")
RATES = [0.5, 0.3, 0.1, 0.8]
FACTORS = [0.5, 2.0, 0.0, 1.0, 1.3, 3.7, 0.85]
SHIFTS = [0.25, -0.25, 0.1, -0.1, 0.5, -0.5, 0.0, 0.37, -0.42, 1 / 3, -1 / 6]
ANGLES = [90, 30, 180, -90, 0, 270, -17.5, 45, 360, 405.5, -725, 3.25, -270, 1000, 60.0]
HUE_TOLERANCE = 1e3
"""In float64, where the standard is very strict: a 1e-8 that keeps a division from 0 / 0 is no wrong colour."""


def picture(draw, shape):
    """Values in [0, 1]: few levels with ties, any, bright or dark ones; in the plan's dtype and memory layout."""
    kind = draw.plan.kind
    values = draw.rng.random(shape)
    if kind == "integers":
        values = np.round(4 * values) / 4
    elif kind == "offset":
        values = 0.7 + 0.3 * values
    elif kind == "tiny":
        values = 1e-3 * values
    return laid_out(values.astype(draw.dtype), draw.plan.layout)


def pictures(arguments=None, *, channels=(3, 1, 2), sides=(1, 6), batch=(1, 8), kinds=KINDS, **options):  # fmt: skip
    """Images, further arguments by position (`arguments(draw, images)` makes them), and options."""

    def build(draw):
        N, H, W = (draw.dims[name] for name in "NHW")
        images = picture(draw, (N, draw.choice(channels), H, W))
        return {"images": images, **(arguments(draw, images) if arguments else {})}

    return cases(
        build,
        options=options,
        dims={"N": batch, "H": sides, "W": sides},
        kinds=kinds,
    )


def one_of(**values):
    """An argument by position that takes the values in turn."""
    return lambda draw, _images: {name: draw.choice(found) for name, found in values.items()}


LAW = {"dtypes": ("float64",), "layouts": ("C",), "kinds": ("normal",)}


def laws(**options):
    """Cases for statistics, which bring their own images."""
    return cases(x="1", options=options, **LAW)


def is_first(case, count):
    """Whether a case is one of the first, in which samples are large; the later ones repeat the options."""
    return case.plan.index is not None and case.plan.index < count


def require_images(actual, like, what):
    """An array of that shape and dtype, all finite: said before anything about values or a law."""
    if (
        type(actual) is not np.ndarray
        or actual.shape != like.shape
        or actual.dtype != like.dtype
        or not np.isfinite(actual).all()
    ):
        assert_close(actual, np.zeros_like(like), what=what)
    return actual


def compare(function, reference, case):
    """The images of a function beside the reference's; their own magnitude is the terms', also where all leave."""
    check_forward(
        function,
        reference=reference,
        inputs=case.inputs,
        options=case.options,
        scale=float(np.max(np.abs(case.images), initial=0.0)),
    )


def flipped_of(out, images, what):
    """Which images are mirrored; each is one or the other as a whole."""
    require_images(out, images, what)
    mirrored = images[..., ::-1]
    nearer = np.abs(out - mirrored).sum(axis=(1, 2, 3)) < np.abs(out - images).sum(axis=(1, 2, 3))
    assert_close(
        out, np.where(nearer[:, None, None, None], mirrored, images), what=f"{what}, image by image"
    )
    return nearer


@points(0.5)
@given(case=pictures())
def test_horizontal_flip(student, case):
    """Left and right are exchanged, top and bottom are not."""
    compare(student.horizontal_flip, lambda images: torch.flip(images, dims=(3,)), case)


@points(0.5)
@given(case=pictures(sides=(1, 3)))
def test_horizontal_flip_edges(student, case):
    """Images of one column stay as they are, one row is mirrored, an empty batch stays empty."""
    for part in (case.images[..., :1], case.images[:, :, :1], case.images[:0]):
        out = student.horizontal_flip(part)
        assert_close(out, part[..., ::-1], what="horizontal_flip")


@points(0.5)
@given(case=pictures(one_of(p=[0.5, 0.0, 1.0, 0.3, 0.8])))
def test_random_horizontal_flip(student, case):
    """Each image is either mirrored as a whole or left as it is."""
    out = student.random_horizontal_flip(case.images, case.p, rng=case.rng())
    flipped_of(out, case.images, "random_horizontal_flip")


@points(0.5)
@given(case=pictures(batch=(4, 9), sides=(1, 4)))
def test_random_horizontal_flip_never_and_always(student, case):
    """p = 0 mirrors no image, p = 1 mirrors all."""
    for p, expected in ((0, case.images), (1, case.images[..., ::-1])):
        for rate in (p, float(p)):
            out = student.random_horizontal_flip(case.images, rate, rng=case.rng())
            assert_close(out, expected, what=f"random_horizontal_flip for p = {p}")


def check_flips(function, p, case):
    """Frequency, independence of neighbours, and the spread of the number of mirrored images over 150 batches."""
    what = "random_horizontal_flip"
    images = np.tile(np.array([0.25, 0.75]), (5000, 2, 1, 1))
    chosen = flipped_of(function(images, p, rng=case.rng()), images, what)
    check_frequency(int(chosen.sum()), chosen.size, p, what=f"images mirrored by {what}")
    for distance in (1, 2, len(images) // 2):
        check_uncorrelated(
            chosen[distance:], chosen[:-distance], what=f"images {distance} apart in {what}"
        )
    if not is_first(case, 2):
        return
    rng, batch = case.rng(1), images[:20]
    counts = [flipped_of(function(batch, p, rng=rng), batch, what).sum() for _ in range(150)]
    ratio = np.var(counts) / (20 * p * (1 - p))
    assert_true(
        0.3 < ratio < 2.2,
        f"{what} mirrors {min(counts)} to {max(counts)} of 20 images in 150 calls: variance "
        f"{np.var(counts):.3g}, but should be about {20 * p * (1 - p):.3g}.",
        "Each image is mirrored by a coin of its own, not a fixed number of them or all together.",
        aspect="law",
    )
    alone = sum(
        flipped_of(function(images[:1], p, rng=rng), images[:1], what)[0] for _ in range(60)
    )
    check_frequency(int(alone), 60, p, what=f"images mirrored by {what}, one in a batch")


@points(1, repeat=False)
@given(case=laws(p=RATES))
def test_random_horizontal_flip_rate(student, case):
    """Images are mirrored with probability p, each by a draw of its own from rng."""
    function = student.random_horizontal_flip
    rows = np.tile(np.array([0.25, 0.75]), (60, 1, 1, 1))
    if is_first(case, 4):
        check_flips(function, case.p, case)
    check_rng(
        lambda rng: require_images(function(rows, 0.5, rng=rng), rows, "random_horizontal_flip"),
        what="random_horizontal_flip",
        seed=case.seed,
    )


def shifted(images, dx, dy):
    """The definition: a frame of zeros as wide as the shift, and a window in it."""
    H, W = images.shape[2:]
    padded = F.pad(images, (abs(dx), abs(dx), abs(dy), abs(dy)))
    return padded[:, :, abs(dy) - dy :, abs(dx) - dx :][:, :, :H, :W]


def shift_inside(draw, images):
    H, W = images.shape[2:]
    return {
        "dx": draw.choice([1, -1, 0, 2, -2, W - 1, 1 - W]),
        "dy": draw.choice([-1, 0, 1, H - 1, -2, 2, 1 - H]),
    }


def shift_outside(draw, images):
    H, W = images.shape[2:]
    dx = draw.choice([W, -W, W + 1, -W - 1, W + 2, -2 * W, 3 * W + 1, -50])
    dy = draw.choice([-H, H, -H - 1, H + 1, -H - 3, 2 * H, 50, -3 * H])
    near = draw.choice([0, 1, -1])
    return draw.choice([{"dx": dx, "dy": near}, {"dx": near, "dy": dy}, {"dx": dx, "dy": dy}])


@points(1)
@given(case=pictures(shift_inside))
def test_translate(student, case):
    """Images move right by dx and down by dy, and zeros come in."""
    compare(student.translate, shifted, case)


@points(0.5)
@given(case=pictures(lambda draw, _images: draw.choice(
    [{"dx": 0, "dy": 0}, {"dx": 1, "dy": 0}, {"dx": 0, "dy": 1}, {"dx": -1, "dy": 0}, {"dx": 0, "dy": -1}]
)))  # fmt: skip
def test_translate_along_one_axis(student, case):
    """A shift by zero along an axis keeps all of it."""
    compare(student.translate, shifted, case)


@points(0.5)
@given(case=pictures(shift_outside, sides=(1, 4)))
def test_translate_beyond_the_image(student, case):
    """What is shifted by its own size or further has left: only zeros remain."""
    compare(student.translate, shifted, case)


def nearest_windows(out, images, padding):
    """Of all windows of each padded image, the one nearest to the answer."""
    N, _, H, W = images.shape
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(images, frame), (H, W), axis=(2, 3))
    windows = np.moveaxis(windows, 1, 3).reshape(N, -1, *images.shape[1:])
    distance = np.abs(windows - out[:, None]).sum(axis=(2, 3, 4))
    return windows[np.arange(N), distance.argmin(axis=1)]


@points(0.5)
@given(case=pictures(one_of(padding=[1, 2, 0, 3, 4])))
def test_random_crop(student, case):
    """Each image becomes a window of itself with a frame of zeros, of the original size."""
    out = student.random_crop(case.images, case.padding, rng=case.rng())
    require_images(out, case.images, "random_crop")
    expected = nearest_windows(out, case.images, case.padding)
    assert_close(out, expected, what="random_crop, beside the window that is nearest to it")


@points(0.5)
@given(case=pictures())
def test_random_crop_without_padding(student, case):
    """Without padding there is one window: the image."""
    out = student.random_crop(case.images, 0, rng=case.rng())
    assert_close(out, case.images, what="random_crop for padding = 0")


def corners(function, rng, count, padding):
    """The windows' corners, shape (count, 2): rows and columns in [0, 2 padding]."""
    H, W = 2 * padding + 2, 2 * padding + 3
    row, column = np.indices((H, W))
    images = np.tile(np.stack([row + 1, column + 1]) / 16, (count, 1, 1, 1))
    out = require_images(function(images, padding, rng=rng), images, "random_crop")
    found = 16 * out[:, :, padding, padding] - 1  # this pixel never shows the frame
    inside = (found >= 0) & (found <= 2 * padding) & (found == np.round(found))
    assert_true(bool(inside.all()), "random_crop cuts no window out of the padded image.")
    return found.astype(int)


@points(1, repeat=False)
@given(case=laws(padding=[1, 2]))
def test_random_crop_uniform(student, case):
    """All windows are equally likely, and each image draws its own."""
    function, padding, what = student.random_crop, case.padding, "random_crop"
    count, places = (4000 if is_first(case, 2) else 40), 2 * padding + 1
    check_rng(lambda rng: corners(function, rng, 40, padding), what=what, seed=case.seed)
    found = corners(function, case.rng(), count, padding)
    if count < 1000:
        return
    for axis, name in enumerate(("row", "column")):
        for place in range(places):
            hits = int((found[:, axis] == place).sum())
            check_frequency(hits, count, 1 / places, what=f"windows of {what} at {name} {place}")
        check_uncorrelated(found[1:, axis], found[:-1, axis], what=f"{name}s of neighbours")
    check_uncorrelated(found[:, 0], found[:, 1], what=f"rows and columns of {what}'s windows")
    cells = found @ np.array([places, 1])
    for cell in range(places**2):
        where = f"row {cell // places}, column {cell % places}"
        hits = int((cells == cell).sum())
        check_frequency(hits, count, places**-2, what=f"windows of {what} at {where}")
    half = count // 2
    for one, other in ((cells[::2], cells[1::2]), (cells[:half], cells[half:])):
        hits = int((one == other).sum())
        check_frequency(hits, half, places**-2, what=f"pairs with the same window in {what}")
    # A frame of 3 around 2 x 3 pixels: 3 of 7 rows and 5 of 7 columns show a part of the image.
    images = np.full((2000, 1, 2, 3), 0.5)
    out = require_images(function(images, 3, rng=case.rng(3)), images, what)
    seen = int(out.any(axis=(1, 2, 3)).sum())
    check_frequency(
        seen, 2000, 15 / 49, what=f"windows of {what} in a wide frame that show something"
    )


def sampled(images, grid):
    """torch's bilinear samples with zeros outside; what rounding leaves of a zero is zero."""
    out = F.grid_sample(images, grid, align_corners=False)
    return out * (out.abs() > 1e-14)


def rotated(images, degrees):
    """torch's sampling; the grid turns about the centre in pixels, as far along x as along y."""
    N, _, H, W = images.shape
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    theta = [[cosine, -sine * H / W, 0.0], [sine * W / H, cosine, 0.0]]
    grid = F.affine_grid(
        torch.tensor([theta] * N, dtype=images.dtype), list(images.shape), align_corners=False
    )
    return sampled(images, grid)


def angle(draw, _images):
    chosen = draw.choice(ANGLES)
    return {"degrees": chosen if draw.index is not None else draw.uniform(-800, 800)}


@points(1.5)
@given(case=pictures(angle, sides=(1, 7), batch=(1, 4)))
def test_rotate(student, case):
    """Images turn counter-clockwise about their centre, bilinear, with zeros outside."""
    compare(student.rotate, rotated, case)


@points(0.5)
@given(case=pictures(one_of(degrees=[90, 180, 0, 270, -90, 360, -180]), sides=(2, 5)))
def test_rotate_quarter_turns(student, case):
    """Quarter turns of square images move pixels, half turns do so in any image."""
    side = min(case.images.shape[2:])
    square = case.images[:, :, :side, :side]
    quarters = case.degrees // 90
    scale = float(np.max(np.abs(case.images), initial=0.0))
    assert_close(
        student.rotate(square, case.degrees),
        np.rot90(square, quarters, axes=(2, 3)),
        what=f"rotate by {case.degrees} degrees",
        scale=scale,
    )
    assert_close(
        student.rotate(case.images, 180.0),
        case.images[:, :, ::-1, ::-1],
        what="rotate by 180 degrees",
        scale=scale,
    )


@points(0.5)
@given(case=pictures(one_of(degrees=[10.0, -5.0, 2.5, 370.0, -352.0]), sides=(2, 6), kinds=("offset",)))  # fmt: skip
def test_rotate_fades_at_the_border(student, case):
    """Small angles: what is partly outside fades out, it is not cut off, repeated or reflected."""
    compare(student.rotate, rotated, case)


def deformed(images, displacement):
    """torch's sampling, in its coordinates: -1 and 1 are the image's outer edges."""
    H, W = images.shape[2:]
    columns = torch.arange(W, dtype=images.dtype) + displacement[..., 0]
    rows = torch.arange(H, dtype=images.dtype)[:, None] + displacement[..., 1]
    grid = torch.stack([(2 * columns + 1) / W - 1, (2 * rows + 1) / H - 1], dim=-1)
    return sampled(images, grid)


def displaced(*fields):
    """A field of displacements, of one of the given kinds in turn."""

    def argument(draw, images):
        N, _, H, W = images.shape
        kind, shape = draw.choice(fields), (N, H, W, 2)
        if kind == "whole":
            values = draw.rng.integers(-3, 4, size=shape).astype(float)
        elif kind == "zero":
            values = np.zeros(shape)
        elif kind == "far":
            values = draw.rng.choice([-1e4, -20.5, -1.0, 0.5, 1.0, 20.0, 1e4], size=shape)
        else:
            values = {"small": 0.4, "medium": 1.5, "large": 6.0}[kind] * draw.rng.normal(size=shape)
        return {"displacement": laid_out(values.astype(images.dtype), draw.plan.layout)}

    return argument


@points(1)
@given(case=pictures(displaced("medium", "small", "large"), batch=(1, 4)))
def test_elastic_deform(student, case):
    """Each pixel is read, bilinearly, from where its own displacement points."""
    compare(student.elastic_deform, deformed, case)


@points(0.5)
@given(case=pictures(displaced("whole", "zero", "whole"), batch=(1, 4)))
def test_elastic_deform_whole_pixels(student, case):
    """Whole displacements move pixels as they are; a field of zeros changes nothing."""
    compare(student.elastic_deform, deformed, case)


@points(0.5)
@given(case=pictures(displaced("far", "large"), batch=(1, 4), sides=(1, 4)))
def test_elastic_deform_outside(student, case):
    """What points outside reads zero, on every side and however far; an empty batch stays empty."""
    compare(student.elastic_deform, deformed, case)
    none = student.elastic_deform(case.images[:0], case.displacement[:0])
    assert_close(none, case.images[:0], what="elastic_deform of an empty batch")


def check_negative_factor(function, images):
    for factor in (-0.1, -1, -1e-6):
        assert_raises(
            ValueError, function, images, factor, because=f"factor = {factor} is negative"
        )


@points(0.5)
@given(case=pictures(one_of(factor=FACTORS)))
def test_adjust_brightness(student, case):
    """Values are multiplied by the factor and end at 1."""
    compare(
        student.adjust_brightness,
        lambda images, factor: (factor * images).clamp(0, 1),
        case,
    )


@points(0.5)
@given(case=pictures(sides=(1, 3)))
def test_adjust_brightness_edges(student, case):
    """A negative factor raises ValueError; 0 gives black, 1 changes nothing, a large one gives white."""
    function = student.adjust_brightness
    check_negative_factor(function, case.images)
    assert_close(function(case.images, 0), 0 * case.images, what="adjust_brightness for factor = 0")
    assert_close(function(case.images, 1), case.images, what="adjust_brightness for factor = 1")
    assert_close(
        function(case.images, 1e9),
        np.minimum(case.images.astype(np.float64) * 1e9, 1),
        what="adjust_brightness for factor = 1e9",
        dtype=case.dtype,
    )


def contrasted(images, factor):
    """The definition: a blend with the mean grey of each image."""
    weights = [0.299, 0.587, 0.114] if images.shape[1] == 3 else [1.0]
    grey = torch.einsum("nchw,c->nhw", images, torch.tensor(weights, dtype=images.dtype))
    mean = grey.mean(dim=(1, 2))[:, None, None, None]
    return (factor * images + (1 - factor) * mean).clamp(0, 1)


@points(1)
@given(case=pictures(one_of(factor=FACTORS), channels=(3, 1, 3)))
def test_adjust_contrast(student, case):
    """Values move away from the mean grey of their image, or towards it, and end at 0 and 1."""
    compare(student.adjust_contrast, contrasted, case)


@points(0.5)
@given(case=pictures(channels=(3, 1), sides=(1, 4)))
def test_adjust_contrast_edges(student, case):
    """A negative factor raises ValueError; 0 gives the mean grey, 1 changes nothing; flat grey stays."""
    function = student.adjust_contrast
    check_negative_factor(function, case.images)
    for factor, images in ((0, case.images), (1, case.images), (2.5, case.images * 0)):
        check_forward(
            function, reference=contrasted, inputs={"images": images, "factor": factor}, scale=1.0
        )


def turned(images, shift):
    """The definition: colorsys, pixel by pixel."""
    pixels = np.moveaxis(images.astype(np.float64), 1, -1).reshape(-1, 3).tolist()
    out = []
    for pixel in pixels:
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        out.append(colorsys.hsv_to_rgb((hue + shift) % 1, saturation, value))
    N, _, H, W = images.shape
    return np.moveaxis(np.array(out).reshape(N, H, W, 3), -1, 1)


def compare_hue(function, images, shift, expected=None):
    assert_close(
        function(images, shift),
        turned(images, shift) if expected is None else expected,
        what=f"adjust_hue by {shift:.4g}",
        dtype=images.dtype,
        scale=1.0 if images.dtype == np.float64 else None,
        tolerance=HUE_TOLERANCE if images.dtype == np.float64 else 1.0,
    )


@points(1)
@given(case=pictures(one_of(shift=SHIFTS), channels=(3,), sides=(1, 5), kinds=KINDS[:3]))
def test_adjust_hue(student, case):
    """The hue of each pixel turns, its saturation and value stay."""
    compare_hue(student.adjust_hue, case.images, case.shift)


@points(0.5)
@given(case=pictures(one_of(shift=SHIFTS), channels=(3,), sides=(1, 4), kinds=KINDS[:3]))
def test_adjust_hue_of_grey(student, case):
    """Grey, black and white pixels have no hue: they stay, also beside coloured ones."""
    images = case.images.copy()
    images[:, :, ::2] = images[:, :1, ::2]
    images[:, :, :, ::3] = 0
    images[:, :, -1:, -1:] = 1
    compare_hue(student.adjust_hue, images, case.shift)
    grey = np.repeat(case.images[:, :1], 3, axis=1)
    compare_hue(student.adjust_hue, grey, case.shift, grey)


@points(0.5)
@given(case=pictures(channels=(3,), sides=(1, 4), kinds=KINDS[:3]))
def test_adjust_hue_by_thirds(student, case):
    """A third of a turn exchanges the channels; half a turn is the same both ways; 0 changes nothing."""
    function, images = student.adjust_hue, case.images
    compare_hue(function, images, 0, images)
    compare_hue(function, images, 1 / 3, images[:, [2, 0, 1]])
    compare_hue(function, images, -1 / 3, images[:, [1, 2, 0]])
    for shift in (0.5, -0.5):
        compare_hue(function, images, shift, turned(images, 0.5))


@points(0.5)
@given(case=pictures(one_of(std=[0.1, 0.0, 0.5, 0.02, 2.0])))
def test_gaussian_noise(student, case):
    """Noisy images keep shape and dtype and stay in [0, 1]; without noise nothing changes."""
    out = student.gaussian_noise(case.images, case.std, rng=case.rng())
    require_images(out, case.images, "gaussian_noise")
    assert_true(
        bool(((out >= 0) & (out <= 1)).all()), "gaussian_noise returns values outside [0, 1]."
    )
    out = student.gaussian_noise(case.images, 0, rng=case.rng())
    assert_close(out, case.images, what="gaussian_noise for std = 0")


@points(1, repeat=False)
@given(case=laws(std=[0.04, 0.01]))
def test_gaussian_noise_law(student, case):
    """The noise is normal with standard deviation std; each pixel, channel and image has its own."""
    function, what = student.gaussian_noise, "the noise of gaussian_noise"
    small = np.full((2, 3, 4, 5), 0.5)
    check_rng(
        lambda rng: require_images(function(small, case.std, rng=rng), small, "gaussian_noise"),
        what="gaussian_noise",
        seed=case.seed,
    )
    if not is_first(case, 2):
        return
    # 0.04 is ten standard deviations away from 0 and 1: nothing is clipped.
    images = 0.4 + 0.2 * case.rng(5).random((26, 3, 18, 19))
    if case.plan.index == 1:
        images = images.astype(np.float32)
    out = require_images(function(images, case.std, rng=case.rng()), images, "gaussian_noise")
    noise = (out.astype(np.float64) - images) / case.std
    for axis, name in enumerate(("images", "channels", "rows", "columns")):
        along = np.moveaxis(noise, axis, 0)
        check_uncorrelated(along[1:], along[:-1], what=f"neighbouring {name} of {what}")
    check_uncorrelated(noise, images, what="noise and image")
    if images.dtype == np.float64:
        assert_true(
            len(np.unique(np.round(np.abs(noise), 11))) > 0.99 * noise.size,
            "gaussian_noise uses draws several times: each value of each image has a draw of its own.",
            aspect="law",
        )
    check_law(noise.ravel(), stats.norm(), what=f"{what}, divided by std,")
    beyond = int((np.abs(noise) > 3).sum())
    share = float(2 * stats.norm.sf(3))
    check_frequency(beyond, noise.size, share, what="draws of noise beyond three std")


@points(0.5, repeat=False)
@given(case=laws(std=[0.1, 0.5]))
def test_gaussian_noise_clipped(student, case):
    """What leaves [0, 1] ends at 0 or 1: no draw is repeated, folded or wrapped."""
    function, std = student.gaussian_noise, case.std
    if not is_first(case, 2):
        images = np.tile(np.array([0.0, 1.0]), (2, 3, 4, 2))
        out = require_images(function(images, std, rng=case.rng()), images, "gaussian_noise")
        assert_true(bool((out >= 0).all() and (out <= 1).all()), "The values leave [0, 1].")
        return
    for level in (0.0, 1.0, 0.15, 0.9):
        images = np.full((10, 3, 16, 20), level)
        out = require_images(
            function(images, std, rng=case.rng(int(100 * level))), images, "gaussian_noise"
        )
        law = stats.norm(level, std)
        for end, share in ((0, law.cdf(0)), (1, law.sf(1))):
            where = f"values of gaussian_noise at {end}, of images of {level:g} with std {std:g},"
            check_frequency(int((out == end).sum()), out.size, float(share), what=where)
        inside = out[(out > 0) & (out < 1)]
        between = stats.truncnorm((0 - level) / std, (1 - level) / std, level, std)
        check_law(inside, between, what="values of gaussian_noise between 0 and 1")


def blurred(images, sigma, *, kernel_size):
    """torch's convolution of each channel with the whole kernel, on reflected borders."""
    radius = kernel_size // 2
    offsets = torch.arange(-radius, radius + 1, dtype=images.dtype)
    bell = torch.exp(-(offsets**2) / (2 * float(sigma) ** 2))
    kernel = torch.outer(bell, bell) / bell.sum() ** 2
    padded = F.pad(images, (radius, radius, radius, radius), mode="reflect")
    return F.conv2d(padded.flatten(0, 1)[:, None], kernel[None, None])[:, 0].reshape(images.shape)


@points(1)
@given(
    case=pictures(
        one_of(sigma=[1.0, 0.5, 2.0, 0.8, 5.0, 0.3]), sides=(4, 8), batch=(1, 4), kernel_size=[3, 5, 7, 1]
    )
)  # fmt: skip
def test_gaussian_blur(student, case):
    """Each value becomes the Gaussian mean of its surroundings, in its own channel, with reflected borders."""
    compare(student.gaussian_blur, blurred, case)


@points(0.5)
@given(case=pictures(one_of(sigma=[0.7, 3.0, 100.0]), sides=(3, 5), kernel_size=[3, 1, 5]))
def test_gaussian_blur_edges(student, case):
    """Flat images stay, a kernel of one pixel changes nothing; an empty batch stays empty."""
    function = student.gaussian_blur
    flat = np.full_like(case.images, 0.75)
    out = function(flat, case.sigma, kernel_size=case.kernel_size)
    assert_close(out, flat, what="gaussian_blur of a flat image")
    out = function(case.images, case.sigma, kernel_size=1)
    assert_close(out, case.images, what="gaussian_blur for kernel_size = 1")
    none = case.images[:0]
    out = function(none, case.sigma, kernel_size=case.kernel_size)
    assert_close(out, none, what="gaussian_blur of an empty batch")
    image = case.images[:, :, :3, : case.images.shape[3]]
    check_forward(
        function,
        reference=blurred,
        inputs={"images": image, "sigma": case.sigma},
        options={"kernel_size": 5},
    )


@points(0.5)
@given(case=pictures(one_of(sigma=[1.0, 0.5]), sides=(5, 7)))
def test_gaussian_blur_refuses_an_even_kernel(student, case):
    """An even kernel_size raises ValueError, an odd one does not."""
    for kernel_size in (2, 4, 6, 8):
        assert_raises(
            ValueError,
            student.gaussian_blur,
            case.images,
            case.sigma,
            kernel_size=kernel_size,
            because=f"kernel_size = {kernel_size} is even",
        )
    for kernel_size in (3, 7):
        out = student.gaussian_blur(case.images, case.sigma, kernel_size=kernel_size)
        require_images(out, case.images, "gaussian_blur")
