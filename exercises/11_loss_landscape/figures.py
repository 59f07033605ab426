"""The pictures of topic 11, drawn by the student's own functions: `grader figures 11`."""

import numpy as np

from grader.figures import BLACK, BLUE, ORANGE, SEQUENTIAL, VERMILION, figure

DEPTH, WIDTH, POINTS = 16, 12, 31


def spirals(rng, count=160):
    """Two interleaved spirals: points (N, 2) and their classes."""
    turn = np.sqrt(rng.uniform(0.02, 1, count)) * 1.5 * np.pi
    targets = np.arange(count) % 2
    angle = turn + np.pi * targets
    x = turn[:, None] / 4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x + 0.03 * rng.standard_normal(x.shape), targets


def trained(x, targets, *, skip, steps=700, lr=0.003):
    """Weights and biases of a deep tanh network after some steps of Adam on the cross-entropy."""
    rng = np.random.default_rng(5)
    sizes = [2, *[WIDTH] * DEPTH, 2]
    weights = [
        rng.standard_normal((after, before)) / np.sqrt(before) * (0.5 if skip else 1.0)
        for before, after in zip(sizes, sizes[1:], strict=False)
    ]
    params = [*weights, *[np.zeros(size) for size in sizes[1:]]]
    count = len(weights)
    first, second = ([np.zeros_like(param) for param in params] for _ in range(2))
    for step in range(1, steps + 1):
        grads = gradients(x, targets, params[:count], params[count:], skip)
        for index, grad in enumerate(grads):
            first[index] = 0.9 * first[index] + 0.1 * grad
            second[index] = 0.99 * second[index] + 0.01 * grad**2
            mean, square = first[index] / (1 - 0.9**step), second[index] / (1 - 0.99**step)
            params[index] = params[index] - lr * mean / (np.sqrt(square) + 1e-8)
    return params[:count], params[count:]


def gradients(x, targets, weights, biases, skip):
    """The gradients of the cross-entropy: of all weights, then of all biases."""
    inputs, outs, h = [], [], x
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        inputs.append(h)
        outs.append(np.tanh(h @ weight.T + bias))
        residual = skip and weight.shape[0] == weight.shape[1]
        h = h + outs[-1] if residual else outs[-1]
    logits = h @ weights[-1].T + biases[-1]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    grad = (shares - np.eye(2)[targets]) / len(x)
    of_weights, of_biases = [grad.T @ h], [grad.sum(axis=0)]
    grad = grad @ weights[-1]
    for weight, before, out in zip(weights[-2::-1], inputs[::-1], outs[::-1], strict=True):
        inner = grad * (1 - out**2)
        of_weights.append(inner.T @ before)
        of_biases.append(inner.sum(axis=0))
        residual = skip and weight.shape[0] == weight.shape[1]
        grad = inner @ weight + (grad if residual else 0)
    return [*of_weights[::-1], *of_biases[::-1]]


@figure(
    "The loss surface with and without skip connections",
    caption="A tanh network of 17 layers, trained on two spirals, and the loss on a plane through its weights along two "
    "filter-normalized directions (cut off at 3 in the 3-D views). With skip connections the minimum lies in one smooth, "
    "wide valley. Without them the loss changes abruptly: ridges and flat ground on which a gradient says little.",
    size=(9.5, 8.2),
)
def loss_surface_with_and_without_skip(fig, student):
    """3-D above, contours below."""
    rng = np.random.default_rng(0)
    x, targets = spirals(rng)
    steps = np.linspace(-1, 1, POINTS)
    alpha, beta = np.meshgrid(steps, steps, indexing="ij")
    for column, (skip, title) in enumerate(
        ((True, "with skip connections"), (False, "without skip connections"))
    ):
        weights, biases = trained(x, targets, skip=skip)
        a = student.filter_normalized_direction(weights, rng=rng)
        b = student.filter_normalized_direction(weights, rng=rng)
        surface = student.loss_surface(x, targets, weights, biases, a, b, steps, steps, skip=skip)
        above = fig.add_subplot(2, 2, column + 1, projection="3d")
        above.plot_surface(
            alpha, beta, np.minimum(surface, 3), cmap=SEQUENTIAL, rstride=1, cstride=1, lw=0.1
        )
        above.set(title=title, xlabel="alpha", ylabel="beta", zlabel="cross-entropy (nats)")
        above.set(zlim=(0, 3), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        above.view_init(elev=32, azim=-58)
        above.set_box_aspect((1, 1, 0.75), zoom=1.12)
        below = fig.add_subplot(2, 2, column + 3)
        levels = np.geomspace(0.01, 10, 16)
        shades = np.log10(np.clip(surface, levels[0] / 10, levels[-1]))
        filled = below.contourf(
            alpha, beta, shades, np.log10(levels), cmap=SEQUENTIAL, extend="both"
        )
        below.contour(
            alpha,
            beta,
            shades,
            np.log10(levels),
            colors="white",
            linewidths=0.4,
            linestyles="solid",
        )
        below.plot(0, 0, "*", color=VERMILION, markersize=10, markeredgecolor="white")
        below.set(xlabel="alpha (first direction)", ylabel="beta (second direction)")
        below.set_aspect("equal")
        below.grid(visible=False)
        bar = fig.colorbar(filled, ax=below, ticks=[-2, -1, 0, 1], shrink=0.9)
        bar.set_ticklabels(["0.01", "0.1", "1", "10"])
        bar.set_label("cross-entropy (nats)")


@figure(
    "Momentum out of a saddle",
    caption="Descent on a saddle, which curves up along the first axis and gently down along the second. It starts a thousandth "
    "off the ridge. The unstable direction grows by 1 + lr |lambda| per step in plain descent; with momentum 0.9 "
    "its logarithm grows six times as fast, and the weights leave the saddle (dotted: one unit away) six times as early.",
    size=(9.5, 4.8),
)
def momentum_out_of_a_saddle(fig, student):
    """Heavy-ball descent on a quadratic."""
    hessian = np.diag([1.0, -0.2])
    kind = student.classify_critical_point(hessian)
    left, right = fig.subplots(1, 2, width_ratios=(1.1, 1))
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, 121), np.linspace(-1.2, 1.2, 121))
    height = 0.5 * x**2 - 0.1 * y**2
    left.contourf(x, y, height, 18, cmap="Greys", alpha=0.35)
    left.contour(x, y, height, 18, colors="#9A9A9A", linewidths=0.5)
    for name, momentum, colour, line in (
        ("plain descent", 0.0, ORANGE, "--"),
        ("momentum 0.9", 0.9, BLUE, "-"),
    ):
        points = student.descend(
            hessian, np.array([-1.0, 1e-3]), lr=0.05, momentum=momentum, steps=300
        )
        inside = points[np.abs(points[:, 1]) < 1.3]
        left.plot(*inside.T, line, color=colour, marker=".", markersize=3, lw=1.2, label=name)
        right.semilogy(np.abs(points[:, 1]), line, color=colour, label=name)
    left.plot(0, 0, "X", color=VERMILION, markersize=9, ls="none", label=kind)
    left.set(title="the paths", xlabel="first weight", ylabel="second weight", ylim=(-1.2, 1.2))
    left.grid(visible=False)
    left.legend(loc="lower left")
    right.axhline(1, color=BLACK, linewidth=0.8, linestyle=":")
    right.set(title="the way out", xlabel="step", ylabel="distance from the ridge", ylim=(5e-4, 3))
    right.legend(loc="lower right")
