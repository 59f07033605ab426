"""The pictures of topic 01, drawn by the student's own functions: `grader figures 01`."""

import numpy as np

from grader.figures import BLUE, GREEN, ORANGE, VERMILION, figure

DEPTH, WIDTH, BATCH = 30, 64, 128

LOOKS = {
    "identity": (BLUE, "-"),
    "tanh": (GREEN, "-."),
    "relu": (ORANGE, "--"),
    "sigmoid": (VERMILION, ":"),
}


def network(variance, seed):
    """A batch and the weights of a deep network at its start, of variance `variance / WIDTH`."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((BATCH, WIDTH))
    scale = np.sqrt(variance / WIDTH)
    return x, [rng.standard_normal((WIDTH, WIDTH)) * scale for _ in range(DEPTH)]


def arriving(student, activation, variance, seed=0):
    """The norm of the gradient that comes to each layer's input, as a share of the output's; shape (DEPTH + 1,)."""
    layer = {
        "tanh": (student.tanh_forward, student.tanh_backward),
        "relu": (student.relu_forward, student.relu_backward),
        "sigmoid": (student.sigmoid_forward, student.sigmoid_backward),
        "identity": (lambda z: (z, None), lambda grad, _: grad),
    }
    forward, backward = layer[activation]
    h, weights = network(variance, seed)
    caches = []
    for weight in weights:
        z, linear_cache = student.linear_forward(h, weight, np.zeros(WIDTH))
        h, activation_cache = forward(z)
        caches.append((linear_cache, activation_cache))
    grad = np.random.default_rng(seed + 1000).standard_normal(h.shape)
    norms = [np.linalg.norm(grad)]
    for linear_cache, activation_cache in reversed(caches):
        grad, _, _ = student.linear_backward(backward(grad, activation_cache), linear_cache)
        norms.append(np.linalg.norm(grad))
    return np.array(norms[::-1]) / norms[0]


@figure(
    "Gradient norm over depth",
    caption="One network of 30 layers per activation, all with weights of variance 1/width. Left: the gradient travels from "
    "right to left; the identity keeps it, tanh loses a little, relu halves its square at every layer, sigmoid multiplies "
    "it by less than 1/4. Right: a weight's gradient is that times the activation before the layer. Sigmoid's is lost "
    "within a few layers; relu's is small everywhere, since activations shrink forwards as the gradient does backwards.",
    size=(9.5, 5.2),
)
def gradient_norm_over_depth(fig, student):
    """Vanishing gradients, by activation."""
    left, right = fig.subplots(1, 2)
    for activation, (colour, line) in LOOKS.items():
        left.semilogy(arriving(student, activation, 1), line, color=colour, label=activation)
        x, weights = network(1, seed=0)
        biases = [np.zeros(WIDTH) for _ in range(DEPTH)]
        out, cache = student.mlp_forward(x, weights, biases, activation=activation)
        _, grad_out = student.mse_loss(out, np.roll(x, 1, axis=0))
        _, grad_weights, _ = student.mlp_backward(grad_out, cache)
        norms = student.gradient_norms(grad_weights)
        right.semilogy(np.arange(1, DEPTH + 1), norms, line, color=colour, label=activation)
    left.set(
        title="the gradient that arrives",
        xlabel="layer (0 is the input)",
        ylabel="norm relative to the output's",
    )
    right.set(
        title="the gradient of the weights",
        xlabel="layer (1 is next to the input)",
        ylabel="Frobenius norm",
    )
    right.legend(title="activation", loc="lower right")


@figure(
    "Vanishing and exploding gradients",
    caption="The gradient that arrives at each layer of a relu network whose weights have variance c/width. Every layer "
    "multiplies its square by about c/2: below c = 2 it vanishes, above it explodes, and only c = 2 (He) lets it through. "
    "The line is the median of five networks, the band their range.",
)
def vanishing_and_exploding(fig, student):
    """The scale of the weights decides."""
    ax = fig.subplots()
    layers = np.arange(DEPTH + 1)
    for c, colour, line in ((4, VERMILION, "-."), (2, GREEN, "-"), (1, BLUE, "--")):
        runs = [arriving(student, "relu", c, seed) for seed in range(5)]
        low, high = np.min(runs, axis=0), np.max(runs, axis=0)
        ax.fill_between(layers, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.semilogy(layers, np.median(runs, axis=0), line, color=colour, label=f"c = {c}")
    ax.set(xlabel="layer (0 is the input)", ylabel="gradient norm relative to the output's")
    ax.legend(title="variance c / width")
