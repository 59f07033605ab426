# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Learning rate schedules
#
# One learning rate is rarely good for a whole training. Early on the weights are far from anything useful and a
# long stride pays; late, the same stride jumps back and forth across the valley it should descend into. A schedule
# plans the stride ahead. Nine of the ten here are pure functions,
#
# $$\text{step} \mapsto \eta_{\text{step}}, \qquad \text{step} = 0, 1, 2, \dots,$$
#
# and return the rate that is **used at** this step: the very first update of the weights uses $\eta_0$. They look at
# nothing but their arguments, so you can ask for step 900 without having asked for the 899 before, and plot a whole
# schedule before you spend an hour on it. The tenth has a memory: it watches the validation loss.
#
# All have a counterpart in `torch.optim.lr_scheduler`. Nearly all that can go wrong happens at a boundary: the
# last step of a phase, the first one of the next, and the steps after the end. Work out these by hand first.

# %%
import numpy as np

# %% [markdown]
# ## Arguments worth refusing
#
# There is no step $-1$, and a phase of 0 steps would divide by zero somewhere. A negative `step`, and a `step_size`,
# `total_steps`, `warmup_steps`, `period` or `period_mult` that is not positive, raise `ValueError`; the message names
# the argument. Every function needs it, so write it once.


# %% [markdown]
# ## Steps down a staircase
#
# The oldest recipe: keep the rate for `step_size` steps, multiply it by $\gamma$, keep it again,
#
# $$\eta_t = \eta_{\text{base}}\;\gamma^{\lfloor t / \text{step size}\rfloor}.$$
#
# Step `step_size` is the first one with the smaller rate. Residual networks were first trained like this, with
# $\gamma = 0.1$ whenever the loss curve went flat.


# %%
def step_decay(step, *, base_lr, step_size, gamma=0.1):
    """The learning rate at a step, multiplied by gamma after every step_size steps.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate at step 0.
        step_size: length of a stair, in steps.
        gamma: factor from one stair to the next.

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative, or step_size is not positive.
    """
    if step < 0:
        raise ValueError(f"step = {step}")
    if step_size <= 0:
        raise ValueError(f"step_size = {step_size}")
    n = step // step_size
    return base_lr * gamma**n


# %% [markdown]
# ## A staircase with stairs of your own
#
# `milestones` names the steps at which the rate drops. Each milestone $m$ counts from $t = m$ on:
#
# $$\eta_t = \eta_{\text{base}}\;\gamma^{\#\{m \,:\, m \le t\}}.$$
#
# They may come in any order, as a list or a tuple; a milestone that is listed twice counts twice; without any the
# rate is constant. The list belongs to the caller: do not sort it in place.


# %%
def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    """The learning rate at a step, multiplied by gamma at every milestone.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate before the first milestone.
        milestones: steps from which on the rate is smaller; a list or tuple in any order, with repetitions, or empty.
        gamma: factor at each milestone.

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative.
    """
    if step < 0:
        raise ValueError(f"step = {step}")
    milestones.sort()
    n = 0
    while n < len(milestones) and milestones[n] <= step:
        n += 1
    return base_lr * gamma**n


# %% [markdown]
# ## Exponential decay
#
# A staircase whose stairs are one step wide: $\eta_t = \eta_{\text{base}}\,\gamma^t$. It falls quickly, so $\gamma$ lies
# close to 1. A useful number to have in mind is its half-life, about $0.7 / (1 - \gamma)$ steps.


# %%
def exponential_decay(step, *, base_lr, gamma):
    """The learning rate at a step, multiplied by gamma after every step.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate at step 0.
        gamma: factor from one step to the next.

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative.
    """
    if step < 0:
        raise ValueError(f"step = {step}")
    return base_lr * gamma**step


# %% [markdown]
# ## Polynomial decay
#
# Where the number of steps is known in advance, the rate can arrive at exactly zero:
#
# $$\eta_t = \eta_{\text{base}}\Bigl(1 - \frac{\min(t, T)}{T}\Bigr)^{\text{power}}, \qquad T = \text{total steps}.$$
#
# Power 1 is a straight line, 0.9 the habit of semantic segmentation, 2 spends longer on small rates.
#
# *Hint:* without the minimum a fractional power of a negative number appears after the end.


# %%
def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    """The learning rate at a step, a power of the share of steps that are left.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate at step 0.
        total_steps: first step at which the rate is zero.
        power: exponent, positive.

    Returns:
        The learning rate, a scalar; zero from total_steps on.

    Raises:
        ValueError: step is negative, or total_steps is not positive.
    """
    if step < 0:
        raise ValueError(f"step = {step}")
    if total_steps <= 0:
        raise ValueError(f"total_steps = {total_steps}")
    t = min(step, total_steps)
    return base_lr * (1 - t / total_steps) ** power


# %% [markdown]
# ## Linear warmup
#
# Large batches and transformers dislike a large rate at the start: the first gradients of random weights are no
# guide, and Adam's running means know nothing yet. Warmup begins at a fraction $f$ = `start_factor` of the base rate
# and rises in a straight line,
#
# $$\eta_t = \eta_{\text{base}}\Bigl(f + (1 - f)\,\frac{\min(t, W)}{W}\Bigr), \qquad W = \text{warmup steps}.$$
#
# The full rate is reached at step $W$, not at $W - 1$, and stays.


# %%
def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    """The learning rate at a step, rising in a straight line to base_lr.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate from warmup_steps on.
        warmup_steps: length of the rise, in steps.
        start_factor: share of base_lr at step 0, in (0, 1].

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative, or warmup_steps is not positive.
    """
    if step < 0:
        raise ValueError(f"step = {step}")
    # start_factor at 0, then up to 1
    return base_lr * min(1.0, start_factor + (1 - start_factor) * step / warmup_steps)


# %% [markdown]
# ## Cosine annealing
#
# Half a cosine from the base rate down to `min_lr`: slow at first, fast in the middle, slow again at the end,
#
# $$\eta_t = \eta_{\min} + (\eta_{\text{base}} - \eta_{\min})\,\frac{1 + \cos(\pi t / T)}{2}
#   \quad (t \le T), \qquad \eta_t = \eta_{\min} \quad (t \ge T).$$
#
# No knob but the length, and hard to beat: the default of most recent image and language models. (torch's scheduler
# lets the cosine rise again after $T$. Here it stays down.)


# %%
def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    """The learning rate at a step, on half a cosine from base_lr to min_lr.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate at step 0.
        total_steps: first step with min_lr.
        min_lr: learning rate from total_steps on.

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative, or total_steps is not positive.
    """
    lr = (1 + np.cos(np.pi * min(step, total_steps) / total_steps)) / 2
    # TODO min_lr


# %% [markdown]
# ## Warm restarts
#
# Cosine annealing over and over: after `period` steps the rate jumps back to the base rate, and the next cycle is
# `period_mult` times as long. With period 2 and mult 3 the cycles begin at steps 0, 2, 8, 26. Within a cycle of
# length $T_i$, at $t_i$ steps after its beginning, the formula is the one above with $t_i / T_i$. The rate never
# arrives at `min_lr`: at $t_i = T_i$ the next cycle has begun.
#
# Each restart shakes the weights out of the basin they settled in; the weights from just before a restart
# make a cheap ensemble.
#
# *Hint:* subtract whole cycles from `step` until what is left lies inside one. A logarithm gets there in one line, and
# rounding sometimes makes it one cycle wrong.


# %%
def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    """The learning rate at a step, on cosines that begin anew, each period_mult times as long as the one before.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate at the beginning of every cycle.
        period: length of the first cycle, in steps.
        period_mult: factor from a cycle's length to the next, a whole number.
        min_lr: learning rate that a cycle approaches.

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative, or period or period_mult is not positive.
    """
    raise NotImplementedError("cosine_warm_restarts is yours to write")


# %% [markdown]
# ## Warmup, then cosine
#
# What most large networks are trained with. Steps $0 \dots W - 1$ are a linear warmup, and from step $W$ on a cosine runs
# over the **remaining** $T - W$ steps. At step $W$ the rate is `base_lr`, from both sides; at $T$ it is `min_lr`, and it
# stays there. A warmup as long as the whole training leaves no room for the cosine: raise `ValueError`.


# %%
def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    """The learning rate at a step: a linear warmup to base_lr, then half a cosine to min_lr.

    Args:
        step: number of the step, from 0.
        base_lr: learning rate at step warmup_steps.
        warmup_steps: length of the warmup, in steps.
        total_steps: length of both phases together; first step with min_lr.
        min_lr: learning rate from total_steps on.
        start_factor: share of base_lr at step 0, in (0, 1].

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative, warmup_steps is not positive, or total_steps is not larger than warmup_steps.
    """
    raise NotImplementedError("warmup_cosine is yours to write")


# %% [markdown]
# ## One cycle
#
# "Super-convergence": one long swing up to a rate that would be too large for good, and down again to almost nothing.
# Three rates matter,
#
# $$\eta_{\text{initial}} = \frac{\eta_{\max}}{\text{div factor}}, \qquad \eta_{\max}, \qquad
#   \eta_{\text{final}} = \frac{\eta_{\text{initial}}}{\text{final div factor}},$$
#
# and two half cosines join them. The first rises from step 0 to the peak at
#
# $$P = \text{pct start}\cdot T - 1,$$
#
# which need not be a whole number; the second falls from $P$ to the **last** step, $T - 1$. On the way up the fraction
# is $t / P$, on the way down $(t - P) / (T - 1 - P)$. A $P$ below zero means that step 0 is already on the way down.
# There is no step $T$: from there on, raise `ValueError`. (The case $P = 0$ is not graded.)


# %%
def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    """The learning rate at a step: half a cosine up to max_lr, and another down to almost zero.

    Args:
        step: number of the step, from 0 to total_steps - 1.
        max_lr: learning rate at the peak.
        total_steps: number of steps.
        pct_start: share of the steps on the way up, in [0, 1].
        div_factor: max_lr over the first learning rate.
        final_div_factor: first learning rate over the last.

    Returns:
        The learning rate, a scalar.

    Raises:
        ValueError: step is negative, total_steps is not positive, or step is not below total_steps.
    """
    raise NotImplementedError("one_cycle is yours to write")


# %% [markdown]
# ## Reduce on plateau
#
# Instead of a plan, an observer. After each epoch it is told the validation loss and answers with the learning rate
# to go on with. Of the losses it remembers the best, which is infinite at first, and it counts bad epochs:
#
# 1. The loss is **better** if `metric < best * (1 - threshold)`: it becomes the best, and the count of bad epochs starts
#    again at 0. Otherwise (a tie too, and NaN) the epoch is bad: the count grows by one.
# 2. During a **cooldown** one of its epochs is used up and the count is set back to 0, whatever the loss was.
# 3. If the count now **exceeds** `patience`, the rate becomes `max(lr * factor, min_lr)`, the count 0, and a cooldown of
#    `cooldown` epochs begins with the next one.
#
# With patience 0 the first bad epoch is one too many. A factor of 1 or more never reduces: `ValueError`. (For a negative
# metric rule 1 accepts values slightly above the best, as torch does. Keep it.)
#
# *Where it matters:* when nobody knows how long the training will take. Mind that it listens to a noisy number.


# %%
class ReduceOnPlateau:
    """A learning rate that is reduced when a metric stops falling.

    Args:
        lr: learning rate to begin with.
        factor: what a reduction multiplies the rate with, below 1.
        patience: number of bad epochs in a row that are tolerated, from 0.
        threshold: relative improvement that a metric must exceed to count.
        cooldown: number of epochs after a reduction in which bad ones do not count, from 0.
        min_lr: rate below which no reduction goes.

    Raises:
        ValueError: factor is 1 or more.
    """

    def __init__(self, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0):
        raise NotImplementedError("ReduceOnPlateau.__init__ is yours to write")

    def step(self, metric):
        """The learning rate after an epoch with this metric, a scalar."""
        raise NotImplementedError("ReduceOnPlateau.step is yours to write")
