"""The pictures of topic 10, drawn by the student's own functions: `grader figures 10`."""

import numpy as np
from numpy.polynomial.legendre import legvander

from grader.figures import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, figure


def truth(x):
    """What the polynomials should find."""
    return np.sin(3 * x)


def noisy(rng, count, noise=0.25):
    """Points in [-1, 1] and noisy values of the truth there."""
    x = rng.uniform(-1, 1, count)
    return x, truth(x) + noise * rng.standard_normal(count)


@figure(
    "Underfitting, a good fit, overfitting",
    caption="Polynomials fitted to the same 15 noisy points by least squares. Degree 1 cannot bend: it misses the points and the "
    "rule. Degree 3 finds the rule (dashed) and leaves the noise. Degree 14 goes through every point and swings between "
    "them: the training error is zero, the test error is the largest of the three. Above each: mean squared errors.",
    size=(10.0, 4.6),
)
def under_and_overfitting(fig, student):
    """Three degrees, one data set."""
    rng = np.random.default_rng(3)
    x = np.sort(np.linspace(-0.97, 0.97, 15) + 0.05 * rng.uniform(-1, 1, 15))
    y = truth(x) + 0.25 * rng.standard_normal(15)
    x_test, y_test = noisy(rng, 500)
    degrees = [1, 3, 14]
    train, test = student.train_test_error(x, y, x_test, y_test, degrees)
    grid = np.linspace(min(x[0], -1), max(x[-1], 1), 401)
    axes = fig.subplots(1, 3, sharey=True)
    for ax, degree, train_mse, test_mse in zip(axes, degrees, train, test, strict=True):
        weights = student.least_squares(student.polynomial_features(x, degree), y)
        fitted = student.polynomial_features(grid, degree) @ weights
        ax.plot(grid, truth(grid), "--", color=GREY, label="the rule")
        ax.plot(grid, fitted, color=BLUE, label="the fit")
        ax.plot(x, y, "o", color=ORANGE, markeredgecolor=BLACK, mew=0.4, ms=5, label="data")
        ax.set(
            title=f"degree {degree}: train {train_mse:.3f}, test {test_mse:.3f}",
            xlabel="x",
            ylabel="y",
            ylim=(-2.4, 2.4),
        )
        ax.label_outer()
    axes[0].legend(loc="lower right")


@figure(
    "Test error past interpolation",
    caption="Minimum-norm fits of Legendre polynomials, damped by degree, to 15 points; median over 40 data sets, band: the "
    "middle half. Up to 15 weights the training error falls to zero and the test error rises to a peak, where just one "
    "polynomial goes through all points. With more weights there are many, the student's least_squares takes the one of "
    "smallest norm, and the test error falls again: double descent.",
    size=(8.0, 5.2),
)
def test_error_past_interpolation(fig, student):
    """Mean squared errors over the number of weights."""
    degrees = [*range(1, 30), *range(34, 120, 5)]
    runs = np.empty((40, 2, len(degrees)))
    for seed, errors in enumerate(runs):
        rng = np.random.default_rng(seed)
        samples = [noisy(rng, 15), noisy(rng, 200)]
        for column, degree in enumerate(degrees):
            k = np.arange(degree + 1)
            (features, y), (others, y_test) = (
                (legvander(x, degree) * np.sqrt(2 * k + 1) / (k + 1), y) for x, y in samples
            )
            weights = student.least_squares(features, y)
            errors[0, column] = np.mean((features @ weights - y) ** 2)
            errors[1, column] = np.mean((others @ weights - y_test) ** 2)
    widths = np.array(degrees) + 1
    ax = fig.subplots()
    for name, values, colour, line in (
        ("test", runs[:, 1], BLUE, "-"),
        ("training", runs[:, 0], ORANGE, "--"),
    ):
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
        ax.fill_between(widths, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.semilogy(widths, middle, line, color=colour, label=name)
    ax.axvline(15, color=VERMILION, linestyle=":", label="as many weights as points")
    ax.set(xlabel="number of weights (degree + 1)", ylabel="mean squared error", ylim=(1e-4, 1e11))
    ax.legend()


@figure(
    "Gradient descent finds the minimum-norm solution",
    caption="Left: one equation for two weights; every point of the green line solves it. Descent moves at right angles to the "
    "line. From zero it ends at the solution that is nearest to zero, without being told; from elsewhere it ends elsewhere. "
    "Right: the same with 12 examples and 40 weights: the distance to the student's least_squares shrinks to rounding error.",
    size=(10.0, 5.0),
)
def descent_to_the_minimum_norm(fig, student):
    """Implicit regularization."""
    left, right = fig.subplots(1, 2)
    features, targets = np.array([[1.0, 2.0]]), np.array([4.0])
    line = np.linspace(-2.2, 3.4, 2)
    left.plot(line, (4 - line) / 2, color=GREEN, label="all solutions")
    starts = (((0.0, 0.0), BLUE, "-", "from zero"), ((-1.8, 0.4), ORANGE, "--", "from elsewhere"))
    for start, colour, style, label in starts:
        points = [np.array(start)]
        for _ in range(25):
            options = {"lr": 0.06, "steps": 1, "start": points[-1]}
            points.append(student.gradient_descent(features, targets, **options))
        left.plot(*np.array(points).T, style, color=colour, marker=".", lw=1.2, label=label)
    solution = student.least_squares(features, targets)
    left.plot(
        *solution, "*", color=BLACK, markersize=12, ls="none", label="smallest norm", zorder=3
    )
    circle = np.linspace(0, 2 * np.pi, 200)
    radius = np.linalg.norm(solution)
    left.plot(radius * np.cos(circle), radius * np.sin(circle), ":", color=GREY, linewidth=1)
    left.set(xlabel="first weight", ylabel="second weight", aspect="equal")
    left.set(xlim=(-2.3, 3.4), ylim=(-0.6, 3.2), title="two weights, one equation")
    left.legend(loc="upper right")
    rng = np.random.default_rng(0)
    features, targets = rng.standard_normal((12, 40)), rng.standard_normal(12)
    solution = student.least_squares(features, targets)
    steps = np.arange(0, 601, 20)
    for name, start, colour, style in (
        ("from zero", None, BLUE, "-"),
        ("from elsewhere", 0.3 * rng.standard_normal(40), ORANGE, "--"),
    ):
        weights, distances = start, []
        for count in (0, *np.diff(steps)):
            options = {"lr": 0.15, "steps": int(count), "start": weights}
            weights = student.gradient_descent(features, targets, **options)
            distances.append(np.linalg.norm(weights - solution))
        right.semilogy(steps, np.maximum(distances, 1e-17), style, color=colour, label=name)
    right.set(xlabel="step", ylabel="distance to the minimum-norm solution")
    right.set_title("40 weights, 12 equations")
    right.legend(loc="center right")
