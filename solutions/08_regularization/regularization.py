# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Regularization
#
# A network with more weights than examples can learn the examples by heart, noise and all. Regularization makes that
# harder than learning the rule behind them. Three ways to do so fit on this page: charge the loss for its weights
# (L2, L1), pull the weights back a little at every step (weight decay), or simply leave while it is going well
# (early stopping).
#
# Throughout, `params` is a **list of arrays** of any shapes, one per layer say, and an answer for it is a list in the
# same order. Arrays keep their dtype, and nothing that you are given is modified.

# %%
import numpy as np

# %% [markdown]
# ## The L2 penalty
#
# Every weight pays its square:
#
# $$R_2(\theta) = \frac{\lambda}{2} \sum_l \lVert \theta_l \rVert^2
#   = \frac{\lambda}{2} \sum_l \sum_i \theta_{l,i}^2,
#   \qquad \frac{\partial R_2}{\partial \theta_l} = \lambda\,\theta_l .$$
#
# The $\tfrac12$ is there so that the gradient has no 2. It is a sum over all weights of all layers, not a mean: doubling
# the width of a layer may double what it pays.
#
# *Where it matters:* for a linear model this is ridge regression, which has a solution even where there are fewer
# examples than weights. A probabilist calls it a Gaussian prior on the weights.


# %%
def l2_penalty(params, strength):
    """The L2 penalty of all parameters together, and its gradients.

    Args:
        params: list of arrays, any shapes.
        strength: the factor lambda.

    Returns:
        (value, grads): a scalar, and a list of arrays shaped like params.
    """
    ### BEGIN SOLUTION
    value = 0.5 * strength * sum(float(np.sum(np.square(param))) for param in params)
    grads = [strength * param for param in params]
    return value, grads
    ### END SOLUTION


# %% [markdown]
# ## The L1 penalty
#
# Here a weight pays its size, and a small weight is pushed just as hard as a large one:
#
# $$R_1(\theta) = \lambda \sum_l \sum_i \lvert \theta_{l,i} \rvert,
#   \qquad \frac{\partial R_1}{\partial \theta_{l,i}} = \lambda\,\operatorname{sign}(\theta_{l,i}) .$$
#
# At 0 there is a kink, where every slope between $-\lambda$ and $\lambda$ is a subgradient. Take **0**: a weight that has
# reached zero is not pushed away again.
#
# *Hint:* $\theta / \lvert\theta\rvert$ is the sign too, except where it is needed most.


# %%
def l1_penalty(params, strength):
    """The L1 penalty of all parameters together, and its gradients.

    Args:
        params: list of arrays, any shapes.
        strength: the factor lambda.

    Returns:
        (value, grads): a scalar, and a list of arrays shaped like params; the gradient of a weight that is 0 is 0.
    """
    ### BEGIN SOLUTION
    value = strength * sum(float(np.sum(np.abs(param))) for param in params)
    grads = [strength * np.sign(param) for param in params]
    return value, grads
    ### END SOLUTION


# %% [markdown]
# ## Soft thresholding
#
# Descent along the L1 gradient jumps back and forth over zero and never lands on it. The cure is to solve the penalty's
# part exactly instead of following its slope. The *proximal step* asks which $z$ is best when moving away from $x$
# costs something as well:
#
# $$\operatorname*{arg\,min}_z\ \tfrac12 (z - x)^2 + \tau \lvert z \rvert \;=\;
#   \begin{cases} x - \tau & x > \tau \\ 0 & \lvert x \rvert \le \tau \\ x + \tau & x < -\tau . \end{cases}$$
#
# So everything moves towards zero by $\tau$, and what is nearer than that stops there: exact zeros, which is what makes
# L1 useful for choosing features. (Dropping the small values and leaving the large ones as they are is *hard*
# thresholding, another function.)
#
# *Where it matters:* alternate it with gradient steps, $\tau = \eta\lambda$, and you have ISTA, the classic solver for
# the Lasso. In signal processing the same line removes noise from wavelet coefficients.


# %%
def soft_threshold(x, threshold):
    """The values of x, each moved towards zero by threshold and no further than zero.

    Args:
        x: array, any shape.
        threshold: a number, 0 or more.

    Returns:
        An array shaped like x.

    Raises:
        ValueError: threshold is negative.
    """
    ### BEGIN SOLUTION
    if threshold < 0:
        raise ValueError(f"threshold must not be negative, but is {threshold}")
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)
    ### END SOLUTION


# %% [markdown]
# ## Weight decay
#
# A step of gradient descent on the loss *plus* the L2 penalty need not know about the penalty's value at all. Put its
# gradient in and sort the terms:
#
# $$\theta \leftarrow (1 - \eta\lambda)\,\theta - \eta\, g .$$
#
# First the weight shrinks by a fixed share, then it takes its usual step. $g$ is the gradient of the loss alone, at the
# old $\theta$.
#
# *Where it matters:* for plain SGD decay and penalty are the same thing. For Adam they are not, since it divides the
# gradient of the penalty by its own scale; that difference is the W in AdamW.


# %%
def decayed_sgd_step(param, grad, *, lr, weight_decay):
    """The parameter after one step of gradient descent with weight decay.

    Args:
        param: parameter, any shape.
        grad: gradient of the loss without the penalty, shaped like param.
        lr: learning rate.
        weight_decay: the factor lambda of the decay.

    Returns:
        The new parameter, shaped like param.
    """
    ### BEGIN SOLUTION
    return (1 - lr * weight_decay) * param - lr * grad
    ### END SOLUTION


# %% [markdown]
# ## Early stopping
#
# While the training loss still falls, the validation loss has often turned around already. Early stopping watches the
# latter, keeps the best parameters that it has seen, and says when to give up.
#
# Call `step` once per epoch, with the validation loss and the parameters that belong to it. Steps count from 0.
#
# * The loss **improves** if `val_loss < best_loss - min_delta`. Falling by exactly `min_delta` is not enough, and NaN is
#   never an improvement.
# * Only an improvement changes `best_loss`, `best_params` and `best_step`. Before the first one they are infinity, `None`
#   and `None`.
# * `step` returns `True` when the last `patience` steps in a row brought no improvement, else `False`.
#
# *Hint:* training goes on after `step`, and optimizers often write the new weights into the old arrays. If
# `best_params` shares its memory with them, the best is gone: keep **copies**, of each array.
#
# *Where it matters:* nearly everywhere, since it costs one comparison per epoch. For a linear model under gradient
# descent, stopping after $t$ steps acts much like an L2 penalty of strength $1 / (\eta t)$.


# %%
class EarlyStopping:
    """Says when the validation loss has stopped improving, and keeps the best parameters.

    Args:
        patience: how many steps in a row without an improvement end the training, 1 or more.
        min_delta: an improvement is larger than this.

    Attributes:
        best_loss: the validation loss at the last improvement; infinity before the first.
        best_params: copies of the parameters of that step; None before.
        best_step: its number, from 0; None before.

    Raises:
        ValueError: patience is less than 1.
    """

    def __init__(self, *, patience, min_delta=0.0):
        ### BEGIN SOLUTION
        if patience < 1:
            raise ValueError(f"patience must be at least 1, but is {patience}")
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = float("inf")
        self.best_params = None
        self.best_step = None
        self._steps = 0
        self._waited = 0
        ### END SOLUTION

    def step(self, val_loss, params):
        """Whether to stop now.

        Args:
            val_loss: validation loss of this step, a number, perhaps NaN.
            params: the parameters that it belongs to, a list of arrays or a dict of arrays.

        Returns:
            True if the last `patience` steps in a row brought no improvement, else False.
        """
        ### BEGIN SOLUTION
        if val_loss < self.best_loss - self.min_delta:
            self.best_loss = val_loss
            self.best_step = self._steps
            if isinstance(params, dict):
                self.best_params = {name: array.copy() for name, array in params.items()}
            else:
                self.best_params = [array.copy() for array in params]
            self._waited = 0
        else:
            self._waited += 1
        self._steps += 1
        return self._waited >= self.patience
        ### END SOLUTION
