"""The checks of topic 11, loss landscapes: directions by their law, surfaces and trajectories beside torch."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from scipy import stats

from grader import (
    assert_close,
    assert_equal,
    assert_raises,
    assert_true,
    cases,
    check_forward,
    check_frequency,
    check_law,
    check_rng,
    check_uncorrelated,
    given,
    load_optimizers,
    points,
    to_tensor,
    unpack,
)

load_optimizers()  # in no check's time

UNITS = [(3,), (2,), (2, 1, 2), (1,), (30,), (1, 2, 1), (1, 1, 1), (3, 3, 3)]
"""Shapes of the weights of one unit: rows and filters."""
GUARDED_NORM = 100.0
"""A guard of 1e-10 against a norm of zero, as published code has it, shows where the Gaussian's own norm is small."""
FLOAT32_TRAJECTORY = 20.0
"""In float32 every step's rounding is carried on; 1% still shows a wrong dtype. Formulas are judged in float64."""


def unit_of(kind):
    """The factor that brings values of a kind of extreme magnitude to about 1."""
    return {"huge": 1e-6, "tiny": 1e6}.get(kind, 1.0)


# Directions


def direction(student, weights, rng):
    """The direction's arrays, of the right number, shapes and dtypes."""
    found = unpack(
        student.filter_normalized_direction(weights, rng=rng),
        *(f"direction[{i}]" for i in range(len(weights))),
        what="filter_normalized_direction",
    )
    for i, (part, weight) in enumerate(zip(found, weights, strict=True)):
        if (
            type(part) is not np.ndarray
            or part.shape != weight.shape
            or part.dtype != weight.dtype
            or not np.isfinite(part).all()
        ):
            assert_close(
                part,
                np.zeros_like(weight),
                what=f"direction[{i}] of filter_normalized_direction",
            )
    return found


def unit_norms(array):
    """The norm of each row or filter, in float64."""
    flat = np.asarray(array, dtype=np.float64).reshape(len(array), -1)
    return np.linalg.norm(flat, axis=1)


def check_norms(found, weights):
    """Rows and filters are as long as the weights'; what belongs to a bias is zero."""
    for i, (part, weight) in enumerate(zip(found, weights, strict=True)):
        if weight.ndim == 1:
            assert_close(part, np.zeros_like(weight), what=f"direction[{i}], of a bias,")
            continue
        name = "rows" if weight.ndim == 2 else "filters"
        norms = unit_norms(weight)
        assert_close(
            unit_norms(part).astype(weight.dtype),
            norms.astype(weight.dtype),
            what=f"norms of the {name} of direction[{i}]",
            tolerance=GUARDED_NORM if weight.dtype == np.float64 else 1.0,
        )
        assert_true(
            not np.any(part[norms == 0]),
            f"direction[{i}] moves a unit whose weights are all zero, but should be zero there.",
        )


def networks(*, entries, zero_units=False, mixed=False):
    """Weights of a network: linear, convolution and bias arrays in turn."""

    def build(draw):
        weights = []
        for entry in draw.choice(entries):
            axes = {"linear": 2, "conv": 4, "bias": 1}[entry]
            shape = [draw.integer(1, 5 if axes < 3 else 3) for _ in range(axes)]
            if axes > 1 and np.prod(shape[1:]) == 1 and draw.plan.ones != -1:
                shape[-1] = (
                    2  # a single weight per unit, where a guarded norm shows most, is met once
                )
            array = draw.array(*shape)
            if zero_units:
                kept = np.arange(len(array)) % 3 != draw.integer(0, 2)
                array = array * kept.reshape(-1, *[1] * (axes - 1)).astype(array.dtype)
            if mixed and len(weights) % 2:
                array = array.astype("float32" if array.dtype == np.float64 else "float64")
            weights.append(array)
        return {"weights": weights}

    return cases(build)


@points(2)
@given(
    case=networks(
        entries=[
            ("linear",),
            ("conv",),
            ("linear", "linear", "linear"),
            ("conv", "linear"),
            ("linear", "conv", "conv"),
        ]
    )
)
def test_filter_normalized_direction_norms(student, case):
    """Each row of a linear weight and each filter of a convolution is as long as the weights'."""
    check_norms(direction(student, case.weights, case.rng()), case.weights)


@points(1)
@given(
    case=networks(
        entries=[
            ("linear", "bias", "linear", "bias"),
            ("bias",),
            ("conv", "bias", "linear"),
            ("bias", "linear"),
            ("linear", "conv"),
        ],
        zero_units=True,
        mixed=True,
    )
)
def test_filter_normalized_direction_zeros(student, case):
    """Biases and units whose weights are all zero get zeros; every array keeps its own dtype."""
    check_norms(direction(student, case.weights, case.rng()), case.weights)


def many_units(case, count, *, alike):
    """Weights of `count` units: of very different lengths, unequal entries, and one orientation if `alike`."""
    rng = case.rng(2)
    size = int(np.prod(case.unit))
    rows = rng.standard_normal((1 if alike else count, size)) * 10.0 ** rng.uniform(-1, 1, size)
    lengths = 10.0 ** rng.uniform(-1, 1, size=(count, 1))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True) * lengths).reshape(count, *case.unit)


def on_sphere(part, weight):
    """The direction's units divided by the weights' norms, (O, D)."""
    return part.reshape(len(part), -1) / unit_norms(weight)[:, None]


def check_fourth_powers(units, what):
    """The sum of fourth powers of a unit vector: small where a law has short tails, large where it has long ones."""
    count, size = units.shape
    moment = size * (size + 2)
    mean = 3 * size / moment
    variance = (105 * size + 9 * size * (size - 1)) / (moment * (size + 4) * (size + 6)) - mean**2
    found = float((units**4).sum(axis=1).mean())
    assert_true(
        abs(found - mean) <= 8 * np.sqrt(variance / count),
        f"Fourth powers of {what}, divided by the norm, sum to {found:.4g} on average, but should sum to {mean:.4g}.",
        "Is it a Gaussian that is normalized? Other laws prefer some directions.",
        aspect="law",
    )


def check_sphere(units, own, what):
    """Unit vectors (O, D) are uniform on the sphere: projections on any axis have one law."""
    size = units.shape[1]
    if size == 1:
        check_frequency(int((units > 0).sum()), len(units), 0.5, what=f"positive signs of {what}")
        agree = int((units * own > 0).sum())
        check_frequency(
            agree, len(units), 0.5, what=f"units of {what} that point as the weights do"
        )
        return
    law = stats.beta((size - 1) / 2, (size - 1) / 2, loc=-1, scale=2)
    axes = {
        "first elements": units[:, 0],
        "last elements": units[:, -1],
        "projections on (1, ..., 1)": units.sum(axis=1) / np.sqrt(size),
        "projections on (1, -1, 1, ...)": units @ (-1.0) ** np.arange(size) / np.sqrt(size),
        "projections on the weights": (units * own).sum(axis=1),
    }
    if size >= 20:
        # Elements of a long unit vector are nearly independent, and their squares negatively correlated.
        axes["elements"] = units.ravel()
    for name, values in axes.items():
        check_law(values, law, what=f"{name} of {what}, divided by the norm,")
    if len(units) >= 1_000:
        check_fourth_powers(units, what)


@points(1.5, repeat=False)
@given(
    case=cases(
        x="1",
        options={"unit": UNITS, "alike": [True, False]},
        kinds=("normal",),
        layouts=("C",),
        dtypes=("float64",),
    )
)
def test_filter_normalized_direction_law(student, case):
    """Divided by its norm, a row or filter is uniform on the sphere, as a Gaussian is."""
    count = 300
    if case.plan.index is not None and case.plan.index < len(UNITS):
        count = 12_000 if np.prod(case.unit) < 20 else 1_500
    weight = many_units(case, count, alike=case.alike)
    (part,) = direction(student, [weight], case.rng())
    check_sphere(on_sphere(part, weight), on_sphere(weight, weight), "filter_normalized_direction")


def check_distinct(units, what):
    """Hardly any unit vector occurs twice, up to signs."""
    pairs = np.abs(units[:, 0]) + 1j * np.abs(units[:, -1])
    distinct = len(np.unique(pairs.round(12)))
    assert_true(
        distinct >= 0.99 * len(units),
        f"{what} repeats itself: of {len(units)} units only {distinct} differ by more than signs.",
        "Every element is a draw of its own.",
        aspect="law",
    )


def check_independent(one, other, what):
    """Elements are not correlated, nor, in arrays of one shape, the magnitudes of first elements of rows.

    Magnitudes within a row depend on each other, so that only one of each is independent evidence.
    """
    length = min(one.size, other.size)
    check_uncorrelated(one.ravel()[:length], other.ravel()[:length], what=f"elements of {what}")
    if one.shape == other.shape and one.shape[1] > 1:
        sizes = np.abs(one[:, 0]), np.abs(other[:, 0])
        check_uncorrelated(*sizes, what=f"magnitudes of elements of {what}")


@points(1.5, repeat=False)
@given(
    case=cases(
        x="1",
        options={"unit": UNITS, "alike": [True, False]},
        kinds=("normal",),
        layouts=("C",),
        dtypes=("float64",),
    )
)
def test_filter_normalized_direction_draws(student, case):
    """Rows, arrays and calls are independent draws from rng, and from nothing else."""
    what = "filter_normalized_direction"
    if case.plan.index is None:
        weights = [case.rng(4).standard_normal((40, *case.unit)), np.ones((3, 2))]
        check_rng(lambda rng: direction(student, weights, rng)[0], what=what, seed=case.seed)
        return
    count = 1_200
    weights = [
        many_units(case, count, alike=case.alike),
        many_units(case, count, alike=not case.alike),
        np.zeros(3),
        many_units(case, count, alike=False).reshape(count, -1),
        case.rng(4).standard_normal((count // 3, 3)),
    ]
    rng = case.rng()
    first = direction(student, weights, rng)
    units = [
        on_sphere(part, weight)
        for part, weight in zip(first, weights, strict=True)
        if part.ndim > 1
    ]
    for lag in (1, 2, count // 2):
        pair = f"rows or filters that lie {lag} apart"
        check_independent(units[0][lag:], units[0][:-lag], pair)
    if units[0].shape[1] > 1:
        check_distinct(units[0], what)
    for later in units[1:3]:
        check_independent(units[0], later, "two arrays")
    check_independent(units[1], units[2], "two arrays")
    if units[0].size // 3 >= 1_000:
        check_independent(units[0], units[3], "two arrays of different shapes")
    again = direction(student, weights, rng)
    check_independent(units[0], on_sphere(again[0], weights[0]), "two calls")


# Surfaces


def layer_widths(draw, layers, pattern):
    """The widths of the input, the hidden layers and the classes."""
    widths = [draw.integer(1, 4)]
    for layer in range(layers - 1):
        same = pattern != "changing" and (pattern == "square" or layer % 2 == 0)
        widths.append(widths[-1] if same else widths[-1] % 4 + 1)
    last_square = draw.choice([False, True, False]) and widths[-1] > 1
    return [*widths, widths[-1] if last_square else widths[-1] % 4 + 2]


def grid(draw, length):
    """Steps along a direction: an array, or a list of numbers; in no order, with repetitions."""
    steps = draw.array(length, scale=0.5 * unit_of(draw.plan.kind))
    if draw.choice(["array", "list"]) == "array":
        return steps
    whole = draw.plan.kind == "integers"
    return [int(2 * step) if whole else float(step) for step in steps]


def landscapes(*, layers, patterns=("square", "mixed", "changing"), gains=(1.0,), skip, **limits):
    """A network, a batch, two directions and a grid; hidden layers that are mostly not saturated."""

    def build(draw):
        unit = unit_of(draw.plan.kind)
        widths = layer_widths(draw, draw.choice(layers), draw.choice(patterns))
        gain = draw.choice(gains)
        batch = draw.integer(1, 4)
        x = draw.array(batch, widths[0])
        weights, biases, ways = [], [], ([], [])
        for i, (fan_in, fan_out) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
            scale = 0.7 * unit * (gain if i == len(widths) - 2 else 1.0)
            weights.append(draw.array(fan_out, fan_in, scale=scale))
            biases.append(draw.array(fan_out, scale=scale))
            for way in ways:
                way.append(draw.array(fan_out, fan_in, scale=scale))
        rows = draw.integer(1, 3)
        columns = rows % 3 + draw.choice([1, 1, 2])
        return {
            "x": x,
            "targets": draw.rng.integers(0, widths[-1], size=batch),
            "weights": weights,
            "biases": biases,
            "direction_a": ways[0],
            "direction_b": ways[1],
            "alphas": grid(draw, rows),
            "betas": grid(draw, columns),
        }

    return cases(build, options={"skip": skip}, **limits)


def torch_logits(x, weights, biases, *, skip):
    """The network's output in torch."""
    h = x
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        out = torch.tanh(F.linear(h, weight, bias))
        h = h + out if skip and weight.shape[0] == weight.shape[1] else out
    return F.linear(h, weights[-1], biases[-1])


def torch_surface(x, targets, weights, biases, way_a, way_b, alphas, betas, *, skip):
    """The surface in torch."""

    def loss(alpha, beta):
        moved = [w + alpha * a + beta * b for w, a, b in zip(weights, way_a, way_b, strict=True)]
        return F.cross_entropy(torch_logits(x, moved, biases, skip=skip), targets)

    return torch.stack([torch.stack([loss(alpha, beta) for beta in betas]) for alpha in alphas])


def largest_logit(case):
    """The magnitude of what cancels in the loss: a bound of the logits over the grid, at least 1."""
    tensors = [to_tensor(value) for value in list(case.inputs.values())[2:6]]
    weights, biases, way_a, way_b = tensors
    x = to_tensor(case.x)
    far_a, far_b = (max(abs(float(step)) for step in steps) for steps in (case.alphas, case.betas))
    h = x.abs()
    for w, c, a, b in zip(weights, biases, way_a, way_b, strict=True):
        reach = F.linear(h, w.abs() + far_a * a.abs() + far_b * b.abs(), c.abs())
        h = h + 1 if case.skip and w.shape[0] == w.shape[1] else torch.ones_like(reach)
    return max(1.0, float(reach.max()))


def check_surface(student, case):
    """The whole surface beside torch's, in x's dtype."""
    check_forward(
        student.loss_surface,
        reference=torch_surface,
        inputs=case.inputs,
        options=case.options,
        scale=largest_logit(case),
    )


@points(2)
@given(case=landscapes(layers=[2, 3, 4, 2, 7], skip=[False]))
def test_loss_surface_plain(student, case):
    """Entry [i, j] is the loss at weights + alphas[i] a + betas[j] b, without skip connections."""
    check_surface(student, case)


@points(2)
@given(case=landscapes(layers=[3, 2, 4, 3, 7], skip=[True]))
def test_loss_surface_skip(student, case):
    """With skip, square layers are residual, those that change the width and the last one are not."""
    check_surface(student, case)


@points(1)
@given(case=landscapes(layers=[1], skip=[True, False]))
def test_loss_surface_one_layer(student, case):
    """A single layer is linear, square or not, with skip or without."""
    check_surface(student, case)


@points(1)
@given(
    case=landscapes(
        layers=[2, 1, 3],
        gains=[1e3, 1e4, 1e2, 3e3],
        skip=[False, True],
        kinds=("normal", "integers", "wide"),
    )
)
def test_loss_surface_large_logits(student, case):
    """Large logits neither overflow nor lose the loss."""
    check_surface(student, case)


@points(1)
@given(
    case=landscapes(layers=[2, 3], skip=[False, True], kinds=("normal", "integers", "offset")),
)
def test_loss_surface_lines(student, case):
    """Through (0, 0) run two lines: the column of betas = [0] and the row of alphas = [0]."""
    steps = [0, 1.5, -0.5, 0.25, 1]
    for alphas, betas in ((steps, [0]), ([0.0], steps[::-1])):
        inputs = {**case.inputs, "alphas": alphas, "betas": betas}
        check_forward(
            student.loss_surface,
            reference=torch_surface,
            inputs=inputs,
            options=case.options,
            scale=largest_logit(case) * 4,
        )


# Critical points

SPECTRA = {
    "minimum": "+++",
    "one falls": "-++",
    "saddle with flat": "0+-",
    "degenerate, rising": "0++",
    "maximum": "---",
    "one rises": "+--",
    "degenerate, falling": "0--",
    "flat": "000",
}
"""Signs of eigenvalues; the first of each occurs once, as far as there is room."""


def kind_of(eigenvalues, tolerance):
    """The rule, on the eigenvalues that the matrix was made of."""
    if min(eigenvalues) < -tolerance and max(eigenvalues) > tolerance:
        return "saddle"
    if any(abs(value) <= tolerance for value in eigenvalues):
        return "degenerate"
    return "minimum" if min(eigenvalues) > 0 else "maximum"


def rotated(draw, eigenvalues):
    """An exactly symmetric matrix with these eigenvalues, up to rounding, and random axes."""
    axes, _ = np.linalg.qr(draw.rng.standard_normal((len(eigenvalues), len(eigenvalues))))
    matrix = (axes * np.asarray(eigenvalues)) @ axes.T
    return ((matrix + matrix.T) / 2).astype(draw.dtype)


def spectrum(draw, tolerance, largest, margin):
    """Eigenvalues that lie away from the tolerance by a factor of `margin` or more, the nearest ones included."""
    signs = SPECTRA[draw.choice(list(SPECTRA))]
    count = draw.integer(len(set(signs)), 6)
    signs = [*dict.fromkeys(signs), *signs[1:] * 2][:count]
    found = []
    for sign in signs:
        away = margin * tolerance * largest ** draw.choice([0.9, 0.0, 1.0, 0.5, 0.95])
        away *= draw.uniform(1, 1.5)
        flat = tolerance / margin * float(draw.rng.choice([-1.0, 0.0, 1.0]))
        found.append({"+": away, "-": -away, "0": flat}[sign])
    return [float(value) for value in draw.rng.permutation(found)]


def check_point(student, hessian, eigenvalues, tolerance=None):
    """The answer is the kind that the eigenvalues have; None leaves the default tolerance of 1e-8."""
    options = {} if tolerance is None else {"tolerance": tolerance}
    expected = kind_of(eigenvalues, 1e-8 if tolerance is None else tolerance)
    found = student.classify_critical_point(hessian, **options)
    assert_equal(found, expected, what="classify_critical_point")


def points_near(tolerances, largest, margin=4):
    """Critical points with random axes."""

    def build(draw):
        tolerance = draw.choice(tolerances)
        eigenvalues = spectrum(draw, 1e-8 if tolerance is None else tolerance, largest, margin)
        return {
            "hessian": rotated(draw, eigenvalues),
            "eigenvalues": eigenvalues,
            "tolerance": tolerance,
        }

    return build


@points(1)
@given(
    case=cases(
        points_near([None], 1e9, margin=1.5),
        options_of=("tolerance",),
        dtypes=("float64",),
        layouts=("C",),
        kinds=("normal",),
    )
)
def test_classify_critical_point(student, case):
    """The signs of the eigenvalues decide, whatever the axes are; 1e-8 and less counts as zero."""
    check_point(student, case.hessian, case.eigenvalues)


@points(1)
@given(
    case=cases(
        points_near([1e-2, 1.0, 0.1, 30.0, 1e-3], 100.0),
        options_of=("tolerance",),
        layouts=("C",),
        kinds=("normal",),
    )
)
def test_classify_critical_point_tolerance(student, case):
    """The tolerance is the caller's, and absolute."""
    check_point(student, case.hessian, case.eigenvalues, case.tolerance)


EDGES = [
    (1,), (-1,), (0,), (2,), (-2,), (0.5, -2), (-0.5, 2), (1, -2), (-1, 2), (1, -1), (2, -2),
    (1, 2), (-1, -2), (0, 1), (1, 1, 1), (2, 1, -2), (0.5, 2, 4), (-0.5, -2, -4), (0, -2, 4, 2),
]  # fmt: skip
"""Eigenvalues in units of the tolerance."""


@points(1)
@given(
    case=cases(
        lambda draw: {
            "diagonal": [
                float(value)
                for value in draw.choice([0.5, 1.0, 0.25])
                * draw.rng.integers(-2, 3, size=draw.choice([1, 2, 1, 3, 4, 1]))
            ]
        },
        options={"tolerance": [0.5, 0.25, 1.0, 0.0, 2.0]},
        layouts=("C",),
        kinds=("integers",),
    )
)
def test_classify_critical_point_edges(student, case):
    """A single number and a diagonal are decided exactly: the tolerance itself counts as zero."""
    hessian = np.diag(case.diagonal).astype(case.dtype)
    check_point(student, hessian, case.diagonal, case.tolerance)
    if case.plan.index is None:
        return
    for factors in EDGES:
        edge = [factor * case.tolerance for factor in factors]
        check_point(student, np.diag(edge).astype(case.dtype), edge, case.tolerance)
    for edge in ([1e-8, 2.0], [-1e-8, -2.0], [1e-8, -2.0]):
        check_point(student, np.diag(edge), edge)


def asymmetric(draw):
    """A symmetric matrix to which something is added on one side of the diagonal."""
    size = draw.integer(2, 5)
    matrix = draw.array(size, size, scale=unit_of(draw.plan.kind))
    matrix = matrix + matrix.T
    kinds = ["corner", "other corner", "one entry", "triangle", "signs", "all", "cycle", "balanced"]
    kind = draw.choice(kinds if size > 2 else kinds[:6])
    change = np.zeros_like(matrix)
    if kind == "corner":
        change[0, -1] = 1
    elif kind == "other corner":
        change[-1, 0] = -2
    elif kind == "one entry":
        row = int(draw.rng.integers(size - 1))
        change[row, row + 1] = 3
    elif kind == "cycle":
        change = np.roll(np.eye(size), 1, axis=1)
    elif kind == "balanced":
        change[0, 1] = change[2, 1] = 1
    elif kind == "triangle":
        matrix, change = np.eye(size, dtype=matrix.dtype), np.tri(size, k=-1) * 2
    elif kind == "signs":
        matrix, change = np.eye(size, dtype=matrix.dtype), np.tri(size, k=-1) - np.tri(size, k=-1).T
    else:
        change = np.arange(size**2).reshape(size, size)
    largest = draw.choice([1.0, 0.01, 0.1]) * max(1.0, float(np.abs(matrix).max()))
    return {"hessian": (matrix + largest * change).astype(draw.dtype)}


@points(1)
@given(case=cases(asymmetric, kinds=("integers", "normal", "wide", "zeros")))
def test_classify_critical_point_refuses_asymmetric(student, case):
    """A matrix that is not symmetric raises ValueError."""
    because = "the matrix is not symmetric"
    assert_raises(ValueError, student.classify_critical_point, case.hessian, because=because)
    assert_raises(
        ValueError, student.classify_critical_point, case.hessian, tolerance=1e-3, because=because
    )
    symmetric = (case.hessian + case.hessian.T).astype(case.dtype)
    answers = ("minimum", "maximum", "saddle", "degenerate")
    found = student.classify_critical_point(symmetric)
    if found not in answers:
        assert_equal(found, answers, what="classify_critical_point of a symmetric matrix")


# Descent

LENGTHS = [3, 30, 1, 2, 0, 8, 17, 5, 4, 2, 1, 3]
MOMENTA = [0.9, 0.5, 0.95, 0.0, 0.3]


def bowls(*, signs, momenta, lengths=LENGTHS):
    """A quadratic with curvatures of the given signs, and a learning rate that fits it."""

    def build(draw):
        unit = unit_of(draw.plan.kind)
        size = draw.integer(1, 5)
        steep = draw.choice([1.0, 1e3, 1e-2, 1.0])
        curvatures = np.exp(draw.rng.uniform(-3, 0, size=size))
        turned = np.array([draw.choice(signs) for _ in range(size)])
        return {
            "hessian": rotated(draw, steep * curvatures * turned),
            "start": draw.array(size, scale=draw.choice([1.0, unit])),
            "lr": draw.choice([0.1, 0.5, 1.5, 0.01, 0.0, 1.0]) / steep,
            "momentum": draw.choice(momenta),
            "steps": draw.choice(lengths),
        }

    options = ("lr", "momentum", "steps")
    return cases(build, options_of=options)


def torch_trajectory(case):
    """torch.optim.SGD on the quadratic, in float64."""
    hessian = to_tensor(case.hessian)
    position = torch.nn.Parameter(to_tensor(case.start))
    optimizer = torch.optim.SGD([position], lr=case.lr, momentum=case.momentum)
    path = [position.detach().clone()]
    for _ in range(case.steps):
        position.grad = hessian @ position.detach()
        optimizer.step()
        path.append(position.detach().clone())
    return torch.stack(path).numpy()


def check_trajectory(student, case):
    """Every position beside torch's; what is carried on from larger ones may be rounded as those."""
    path = torch_trajectory(case)
    found = student.descend(case.hessian, case.start, **case.options)
    float32 = case.dtype == "float32"
    tolerance = FLOAT32_TRAJECTORY if float32 else 1.0
    if type(found) is not np.ndarray or found.shape != path.shape or found.dtype != case.dtype:
        assert_close(found, path, what="trajectory of descend", dtype=case.dtype)
    scale = 0.0
    for step, position in enumerate(path):
        scale = max(scale, float(np.abs(position).max()))
        assert_close(
            found[step],
            position,
            what="start of the trajectory of descend"
            if step == 0
            else f"position of descend after step {step}",
            dtype=case.dtype,
            scale=scale,
            tolerance=tolerance,
        )


@points(1)
@given(case=bowls(signs=[1.0], momenta=[0.0]))
def test_descend_plain(student, case):
    """Without momentum, descent into a bowl follows torch.optim.SGD from the start on."""
    check_trajectory(student, case)


@points(1)
@given(case=bowls(signs=[1.0], momenta=MOMENTA))
def test_descend_momentum(student, case):
    """With momentum, descent into a bowl follows torch.optim.SGD."""
    check_trajectory(student, case)


@points(1)
@given(case=bowls(signs=[1.0, -1.0, -1.0, 0.0], momenta=MOMENTA))
def test_descend_saddle(student, case):
    """At saddles, maxima and flat places it follows torch.optim.SGD away from them."""
    check_trajectory(student, case)
