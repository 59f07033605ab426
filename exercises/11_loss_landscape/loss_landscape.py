# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Loss landscapes
#
# A network with a million weights has a loss with a million arguments. Nobody can look at that, but one can cut a
# plane through it and look at the plane, and one can ask at a single point which way the surface bends. Both tell
# why some networks are easy to train: residual connections make the valley wide and smooth, and momentum carries
# the weights past the places where the ground is flat.
#
# Four tools: directions to look along, the surface above them, the kind of a critical point, and a ball that rolls.

# %%
import numpy as np

# %% [markdown]
# ## A direction that fits the weights
#
# Take a step of length 1 in a random direction. For a network with small weights that is an earthquake, for one
# with large weights nothing happens. Worse, a relu network computes the same function after one layer is multiplied
# by 10 and the next one divided by 10, yet a plot along plain random directions looks quite different. **Filter normalization**
# takes this freedom away: the direction $d$ is Gaussian, and each output unit's part of it gets the length of that
# unit's weights. For row $i$ of a linear weight, or filter $i$ of a convolution,
#
# $$d_i \leftarrow \frac{d_i}{\lVert d_i \rVert}\,\lVert w_i \rVert, \qquad d_i \sim \mathcal N(0, I) .$$
#
# The norm runs over everything that belongs to the unit: over `(I,)` of a row, over `(C, kH, kW)` of a filter. A
# unit whose weights are all zero gets a direction of zeros. Biases (1-D arrays) do not move: theirs is zero.
#
# *Hint:* divide by the Gaussian's norm, which is never zero, and not by the weights'.


# %%
def filter_normalized_direction(weights, *, rng):
    """A random direction as long as the weights, row by row and filter by filter.

    Args:
        weights: list of arrays: (O, I) of a linear layer, (O, C, kH, kW) of a convolution, (O,) of a bias.
        rng: the source of all randomness.

    Returns:
        A list of arrays with the shapes and dtypes of `weights`; zeros for 1-D arrays.
    """
    raise NotImplementedError("filter_normalized_direction is yours to write")


# %% [markdown]
# ## The loss above a plane
#
# Two directions $a$ and $b$ span a plane through the weights $W$. The surface over it is
#
# $$S_{ij} = L\bigl(W + \alpha_i\,a + \beta_j\,b\bigr),$$
#
# with one entry of `directions` for each weight matrix; the biases $c$ stay where they are. The network is a tanh MLP:
#
# $$h \leftarrow \tanh(W_l h + c_l) \quad\text{for all layers but the last}, \qquad z = W_L h + c_L ,$$
#
# and $L$ is the mean cross-entropy of the logits $z$. With `skip`, every **square** layer before the last one is
# residual: $h \leftarrow h + \tanh(W_l h + c_l)$. A layer that changes the width cannot be, and the last one never is.
#
# Far from the minimum the logits get large. Take each row's maximum out before you exponentiate.
#
# *Where it matters:* plot $S$ for a deep stack with and without `skip`, and you see what residual connections do.


# %%
def loss_surface(x, targets, weights, biases, direction_a, direction_b, alphas, betas, *, skip):
    """The cross-entropy at weights + alpha * direction_a + beta * direction_b.

    Args:
        x: inputs, (N, I).
        targets: integer class labels, (N,).
        weights: list of the layers' weights, each (out_features, in_features); one layer is enough.
        biases: list of the layers' biases, each (out_features,).
        direction_a: list of arrays shaped like `weights`.
        direction_b: list of arrays shaped like `weights`.
        alphas: array or list of A numbers.
        betas: array or list of B numbers.
        skip: whether square layers, the last one apart, are residual.

    Returns:
        (A, B), dtype of x: entry [i, j] belongs to alphas[i] and betas[j].
    """
    raise NotImplementedError("loss_surface is yours to write")


# %% [markdown]
# ## What kind of point is this?
#
# Where the gradient is zero, the eigenvalues $\lambda$ of the Hessian say how the surface bends along its main axes.
# With a tolerance $\tau$ for "flat":
#
# - **saddle**: some $\lambda > \tau$ and some $\lambda < -\tau$, whatever the others are;
# - else **degenerate**: some $\lvert\lambda\rvert \le \tau$, so that the second derivative alone does not decide;
# - else **minimum** (all $\lambda > \tau$) or **maximum** (all $\lambda < -\tau$).
#
# In high dimension nearly all critical points are saddles: for a minimum every single sign has to be right.


# %%
def classify_critical_point(hessian, *, tolerance=1e-8):
    """The kind of a critical point: "minimum", "maximum", "saddle" or "degenerate".

    Args:
        hessian: symmetric matrix, (d, d).
        tolerance: eigenvalues of at most this absolute value count as zero.

    Raises:
        ValueError: hessian is not symmetric.
    """
    raise NotImplementedError("classify_critical_point is yours to write")


# %% [markdown]
# ## A ball that rolls
#
# On the quadratic $f(x) = \tfrac12 x^\top H x$ with its gradient $Hx$, heavy-ball descent is
#
# $$v_{t+1} = \mu\,v_t + H x_t, \qquad x_{t+1} = x_t - \eta\,v_{t+1}, \qquad v_0 = 0 .$$
#
# The velocity adds up what keeps its sign and averages out what changes it. In a long narrow valley the zigzag
# across dies down while the motion along it gathers speed. Near a saddle, the one direction that leads down has a
# tiny gradient at first; momentum multiplies the speed of the escape.
#
# *Hint:* a list of positions that is filled by `x -= ...` holds the same array many times.


# %%
def descend(hessian, start, *, lr, momentum, steps):
    """The positions of heavy-ball descent on 1/2 x^T H x, the start included.

    Args:
        hessian: symmetric matrix H, (d, d).
        start: first position, (d,).
        lr: learning rate.
        momentum: weight of the old velocity; 0 is plain gradient descent.
        steps: how many steps, 0 or more.

    Returns:
        (steps + 1, d), dtype of start.
    """
    raise NotImplementedError("descend is yours to write")
