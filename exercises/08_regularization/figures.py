"""The pictures of topic 08, drawn by the student's own functions: `grader figures 08`."""

import numpy as np

from grader import reveal
from grader.figures import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, figure

CLASSES, HIDDEN, STEPS, PATIENCE = 10, 64, 280, 30


def digits():
    """Images and labels to train on and to validate with; a fifth of the labels to train on are random."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    images, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(images))
    images, labels = images[order] / 16, labels[order]
    train, validation = slice(0, 200), slice(200, 700)
    random = rng.random(200) < 0.2
    noisy = np.where(random, rng.integers(CLASSES, size=200), labels[train])
    return (images[train], noisy), (images[validation], labels[validation])


@figure(
    "Early stopping",
    caption="A network with one hidden layer learns 200 scanned digits, a fifth of them with a random label. The training loss "
    "falls to the end. The validation loss, lower at first since its labels are right, turns around when the network begins "
    "to learn the random labels by heart. The student's EarlyStopping waits 30 steps for an improvement, says stop, and has "
    "kept the weights of the best step.",
    size=(7.5, 5.0),
)
def early_stopping(fig, student, gradient_flow):
    """Loss on real train and validation images."""
    (x, y), (x_validation, y_validation) = digits()
    rng = np.random.default_rng(1)
    sizes = (x.shape[1], HIDDEN, CLASSES)
    weights = [
        rng.standard_normal((after, before)) * np.sqrt(2 / before)
        for before, after in zip(sizes, sizes[1:], strict=False)
    ]
    biases = [np.zeros(size) for size in sizes[1:]]
    stopper = student.EarlyStopping(patience=PATIENCE)
    stopped, train_losses, validation_losses = None, [], []
    for step in range(STEPS):
        out, cache = gradient_flow.mlp_forward(x, weights, biases, activation="relu")
        loss, grad = gradient_flow.softmax_cross_entropy(out, y)
        logits, _ = gradient_flow.mlp_forward(x_validation, weights, biases, activation="relu")
        validation_loss, _ = gradient_flow.softmax_cross_entropy(logits, y_validation)
        train_losses.append(float(loss))
        validation_losses.append(float(validation_loss))
        if stopped is None and stopper.step(validation_losses[-1], [*weights, *biases]):
            stopped = step
        _, grad_weights, grad_biases = gradient_flow.mlp_backward(grad, cache)
        params = [
            student.decayed_sgd_step(param, grad, lr=0.35, weight_decay=0.0)
            for param, grad in zip(
                [*weights, *biases], [*reveal(grad_weights), *reveal(grad_biases)], strict=True
            )
        ]
        weights, biases = params[:2], params[2:]
    ax = fig.subplots()
    ax.plot(train_losses, "--", color=ORANGE, label="training loss")
    ax.plot(validation_losses, color=BLUE, label="validation loss")
    best = stopper.best_step
    ax.plot(best, stopper.best_loss, "*", color=BLACK, markersize=12, label=f"best: step {best}")
    if stopped is not None:
        ax.axvline(stopped, color=VERMILION, linestyle=":", label=f"stop: step {stopped}")
    ax.set(xlabel="step (the whole training set each)", ylabel="cross-entropy (nats)", ylim=0)
    ax.legend(loc="upper right")


@figure(
    "What L1 and L2 do to weights",
    caption="A linear model with 40 weights of which 8 matter (black lines), fitted to 30 noisy examples. Weight decay, which is "
    "an L2 penalty, shrinks all weights and makes none of them zero. A gradient step followed by the soft threshold, which "
    "is an L1 penalty, sets most of the useless ones to exactly zero.",
    size=(9.0, 5.2),
)
def sparse_and_small(fig, student):
    """Ridge against lasso, weight by weight."""
    rng = np.random.default_rng(0)
    true = np.zeros(40)
    true[:8] = [3.0, -2.0, 1.5, 2.5, -3.0, 1.0, -1.5, 2.0]
    features = rng.standard_normal((30, 40))
    targets = features @ true + 0.3 * rng.standard_normal(30)

    def gradient(weights):
        return features.T @ (features @ weights - targets) / len(targets)

    small, sparse, lr = np.zeros(40), np.zeros(40), 0.1
    for _ in range(1500):
        small = student.decayed_sgd_step(small, gradient(small), lr=lr, weight_decay=0.1)
        sparse = student.soft_threshold(sparse - lr * gradient(sparse), lr * 0.1)
    axes = fig.subplots(2, 1, sharex=True, sharey=True)
    for ax, weights, name, colour in (
        (axes[0], small, "L2: weight decay 0.1", ORANGE),
        (axes[1], sparse, "L1: soft threshold 0.1", BLUE),
    ):
        places = np.arange(1, 41)
        zero = weights == 0
        ax.hlines(true, places - 0.4, places + 0.4, color=BLACK, linewidth=1, label="the truth")
        ax.vlines(places, 0, weights, color=colour, linewidth=1.4)
        ax.plot(places[~zero], weights[~zero], "o", color=colour, markersize=5, label="fitted")
        ax.plot(places[zero], weights[zero], "o", color=GREEN, mfc="none", ms=5, label="exactly 0")
        ax.axhline(0, color=GREY, linewidth=0.6)
        ax.set(
            title=f"{name}: {zero.sum()} of 40 weights are zero", ylabel="weight", xlabel="feature"
        )
        ax.label_outer()
    axes[1].legend(loc="upper right", ncols=3)
