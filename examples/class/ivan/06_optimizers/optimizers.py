# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Optimizers
#
# Backpropagation says which way is down. An optimizer decides how far to go, and what to remember of the gradients
# that came before. Every optimizer here is one pure function,
#
# $$(\theta_t,\ g_t,\ s_t) \mapsto (\theta_{t+1},\ s_{t+1}),$$
#
# for a parameter $\theta$ of any shape (a scalar too), its gradient $g$, and a `state` that belongs to this parameter
# alone. The state is a dict, empty (`{}`) before the first step; what you keep in it is up to you. Return a **new**
# dict: a training loop may want to go back to an older one. The learning rate may differ from step to step.

# %%
import numpy as np


def _refuse(lr, betas, eps, weight_decay):
    if lr < 0 or eps < 0 or weight_decay < 0:
        raise ValueError("lr, eps and weight_decay must not be negative")
    for b in betas:
        if b < 0 or b >= 1:
            raise ValueError("betas must be at least 0 and less than 1")


def _adam(d, state, betas, eps, amsgrad):
    state = dict(state)
    state["t"] = state.get("t", 0) + 1
    state["m"] = betas[0] * state.get("m", 0) + (1 - betas[0]) * d
    state["v"] = betas[1] * state.get("v", 0) + (1 - betas[1]) * d * d
    state["top"] = np.maximum(state.get("top", 0), state["v"])
    v = state["top"] if amsgrad else state["v"]
    m_hat = state["m"] / (1 - betas[0] ** state["t"])
    v_hat = v / (1 - betas[1] ** state["t"])
    return m_hat / (np.sqrt(v_hat) + eps), state


# %% [markdown]
# ## Arguments worth refusing
#
# A negative learning rate climbs, a beta of 1 never learns: such options raise `ValueError`, and the message names
# the argument. The same few lines serve all optimizers, so write them once.


# %% [markdown]
# ## Stochastic gradient descent
#
# With weight decay $\lambda$, momentum $\mu$ and dampening $\tau$,
#
# $$g \leftarrow g + \lambda\theta, \qquad v \leftarrow \mu v + (1 - \tau)\,g, \qquad \theta \leftarrow \theta - \eta\,v .$$
#
# At the very first step $v$ is the gradient itself, undampened. Nesterov's form looks ahead and steps along
# $g + \mu v$ instead of $v$. `maximize` turns the *gradient* around, before the decay is added: the parameter still
# shrinks. Note that $\eta$ stands outside $v$; that matters as soon as a schedule changes it.
#
# *Where it matters:* most image classifiers are still trained with exactly this.


# %%
def sgd_step(
    param,
    grad,
    state,
    *,
    lr,
    momentum=0.0,
    dampening=0.0,
    weight_decay=0.0,
    nesterov=False,
    maximize=False,
):
    """The parameter after one step of gradient descent, and the new state.

    Args:
        param: parameter, any shape.
        grad: gradient, shaped like param.
        state: what the step before returned; {} at the first.
        lr: learning rate.
        momentum: weight of the old velocity.
        dampening: share of the gradient that is kept out of the velocity.
        weight_decay: strength of the L2 penalty.
        nesterov: step along the gradient plus momentum times the velocity.
        maximize: go up instead of down.

    Returns:
        (param, state).

    Raises:
        ValueError: lr or weight_decay is negative, or nesterov without momentum or with dampening.
    """
    if lr < 0:
        raise ValueError("lr < 0")
    if weight_decay < 0:
        raise ValueError("weight_decay < 0")
    if nesterov and (not momentum or dampening):
        raise ValueError("nesterov: momentum > 0 and dampening = 0 are needed")
    d = grad.copy()
    if maximize:
        d *= -1
    d += weight_decay * param
    if momentum:
        if not state:
            state["velocity"] = d.copy()
        else:
            state["velocity"] *= momentum
            state["velocity"] += (1 - dampening) * d
        if nesterov:
            d += momentum * state["velocity"]
        else:
            d = state["velocity"]
    return param - lr * d, state


# %% [markdown]
# ## RMSprop
#
# One learning rate rarely fits all weights. RMSprop divides each by a running root mean square of its own gradient:
#
# $$s \leftarrow \alpha s + (1 - \alpha)\,g^2, \qquad d = \frac{g}{\sqrt{s} + \varepsilon} .$$
#
# `centered` subtracts the square of a running mean $m \leftarrow \alpha m + (1 - \alpha) g$ from $s$ under the root,
# which leaves a variance. With momentum, $v \leftarrow \mu v + d$ takes the place of $d$. Everything starts at zero.
#
# *Hint:* $\varepsilon$ is added to the root, not to $s$.


# %%
def rmsprop_step(
    param,
    grad,
    state,
    *,
    lr=1e-2,
    alpha=0.99,
    eps=1e-8,
    weight_decay=0.0,
    momentum=0.0,
    centered=False,
):
    """The parameter after one step of RMSprop, and the new state.

    Args:
        param: parameter, any shape.
        grad: gradient, shaped like param.
        state: what the step before returned; {} at the first.
        lr: learning rate.
        alpha: weight of the old mean square.
        eps: added to the root of the mean square.
        weight_decay: strength of the L2 penalty.
        momentum: weight of the old velocity.
        centered: divide by the standard deviation instead of the root mean square.

    Returns:
        (param, state).

    Raises:
        ValueError: lr, eps or weight_decay is negative.
    """
    if lr < 0 or eps < 0 or weight_decay < 0:
        raise ValueError("lr, eps and weight_decay must not be negative")
    if not state:
        state = {k: np.zeros_like(param) for k in ("square", "mean", "velocity")}
    else:
        state = state.copy()
    d = grad + weight_decay * param
    state["square"] *= alpha
    state["square"] += (1 - alpha) * d**2
    root = state["square"]
    if centered:
        state["mean"] *= alpha
        state["mean"] += (1 - alpha) * d
        root = root - state["mean"] ** 2
    d /= np.sqrt(root) + eps
    if momentum:
        state["velocity"] *= momentum
        state["velocity"] += d
        d = state["velocity"]
    return param - lr * d, state


# %% [markdown]
# ## Adam
#
# Momentum and RMSprop together, with a correction for starting at zero. At step $t = 1, 2, \dots$
#
# $$m \leftarrow \beta_1 m + (1-\beta_1) g,\quad v \leftarrow \beta_2 v + (1-\beta_2) g^2,\quad
#   \theta \leftarrow \theta - \eta\,\frac{m / (1-\beta_1^t)}{\sqrt{v / (1-\beta_2^t)} + \varepsilon} .$$
#
# Without the correction the first steps would be far too long: $v$ is still nearly zero. **AMSGrad** replaces $v$ by
# the largest $v$ so far, so that one rare large gradient is not forgotten; the correction is applied to that maximum.


# %%
def adam_step(
    param,
    grad,
    state,
    *,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    amsgrad=False,
    maximize=False,
):
    """The parameter after one step of Adam, and the new state.

    Args:
        param: parameter, any shape.
        grad: gradient, shaped like param.
        state: what the step before returned; {} at the first.
        lr: learning rate.
        betas: weights of the old mean and of the old mean square.
        eps: added to the root of the corrected mean square.
        weight_decay: strength of the L2 penalty, added to the gradient.
        amsgrad: divide by the largest mean square so far.
        maximize: go up instead of down.

    Returns:
        (param, state).

    Raises:
        ValueError: lr, eps or weight_decay is negative, or a beta lies outside [0, 1).
    """
    _refuse(lr, betas, eps, weight_decay)
    d = grad.copy()
    if maximize:
        d *= -1
    d += weight_decay * param
    update, state = _adam(d, state, betas, eps, amsgrad)
    return param - lr * update, state


# %% [markdown]
# ## AdamW
#
# In Adam a decay that is added to the gradient gets divided by $\sqrt v$ like everything else, so weights with large
# gradients hardly decay. AdamW takes it out: first $\theta \leftarrow (1 - \eta\lambda)\,\theta$, then Adam's step on
# the bare gradient. Large language models are trained this way.


# %%
def adamw_step(
    param,
    grad,
    state,
    *,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=1e-2,
    amsgrad=False,
    maximize=False,
):
    """The parameter after one step of AdamW, and the new state.

    Args:
        param: parameter, any shape.
        grad: gradient, shaped like param.
        state: what the step before returned; {} at the first.
        lr: learning rate.
        betas: weights of the old mean and of the old mean square.
        eps: added to the root of the corrected mean square.
        weight_decay: strength of the decay, applied to the parameter.
        amsgrad: divide by the largest mean square so far.
        maximize: go up instead of down.

    Returns:
        (param, state).

    Raises:
        ValueError: lr, eps or weight_decay is negative, or a beta lies outside [0, 1).
    """
    _refuse(lr, betas, eps, weight_decay)
    update, state = _adam(-grad if maximize else grad, state, betas, eps, amsgrad)
    new = param - lr * update
    new *= 1 - lr * weight_decay
    return new, state


# %% [markdown]
# ## Clipping the gradient's norm
#
# One bad batch can throw a network far away. Clipping measures the norm of all gradients *together* and, where it
# exceeds `max_norm`, scales all by the same factor, so that the direction stays:
#
# $$g_i \leftarrow g_i\,\min\!\Bigl(1,\ \frac{\text{max norm}}{\lVert g\rVert + 10^{-6}}\Bigr).$$


# %%
def clip_gradient_norm(grads, max_norm):
    """The gradients, scaled to a joint norm of at most max_norm, and their norm before.

    Args:
        grads: list of arrays of any shapes.
        max_norm: largest norm allowed.

    Returns:
        (grads, total_norm): a list of arrays and a scalar.
    """
    total = np.sqrt(sum((g**2).sum() for g in grads))
    factor = max_norm / (total + 1e-6)
    if factor < 1:
        for g in grads:
            g *= factor
    return grads, total
