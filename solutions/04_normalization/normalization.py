# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Normalization layers
#
# A deep network is a relay: each layer works with what the layer below hands over. While the weights below change, the
# scale of what arrives changes too, and the layer above spends its steps on chasing it. A normalization layer removes
# that freedom. It subtracts a mean, divides by a standard deviation, and gives scale and shift back as two learned
# parameters:
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma\,\hat x + \beta .$$
#
# All layers of this topic are this formula. They differ only in **which elements share a mean**:
#
# | layer | one mean and variance for each | averaged over |
# |---|---|---|
# | batch norm | channel | batch and pixels |
# | layer norm | row | features |
# | instance norm | image and channel | pixels |
# | group norm | sample and group of channels | the group's channels and pixels |
# | RMS norm | row | features, without a mean |
#
# Arrays are `(N, C, H, W)` or `(N, C)` or `(..., D)`; `gamma` and `beta` have one entry per channel or feature.

# %%
import numpy as np

# %% [markdown]
# ## Two sums that you will write five times
#
# With $g = \partial L / \partial \hat x$ and averages $\langle\cdot\rangle$ over the $m$ elements that share a mean,
#
# $$\frac{\partial L}{\partial x} = \frac{1}{\sqrt{\sigma^2 + \varepsilon}}
#   \Bigl(g - \langle g\rangle - \hat x\,\langle g\,\hat x\rangle\Bigr).$$
#
# The first term is the direct path, the second goes through $\mu$, the third through $\sigma^2$. Derive it once on
# paper: $\mu$ and $\sigma^2$ depend on *every* element they average, so each element's gradient hears of all others.
# A useful test: the result has mean zero, and it is orthogonal to $\hat x$ up to $\varepsilon$. Shifting all inputs
# by a constant, or scaling them, does not change the output, so the gradient has nothing to say in those directions.


# %%
### BEGIN SOLUTION
def _per_channel(v, ndim):
    """A vector of shape (C,) as (1, C) or (1, C, 1, 1), to meet an array with `ndim` axes."""
    return v.reshape((1, -1) + (1,) * (ndim - 2))


def _channel_axes(x):
    """All axes but the channels', (0,) or (0, 2, 3)."""
    return (0, *range(2, x.ndim))


def _normalized(x, axes, eps):
    """x_hat and 1 / sqrt(var + eps), with mean and biased variance over `axes`."""
    centred = x - x.mean(axis=axes, keepdims=True)
    var = (centred * centred).mean(axis=axes, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    return centred * inv_std, inv_std


def _through_statistics(grad_x_hat, x_hat, inv_std, axes):
    """The gradient of x, through the mean and the variance that `x_hat` was made with."""
    mean = grad_x_hat.mean(axis=axes, keepdims=True)
    projection = (grad_x_hat * x_hat).mean(axis=axes, keepdims=True)
    return inv_std * (grad_x_hat - mean - x_hat * projection)


### END SOLUTION


# %% [markdown]
# ## Batch norm
#
# In **training** every channel is normalized with the mean and variance of this very batch. The variance that
# normalizes is the *biased* one, $\frac1m\sum (x-\mu)^2$ with $m = N H W$. Beside it the layer keeps running
# statistics for later:
#
# $$\text{running} \leftarrow (1 - \text{momentum})\,\text{running} + \text{momentum}\cdot\text{batch},$$
#
# where the variance that goes in is the *unbiased* one, with $m - 1$. (Mind the direction: `momentum` is the weight
# of the **new** value, as in torch.)
#
# In **evaluation** the running statistics take the batch's place, as constants: one sample then gets the same answer
# whatever else is in its batch. A training batch with one value per channel has no variance: raise `ValueError`. An
# empty batch has nothing to normalize; the running statistics stay as they are.
#
# *Where it matters:* forgetting to switch to evaluation is among the most frequent bugs in deployed models.
#
# *Hint:* write $\mu$ and $\sigma^2$ with `keepdims=True`, and give `gamma` the shape `(1, C, 1, 1)`.


# %%
def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5
):
    """Batch-normalized x, the cache, and the new running statistics.

    Args:
        x: input, shape (N, C) or (N, C, H, W).
        gamma: scale per channel, shape (C,).
        beta: shift per channel, shape (C,).
        running_mean: running mean per channel, shape (C,).
        running_var: running variance per channel, shape (C,).
        training: use the batch's statistics and update the running ones; otherwise use the running ones.
        momentum: weight of the batch's statistics in the update.
        eps: added to the variance.

    Returns:
        (out, cache, new_running_mean, new_running_var); out is shaped like x.

    Raises:
        ValueError: training with a single value per channel.
    """
    ### BEGIN SOLUTION
    count = x.size // max(x.shape[1], 1)
    if training and count == 1:
        raise ValueError(f"x of shape {x.shape} has one value per channel: no variance to train on")
    axes = _channel_axes(x)
    if training and count > 1:
        x_hat, inv_std = _normalized(x, axes, eps)
        batch_mean = x.mean(axis=axes)
        batch_var = x.var(axis=axes, ddof=1)
        new_mean = (1 - momentum) * running_mean + momentum * batch_mean
        new_var = (1 - momentum) * running_var + momentum * batch_var
    else:
        inv_std = 1 / np.sqrt(_per_channel(running_var, x.ndim) + eps)
        x_hat = (x - _per_channel(running_mean, x.ndim)) * inv_std
        new_mean, new_var = running_mean, running_var
    out = x_hat * _per_channel(gamma, x.ndim) + _per_channel(beta, x.ndim)
    return out, (x_hat, inv_std, gamma, training), new_mean, new_var
    ### END SOLUTION


# %% [markdown]
# The backward pass needs to know in which mode the forward was: after an evaluation pass the statistics are
# constants, and only the direct path is left.


# %%
def batch_norm_backward(grad_out, cache):
    """Gradients of x, gamma and beta.

    Args:
        grad_out: gradient of out, shaped like x.
        cache: what `batch_norm_forward` returned, of a training or an evaluation pass.

    Returns:
        (grad_x, grad_gamma, grad_beta), shapes of x, (C,) and (C,).
    """
    ### BEGIN SOLUTION
    x_hat, inv_std, gamma, training = cache
    axes = _channel_axes(grad_out)
    grad_x_hat = grad_out * _per_channel(gamma, grad_out.ndim)
    if training:
        grad_x = _through_statistics(grad_x_hat, x_hat, inv_std, axes)
    else:
        grad_x = grad_x_hat * inv_std
    return grad_x, (grad_out * x_hat).sum(axis=axes), grad_out.sum(axis=axes)
    ### END SOLUTION


# %% [markdown]
# ## Layer norm
#
# Each row is normalized over its own $D$ features. Nothing is shared between samples, so there are no running
# statistics and no training mode, and a batch of one is as good as any. This is the norm of transformers, where
# sequences of different length make a batch's statistics meaningless.
#
# *Hint:* x may have any number of leading axes; `gamma` and `beta` are shared by all of them, so their gradients sum
# over all of them.


# %%
def layer_norm_forward(x, gamma, beta, *, eps=1e-5):
    """Each row of x normalized over the last axis, and the cache.

    Args:
        x: input, shape (..., D).
        gamma: scale per feature, shape (D,).
        beta: shift per feature, shape (D,).
        eps: added to the variance.

    Returns:
        (out, cache); out is shaped like x.
    """
    ### BEGIN SOLUTION
    x_hat, inv_std = _normalized(x, -1, eps)
    return x_hat * gamma + beta, (x_hat, inv_std, gamma)
    ### END SOLUTION


# %%
def layer_norm_backward(grad_out, cache):
    """Gradients of x, gamma and beta.

    Args:
        grad_out: gradient of out, shape (..., D).
        cache: what `layer_norm_forward` returned.

    Returns:
        (grad_x, grad_gamma, grad_beta), shapes (..., D), (D,) and (D,).
    """
    ### BEGIN SOLUTION
    x_hat, inv_std, gamma = cache
    leading = tuple(range(grad_out.ndim - 1))
    grad_x = _through_statistics(grad_out * gamma, x_hat, inv_std, -1)
    grad_gamma = (grad_out * x_hat).sum(axis=leading)
    return grad_x, grad_gamma, grad_out.sum(axis=leading)
    ### END SOLUTION


# %% [markdown]
# ## Instance norm
#
# Each channel of each image is normalized over its own pixels: contrast and brightness of a single image disappear.
# It comes from style transfer, where the contrast of the content image is exactly what should not matter.
#
# *Hint:* the gradient of x stays within one image; those of `gamma` and `beta` sum over images and pixels.


# %%
def instance_norm_forward(x, gamma, beta, *, eps=1e-5):
    """Each channel of each image normalized over its pixels, and the cache.

    Args:
        x: images, shape (N, C, H, W).
        gamma: scale per channel, shape (C,).
        beta: shift per channel, shape (C,).
        eps: added to the variance.

    Returns:
        (out, cache); out is shaped like x.
    """
    ### BEGIN SOLUTION
    pixels = (2, 3)
    x_hat, inv_std = _normalized(x, pixels, eps)
    out = x_hat * _per_channel(gamma, 4) + _per_channel(beta, 4)
    return out, (x_hat, inv_std, gamma)
    ### END SOLUTION


# %%
def instance_norm_backward(grad_out, cache):
    """Gradients of x, gamma and beta.

    Args:
        grad_out: gradient of out, shape (N, C, H, W).
        cache: what `instance_norm_forward` returned.

    Returns:
        (grad_x, grad_gamma, grad_beta), shapes (N, C, H, W), (C,) and (C,).
    """
    ### BEGIN SOLUTION
    x_hat, inv_std, gamma = cache
    grad_x_hat = grad_out * _per_channel(gamma, 4)
    grad_x = _through_statistics(grad_x_hat, x_hat, inv_std, (2, 3))
    images_and_pixels = (0, 2, 3)
    grad_gamma = (grad_out * x_hat).sum(axis=images_and_pixels)
    return grad_x, grad_gamma, grad_out.sum(axis=images_and_pixels)
    ### END SOLUTION


# %% [markdown]
# ## Group norm
#
# Between layer norm (all channels together) and instance norm (each alone): the $C$ channels are cut into
# `num_groups` runs of neighbours, and each run of each sample is normalized together. It works with a batch of one or
# two images, where batch norm's statistics are noise; detection and segmentation networks use it for that reason.
#
# *Hint:* `x.reshape(N, num_groups, -1)` puts a group into one row. `gamma` and `beta` stay per channel, not per group.


# %%
def group_norm_forward(x, gamma, beta, *, num_groups, eps=1e-5):
    """Each group of channels of each sample normalized together, and the cache.

    Args:
        x: input, shape (N, C) or (N, C, H, W).
        gamma: scale per channel, shape (C,).
        beta: shift per channel, shape (C,).
        num_groups: number of groups of C / num_groups neighbouring channels.
        eps: added to the variance.

    Returns:
        (out, cache); out is shaped like x.

    Raises:
        ValueError: num_groups does not divide C.
    """
    ### BEGIN SOLUTION
    if x.shape[1] % num_groups != 0:
        raise ValueError(f"num_groups = {num_groups} does not divide {x.shape[1]} channels")
    rows = (x.shape[0], num_groups, int(np.prod(x.shape[1:])) // num_groups)
    x_hat, inv_std = _normalized(x.reshape(rows), -1, eps)
    x_hat = x_hat.reshape(x.shape)
    out = x_hat * _per_channel(gamma, x.ndim) + _per_channel(beta, x.ndim)
    return out, (x_hat, inv_std, gamma, rows)
    ### END SOLUTION


# %%
def group_norm_backward(grad_out, cache):
    """Gradients of x, gamma and beta.

    Args:
        grad_out: gradient of out, shaped like x.
        cache: what `group_norm_forward` returned.

    Returns:
        (grad_x, grad_gamma, grad_beta), shapes of x, (C,) and (C,).
    """
    ### BEGIN SOLUTION
    x_hat, inv_std, gamma, rows = cache
    grad_x_hat = (grad_out * _per_channel(gamma, grad_out.ndim)).reshape(rows)
    grad_x = _through_statistics(grad_x_hat, x_hat.reshape(rows), inv_std, -1)
    axes = _channel_axes(grad_out)
    grad_gamma = (grad_out * x_hat).sum(axis=axes)
    return grad_x.reshape(grad_out.shape), grad_gamma, grad_out.sum(axis=axes)
    ### END SOLUTION


# %% [markdown]
# ## RMS norm
#
# What if the mean is not worth its cost? RMS norm only divides by the root mean square,
#
# $$y = \gamma\,\frac{x}{\sqrt{\langle x^2\rangle + \varepsilon}} .$$
#
# One sum less in the forward, one term less in the backward, and in large language models it works as well.
#
# *Hint:* without a mean the second term of the gradient is gone; the third one stays.


# %%
def rms_norm_forward(x, gamma, *, eps=1e-5):
    """Each row of x divided by its root mean square, and the cache.

    Args:
        x: input, shape (..., D).
        gamma: scale per feature, shape (D,).
        eps: added to the mean square.

    Returns:
        (out, cache); out is shaped like x.
    """
    ### BEGIN SOLUTION
    inv_rms = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    x_hat = x * inv_rms
    return x_hat * gamma, (x_hat, inv_rms, gamma)
    ### END SOLUTION


# %%
def rms_norm_backward(grad_out, cache):
    """Gradients of x and gamma.

    Args:
        grad_out: gradient of out, shape (..., D).
        cache: what `rms_norm_forward` returned.

    Returns:
        (grad_x, grad_gamma), shapes (..., D) and (D,).
    """
    ### BEGIN SOLUTION
    x_hat, inv_rms, gamma = cache
    grad_x_hat = grad_out * gamma
    projection = (grad_x_hat * x_hat).mean(axis=-1, keepdims=True)
    grad_x = inv_rms * (grad_x_hat - x_hat * projection)
    return grad_x, (grad_out * x_hat).sum(axis=tuple(range(grad_out.ndim - 1)))
    ### END SOLUTION
