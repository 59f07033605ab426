"""The pictures of topic 12, drawn by the student's own functions: `grader figures 12`."""

import numpy as np

from grader import reveal
from grader.figures import BLUE, GREEN, ORANGE, PURPLE, figure

SIZES = (64, 64, 64, 10)
BATCH, EPOCHS, DROPOUT = 64, 10, 0.1


def digits():
    """scikit-learn's scanned digits in the course's order, to train on and to validate with; values in [0, 1]."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(12).permutation(len(labels))
    images, labels = images[order] / 16, labels[order]
    train, val = slice(0, 1257), slice(1257, 1527)
    return (images[train], labels[train]), (images[val], labels[val])


def flat(arrays, names):
    """Arrays by name as one vector: an optimizer's step is the same for every entry."""
    return np.concatenate([np.ravel(arrays[name]) for name in names])


def by_name(vector, params):
    """The vector's numbers in arrays of the names and shapes of `params`."""
    ends = np.cumsum([param.size for param in params.values()])
    parts = np.split(vector, ends[:-1])
    return {
        name: part.reshape(param.shape)
        for (name, param), part in zip(params.items(), parts, strict=True)
    }


def trained(student, gradient_flow, step, options):
    """The loss of every step, shape (steps,), and the validation accuracy after every epoch, start included."""
    (x, targets), (x_val, targets_val) = digits()
    rng = np.random.default_rng(0)
    params, state = reveal(student.init_network(SIZES, rng=rng)), {}
    vector = flat(params, params)
    losses = []

    def accuracy():
        logits, _ = student.network_forward(params, x_val, training=False, dropout=0.0, rng=rng)
        return np.mean(np.argmax(logits, axis=1) == targets_val)

    accuracies = [accuracy()]
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            logits, cache = student.network_forward(
                params, x[batch], training=True, dropout=DROPOUT, rng=rng
            )
            loss, grad = gradient_flow.softmax_cross_entropy(logits, targets[batch])
            grads = reveal(student.network_backward(grad, cache))
            vector, state = step(vector, flat(grads, params), state, **options)
            params = by_name(vector, params)
            losses.append(float(loss))
        accuracies.append(accuracy())
    return np.array(losses), np.array(accuracies)


@figure(
    "Four optimizers train the capstone",
    caption="The network of topic 12 learns to read 1,257 scanned digits: same start, same batches, and a learning rate that "
    "suits each optimizer. Left: the loss of each step (faint) and the mean of the last 20. Right: the share of 270 validation "
    "digits that it reads. RMSprop, Adam and AdamW divide by the size of past gradients, so their learning rate is a hundred "
    "times smaller. AdamW's decay keeps the training loss up, and costs nothing on the right, where 1 % is three digits: the "
    "last differences there are chance.",
    size=(10.0, 5.2),
)
def optimizers_train_the_capstone(fig, student, optimizers, gradient_flow):
    """Loss per step and accuracy per epoch."""
    runs = (
        ("SGD, lr 0.3", optimizers.sgd_step, {"lr": 0.3}, ORANGE, "--"),
        ("RMSprop, lr 0.003", optimizers.rmsprop_step, {"lr": 0.003}, GREEN, "-."),
        ("Adam, lr 0.005", optimizers.adam_step, {"lr": 0.005}, BLUE, "-"),
        (
            "AdamW, lr 0.005, decay 0.5",
            optimizers.adamw_step,
            {"lr": 0.005, "weight_decay": 0.5},
            PURPLE,
            (0, (1, 1)),
        ),
    )
    left, right = fig.subplots(1, 2)
    for name, step, options, colour, line in runs:
        losses, accuracies = trained(student, gradient_flow, step, options)
        steps = np.arange(1, len(losses) + 1)
        left.semilogy(steps, losses, color=colour, alpha=0.18, linewidth=0.6)
        means = np.convolve(losses, np.ones(20) / 20, mode="valid")
        left.semilogy(steps[19:], means, linestyle=line, color=colour, label=name)
        look = {"color": colour, "linestyle": line, "marker": "o", "markersize": 3.5}
        right.plot(100 * accuracies, label=name, **look)
    left.set(title="training", xlabel="step", ylabel="cross-entropy of the batch (nats)")
    right.set(title="validation", xlabel="epoch", ylabel="accuracy (%)", ylim=(60, 100))
    right.legend(loc="lower right")
