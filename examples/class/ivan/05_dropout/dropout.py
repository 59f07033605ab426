# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Dropout
#
# Give a team a project, and send a random half of it home each day. Nobody can rely on one colleague; everyone learns
# a bit of everything. Dropout does this to the units of a layer: while training, each is zeroed with some probability,
# by a draw of its own, in every pass anew.
#
# Two views of why it helps. Each pass trains another *thinned* network, so the result is an average over exponentially
# many networks that share their weights: an **ensemble**. And the noise on each unit acts as a **regularizer**: it
# punishes weights that need a partner to cancel them.
#
# Whatever is random here is drawn from the argument `rng`, a `numpy.random.Generator`: the same state gives the same
# mask. How many numbers you draw, and from which of its methods, is up to you.

# %%
import numpy as np

# %% [markdown]
# ## Inverted dropout
#
# This is the form that torch and all of today's libraries use. With `p` the probability of **zeroing**,
#
# $$m_i \sim \mathrm{Bernoulli}(1 - p), \qquad y_i = \frac{m_i}{1 - p}\,x_i .$$
#
# The division makes up for what is lost: $\mathbb E[y_i] = x_i$. So evaluation has nothing to do; it returns `x` as it
# is. The extremes are allowed: `p = 0` drops nothing, `p = 1` drops everything (and must not divide by zero).
#
# *Hint:* draw one uniform number per element and compare; keep mask and scale for the backward pass.


# %%
def dropout_forward(x, p, *, training, rng):
    """x with elements dropped, and the cache.

    Args:
        x: input, any shape.
        p: probability of zeroing an element, in [0, 1].
        training: drop; otherwise return x as it is.
        rng: the source of all randomness.

    Returns:
        (out, cache); out is shaped like x.

    Raises:
        ValueError: p lies outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p = {p} lies outside [0, 1]")
    if not training:
        return x, None
    scale = 1 / (1 - p) if p < 1 else 0.0
    mask = (rng.random(x.shape) >= p).astype(x.dtype) * x.dtype.type(scale)
    x *= mask
    return x, mask


# %% [markdown]
# The gradient takes the way that the value took: where an element was dropped nothing comes back, elsewhere it is
# scaled as the value was. It has to be **the same mask**; a new draw would train another network than the one that
# made the prediction.


# %%
def dropout_backward(grad_out, cache):
    """Gradient of x, shaped like grad_out.

    Args:
        grad_out: gradient of out, shaped like x.
        cache: what `dropout_forward` returned, of a training or an evaluation pass.
    """
    return grad_out if cache is None else grad_out * cache


# %% [markdown]
# ## Classic dropout
#
# The form of the original paper counts the other way round: `keep_prob` is the probability of **keeping**. Training
# multiplies by the mask and leaves the kept elements as they are; evaluation scales all of them down to meet the
# expectation:
#
# $$\text{training: } y_i = m_i x_i, \quad m_i \sim \mathrm{Bernoulli}(\text{keep\_prob}); \qquad
#   \text{evaluation: } y_i = \text{keep\_prob}\; x_i .$$
#
# Old code and old papers use this one. Read twice which probability a number is before you copy it.


# %%
def classic_dropout_forward(x, keep_prob, *, training, rng):
    """x with elements dropped (training) or scaled (evaluation), and the cache.

    Args:
        x: input, any shape.
        keep_prob: probability of keeping an element, in (0, 1].
        training: drop; otherwise scale by keep_prob.
        rng: the source of all randomness.

    Returns:
        (out, cache); out is shaped like x.

    Raises:
        ValueError: keep_prob lies outside (0, 1].
    """
    if not 0 < keep_prob <= 1:
        raise ValueError(f"keep_prob = {keep_prob} lies outside (0, 1]")
    if training:
        factor = (rng.random(x.shape) >= keep_prob).astype(x.dtype)
    else:
        factor = x.dtype.type(keep_prob)
    return x * factor, factor


# %%
def classic_dropout_backward(grad_out, cache):
    """Gradient of x, shaped like grad_out.

    Args:
        grad_out: gradient of out, shaped like x.
        cache: what `classic_dropout_forward` returned, of a training or an evaluation pass.
    """
    return grad_out * cache


# %% [markdown]
# ## Dropping channels
#
# Neighbouring pixels of a feature map are nearly copies of each other: drop one, and its neighbours give it away.
# For images whole **channels** are dropped, one draw for each image and channel, scaled as in inverted dropout.
#
# *Hint:* a mask of shape `(N, C, 1, 1)` broadcasts over the pixels.


# %%
def channel_dropout_forward(x, p, *, training, rng):
    """x with whole channels dropped, and the cache.

    Args:
        x: images, shape (N, C, H, W).
        p: probability of zeroing a channel of an image, in [0, 1].
        training: drop; otherwise return x as it is.
        rng: the source of all randomness.

    Returns:
        (out, cache); out is shaped like x.
    """
    if not training:
        return x, None
    scale = 1 / (1 - p) if p < 1 else 0.0
    mask = (rng.random((*x.shape[:2], 1, 1)) >= p).astype(x.dtype) * x.dtype.type(scale)
    return x * mask, mask


# %%
def channel_dropout_backward(grad_out, cache):
    """Gradient of x, shape (N, C, H, W).

    Args:
        grad_out: gradient of out, shape (N, C, H, W).
        cache: what `channel_dropout_forward` returned, of a training or an evaluation pass.
    """
    return grad_out if cache is None else grad_out * cache


# %% [markdown]
# ## The ensemble, made visible
#
# Leave dropout on at prediction time and ask the network many times: the answers differ, and their spread says how much
# the thinned networks disagree. It is a cheap measure of uncertainty (Gal and Ghahramani, 2016, *Dropout as a Bayesian
# approximation*), used where a confident wrong answer is expensive.
#
# The network is linear, relu, inverted dropout on the hidden units, linear:
#
# $$h = \max(x W_1^\top + b_1, 0), \qquad y = \mathrm{dropout}(h)\, W_2^\top + b_2 .$$
#
# Every pass and every row draws a mask of its own. The spread is the *population* standard deviation over the passes
# (divide by `samples`, not by `samples - 1`), so that one pass has spread 0.


# %%
def mc_dropout_predict(x, w1, b1, w2, b2, p, *, samples, rng):
    """Mean and standard deviation of the prediction over stochastic passes.

    Args:
        x: input, shape (N, I).
        w1: weight of the hidden layer, shape (K, I).
        b1: bias of the hidden layer, shape (K,).
        w2: weight of the output layer, shape (O, K).
        b2: bias of the output layer, shape (O,).
        p: probability of zeroing a hidden unit.
        samples: number of passes.
        rng: the source of all randomness.

    Returns:
        (mean, std), each of shape (N, O).
    """
    hidden = np.maximum(x @ w1.T + b1, 0)
    passes = []
    for _ in range(samples):
        thinned, _ = dropout_forward(hidden, p, training=True, rng=rng)
        passes.append(thinned @ w2.T + b2)
    return np.mean(passes, axis=0), np.std(passes, axis=0)
