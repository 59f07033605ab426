"""The checks of topic 10, generalization: linear models of every shape and rank, and the law of minibatches."""

import math
from itertools import combinations
from math import comb

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from scipy.stats import chi2

from grader import (
    assert_close,
    assert_raises,
    assert_true,
    cases,
    check_frequency,
    check_rng,
    check_uncorrelated,
    given,
    points,
    reveal,
    to_tensor,
    unpack,
)
from grader.checks.strategies import laid_out

UNIT = {"huge": 2.0**20, "tiny": 2.0**-20}
CONDITION = {"float64": 30.0, "float32": 12.0}
NOISE = 4e-16
"""Singular values that should be zero are below this share of the largest: any usual cutoff finds the rank."""


# Features: multiples of 1/8 times a power of two, so that products and sums of a few are exact also in float32,
# and the rank of X^T X is as plain as that of X.


def magnitude(draw):
    """The size of features of the case's kind."""
    return UNIT.get(draw.plan.kind, 1.0)


def grid(draw, *shape):
    """Normal values up to 4, rounded to eighths, or to whole numbers where the case is one of integers."""
    values = np.clip(draw.rng.standard_normal(shape), -4, 4)
    return np.round(values) if draw.plan.kind == "integers" else np.round(8 * values) / 8


def repeating(draw, columns, width):
    """Columns, and further ones that repeat, turn or add up some of them or are zero, in any order."""
    found = list(columns.T)
    while len(found) < width:
        one, other = columns[:, draw.rng.integers(columns.shape[1], size=2)].T
        found.append((one, -one, one + other, 0 * one)[draw.rng.integers(4)])
    return np.stack([found[i] for i in draw.rng.permutation(width)], axis=1)


def plain(features, rank, condition):
    """Whether every sound method finds this rank: in X itself, in X^T X and in X X^T."""
    for matrix, power in ((features, 1), (features.T @ features, 2), (features @ features.T, 2)):
        singular = np.linalg.svd(matrix, compute_uv=False)
        if singular[rank - 1] == 0 or singular[0] > condition**power * singular[rank - 1]:
            return False
        if singular[rank:].max(initial=0.0) > NOISE * singular[0]:
            return False
    return True


def well_posed(draw, make, rank, condition=None):
    """The first of the features made that have this rank and no larger condition number."""
    condition = condition or CONDITION[draw.plan.dtype]
    for _ in range(3000):
        features = make()
        if plain(features, rank, condition):
            return like(draw, features * magnitude(draw))
    raise ValueError(f"no features of rank {rank} and condition {condition}")


def full(draw, count, width, condition=None):
    """Features of the largest possible rank."""
    return well_posed(draw, lambda: grid(draw, count, width), min(count, width), condition)


def like(draw, values):
    """Values in the case's dtype and memory layout."""
    return laid_out(np.asarray(values, dtype=draw.dtype), draw.plan.layout)


def unscaled(draw, *shape):
    """An array of order 1 for every kind of values: what weights are where features and targets are alike."""
    return draw.array(*shape, scale={"huge": 1e-6, "tiny": 1e6}.get(draw.plan.kind, 1.0))


def tall(draw):
    """At least as many samples as features, all of them independent; one may be small, as in other units."""
    width = draw.integer(1, 5)
    count = width + draw.choice([1, 0, 3, 2, 6])
    features = full(draw, count, width)
    other_units = draw.choice([False, True, False])
    if other_units and draw.plan.dtype == "float64" and draw.plan.kind != "integers":
        units = np.where(np.arange(width) == draw.integer(0, width - 1), 2.0**-7, 1.0)
        features = like(draw, features * units)
    return {"features": features, "targets": draw.array(count)}


def wide(draw):
    """Fewer samples than features, all of them independent."""
    count = draw.integer(1, 5)
    width = count + draw.choice([1, 2, 4, 3])
    return {"features": full(draw, count, width), "targets": draw.array(count)}


def very_wide(draw):
    """Few samples that are nearly perpendicular: descent comes to its end soon."""
    count = draw.integer(1, 3)
    width = count + draw.choice([3, 5, 4])
    return {"features": full(draw, count, width, 3.0), "targets": draw.array(count)}


def deficient(draw):
    """Tall, square and wide features, whose rank is smaller than both extents; zeros where the case is of that kind."""
    rank = draw.integer(1, 3)
    count = rank + draw.choice([1, 3, 2])
    width = rank + draw.choice([2, 1, 3, 1])
    if draw.plan.kind == "zeros":
        features = like(draw, np.zeros((count, width)))
    else:
        features = well_posed(draw, lambda: repeating(draw, grid(draw, count, rank), width), rank)
    return {"features": features, "targets": draw.array(count)}


def singular_range(features):
    """The largest singular value, and the smallest that is not zero; 1 for zeros."""
    values = np.linalg.svd(np.asarray(features, dtype=np.float64), compute_uv=False)
    values = values[values > 1e-9 * values[0]] if values[0] > 0 else np.ones(1)
    return float(values[0]), float(values[-1])


def norm(values):
    return float(np.linalg.norm(np.asarray(values, dtype=np.float64)))


@points(1)
@given(case=cases(x="N", options={"degree": [2, 1, 3]}))
def test_polynomial_features(student, case):
    """Column k holds the k-th power of x, for k from 0 to degree."""
    check_powers(student.polynomial_features, case.x, case.degree)


@points(1)
@given(
    case=cases(
        x="N",
        kinds=("integers", "normal", "offset", "zeros"),
        options={"degree": [0, 6, 4, 8, 0, 5]},
        empty=("N",),
    )
)
def test_polynomial_features_degrees(student, case):
    """Degree 0 gives ones, also where x is 0; high degrees, and no points at all, follow the same rule."""
    check_powers(student.polynomial_features, case.x, case.degree)


def check_powers(function, x, degree):
    """Column by column, since their magnitudes differ."""
    expected = torch.vander(to_tensor(x), degree + 1, increasing=True).numpy()
    found = function(x, degree)
    largest = float(np.max(np.abs(expected), initial=0.0))
    assert_close(found, expected, what="polynomial_features", dtype=x.dtype, scale=largest)
    for power in range(degree + 1):
        assert_close(
            found[:, power],
            expected[:, power],
            what=f"column {power} of polynomial_features",
            dtype=x.dtype,
            scale=1e-30,
        )


def check_least_squares(student, case):
    expected = shortest(to_tensor(case.features), to_tensor(case.targets))
    assert_close(
        student.least_squares(case.features, case.targets),
        expected,
        what="least_squares",
        dtype=case.dtype,
        scale=norm(case.targets) / singular_range(case.features)[1],
    )


def shortest(features, targets):
    return torch.linalg.lstsq(features, targets[:, None], driver="gelsd").solution[:, 0]


@points(1.5)
@given(case=cases(tall))
def test_least_squares(student, case):
    """With independent features there is one minimum of the squared error."""
    check_least_squares(student, case)


@points(1.5)
@given(case=cases(wide))
def test_least_squares_wide(student, case):
    """With more features than samples, the shortest of the perfect fits is returned."""
    check_least_squares(student, case)


@points(1.5)
@given(
    case=cases(deficient, kinds=("integers", "normal", "offset", "wide", "huge", "tiny", "zeros"))
)
def test_least_squares_rank_deficient(student, case):
    """Features that repeat each other, or are zero, still have one shortest solution."""
    check_least_squares(student, case)


def with_strength(build, factors):
    """Features and targets with a strength in the units of the squared features."""

    def built(draw):
        inputs = build(draw)
        factor = draw.choice(factors)
        return {**inputs, "strength": factor * magnitude(draw) ** 2}

    return built


def check_ridge(student, case):
    X, y = to_tensor(case.features), to_tensor(case.targets)
    matrix = X.T @ X + case.strength * torch.eye(X.shape[1], dtype=X.dtype)
    largest, smallest = singular_range(case.features)
    rank = np.linalg.matrix_rank(case.features.astype(np.float64))
    lowest = smallest**2 if rank == X.shape[1] else 0.0
    assert_close(
        student.ridge(case.features, case.targets, case.strength),
        torch.linalg.solve(matrix, X.T @ y),
        what="ridge",
        dtype=case.dtype,
        scale=norm(case.targets) * largest / (lowest + case.strength),
    )


@points(1.5)
@given(case=cases(with_strength(tall, [1.0, 0.1, 0.0, 10.0, 0.5, 2, 100.0])))
def test_ridge(student, case):
    """Strength weighs the squared norm against the summed squared error; strength 0 is least squares."""
    check_ridge(student, case)


def any_underdetermined(draw):
    return draw.choice([wide, deficient])(draw)


@points(1.5)
@given(case=cases(with_strength(any_underdetermined, [1.0, 0.3, 10.0, 0.5, 3])))
def test_ridge_underdetermined(student, case):
    """A positive strength makes every problem solvable, with more features than samples too."""
    check_ridge(student, case)


def curve(draw, *, beyond):
    """Training points on a grid of eighths, test points anywhere, and degrees for which the rank is plain.

    With `beyond`, the degrees reach and pass the number of points, and points may repeat.
    """
    single = draw.plan.dtype == "float32"
    steps = 4 if single else 8
    distinct = draw.integer(2, 4) if beyond else 3 + draw.integer(0, 1 if single else 5)
    highest = distinct + (1 if single else 3) if beyond else min(distinct - 1, 5)
    for _ in range(3000):
        x = draw.rng.permutation(np.arange(-steps, steps + 1))[:distinct] / steps
        if beyond and draw.rng.random() < 0.4:
            x = np.append(x, x[:1])
        degrees = [d for d in range(highest + 1) if clear(x, d, distinct, single)]
        reach = distinct - 1 in degrees and highest in degrees
        if reach if beyond else len(degrees) > 2:
            break
    else:
        raise ValueError(f"no points for degrees up to {highest}")
    chosen = [int(d) for d in draw.rng.choice(degrees, size=draw.integer(2, 5))]
    if beyond:
        chosen += [distinct - 1, highest, *(d for d in degrees if d == distinct)]
    else:
        chosen += [max(degrees), chosen[0]]
    chosen = [chosen[i] for i in draw.rng.permutation(len(chosen))]
    tests = draw.choice([3, 1, 7, 2])
    return {
        "x_train": like(draw, x),
        "y_train": draw.array(len(x)),
        "x_test": like(draw, draw.rng.uniform(-1, 1, tests)),
        "y_test": draw.array(tests),
        "degrees": chosen,
    }


def clear(x, degree, distinct, single):
    """Whether the fit of this degree has a plain rank and a moderate condition."""
    features = np.vander(x, degree + 1, increasing=True)
    return plain(features, min(distinct, degree + 1), 20.0 if single else 100.0)


def check_errors(student, case):
    """Both errors, each entry on its own scale: that of the squares that it is the mean of.

    A weight that cancels to 0 keeps the targets' rounding, u times their size, whose square is left in the error. As large as the
    root of u it gives the scale u times the squared targets: far below any error of a wrong fit, far above that rest.
    """
    expected, scales = [], []
    points_of = to_tensor([(case.x_train, case.y_train), (case.x_test, case.y_test)])
    powers = [torch.vander(x, max(case.degrees) + 1, increasing=True) for x, _ in points_of]
    rest = float(points_of[0][1].abs().max()) * math.sqrt(np.finfo(case.dtype).eps)
    for degree in case.degrees:
        weights = shortest(powers[0][:, : degree + 1], points_of[0][1])
        for (_, y), all_powers in zip(points_of, powers, strict=True):
            features = all_powers[:, : degree + 1]
            expected.append(float(F.mse_loss(features @ weights, y)))
            size = features.abs() @ (weights.abs() + rest) + y.abs()
            scales.append(float(size @ size) / len(y))
    found = unpack(
        student.train_test_error(*case.inputs.values()),
        "train_mse",
        "test_mse",
        what="train_test_error",
    )
    for number, (name, errors) in enumerate(zip(("train_mse", "test_mse"), found, strict=True)):
        check_entries(
            errors, expected[number::2], scales[number::2], f"{name} of train_test_error", case
        )


def check_entries(found, expected, scales, what, case):
    """An array with an entry per degree, or a list of numbers."""
    options = {"what": what, "dtype": case.dtype, "scale": max(scales)}
    if not isinstance(found, np.ndarray):
        found = reveal(found)
        assert_close(found, expected, **options)
    else:
        assert_close(found, np.array(expected), **options)
    for degree, one, other, scale in zip(case.degrees, found, expected, scales, strict=True):
        assert_close(one, other, what=f"{what}, degree {degree},", dtype=case.dtype, scale=scale)


@points(2)
@given(case=cases(lambda draw: curve(draw, beyond=False)))
def test_train_test_error(student, case):
    """Each degree is fitted to the training points alone, and measured on both sets, in the order given."""
    check_errors(student, case)


@points(1.5)
@given(case=cases(lambda draw: curve(draw, beyond=True)))
def test_train_test_error_interpolation(student, case):
    """With as many weights as points, and with more, the shortest fit is measured."""
    check_errors(student, case)


SHAPES = [tall, wide, deficient]
RATES = [1.0, 0.1, 0.5, 1.9, 1.5]


def descents(*, shapes=SHAPES, rates=RATES, steps, layouts=None):
    """Features, targets, start, and a learning rate below 2 / (largest eigenvalue of X^T X / N)."""

    def build(draw):
        inputs = draw.choice(shapes)(draw)
        count, width = inputs["features"].shape
        sharpest = singular_range(inputs["features"])[0] ** 2 / count
        return {
            **inputs,
            "start": unscaled(draw, width),
            "lr": float(f"{draw.choice(rates) / sharpest:.5g}"),
            "steps": draw.choice(steps),
        }

    return cases(build, options_of=("lr", "steps"), layouts=layouts)


def path(case, start):
    """torch's weights after the steps, and the largest on the way."""
    X, y = to_tensor(case.features), to_tensor(case.targets)
    weights = torch.zeros(X.shape[1], dtype=X.dtype) if start is None else to_tensor(start)
    largest = norm(case.targets) / singular_range(case.features)[0]
    for _ in range(case.steps):
        largest = max(largest, float(weights.abs().max()))
        weights = weights.requires_grad_()
        (gradient,) = torch.autograd.grad(F.mse_loss(X @ weights, y) / 2, weights)
        weights = weights.detach() - case.lr * gradient
    return weights, largest


def check_descent(student, case, **start):
    expected, largest = path(case, **{"start": None, **start})
    assert_close(
        student.gradient_descent(case.features, case.targets, **case.options, **start),
        expected,
        what="gradient_descent from start" if start else "gradient_descent from zero",
        dtype=case.dtype,
        scale=largest,
    )


@points(1.5)
@given(case=descents(steps=[1, 2, 30, 3, 10]))
def test_gradient_descent(student, case):
    """From zero, every step goes down the gradient of half the mean squared error."""
    check_descent(student, case)


@points(1)
@given(case=descents(steps=[0, 1, 2, 5, 20]))
def test_gradient_descent_start(student, case):
    """Descent begins where it is told to; after 0 steps it is still there."""
    check_descent(student, case, start=case.start)
    if case.steps == 0:
        check_descent(student, case)


@points(1, repeat=False)
@given(case=descents(shapes=[very_wide], rates=[1.5, 1.3, 1.7], steps=[150], layouts=("C", "F")))
def test_gradient_descent_limit(student, case):
    """From zero it tends to the shortest solution; from elsewhere to the solution nearest to the start."""
    X, y, start = (to_tensor(value) for value in (case.features, case.targets, case.start))
    scale = norm(case.targets) / singular_range(case.features)[1] + norm(case.start)
    options = {"dtype": case.dtype, "scale": scale}
    inverse = torch.linalg.pinv(X)
    found = student.gradient_descent(case.features, case.targets, **case.options)
    assert_close(found, inverse @ y, what="gradient_descent from zero", **options)
    found = student.gradient_descent(case.features, case.targets, **case.options, start=case.start)
    nearest = start + inverse @ (y - X @ start)
    assert_close(found, nearest, what="gradient_descent from start", **options)


def batches(draw):
    """Few samples, so that the gradient of every batch of the size can be computed."""
    count, width = draw.integer(1, 6), draw.integer(1, 4)
    size = 1 + int(draw.rng.integers(count))
    return {
        "features": draw.array(count, width),
        "targets": draw.array(count),
        "weights": unscaled(draw, width),
        "batch_size": size,
    }


def sample_gradients(case):
    """The gradient of every sample, (N, D), and the magnitude of what is added up in them."""
    X, y, w = (to_tensor(value) for value in (case.features, case.targets, case.weights))
    sizes = X.abs() * (X.abs() @ w.abs() + y.abs())[:, None]
    return (X * (X @ w - y)[:, None]).numpy(), float(sizes.max())


@points(1)
@given(case=cases(batches, options_of=("batch_size",)))
def test_minibatch_gradient(student, case):
    """The answer is the mean gradient of batch_size different samples."""
    gradients, scale = sample_gradients(case)
    found = student.minibatch_gradient(*case.inputs.values(), **case.options, rng=case.rng())
    means = [
        gradients[list(chosen)].mean(axis=0)
        for chosen in combinations(range(len(gradients)), case.batch_size)
    ]
    nearest = means[0]
    if isinstance(found, np.ndarray) and found.shape == nearest.shape:
        nearest = min(means, key=lambda mean: float(np.abs(found - mean).max()))
    assert_close(
        found,
        nearest,
        what=f"minibatch_gradient (beside the nearest of the batches of {case.batch_size})",
        dtype=case.dtype,
        scale=scale,
    )


@points(1)
@given(case=cases(features="N D", targets="N", weights="D", dims={"N": (1, 12)}))
def test_minibatch_gradient_full(student, case):
    """A batch of all samples gives the full gradient, whatever the order; a larger one raises ValueError."""
    gradients, scale = sample_gradients(case)
    count = len(gradients)
    assert_close(
        student.minibatch_gradient(*case.inputs.values(), batch_size=count, rng=case.rng()),
        gradients.mean(axis=0),
        what=f"minibatch_gradient with all {count} samples",
        dtype=case.dtype,
        scale=scale,
    )
    for size in (count + 1, 2 * count + 3):
        assert_raises(
            ValueError,
            student.minibatch_gradient,
            *case.inputs.values(),
            batch_size=size,
            rng=case.rng(),
            because=f"batch_size = {size}, but there are {count} samples",
        )


LAWS = [(5, 3, 1001), (4, 1, 500), (60, 15, 600)]
"""Samples, batch size and calls."""


def drawn(student, count, size, calls, rng):
    """Which samples each of many calls chose, (calls, count): every sample has a feature of its own."""
    scales, heights = 1.0 + np.arange(count), 1.0 + np.arange(count) % 3
    inputs = np.diag(scales), -heights, np.zeros(count)
    found = []
    for _ in range(calls):
        gradient = student.minibatch_gradient(*inputs, batch_size=size, rng=rng)
        if type(gradient) is not np.ndarray or gradient.shape != (count,):
            assert_close(gradient, np.zeros(count), what="minibatch_gradient")
        found.append(gradient)
    times = np.array(found) * size / (scales * heights)
    whole = np.round(times)
    different = (np.abs(times - whole) < 1e-6).all() and whole.min() >= 0 and whole.max() <= 1
    assert_true(
        bool(different and (whole.sum(axis=1) == size).all()),
        f"minibatch_gradient with batch_size = {size} of {count} samples is no mean over {size} different ones.",
        "Draw without replacement, always batch_size of them.",
        aspect="law",
    )
    return whole.astype(int)


def check_subsets(chosen, size):
    """Every subset is equally likely."""
    calls, count = chosen.shape
    codes = chosen @ 2 ** np.arange(count)
    for subset in combinations(range(count), size):
        times = int((codes == sum(2**i for i in subset)).sum())
        what = f"batches that consist of the samples {', '.join(map(str, subset))} (of {count})"
        check_frequency(times, calls, 1 / comb(count, size), what=what)


def check_pairs(chosen, size):
    """Every pair of samples meets in a batch as often as every other."""
    calls, count = chosen.shape
    both = chosen.T @ chosen
    for one, other in combinations(range(count), 2):
        check_frequency(
            int(both[one, other]),
            calls,
            size * (size - 1) / (count * (count - 1)),
            what=f"batches with both of the samples {one} and {other} (of {count})",
        )


def check_even(chosen, size):
    """Every sample is drawn as often as every other: chi-square of the counts, which sees small differences.

    A count has variance calls p (1 - p) with p = size / count, and the counts sum to a constant.
    """
    calls, count = chosen.shape
    p = size / count
    counts = chosen.sum(axis=0)
    statistic = ((counts - calls * p) ** 2).sum() / (calls * p * (1 - p) * count / (count - 1))
    assert_true(
        float(chi2.sf(statistic, count - 1)) > 1e-13,
        f"minibatch_gradient draws the samples between {counts.min()} and {counts.max()} times in {calls} batches of {size} "
        f"from {count}, but should draw each about {calls * p:.0f} times.",
        aspect="law",
    )


def check_calls_independent(chosen):
    """What a call chooses says nothing about the next call."""
    for one in range(chosen.shape[1]):
        for other in range(chosen.shape[1]):
            check_uncorrelated(
                chosen[1:, one],
                chosen[:-1, other],
                what=f"sample {one} in a batch and sample {other} in the batch before",
            )


def sizes(draw):
    """A number of samples and a batch size, all of them and one less included."""
    count = draw.integer(1, 5) + draw.choice([0, 1, 20, 7])
    size = draw.choice([1, count, count - 1, 1 + int(draw.rng.integers(count))])
    return {"count": count, "batch_size": max(size, 1)}


@points(1.5, repeat=False)
@given(case=cases(sizes, layouts=("C",), dtypes=("float64",), kinds=("normal",)))
def test_minibatch_gradient_law(student, case):
    """Every set of batch_size samples is equally likely, in every call anew, and drawn from rng alone."""
    drawn(student, case.count, case.batch_size, 2, case.rng())
    if case.plan.index not in range(len(LAWS)):
        return
    check_rng(lambda rng: drawn(student, 8, 3, 12, rng), what="minibatch_gradient", seed=case.seed)
    count, size, calls = LAWS[case.plan.index]
    chosen = drawn(student, count, size, calls, case.rng(1))
    check_even(chosen, size)
    if count < 10:
        check_pairs(chosen, size)
        check_subsets(chosen, size)
    if calls > 1000:
        check_calls_independent(chosen)
