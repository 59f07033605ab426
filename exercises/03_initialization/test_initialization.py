"""The checks of topic 03, initialization: random weights judged by their law, beside torch.nn.init's formulas."""

import math

import numpy as np
import torch
from scipy import stats
from torch.nn import init

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
    to_tensor,
    unpack,
)

GAINS = [1.0, 5 / 3, 0.5, 3.0, math.sqrt(2), 0.2]
MODES = ["fan_in", "fan_out"]
NONLINEARITIES = ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
RULES = [
    {},
    {"a": 2.0},
    {"nonlinearity": "tanh"},
    {"a": -0.7},
    {"a": 2.0, "nonlinearity": "relu"},
    {"a": 0.5, "nonlinearity": "leaky_relu"},
    {"nonlinearity": "selu"},
    {"a": math.sqrt(5)},
    {"nonlinearity": "linear"},
    {"a": -1.5, "nonlinearity": "leaky_relu"},
    {"nonlinearity": "leaky_relu"},
    {"nonlinearity": "sigmoid"},
    {"a": 1.5, "nonlinearity": "tanh"},
    {"a": 3},
    {"nonlinearity": "relu"},
    {"a": 1.0, "nonlinearity": "selu"},
    {"a": 0.0},
    {"a": 2.5, "nonlinearity": "linear"},
]
"""Options of Kaiming's laws, all of them met, with and without defaults."""
INDEPENDENT = "Every element is a draw of its own."
INF = math.inf
NARROW = {"kinds": ("normal",), "layouts": ("C",), "dtypes": ("float64",)}
"""For cases without arrays: half as many."""


def meta(shape):
    """A tensor that has a shape and no elements, which is all that torch's formulas look at."""
    return torch.empty(shape, device="meta")


def weight_shape(draw):
    """(out, in) or (out, in, *kernel), never nearly square, of 80 to about 8,000 elements."""
    kernel = tuple(int(k) for k in draw.rng.integers(1, 5, size=draw.choice([0, 2, 1, 3])))
    small = int(draw.rng.integers(3, 10))
    room = 8000 // (small * math.prod(kernel))
    large = int(draw.rng.integers(max(2 * small, 27), max(2 * small + 1, 28, min(150, room)) + 1))
    return (*draw.choice([(small, large), (large, small)]), *kernel)


def gains(draw):
    """A gain, or none at all."""
    if draw.index is None:
        return draw.choice([{}, {"gain": draw.uniform(0.1, 4)}])
    return draw.choice([{}, *({"gain": gain} for gain in GAINS)])


def rules(draw):
    """Options of Kaiming's laws."""
    rule = draw.choice(RULES)
    if draw.index is None and draw.rng.random() < 0.3:
        rule = {"a": draw.uniform(-3, 3)}
    return {**rule, **draw.choice([{}, *({"mode": mode} for mode in MODES)])}


def weights(options, shape=weight_shape, **limits):
    """A shape and the options that a call names; the others are left out."""
    return cases(
        lambda draw: {"shape": shape(draw), **options(draw)},
        options_of=("gain", "a", "mode", "nonlinearity"),
        **limits,
    )


FEW = [(5, 8), (8, 5), (4, 3, 2, 2), (3, 4, 5), (2, 3, 3, 2, 2), (40, 1)]
"""Shapes of answers that are drawn often."""


def few(draw):
    return draw.choice(FEW)


def drawn(function, shape, rng, *, calls, **options):
    """The answers of several calls with one generator, shape (calls, *shape); type, shape and dtype are said first."""
    found = []
    for _ in range(calls):
        value = function(shape, rng, **options)
        if type(value) is not np.ndarray or value.shape != shape or value.dtype != np.float64:
            assert_close(value, np.zeros(shape), what=f"the answer of {function.__name__}")
        found.append(value)
    sample = np.stack(found)
    assert_true(
        bool(np.isfinite(sample).all()),
        f"The answer of {function.__name__} has elements that are NaN or infinite.",
        aspect="finite",
    )
    return sample


def pooled(case, function, options):
    """A few thousand draws: two calls where the shape is large, more where it is small."""
    size, most = (4000, 10) if case.plan.index is not None else (2000, 3)
    calls = min(most, max(2, size // math.prod(case.shape)))
    return drawn(function, case.shape, case.rng(), calls=calls, **options)


def check_independent(sample, what):
    """No two slices along any axis go together, nor do neighbours; an axis of `sample` is that of the calls."""
    for axis in range(sample.ndim):
        slices = np.moveaxis(sample, axis, 0).reshape(sample.shape[axis], -1)
        if len(slices) > 40:
            slices = np.concatenate([slices[:20], slices[-20:]])
        if len(slices) < 2 or slices.shape[1] < 100:
            continue
        together = np.abs(np.corrcoef(slices))
        np.fill_diagonal(together, 0)
        # 8 standard errors; with 100 pairs or more, t is 12 and the tail far below 1e-10.
        assert_true(
            bool((together * math.sqrt(slices.shape[1]) < 8).all()),
            f"Slices of {what} repeat each other (correlation {together.max():.2f}).",
            INDEPENDENT,
            aspect="law",
        )
    flat = sample.reshape(len(sample), -1)
    for lag in {1, flat.shape[1] // 2}:
        check_uncorrelated(flat[:, lag:], flat[:, :-lag], what=f"elements of {what} {lag} apart")


def check_sums_vary(sample, what, *, variance, kurtosis):
    """Mean, mean square and maximum of small answers are random, as those of independent draws are."""
    answers = sample.reshape(len(sample), -1)
    assert_true(
        len(np.unique(np.abs(answers).max(axis=1))) > len(answers) // 2,
        f"The largest of all {what} is often the same one.",
        f"{INDEPENDENT} Nothing may be centred or rescaled afterwards.",
        aspect="law",
    )
    size = answers.shape[1]
    means = answers.mean(axis=1).var() * size / variance
    squares = (answers**2).mean(axis=1).var() * size / (variance**2 * (kurtosis + 2))
    # Right answers have ratios of 1, give or take 0.3; those of 80 calls never come below 0.1.
    for ratio, name in ((means, "mean"), (squares, "mean square")):
        assert_true(
            ratio > 0.1,
            f"The {name} of all {what} hardly varies between calls: {ratio:.2g} of what it should.",
            f"{INDEPENDENT} Nothing may be centred or rescaled afterwards.",
            aspect="law",
        )


def check_normal(values, std, what):
    """Normal law with mean 0, and its tails."""
    check_law(values, stats.norm(scale=std), what=what)
    for edge in (2.0, 2.6):
        beyond = int((np.abs(values) > edge * std).sum())
        p = 2 * float(stats.norm.sf(edge))
        check_frequency(beyond, values.size, p, what=f"{what} beyond {edge:g} std")


def check_uniform(values, std, what):
    """Uniform law with mean 0."""
    bound = math.sqrt(3) * std
    check_law(values, stats.uniform(-bound, 2 * bound), what=what)


def check_initializer(case, function, std, check, *, kurtosis):
    """The law of a weight initializer whose standard deviation is `std(shape)`."""
    options, what = case.options, f"values of {function.__name__}"
    sample = pooled(case, function, options)
    check(sample.ravel(), std(case.shape), what)
    check_independent(sample, what)
    if case.plan.index in (0, 5):
        shape = (60, 200) if case.plan.index else (200, 10, 3, 4)
        sample = drawn(function, shape, case.rng(1), calls=1, **options)
        check(sample.ravel(), std(shape), what)
    if case.plan.index == 3:
        square = drawn(function, (40, 40), case.rng(4), calls=1, **options)[0]
        above, below = square[np.triu_indices(40, 1)], square.T[np.triu_indices(40, 1)]
        check_uncorrelated(above, below, what=f"mirrored elements of square {what}")
    if case.plan.index in (1, 2):
        shape, what = (2, 3), f"{what} for shape (2, 3)"
        sample = drawn(function, shape, case.rng(2), calls=80, **options)
        check(sample.ravel(), std(shape), what)
        check_sums_vary(sample, what, variance=std(shape) ** 2, kurtosis=kurtosis)


def check_draws_from_rng(case, function):
    """The generator decides, and goes on; the answer is another one for another generator."""
    options = case.options
    check_rng(
        lambda rng: drawn(function, case.shape, rng, calls=1, **options),
        what=function.__name__,
        seed=case.seed,
    )


@points(1)
@given(
    case=cases(
        lambda draw: {
            "shape": tuple(draw.integer(1, 9) for _ in range(draw.choice([2, 4, 3, 5, 2, 4])))
        },
        **NARROW,
    )
)
def test_fan_in_and_fan_out(student, case):
    """Fan in counts inputs times kernel size, fan out counts outputs times kernel size."""
    name = "fan_in_and_fan_out"
    fans = unpack(student.fan_in_and_fan_out(case.shape), "fan_in", "fan_out", what=name)
    expected = init._calculate_fan_in_and_fan_out(meta(case.shape))
    for which, fan, wanted in zip(("fan_in", "fan_out"), fans, expected, strict=True):
        assert_close(fan, wanted, what=which)


@points(0.5)
@given(case=cases(lambda draw: {"length": draw.integer(1, 9)}, **NARROW))
def test_fan_in_and_fan_out_refuses_vectors(student, case):
    """A shape with fewer than 2 dimensions raises ValueError; one with 2 does not."""
    for shape in ((case.length,), ()):
        assert_raises(
            ValueError,
            student.fan_in_and_fan_out,
            shape,
            because=f"shape {shape} has fewer than 2 dimensions",
        )
    fans = student.fan_in_and_fan_out((case.length, 4))
    fans = unpack(fans, "fan_in", "fan_out", what="fan_in_and_fan_out")
    assert_close(fans[0], 4, what="fan_in")


@points(1)
@given(
    case=cases(
        lambda draw: {"slope": draw.uniform(-3, 3), "whole": draw.integer(-3, 3)},
        options={"nonlinearity": NONLINEARITIES},
        **NARROW,
    )
)
def test_gain(student, case):
    """The gain is the nonlinearity's own; leaky relu's depends on its slope, and only that one."""
    name = case.nonlinearity
    assert_close(student.gain(name), init.calculate_gain(name), what=f"gain({name!r})")
    for slope in (case.slope, 0.0, 0, case.whole, 1.0):
        what = f"gain({name!r}, {slope})"
        assert_close(student.gain(name, slope), init.calculate_gain(name, slope), what=what)
    assert_close(
        student.gain(name, param=case.slope),
        init.calculate_gain(name, case.slope),
        what=f"gain({name!r}, param={case.slope})",
    )


@points(0.5)
@given(
    case=cases(
        lambda draw: {"slope": draw.uniform(-3, 3)},
        options={"nonlinearity": ["gelu", "swish", "elu", "leaky", "softmax", "", "tan"]},
        **NARROW,
    )
)
def test_gain_refuses_unknown_names(student, case):
    """A nonlinearity that is not in the table raises ValueError, with and without a parameter."""
    because = f"nonlinearity {case.nonlinearity!r} is unknown"
    assert_raises(ValueError, student.gain, case.nonlinearity, because=because)
    assert_raises(ValueError, student.gain, case.nonlinearity, case.slope, because=because)
    assert_close(student.gain("relu"), math.sqrt(2), what="gain('relu')")


def xavier_std(gain=1.0):
    """The standard deviation by shape."""

    def std(shape):
        fan_in, fan_out = init._calculate_fan_in_and_fan_out(meta(shape))
        return gain * math.sqrt(2 / (fan_in + fan_out))

    return std


@points(1.5, repeat=False)
@given(case=weights(gains, **NARROW))
def test_xavier_uniform(student, case):
    """Independent uniform draws with variance 2 gain^2 / (fan_in + fan_out)."""
    std = xavier_std(**case.options)
    check_initializer(case, student.xavier_uniform, std, check_uniform, kurtosis=-1.2)


@points(0.5)
@given(case=weights(gains, few, **NARROW))
def test_xavier_uniform_draws_from_rng(student, case):
    """Xavier's uniform weights are float64, have the shape that was asked for, and come from rng alone."""
    check_draws_from_rng(case, student.xavier_uniform)


@points(1.5, repeat=False)
@given(case=weights(gains, **NARROW))
def test_xavier_normal(student, case):
    """Independent normal draws with variance 2 gain^2 / (fan_in + fan_out)."""
    check_initializer(
        case, student.xavier_normal, xavier_std(**case.options), check_normal, kurtosis=0.0
    )


@points(0.5)
@given(case=weights(gains, few, **NARROW))
def test_xavier_normal_draws_from_rng(student, case):
    """Xavier's normal weights are float64, have the shape that was asked for, and come from rng alone."""
    check_draws_from_rng(case, student.xavier_normal)


def kaiming_std(a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    """The standard deviation by shape."""

    def std(shape):
        fan = init._calculate_correct_fan(meta(shape), mode)
        return init.calculate_gain(nonlinearity, a) / math.sqrt(fan)

    return std


@points(1.5, repeat=False)
@given(case=weights(rules))
def test_kaiming_uniform(student, case):
    """Independent uniform draws with variance gain^2 / fan, for each mode, nonlinearity and slope."""
    std = kaiming_std(**case.options)
    check_initializer(case, student.kaiming_uniform, std, check_uniform, kurtosis=-1.2)


@points(0.5)
@given(case=weights(rules, few, **NARROW))
def test_kaiming_uniform_draws_from_rng(student, case):
    """Kaiming's uniform weights are float64 and come from rng alone; an unknown mode raises ValueError."""
    check_draws_from_rng(case, student.kaiming_uniform)
    refuse_modes(student.kaiming_uniform, case)


@points(1.5, repeat=False)
@given(case=weights(rules))
def test_kaiming_normal(student, case):
    """Independent normal draws with variance gain^2 / fan, for each mode, nonlinearity and slope."""
    std = kaiming_std(**case.options)
    check_initializer(case, student.kaiming_normal, std, check_normal, kurtosis=0.0)


@points(0.5)
@given(case=weights(rules, few, **NARROW))
def test_kaiming_normal_draws_from_rng(student, case):
    """Kaiming's normal weights are float64 and come from rng alone; an unknown mode raises ValueError."""
    check_draws_from_rng(case, student.kaiming_normal)
    refuse_modes(student.kaiming_normal, case)


def refuse_modes(function, case):
    for mode in ("fan_avg", ("fan", "in", "", "fan_in_and_fan_out")[case.seed % 4]):
        assert_raises(
            ValueError,
            function,
            case.shape,
            case.rng(),
            **{**case.options, "mode": mode},
            because=f"mode {mode!r} is neither 'fan_in' nor 'fan_out'",
        )


def matrix_shape(draw):
    """Wide, tall and square matrices and kernels, flattened at most 30 long."""
    rows, columns = draw.integer(1, 5), draw.integer(1, 6)
    kernel = (draw.integer(1, 2), draw.integer(1, 3))
    return draw.choice(
        [
            (rows, rows + columns),
            (rows + columns, rows),
            (rows, rows),
            (rows, columns, *kernel),
            (rows * columns, rows, 1, 1),
            (4, 2, 2),
            (12, 2, 2, 1),
            (rows * 2, columns),
        ]
    )


@points(1)
@given(case=weights(gains, matrix_shape, **NARROW))
def test_orthogonal(student, case):
    """Flattened to (shape[0], -1), rows or columns are orthonormal times gain."""
    weight = drawn(student.orthogonal, case.shape, case.rng(), calls=1, **case.options)
    flat = weight.reshape(case.shape[0], -1)
    wide = flat.shape[0] <= flat.shape[1]
    gram = flat @ flat.T if wide else flat.T @ flat
    square = case.options.get("gain", 1.0) ** 2
    # What Gram and Schmidt lose to rounding is right too, hence the scale: 1e-6 of gain^2.
    assert_close(
        gram,
        square * np.eye(len(gram)),
        what=f"{'W W^T' if wide else 'W^T W'} of orthogonal, flattened to {flat.shape},",
        scale=1e4 * square,
    )


SMALL = [(2, 2), (3, 3), (3, 2), (2, 3), (1, 1), (4, 4), (2, 2, 1, 2), (4, 1, 3)]
LARGE = [(45, 45), (60, 45), (45, 60), (50, 5, 3, 4), (72, 50, 1, 1), (44, 44, 1, 1)]


def is_small(case):
    """The first edge cases are small shapes, each of them once; all others are large."""
    return case.plan.index is not None and case.plan.index < len(SMALL)


def small_and_large(draw):
    if draw.index is not None and draw.index < len(SMALL):
        return draw.choice(SMALL)
    return draw.choice(LARGE)


@points(1, repeat=False)
@given(case=weights(gains, small_and_large, **NARROW))
def test_orthogonal_prefers_no_direction(student, case):
    """The Haar law: signs, angles and mirror images are equally likely, whatever the directions."""
    calls = 110 if is_small(case) else 1
    sample = drawn(student.orthogonal, case.shape, case.rng(), calls=calls, **case.options)
    sample = sample.reshape(calls, case.shape[0], -1)
    if is_small(case):
        check_small_haar(sample / case.options.get("gain", 1.0), case)
        return
    # Flipping rows or columns of a Haar matrix leaves its law: of one value in each, all signs are independent.
    count = min(sample.shape[1:])
    for start in (0, case.seed % count):
        first, second = np.arange(count), np.roll(np.arange(count), start)
        positive = int((sample[0, first, second] > 0).sum())
        what = f"positive values on the diagonal of orthogonal, shape {case.shape}"
        check_frequency(positive, count, 0.5, what=what)


def check_small_haar(sample, case):
    """Many small matrices, shape (calls, rows, columns): signs, determinants, projections, independence."""
    calls, rows, columns = sample.shape
    for i, j in np.ndindex(rows, columns):
        check_frequency(
            int((sample[:, i, j] > 0).sum()),
            calls,
            0.5,
            what=f"positive values at [{i}, {j}] of orthogonal, shape {case.shape}",
        )
    if rows == columns:
        positive = int((np.linalg.det(sample) > 0).sum())
        check_frequency(positive, calls, 0.5, what="positive determinants of orthogonal")
    length = max(rows, columns)
    if length == 1:
        return
    directions = np.random.default_rng(case.seed)
    law = stats.beta((length - 1) / 2, (length - 1) / 2, loc=-1, scale=2)
    for number in range(4):
        u, v = directions.standard_normal(rows), directions.standard_normal(columns)
        if number < 2:
            u, v = np.eye(rows)[-number], np.eye(columns)[-number]
        values = np.einsum("cij,i,j->c", sample, u, v)
        values /= np.linalg.norm(u) * np.linalg.norm(v)
        check_law(values, law, what="projections of orthogonal on a direction")
        # 110 pairs: 8 standard errors are a correlation of 0.76, with a tail below 1e-20.
        check_uncorrelated(values[1:], values[:-1], what="successive answers of orthogonal")


def long_shape(draw):
    return draw.choice([(3, 200), (200, 3), (2, 10, 4, 5), (250, 1, 1, 2)])


@points(1, repeat=False)
@given(case=weights(gains, long_shape, **NARROW))
def test_orthogonal_of_many_dimensions(student, case):
    """In many dimensions the values of a row or column look normal; they come from rng alone."""
    calls = 10 if case.plan.index is not None and case.plan.index < 5 else 1
    gain = case.options.get("gain", 1.0)
    options = case.options
    sample = drawn(student.orthogonal, case.shape, case.rng(), calls=calls, **options) / gain
    flat = sample.reshape(calls, case.shape[0], -1)
    check_normal(sample.ravel(), max(flat.shape[1:]) ** -0.5, "values of orthogonal")
    if calls > 1:
        check_independent(flat, "orthogonal")
    check_draws_from_rng(case, student.orthogonal)


DEFAULTS = {"mean": 0.0, "std": 1.0, "low": -2.0, "high": 2.0}
BOUNDS = [
    {},
    {"low": 1.0, "high": 3.0},
    {"mean": 1.0},
    {"std": 0.5},
    {"low": -0.5},
    {"high": 0.3},
    {"mean": -1.0, "std": 2.0, "low": 0.0, "high": 1.0},
    {"std": 0.02},
    {"mean": 5.0, "std": 2.0, "low": 3.0, "high": 10.0},
    {"low": -INF, "high": 0.5},
    {"low": -3.0, "high": -1.0},
    {"low": -0.5, "high": INF},
    {"mean": 2.0, "std": 0.5, "low": 2.5, "high": 3.0},
    {"mean": 3.0},
    {"mean": 3.0, "std": 2.0, "low": -INF, "high": INF},
    {"std": 3.0},
    {"mean": 0.5, "std": 1e-3, "low": 0.499, "high": 0.5005},
    {"mean": -3, "std": 2, "low": -4, "high": 1},
    {"low": -0.1, "high": 0.1},
]


def bounded(draw):
    """Options of a truncated normal law that keeps 2 % of the untruncated one or more."""
    if draw.index is not None or draw.rng.random() < 0.3:
        return draw.choice(BOUNDS)
    for _ in range(100):
        mean, std = draw.uniform(-3, 3), draw.uniform(0.05, 3)
        low, high = sorted(draw.uniform(-4, 4) for _ in range(2))
        inside = stats.norm.cdf(high, mean, std) - stats.norm.cdf(low, mean, std)
        if inside > 0.02:
            return {"mean": mean, "std": std, "low": low, "high": high}
    return {}


def many_values(draw):
    return draw.choice([(60, 40), (2400,), (4, 8, 10, 8), (15, 9, 20), (2, 1200), (7, 1, 400)])


def few_values(draw):
    return draw.choice([(40,), (5, 8), (1, 2, 3, 7), (45, 1)])


def truncated(shape):
    return cases(lambda draw: {"shape": shape(draw), **bounded(draw)}, options_of=tuple(DEFAULTS))


def truncated_law(options):
    mean, std, low, high = ({**DEFAULTS, **options}[name] for name in DEFAULTS)
    return stats.truncnorm((low - mean) / std, (high - mean) / std, loc=mean, scale=std)


@points(2, repeat=False)
@given(case=truncated(many_values))
def test_truncated_normal(student, case):
    """Independent normal draws, given that they lie between low and high."""
    function, options = student.truncated_normal, case.options
    law, what = truncated_law(options), "values of truncated_normal"
    sample = drawn(function, case.shape, case.rng(), calls=1, **options)
    check_law(sample.ravel(), law, what=what)
    check_independent(sample, what)
    if case.plan.index == 0:
        variance, kurtosis = (float(moment) for moment in law.stats(moments="vk"))
        what = f"{what} for shape (2, 3)"
        sample = drawn(function, (2, 3), case.rng(1), calls=80, **options)
        check_law(sample.ravel(), law, what=what)
        check_sums_vary(sample, what, variance=variance, kurtosis=kurtosis)


@points(1)
@given(case=truncated(few_values))
def test_truncated_normal_stays_between_its_bounds(student, case):
    """No value lies outside of [low, high], in any shape; the answer is float64 and comes from rng alone."""
    function, options = student.truncated_normal, case.options
    low, high = ({**DEFAULTS, **options}[name] for name in ("low", "high"))
    sample = drawn(function, case.shape, case.rng(1), calls=1, **options)
    slack = 1e-9 * max(1.0, *(abs(bound) for bound in (low, high) if abs(bound) < INF), 0.0)
    assert_true(
        bool((sample >= low - slack).all() and (sample <= high + slack).all()),
        f"truncated_normal reaches from {sample.min():.4g} to {sample.max():.4g}, "
        f"but should stay in [{low:g}, {high:g}].",
        aspect="law",
    )
    check_draws_from_rng(case, function)


ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}
UNITS = {"huge": 1e-6, "tiny": 1e6}
"""Brings weights of every kind of values to the order of 1."""


def stack(draw, *, layers):
    """A batch x of the case's kind, and weights of the order of 1."""
    widths = [draw.integer(1, 5) for _ in range(layers + 1)]
    unit = UNITS.get(draw.plan.kind, 1.0)
    return {
        "x": draw.array(draw.integer(1, 6), widths[0]),
        "weights": [
            draw.array(after, before, scale=unit)
            for before, after in zip(widths, widths[1:], strict=False)
        ],
    }


def scales(x, weights, activation):
    """The reference: root mean square of the input and of each activation."""
    layers = [x]
    for weight in weights:
        layers.append(ACTIVATIONS[activation](layers[-1] @ weight.T))
    return torch.stack([layer.square().mean().sqrt() for layer in layers])


def check_scales(student, case):
    check_forward(
        student.activation_scales,
        reference=scales,
        inputs=case.inputs,
        options=case.options,
        scale=1.0 if case.activation == "sigmoid" else None,
    )


@points(1)
@given(
    case=cases(
        lambda draw: stack(draw, layers=draw.choice([1, 2, 3, 5])),
        options={"activation": list(ACTIVATIONS)},
    )
)
def test_activation_scales(student, case):
    """Root mean square over samples and units, of the input and after each layer's activation."""
    check_scales(student, case)


@points(0.5)
@given(
    case=cases(
        lambda draw: stack(draw, layers=draw.choice([1, 12, 2])),
        options={"activation": ["relu", "sigmoid", "identity", "tanh"]},
        kinds=("normal", "offset", "huge", "tiny"),
    )
)
def test_activation_scales_of_deep_stacks(student, case):
    """The scales of one layer and of twelve, for large and small inputs, keep the dtype of x."""
    check_scales(student, case)


def network(draw, *, twins):
    """x, target and weights; with twins every hidden unit has the same weights, or there is a single one."""
    samples, inputs = draw.integer(1, 6), draw.integer(1, 5)
    units, outputs = draw.integer(1, 6), draw.integer(1, 4)
    scale = UNITS.get(draw.plan.kind, 1.0)
    w1 = draw.array(units, inputs, scale=scale * scale)
    w2 = draw.array(outputs, units, scale=scale)
    if twins:
        w1 = np.repeat(w1[:1], units, axis=0)
        w2 = np.repeat(w2[:, :1], units, axis=1)
    return {
        "x": draw.array(samples, inputs),
        "target": draw.array(samples, outputs),
        "w1": w1,
        "w2": w2,
    }


def gradient_of_w1(x, target, w1, w2):
    leaf = w1.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = torch.nn.functional.mse_loss(torch.tanh(x @ leaf.T) @ w2.T, target)
        (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient


def gap(x, target, w1, w2):
    """The reference: every pair of rows of autograd's gradient."""
    gradient = gradient_of_w1(x, target, w1, w2)
    return (gradient[:, None] - gradient[None]).abs().max()


def magnitude(case):
    """Size of the terms that the gradient sums, before they cancel or the tanh saturates."""
    x, target, w1, w2 = (tensor.abs() for tensor in to_tensor(list(case.inputs.values())))
    error = torch.tanh(x @ w1.T) @ w2.T + target
    return float(((error @ w2).T @ x).max() * 2 / target.numel())


def check_gap(student, case):
    check_forward(student.symmetry_gap, reference=gap, inputs=case.inputs, scale=magnitude(case))


@points(1)
@given(case=cases(lambda draw: network(draw, twins=False)))
def test_symmetry_gap(student, case):
    """The largest absolute difference between any two rows of the gradient of w1, as autograd gives it."""
    check_gap(student, case)


@points(0.5)
@given(case=cases(lambda draw: network(draw, twins=True)))
def test_symmetry_gap_of_twins(student, case):
    """The gap is 0 where all hidden units have the same weights, or there is only one; a change opens it."""
    check_gap(student, case)
    changed = {**case.inputs, "w2": case.w2.copy()}
    changed["w2"][0, -1] += 1
    expected = gap(*to_tensor(list(changed.values())))
    assert_close(
        student.symmetry_gap(*changed.values()),
        expected,
        what="symmetry_gap with one changed weight",
        dtype=case.dtype,
        scale=magnitude(case) + float(expected),
        tolerance=3.0,
    )
