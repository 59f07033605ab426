"""The pictures of topic 06, drawn by the student's own functions: `grader figures 06`."""

import numpy as np

from grader.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION, figure


def path(step, gradient, start, steps, **options):
    """The positions of an optimizer, start included, shape (steps + 1, 2)."""
    position, state = np.array(start, dtype=float), {}
    positions = [position]
    for _ in range(steps):
        position, state = step(position, gradient(position), state, **options)
        positions.append(position)
    return np.array(positions)


def contours(fig, ax, function, x_range, y_range, levels):
    """Lines of equal loss, and the grey shade between them."""
    x, y = np.meshgrid(np.linspace(*x_range, 161), np.linspace(*y_range, 161))
    ax.contourf(x, y, function(np.stack([x, y])), levels, cmap="Greys", alpha=0.35, extend="both")
    ax.contour(x, y, function(np.stack([x, y])), levels, colors="#9A9A9A", linewidths=0.5)
    ax.set(xlabel="first weight", ylabel="second weight", xlim=x_range, ylim=y_range)
    ax.grid(visible=False)


@figure(
    "Momentum against plain SGD in a narrow valley",
    caption="The loss is 25 times as steep across the valley as along it. Plain SGD (orange) jumps from wall to wall and "
    "creeps along the floor. Momentum (blue) averages the jumps away and adds up what stays: it swings as wide at first, "
    "and arrives much sooner. Both use the same learning rate.",
    size=(9.5, 4.8),
)
def momentum_in_a_narrow_valley(fig, student):
    """An anisotropic bowl."""
    curvature = np.array([1.0, 25.0])

    def loss(position):
        return 0.5 * np.tensordot(curvature, np.square(position), axes=(0, 0))

    left, right = fig.subplots(1, 2, width_ratios=(1.25, 1))
    contours(fig, left, loss, (-10.5, 4), (-2.6, 2.6), np.geomspace(0.3, 140, 12))
    for name, options, colour, line in (
        ("plain SGD", {}, ORANGE, "--"),
        ("momentum 0.6", {"momentum": 0.6}, BLUE, "-"),
    ):
        points = path(
            student.sgd_step, lambda w: curvature * w, (-9.5, 2.0), 80, lr=0.075, **options
        )
        left.plot(*points.T, line, color=colour, marker=".", markersize=4, lw=1.2, label=name)
        right.semilogy(loss(points.T), line, color=colour, label=name)
    left.plot(0, 0, "*", color=BLACK, markersize=10, label="minimum")
    left.set_title("the paths")
    right.set(title="the loss", xlabel="step", ylabel="loss")
    left.legend(loc="lower left", ncols=3)
    right.legend()


@figure(
    "SGD, RMSprop, Adam and AdamW",
    caption="One badly scaled loss, a start on the slope. SGD follows the steepest descent, zigzags, and creeps along the "
    "valley. RMSprop and Adam divide by the size of past gradients, so both weights move alike; Adam's momentum swings past "
    "the minimum. AdamW also pulls the weights towards 0 at every step, and comes to rest short of the minimum.",
    size=(9.5, 5.0),
)
def paths_of_the_optimizers(fig, student):
    """Four optimizers from one start."""
    curvature, minimum = np.array([0.05, 6.0]), np.array([2.0, 1.0])

    def loss(position):
        away = position - minimum.reshape(2, *[1] * (np.ndim(position) - 1))
        return 0.5 * np.tensordot(curvature, np.square(away), axes=(0, 0))

    left, right = fig.subplots(1, 2, width_ratios=(1.25, 1))
    contours(fig, left, loss, (-4, 3.2), (-1.6, 3.2), np.geomspace(0.02, 20, 14))
    optimizers = (
        ("SGD", student.sgd_step, {"lr": 0.3}, ORANGE, "--"),
        ("RMSprop", student.rmsprop_step, {"lr": 0.1, "alpha": 0.9}, GREEN, "-."),
        ("Adam", student.adam_step, {"lr": 0.15}, BLUE, "-"),
        ("AdamW, decay 0.2", student.adamw_step, {"lr": 0.15, "weight_decay": 0.2}, PURPLE, ":"),
    )
    for name, step, options, colour, line in optimizers:
        points = path(step, lambda w: curvature * (w - minimum), (-3.5, 2.7), 150, **options)
        left.plot(*points.T, line, color=colour, label=name, lw=1.6)
        left.plot(*points[-1], "o", color=colour, markersize=5)
        right.semilogy(loss(points.T), line, color=colour, label=name)
    left.plot(*minimum, "*", color=BLACK, markersize=11, zorder=3)
    left.set_title("the paths (star: minimum, dot: after 150 steps)")
    right.set(title="the loss", xlabel="step", ylabel="loss", ylim=(1e-9, 50))
    right.legend(loc="lower left")


@figure(
    "A saddle escaped by momentum",
    caption="A loss with a saddle at (0, 0) and minima above and below. Both runs start almost on the ridge, where the way "
    "down has a gradient near zero. Plain SGD walks to the saddle and is held up there until step 150; momentum adds up the "
    "tiny slope that always points the same way, and is gone by step 50.",
    size=(9.5, 4.8),
)
def saddle_escaped_by_momentum(fig, student):
    """From the ridge into a minimum."""

    def loss(position):
        x, y = position
        return 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4

    def gradient(position):
        x, y = position
        return np.array([x, -y + y**3])

    left, right = fig.subplots(1, 2, width_ratios=(1.1, 1))
    contours(fig, left, loss, (-2.2, 1.2), (-1.5, 1.5), np.linspace(-0.25, 2.4, 20))
    for name, options, colour, line in (
        ("plain SGD", {}, ORANGE, "--"),
        ("momentum 0.9", {"momentum": 0.9}, BLUE, "-"),
    ):
        points = path(student.sgd_step, gradient, (-2.0, 1e-3), 250, lr=0.04, **options)
        left.plot(*points.T, line, color=colour, marker=".", markersize=3, lw=1.2, label=name)
        right.plot(loss(points.T), line, color=colour, label=name)
    left.plot(0, 0, "X", color=VERMILION, markersize=9, linestyle="none", label="saddle")
    left.plot([0, 0], [1, -1], "*", color=BLACK, markersize=10, linestyle="none", label="minima")
    left.set_title("the paths")
    right.set(title="the loss", xlabel="step", ylabel="loss")
    left.legend(loc="lower left")
    right.axhline(0, color=VERMILION, linewidth=0.8, linestyle=":")
    right.annotate("the saddle's loss", (248, 0.03), ha="right", color=VERMILION, fontsize=8.5)
    right.legend(loc="upper right")
