"""The pictures of topic 05, drawn by the student's own functions: `grader figures 05`."""

import numpy as np

from grader.figures import BLACK, BLUE, GREY, ORANGE, SKY, VERMILION, figure

LAYERS = (4, 6, 6, 2)
P = 0.5

HIDDEN, DROPPED, STEPS, LR = 128, 0.1, 500, 0.03


def draw_network(ax, kept):
    """Units as circles, layers from bottom to top; a dropped unit is crossed out and has no lines."""
    places = [
        [((unit + 0.5) * 8 / count, 2.0 * layer) for unit in range(count)]
        for layer, count in enumerate(LAYERS)
    ]
    for layer in range(len(LAYERS) - 1):
        for below, (x0, y0) in enumerate(places[layer]):
            for above, (x1, y1) in enumerate(places[layer + 1]):
                if kept[layer][below] and kept[layer + 1][above]:
                    ax.plot((x0, x1), (y0, y1), color=GREY, linewidth=0.7, zorder=1)
    for spots, on in zip(places, kept, strict=True):
        for (x, y), stays in zip(spots, on, strict=True):
            face, edge = (SKY, BLACK) if stays else ("white", VERMILION)
            ax.plot(x, y, "o", markersize=15, color=face, markeredgecolor=edge, zorder=2)
            if not stays:
                ax.plot(x, y, "x", markersize=9, color=VERMILION, markeredgewidth=1.8, zorder=3)
    ax.set(xlim=(0, 8), ylim=(-0.7, 6.7), xticks=(), yticks=[0, 2, 4, 6])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_yticklabels(["input", "hidden 1", "hidden 2", "output"])


@figure(
    "A network and two of its thinned networks",
    caption="Left: the whole network, as it predicts. Middle and right: what two training passes see with p = 0.5. A crossed "
    "unit is zero, and nothing flows through its lines, forwards or backwards. Every pass draws anew, so that no unit can "
    "rely on another one: 12 hidden units make 4,096 networks, all with the same weights.",
    size=(10.0, 4.6),
)
def thinned_network(fig, student):
    """Which units a pass keeps, by the student's masks."""
    rng = np.random.default_rng(3)
    axes = fig.subplots(1, 3)
    for ax, title in zip(axes, ("whole", "a training pass", "another pass"), strict=True):
        kept = []
        for layer, count in enumerate(LAYERS):
            hidden = 0 < layer < len(LAYERS) - 1
            training = hidden and title != "whole"
            out, _ = student.dropout_forward(np.ones((1, count)), P, training=training, rng=rng)
            kept.append(np.asarray(out)[0] != 0)
        draw_network(ax, kept)
        ax.set_title(title)


def trained(student, gradient_flow, x, y):
    """Weights of linear, relu, dropout, linear, fitted to (x, y) by Adam."""
    rng = np.random.default_rng(0)
    params = [
        rng.choice([-1.0, 1.0], (HIDDEN, 1)),
        rng.uniform(-3, 3, HIDDEN),
        rng.standard_normal((1, HIDDEN)) / np.sqrt(HIDDEN),
        np.zeros(1),
    ]
    means, squares = ([np.zeros_like(param) for param in params] for _ in range(2))
    for step in range(1, STEPS + 1):
        w1, b1, w2, b2 = params
        z, first = gradient_flow.linear_forward(x, w1, b1)
        hidden, active = gradient_flow.relu_forward(z)
        thinned, mask = student.dropout_forward(hidden, DROPPED, training=True, rng=rng)
        out, last = gradient_flow.linear_forward(thinned, w2, b2)
        _, grad = gradient_flow.mse_loss(out, y)
        grad, grad_w2, grad_b2 = gradient_flow.linear_backward(grad, last)
        grad = gradient_flow.relu_backward(student.dropout_backward(grad, mask), active)
        _, grad_w1, grad_b1 = gradient_flow.linear_backward(grad, first)
        for index, g in enumerate((grad_w1, grad_b1, grad_w2, grad_b2)):
            means[index] = 0.9 * means[index] + 0.1 * g
            squares[index] = 0.999 * squares[index] + 0.001 * g**2
            size = np.sqrt(squares[index] / (1 - 0.999**step)) + 1e-8
            params[index] = params[index] - LR * means[index] / (1 - 0.9**step) / size
    return params


@figure(
    "The ensemble in a dropout network",
    caption="A network trained with dropout on the points. Left: dropout stays on while it predicts, and each pass is a "
    "thinned network with an opinion of its own. Right: their mean and twice their standard deviation. They agree on "
    "the data and between them, and part beyond: the spread is a cheap measure of what the network does not know.",
    size=(9.5, 5.0),
)
def ensemble_spread(fig, student, gradient_flow):
    """Monte Carlo dropout on a one-dimensional regression."""
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(-2.5, -0.7, 25), rng.uniform(0.5, 1.8, 25)])[:, None]
    y = np.sin(2 * x) + 0.1 * rng.standard_normal(x.shape)
    params = trained(student, gradient_flow, x, y)
    grid = np.linspace(-3.5, 3.5, 141)[:, None]
    left, right = fig.subplots(1, 2, sharey=True)
    for number in range(12):
        # every row of a batch would draw a mask of its own: here one mask serves the whole curve
        rng_pass = np.random.default_rng(number)
        mask, _ = student.dropout_forward(
            np.ones((1, HIDDEN)), DROPPED, training=True, rng=rng_pass
        )
        w1, b1, w2, b2 = params
        curve = (np.maximum(grid @ w1.T + b1, 0) * mask) @ w2.T + b2
        left.plot(grid, curve, color=BLUE, alpha=0.5, linewidth=1, label="" if number else "a pass")
    mean, std = student.mc_dropout_predict(
        grid, *params, DROPPED, samples=200, rng=np.random.default_rng(2)
    )
    low, high = (mean - 2 * std)[:, 0], (mean + 2 * std)[:, 0]
    right.fill_between(
        grid[:, 0], low, high, color=SKY, alpha=0.45, linewidth=0, label="mean ± 2 std"
    )
    right.plot(grid, mean, color=BLUE, label="mean of 200 passes")
    for ax, title in ((left, "twelve thinned networks"), (right, "mean and spread")):
        ax.plot(x, y, "o", markersize=4, color=ORANGE, markeredgecolor=BLACK, mew=0.4, label="data")
        ax.set(title=title, xlabel="x", ylabel="prediction")
        ax.legend(loc="lower left")
        ax.label_outer()
