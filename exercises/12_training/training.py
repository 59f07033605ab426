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
def init_network(sizes, *, rng):
    """The parameters of a new network, by name.

    Args:
        sizes: widths: inputs, one or more blocks, classes.
        rng: numpy.random.Generator, the only source of randomness.

    Returns:
        A dict of float64 arrays, with the names and shapes of the table above.
    """
    raise NotImplementedError("init_network is yours to write")


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
    raise NotImplementedError("network_forward is yours to write")


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
    raise NotImplementedError("network_backward is yours to write")


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
    raise NotImplementedError("train_step is yours to write")


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
    raise NotImplementedError("fit is yours to write")
