"""The pictures of topic 03, drawn by the student's own functions: `grader figures 03`."""

import numpy as np

from grader.figures import BLACK, BLUE, GREEN, ORANGE, VERMILION, figure

DEPTH, WIDTH, BATCH = 40, 128, 256
SHAPE = (WIDTH, WIDTH)


@figure(
    "Activation scale over depth, per initialization",
    caption="The same 40 layers, started five ways. With relu (left) Kaiming holds the scale, since it makes up for the half "
    "that relu zeroes; Xavier loses a factor of 1.4 per layer. With tanh (right) Xavier and orthogonal weights fade "
    "slowly, while large weights drive it towards 1, where its derivative is small. With small weights the signal "
    "is gone after a few layers.",
    size=(9.5, 4.8),
)
def activation_scale_over_depth(fig, student):
    """The law of the weights decides whether the signal survives."""
    laws = {
        "Kaiming normal (relu)": (
            lambda rng: student.kaiming_normal(SHAPE, rng, nonlinearity="relu"),
            BLUE,
            "-",
        ),
        "Xavier normal": (lambda rng: student.xavier_normal(SHAPE, rng), ORANGE, "--"),
        "orthogonal": (lambda rng: student.orthogonal(SHAPE, rng), GREEN, "-."),
        "normal, std 0.2": (
            lambda rng: student.truncated_normal(SHAPE, rng, std=0.2),
            VERMILION,
            (0, (5, 1, 1, 1, 1, 1)),
        ),
        "normal, std 0.01": (
            lambda rng: student.truncated_normal(SHAPE, rng, std=0.01),
            BLACK,
            (0, (1, 1)),
        ),
    }
    axes = fig.subplots(1, 2)
    for ax, activation in zip(axes, ("relu", "tanh"), strict=True):
        for name, (law, colour, line) in laws.items():
            rng = np.random.default_rng(0)
            x = rng.standard_normal((BATCH, WIDTH))
            weights = [np.reshape(law(rng), SHAPE) for _ in range(DEPTH)]
            scales = student.activation_scales(x, weights, activation=activation)
            ax.semilogy(np.arange(DEPTH + 1), scales, linestyle=line, color=colour, label=name)
        ax.set(
            title=activation,
            xlabel="layer (0 is the input)",
            ylabel="root mean square of the activations",
        )
    axes[0].set_ylim(1e-9, 1e9)
    axes[1].set_ylim(1e-9, 10)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")


@figure(
    "The laws of Xavier and Kaiming",
    caption="Weights of a layer with 128 inputs and 128 outputs, as the student's functions draw them. Kaiming's are wider by "
    "sqrt(2), the gain of relu. A uniform law has sharp ends at sqrt(3) standard deviations, a normal one has tails.",
    size=(8.5, 4.4),
)
def laws_of_the_weights(fig, student):
    """Histograms of the initializers."""
    axes = fig.subplots(1, 2, sharey=True)
    pairs = (
        ("uniform", student.xavier_uniform, student.kaiming_uniform),
        ("normal", student.xavier_normal, student.kaiming_normal),
    )
    bins = np.linspace(-0.4, 0.4, 61)
    for ax, (law, xavier, kaiming) in zip(axes, pairs, strict=True):
        rng = np.random.default_rng(0)
        draws = (
            ("Xavier", xavier, {}, ORANGE, "--"),
            ("Kaiming (relu)", kaiming, {"nonlinearity": "relu"}, BLUE, "-"),
        )
        for name, initializer, options, colour, line in draws:
            weight = np.reshape(initializer(SHAPE, rng, **options), SHAPE)
            label = f"{name}, std {np.std(weight):.3f}"
            look = {"histtype": "step", "color": colour, "linestyle": line, "linewidth": 1.8}
            ax.hist(np.ravel(weight), bins, density=True, label=label, **look)
        ax.set(title=law, xlabel="weight", ylim=(0, 6))
        ax.legend(loc="upper right")
    axes[0].set_ylabel("probability density")
