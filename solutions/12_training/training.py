# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Training
#
# Eleven topics of parts; here is the machine. You build a residual network with layer norm and dropout, initialize it,
# differentiate it by hand, and train it with AdamW, warmup, a cosine, augmentation and early stopping until it reads
# handwritten digits: 1,797 real scans of 8 by 8 pixels, 97 % of those it never saw. No framework, only numpy.
#
# Most of the parts you have written already: linear layers, ReLU and cross-entropy (topic 01), layer norm (04), dropout
# (05), AdamW (06), warmup and cosine (07), early stopping (08), shifts (09). Copy what you need into this file. What is new
# is that everything must fit together *exactly*: the checks run your network beside a twin in torch, and after fifty steps
# the two must still agree.

# %%
import numpy as np

# %% [markdown]
# ## The network
#
# `sizes` lists the widths, inputs first and classes last: `[64, 32, 32, 10]` has 64 inputs, two hidden **blocks** of
# width 32, and 10 classes. There is at least one block. With $h_0 = x$ of shape (N, sizes[0]), block $i = 0, 1, \dots$
# computes, in this order,
#
# $$u_i = h_i W_i^\top + b_i, \qquad
#   z_i = \gamma_i \odot \frac{u_i - \operatorname{mean}(u_i)}{\sqrt{\operatorname{var}(u_i) + 10^{-5}}} + \beta_i, \qquad
#   d_i = \operatorname{dropout}\bigl(\operatorname{relu}(z_i)\bigr),$$
#
# $$h_{i+1} = \begin{cases} h_i + d_i & \text{if } h_i \text{ and } d_i \text{ have the same width,} \\
#   d_i & \text{otherwise.} \end{cases}$$
#
# After the last block a linear **head** gives the logits, $h_L W^\top + b$; it is never residual, and nothing follows it.
# Mean and (biased) variance are those of each row. Dropout is the inverted one: in training each element is zeroed with
# probability `dropout` and else divided by 1 - `dropout`; the shortcut is not dropped. In evaluation nothing is.
#
# The parameters live in a dict, with these names and shapes:
#
# | name | shape | what |
# |---|---|---|
# | `"block0.weight"`, `"block1.weight"`, ... | (sizes[i + 1], sizes[i]) | $W_i$ |
# | `"block0.bias"`, ... | (sizes[i + 1],) | $b_i$ |
# | `"block0.gamma"`, ... | (sizes[i + 1],) | $\gamma_i$ |
# | `"block0.beta"`, ... | (sizes[i + 1],) | $\beta_i$ |
# | `"head.weight"` | (sizes[-1], sizes[-2]) | $W$ |
# | `"head.bias"` | (sizes[-1],) | $b$ |
#
# Gradients are a dict with the same names. The order of a dict's entries means nothing: look arrays up by name.

# %% [markdown]
# ## Initialization
#
# He's: every weight matrix, the head's too, is drawn from a **normal** law with mean 0 and variance 2 / fan_in, where
# fan_in is the number of its columns. Biases and $\beta$ are 0, $\gamma$ is 1. All numbers are drawn independently.
# The arrays are float64, and each is an array of its own.
#
# *Hint:* keep one `rng` for the whole network. Seeding it anew for every layer gives layers that are copies of each other.


# %%
### BEGIN SOLUTION
_EPS = 1e-5


def _blocks(params):
    """How many blocks a network has."""
    return sum(name.endswith(".gamma") for name in params)


### END SOLUTION


# %%
def init_network(sizes, *, rng):
    """The parameters of a new network, by name.

    Args:
        sizes: widths: inputs, one or more blocks, classes.
        rng: numpy.random.Generator, the only source of randomness.

    Returns:
        A dict of float64 arrays, with the names and shapes of the table above.
    """
    ### BEGIN SOLUTION
    params = {}
    for i, fan_out in enumerate(sizes[1:]):
        fan_in = sizes[i]
        name = "head" if i == len(sizes) - 2 else f"block{i}"
        params[f"{name}.weight"] = rng.normal(0.0, np.sqrt(2.0 / fan_in), size=(fan_out, fan_in))
        params[f"{name}.bias"] = np.zeros(fan_out)
        if name != "head":
            params[f"{name}.gamma"] = np.ones(fan_out)
            params[f"{name}.beta"] = np.zeros(fan_out)
    return params
    ### END SOLUTION


# %% [markdown]
# ## Forward
#
# The logits, and whatever `network_backward` will need. Only the rows of `x` matter to a row of the logits, so a batch of
# one is fine, in training too: that is what layer norm is for. All arrays of a call have one dtype, and so have the logits.
#
# Masks are drawn from `rng`, independently for every element of every block, with as many draws as you like. With
# `dropout=0`, or `training=False`, the result does not depend on `rng`.
#
# *Hint:* remember the mask. The backward pass cannot draw it again.


# %%
def network_forward(params, x, *, training, dropout, rng):
    """The logits of a batch, and the cache for network_backward.

    Args:
        params: parameters by name, float arrays of one dtype.
        x: inputs, shape (N, sizes[0]), of the same dtype.
        training: whether dropout drops.
        dropout: probability of zeroing, in [0, 1).
        rng: numpy.random.Generator, the only source of randomness.

    Returns:
        (logits, cache); logits has shape (N, sizes[-1]) and the dtype of x.
    """
    ### BEGIN SOLUTION
    steps = []
    h = x
    for i in range(_blocks(params)):
        weight, gamma = params[f"block{i}.weight"], params[f"block{i}.gamma"]
        u = h @ weight.T + params[f"block{i}.bias"]
        centered = u - u.mean(axis=-1, keepdims=True)
        inv_std = 1 / np.sqrt(np.mean(centered**2, axis=-1, keepdims=True) + _EPS)
        u_hat = centered * inv_std
        z = u_hat * gamma + params[f"block{i}.beta"]
        slope = (z > 0).astype(z.dtype)
        if training and dropout > 0:
            slope = slope * (rng.random(z.shape) >= dropout) / (1 - dropout)
        out = z * slope
        residual = h.shape[-1] == out.shape[-1]
        steps.append((h, u_hat, inv_std, slope, weight, gamma, residual))
        h = h + out if residual else out
    logits = h @ params["head.weight"].T + params["head.bias"]
    return logits, (steps, h, params["head.weight"])
    ### END SOLUTION


# %% [markdown]
# ## Backward
#
# Walk the same way back: head first, then the blocks from last to first. At a residual block the gradient arrives twice,
# once along the shortcut, untouched, and once through the layers; the two are added. Through the layer norm (the mean is
# over the row, $g$ the gradient of the normalized $\hat u$, $\sigma$ the root with the $10^{-5}$ in it):
#
# $$\frac{1}{\sigma}\Bigl(g - \operatorname{mean}(g) - \hat u\,\operatorname{mean}(g \odot \hat u)\Bigr).$$
#
# ReLU's derivative at 0 is 0. The gradient of `x` is nobody's business here.
#
# *Hint:* before you train anything, compare one entry of each gradient with a difference quotient of your own forward.


# %%
def network_backward(grad_logits, cache):
    """The gradients of all parameters.

    Args:
        grad_logits: gradient of the logits, shape (N, sizes[-1]).
        cache: what `network_forward` returned.

    Returns:
        A dict of arrays: for each parameter's name the gradient of sum(logits * grad_logits), shaped like the parameter.
    """
    ### BEGIN SOLUTION
    steps, h_last, head = cache
    grads = {"head.weight": grad_logits.T @ h_last, "head.bias": grad_logits.sum(axis=0)}
    grad_h = grad_logits @ head
    for i in reversed(range(len(steps))):
        h, u_hat, inv_std, slope, weight, gamma, residual = steps[i]
        grad_z = grad_h * slope
        grads[f"block{i}.gamma"] = (grad_z * u_hat).sum(axis=0)
        grads[f"block{i}.beta"] = grad_z.sum(axis=0)
        g = grad_z * gamma
        mean_g = g.mean(axis=-1, keepdims=True)
        along = (g * u_hat).mean(axis=-1, keepdims=True)
        grad_u = (g - mean_g - u_hat * along) * inv_std
        grads[f"block{i}.weight"] = grad_u.T @ h
        grads[f"block{i}.bias"] = grad_u.sum(axis=0)
        through = grad_u @ weight
        grad_h = through + grad_h if residual else through
    return grads
    ### END SOLUTION


# %% [markdown]
# ## One training step
#
# Forward in training mode, the mean cross-entropy of the batch,
#
# $$L = -\frac1N \sum_{n} \log \operatorname{softmax}(\text{logits}_n)_{t_n},$$
#
# backward, and one step of **AdamW** with torch's defaults, $\beta = (0.9, 0.999)$ and $\varepsilon = 10^{-8}$. At
# step $t = 1, 2, \dots$, for each parameter $\theta$ with gradient $g$,
#
# $$m \leftarrow 0.9\,m + 0.1\,g, \qquad v \leftarrow 0.999\,v + 0.001\,g^2, \qquad
#   \theta \leftarrow (1 - \eta\lambda)\,\theta - \eta\,\frac{m / (1 - 0.9^t)}{\sqrt{v / (1 - 0.999^t)} + \varepsilon}.$$
#
# The decay $\lambda$ applies to **all** parameters, gains and biases included, as `torch.optim.AdamW(all parameters)` does.
# The state is a dict, `{}` before the first step; its keys are up to you. The learning rate may change from step to step.
# Old parameters and old states stay as they were: somebody may go back to them. The loss that is returned is that of the
# step's own forward pass, before the parameters moved.


# %%
### BEGIN SOLUTION
def _cross_entropy(logits, targets):
    """The mean cross-entropy and its gradient."""
    rows = np.arange(len(targets))
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    grad = np.exp(log_p)
    grad[rows, targets] -= 1
    return -float(log_p[rows, targets].mean()), grad / len(targets)


### END SOLUTION


# %%
def train_step(params, state, x, targets, *, lr, weight_decay, dropout, rng):
    """The parameters after one step of AdamW on a batch, the new state, and the batch's loss.

    Args:
        params: parameters by name.
        state: what the step before returned; {} at the first.
        x: inputs, shape (N, sizes[0]).
        targets: class labels, integers of shape (N,).
        lr: learning rate.
        weight_decay: strength of the decay, applied to every parameter.
        dropout: probability of zeroing, in [0, 1).
        rng: numpy.random.Generator, the only source of randomness.

    Returns:
        (params, state, loss): new dicts, and the mean cross-entropy before the step, a scalar.
    """
    ### BEGIN SOLUTION
    logits, cache = network_forward(params, x, training=True, dropout=dropout, rng=rng)
    loss, grad_logits = _cross_entropy(logits, targets)
    grads = network_backward(grad_logits, cache)
    t = state.get("t", 0) + 1
    old_mean, old_square = state.get("mean", {}), state.get("square", {})
    new_params, mean, square = {}, {}, {}
    for name, param in params.items():
        grad = grads[name]
        mean[name] = 0.9 * old_mean.get(name, 0.0) + 0.1 * grad
        square[name] = 0.999 * old_square.get(name, 0.0) + 0.001 * grad**2
        mean_hat = mean[name] / (1 - 0.9**t)
        square_hat = square[name] / (1 - 0.999**t)
        direction = mean_hat / (np.sqrt(square_hat) + 1e-8)
        new_params[name] = (1 - lr * weight_decay) * param - lr * direction
    return new_params, {"t": t, "mean": mean, "square": square}, loss
    ### END SOLUTION


# %% [markdown]
# ## The whole training
#
# `data` is a dict of four arrays: `"train_images"` and `"val_images"`, float64 of shape (N, 1, H, W) with values in [0, 1],
# and `"train_targets"` and `"val_targets"`, integers of shape (N,). There are as many classes as the largest training
# target plus one. The network sees the pixels as they are, flattened: `images.reshape(N, -1)`. The widths of its blocks
# are **your choice** (at least one block; 128 and 128 train in seconds), and it starts from `init_network`.
#
# **An epoch** takes every training image once, in an order that is drawn anew for every epoch, in batches of `batch_size`
# (the last may be smaller), with one `train_step` per batch. Just before, each image is **augmented**: shifted by `dx` and
# `dy` whole pixels, each drawn uniformly from -1, 0 and 1, anew for every image in every epoch; zeros enter at the border.
# No other augmentation: a 6 upside down is a 9. Validation images are never augmented.
#
# **The learning rate** counts steps, not epochs. With $T$ = epochs x batches per epoch and $W = \max(1, \lfloor T/10 \rfloor)$,
# step $s = 0, 1, \dots$ uses
#
# $$\eta_s = \begin{cases} \text{base lr}\cdot\bigl(\tfrac13 + \tfrac23\,\tfrac{s}{W}\bigr) & s < W, \\[2pt]
#   \tfrac12\,\text{base lr}\cdot\bigl(1 + \cos\bigl(\pi\,\tfrac{s - W}{T - W}\bigr)\bigr) & s \ge W. \end{cases}$$
#
# **After each epoch** the network is evaluated on the validation images: no dropout, no augmentation. If its loss is lower
# than every one before, these parameters are the best so far. Training stops early after `patience` epochs in a row without
# such an improvement. The schedule does not know about that: $T$ stays as planned.
#
# **What comes back** is `best_params`, those of the epoch with the lowest validation loss (not the last ones!), and `history`,
# a dict of four lists with one number per epoch that was run:
#
# | name | for each epoch |
# |---|---|
# | `"lr"` | the learning rate of its last step |
# | `"train_loss"` | the mean of the losses that its steps returned (each step counts once) |
# | `"val_loss"` | mean cross-entropy on the validation images after it |
# | `"val_accuracy"` | share of the validation images whose largest logit is at their target |
#
# **The digits**, as the course splits them (70 % to train, 15 % to validate, 15 % to test), for your own experiments; the
# checks bring them along, and train for 60 epochs with a `batch_size` of 64, a `base_lr` of 0.02, a `weight_decay` of 0.1,
# a `dropout` of 0.2 and a `patience` of 20:
#
# ```python
# from sklearn.datasets import load_digits
#
# found = load_digits()
# order = np.random.default_rng(12).permutation(1797)
# images, targets = found.images[order][:, None] / 16.0, found.target[order]
# data = {
#     "train_images": images[:1257], "train_targets": targets[:1257],
#     "val_images": images[1257:1527], "val_targets": targets[1257:1527],
# }
# test_images, test_targets = images[1527:], targets[1527:]
# ```
#
# Look at the test images once, at the end: a number that you tuned for is no measurement any more.
#
# *Hint:* a training takes a few seconds. If yours takes minutes, a loop over images or parameters runs in Python.
#
# *Where it matters:* this loop, with more zeros in its numbers, is how image classifiers and language models are trained.
# Plot the history before you trust a result: a training loss that falls while the validation loss rises is overfitting,
# a loss that jumps at the end of warmup is a learning rate too high.


# %%
### BEGIN SOLUTION
_WIDTHS = [128, 128]


def _shifted(images, rng):
    """Each image shifted by -1, 0 or 1 pixels in each direction."""
    n, _, height, width = images.shape
    padded = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)))
    top, left = rng.integers(0, 3, size=(2, n, 1, 1))
    rows = top + np.arange(height)[:, None]
    columns = left + np.arange(width)
    return padded[np.arange(n)[:, None, None], rows, columns]


def _rate(step, base_lr, total):
    """Linear warmup over a tenth of the steps, then half a cosine."""
    warmup = max(1, total // 10)
    if step < warmup:
        return base_lr * (1 / 3 + 2 / 3 * step / warmup)
    return 0.5 * base_lr * (1 + np.cos(np.pi * (step - warmup) / (total - warmup)))


def _evaluated(params, images, targets, rng):
    """Loss and accuracy without dropout."""
    x = images.reshape(len(images), -1)
    logits, _ = network_forward(params, x, training=False, dropout=0.0, rng=rng)
    accuracy = float(np.mean(logits.argmax(axis=1) == targets))
    return _cross_entropy(logits, targets)[0], accuracy


### END SOLUTION


# %%
def fit(data, *, epochs, batch_size, base_lr, weight_decay, dropout, patience, rng):
    """The parameters with the lowest validation loss, and the history of the training.

    Args:
        data: dict of train_images, train_targets, val_images and val_targets.
        epochs: largest number of epochs, at least 1.
        batch_size: images per step, at least 1.
        base_lr: learning rate at the end of the warmup.
        weight_decay: strength of the decay.
        dropout: probability of zeroing, in [0, 1).
        patience: epochs in a row without improvement after which training stops, at least 1.
        rng: numpy.random.Generator, the only source of randomness.

    Returns:
        (best_params, history): a dict of parameters, and a dict of lists: lr, train_loss, val_loss and val_accuracy.
    """
    ### BEGIN SOLUTION
    images, targets = data["train_images"], data["train_targets"]
    pixels = int(np.prod(images.shape[1:]))
    params, state = init_network([pixels, *_WIDTHS, int(targets.max()) + 1], rng=rng), {}
    starts = range(0, len(images), batch_size)
    total = epochs * len(starts)
    history = {"lr": [], "train_loss": [], "val_loss": [], "val_accuracy": []}
    best_params, best_loss, waited, step = params, np.inf, 0, 0
    for _ in range(epochs):
        order = rng.permutation(len(images))
        losses = []
        for start in starts:
            batch = order[start : start + batch_size]
            x = _shifted(images[batch], rng).reshape(len(batch), -1)
            lr = _rate(step, base_lr, total)
            params, state, loss = train_step(
                params, state, x, targets[batch], lr=lr, weight_decay=weight_decay, dropout=dropout, rng=rng
            )  # fmt: skip
            losses.append(loss)
            step += 1
        val_loss, val_accuracy = _evaluated(params, data["val_images"], data["val_targets"], rng)
        history["lr"].append(float(lr))
        history["train_loss"].append(float(np.mean(losses)))
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(val_accuracy)
        if val_loss < best_loss:
            best_params, best_loss, waited = params, val_loss, 0
        else:
            waited += 1
        if waited >= patience:
            break
    return best_params, history
    ### END SOLUTION
