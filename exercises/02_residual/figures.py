"""The pictures of topic 02, drawn by the student's own functions: `grader figures 02`."""

import numpy as np

from grader.figures import BLUE, VERMILION, figure

DEPTH, WIDTH, BATCH = 40, 32, 64


def signal(student, skip, seed):
    """The gradient's norm at every block, as a share of what came in."""
    rng = np.random.default_rng(seed)

    def weight():
        return rng.standard_normal((WIDTH, WIDTH)) * 0.6 / np.sqrt(WIDTH)

    blocks = [(weight(), np.zeros(WIDTH), weight(), np.zeros(WIDTH)) for _ in range(DEPTH)]
    x, grad_out = rng.standard_normal((2, BATCH, WIDTH))
    found = student.gradient_signal(grad_out, x, blocks, skip=skip)
    return found / found[-1]


@figure(
    "Gradient norm with and without skip connections",
    caption="The gradient enters at the right, after the last of 40 blocks, and goes back to the input at the left. Plain "
    "blocks multiply it by a factor below 1 each, so it shrinks geometrically and nearly nothing arrives. The shortcut "
    "hands it on as it is, and each block only adds to it. Line: median of five stacks; band: their range.",
)
def gradient_norm_with_and_without_skip(fig, student):
    """The shortcut carries the gradient."""
    ax = fig.subplots()
    stops = np.arange(DEPTH + 1)
    for skip, colour, line, label in (
        (True, BLUE, "-", "with skip: x + F(x)"),
        (False, VERMILION, "--", "without: F(x)"),
    ):
        runs = [signal(student, skip, seed) for seed in range(5)]
        low, high = np.min(runs, axis=0), np.max(runs, axis=0)
        ax.fill_between(stops, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.semilogy(stops, np.median(runs, axis=0), line, color=colour, label=label)
    ax.set(
        xlabel="block (0 is the input, 40 the output)",
        ylabel="gradient norm relative to the output's",
    )
    ax.legend(loc="lower right")
