# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Initialization
#
# A network has to start somewhere, and the start decides whether it ever gets going. Two things must hold before the
# first step:
#
# 1. **Units must differ.** Two hidden units with equal weights see the same gradient, take the same step, and stay
#    twins for ever. Only chance tells them apart.
# 2. **Scale must survive.** A unit sums `fan_in` terms $w_{ij} x_j$ with independent weights of mean 0, so
#    $\mathrm{Var}(z_i) = \text{fan\_in}\cdot\mathrm{Var}(w)\cdot\langle x^2\rangle$. Unless
#    $\text{fan\_in}\cdot\mathrm{Var}(w) \approx 1$, the signal shrinks or grows by the same factor in every layer, and
#    depth turns that factor into a power.
#
# Here you write the initializers behind `torch.nn.init`, and two instruments that show what they are good for.
#
# Whatever is random is drawn from the argument `rng`, a `numpy.random.Generator`. Initializers return float64. They are
# graded by the **law** of what they return, not by its values: how you draw a normal number is up to you.

# %%
import numpy as np

# %% [markdown]
# ## Fans
#
# How many numbers flow into a unit, and to how many does it pass its own? For a linear weight of shape `(out, in)` the
# answer is `in` and `out`. In a convolution, `(out, in, kH, kW)`, one output pixel looks at `in` channels of
# `kH * kW` pixels each, and one input pixel is seen by as many output pixels of each of the `out` channels:
#
# $$\text{fan\_in} = \text{in}\cdot\prod_i k_i, \qquad \text{fan\_out} = \text{out}\cdot\prod_i k_i .$$
#
# The kernel may have any number of axes (one for sound, three for video, none for a linear layer).


# %%
def fan_in_and_fan_out(shape):
    """(fan_in, fan_out) of a weight.

    Args:
        shape: shape of the weight, (out, in) or (out, in, *kernel).

    Returns:
        (fan_in, fan_out), two integers.

    Raises:
        ValueError: shape has fewer than 2 dimensions.
    """
    if len(shape) < 2:
        raise ValueError(f"shape {shape} has fewer than 2 dimensions: no fan in and fan out")
    receptive_field = int(np.prod(shape[2:]))
    return shape[1] * receptive_field, shape[0] * receptive_field


# %% [markdown]
# ## Gain
#
# An activation changes the scale too. Relu throws away one half of a symmetric input and with it one half of
# $\langle x^2\rangle$; the weights make up for it with a variance twice as large, that is, with a factor $\sqrt 2$ on
# their standard deviation. These factors are called gains:
#
# | nonlinearity | gain |
# |---|---|
# | `"linear"`, `"sigmoid"` | $1$ |
# | `"tanh"` | $5/3$ |
# | `"relu"` | $\sqrt 2$ |
# | `"leaky_relu"` with slope $a$ | $\sqrt{2 / (1 + a^2)}$ |
# | `"selu"` | $3/4$ |
#
# `param` is the slope $a$ of the leaky relu, 0.01 unless it is given; the others ignore it. A slope of 0 is a slope
# too, and makes a relu.


# %%
def gain(nonlinearity, param=None):
    """The gain of a nonlinearity, a number.

    Args:
        nonlinearity: "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
        param: negative slope of "leaky_relu", 0.01 unless given; ignored by the others.

    Raises:
        ValueError: nonlinearity has another name.
    """
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": np.sqrt(2), "selu": 3 / 4}
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return np.sqrt(2 / (1 + slope**2))
    if nonlinearity not in gains:
        raise ValueError(f"nonlinearity {nonlinearity!r} is unknown")
    return gains[nonlinearity]


# %% [markdown]
# ## Xavier
#
# Forward, the scale survives if $\text{fan\_in}\cdot\mathrm{Var}(w) = 1$. Backward the gradient runs through the same
# matrix the other way, and wants $\text{fan\_out}\cdot\mathrm{Var}(w) = 1$. Both at once is impossible unless the layer
# is square, so Glorot and Bengio (2010) met in the middle:
#
# $$\mathrm{std}(w) = \text{gain}\cdot\sqrt{\frac{2}{\text{fan\_in} + \text{fan\_out}}} .$$
#
# It comes uniform or normal, with the same standard deviation.
#
# *Hint:* a uniform law on $[-b, b]$ does not have standard deviation $b$. Which one does it have?


# %%
def xavier_uniform(shape, rng, *, gain=1.0):
    """A weight drawn from Xavier's uniform law, float64.

    Args:
        shape: shape of the weight, (out, in) or (out, in, *kernel).
        rng: the source of all randomness.
        gain: factor on the standard deviation.
    """
    fan_in, fan_out = fan_in_and_fan_out(shape)
    bound = gain * np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, size=shape)


# %%
def xavier_normal(shape, rng, *, gain=1.0):
    """A weight drawn from Xavier's normal law, float64.

    Args:
        shape: shape of the weight, (out, in) or (out, in, *kernel).
        rng: the source of all randomness.
        gain: factor on the standard deviation.
    """
    fan_in, fan_out = fan_in_and_fan_out(shape)
    std = gain * np.sqrt(2 / (fan_in + fan_out))
    return std * rng.standard_normal(shape)


# %% [markdown]
# ## Kaiming
#
# He et al. (2015) dropped the compromise, chose one direction, and put the gain of the rectifier in:
#
# $$\mathrm{std}(w) = \frac{\text{gain}}{\sqrt{\text{fan}}}, \qquad
#   \text{fan} = \text{fan\_in or fan\_out, by } \texttt{mode} .$$
#
# `"fan_in"` keeps the activations, `"fan_out"` the gradients. This made networks of thirty layers trainable from
# scratch, where Xavier's stood still.
#
# The gain is that of `nonlinearity`; `a` is the slope for `"leaky_relu"`, the default, whose default slope of 0 makes
# it a relu. *In practice:* torch fills its linear and convolution layers by `kaiming_uniform` with $a = \sqrt 5$. Work out
# the bound of that, and you will recognize an older rule.


# %%
def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    """A weight drawn from Kaiming's uniform law, float64.

    Args:
        shape: shape of the weight, (out, in) or (out, in, *kernel).
        rng: the source of all randomness.
        a: negative slope of "leaky_relu"; ignored for another nonlinearity.
        mode: "fan_in" or "fan_out".
        nonlinearity: a name that `gain` knows.

    Raises:
        ValueError: mode has another name.
    """
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode {mode!r} is neither 'fan_in' nor 'fan_out'")
    fan_in, fan_out = fan_in_and_fan_out(shape)
    fan = fan_in if mode == "fan_in" else fan_out
    bound = gain(nonlinearity) * np.sqrt(3 / fan)
    return rng.uniform(-bound, bound, size=shape)


# %%
def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    """A weight drawn from Kaiming's normal law, float64.

    Args:
        shape: shape of the weight, (out, in) or (out, in, *kernel).
        rng: the source of all randomness.
        a: negative slope of "leaky_relu"; ignored for another nonlinearity.
        mode: "fan_in" or "fan_out".
        nonlinearity: a name that `gain` knows.

    Raises:
        ValueError: mode has another name.
    """
    raise NotImplementedError("kaiming_normal is yours to write")


# %% [markdown]
# ## Orthogonal
#
# Random weights keep the scale *on average*: some directions still grow, others shrink. An orthogonal matrix keeps
# the length of every single vector, and so does a product of a hundred of them (Saxe et al., 2014). Flatten the shape to
# `(out, everything else)`. With at most as many rows as columns the rows are orthonormal, $W W^\top = \text{gain}^2 I$;
# otherwise the columns are, $W^\top W = \text{gain}^2 I$.
#
# Which orthogonal matrix? Each with the same right: the law must not change when the matrix is rotated or mirrored from
# the left or from the right. This is the **Haar** law.
#
# *Hint:* `np.linalg.qr` of a Gaussian matrix is nearly there. A QR decomposition is unique only up to the signs of R's
# diagonal, and the library chooses them by a rule of its own, which spoils the law: look at `q[0, 0]` of many draws.
# Make the diagonal of R positive (Mezzadri, 2007, *How to generate random matrices from the classical compact groups*).


# %%
def orthogonal(shape, rng, *, gain=1.0):
    """A random orthogonal weight times gain, float64.

    Args:
        shape: shape of the weight, (out, in) or (out, in, *kernel).
        rng: the source of all randomness.
        gain: factor on the orthogonal matrix.

    Returns:
        An array of that shape. Flattened to (out, -1) its rows are orthonormal times gain, or its columns if there are
        more rows than columns; Haar-distributed.
    """
    raise NotImplementedError("orthogonal is yours to write")


# %% [markdown]
# ## Truncated normal
#
# A normal law has tails, and in a few million weights some will be five standard deviations out. Vision transformers
# cut the tails off: a normal number, *given that* it lies between two bounds. The bounds are values, as in torch, not
# multiples of `std`: with `std = 0.02` the default bounds of -2 and 2 are a hundred standard deviations away and
# cut nothing. A bound may be infinite, and the mean may lie outside of the interval.
#
# *Hint:* draw again whatever fell outside, as often as it takes. Moving it to the bound instead would pile up weights
# there.


# %%
def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    """Normal numbers, given that they lie in [low, high], float64.

    Args:
        shape: shape of the answer, any.
        rng: the source of all randomness.
        mean: mean of the normal law, before the cut.
        std: standard deviation of the normal law, before the cut.
        low: smallest value.
        high: largest value.
    """
    raise NotImplementedError("truncated_normal is yours to write")


# %% [markdown]
# ## Instrument one: the scale, layer by layer
#
# Send a batch through a stack without biases, $x_{k+1} = \phi(x_k W_k^\top)$, and write down the root mean square of
# the input and of every activation, over all samples and units together:
#
# $$s_k = \sqrt{\langle x_k^2\rangle}, \qquad k = 0, \dots, L .$$
#
# The activation comes after every layer, the last one too. Try it with thirty relu layers of 200 units under
# `xavier_normal` and `kaiming_normal`: one line falls off a cliff, the other stays level.


# %%
def activation_scales(x, weights, *, activation):
    """Root mean square of the input and of each layer's activation, shape (L + 1,), dtype of x.

    Args:
        x: input, shape (N, I).
        weights: list of L weights, each of shape (out, in).
        activation: "relu", "tanh", "sigmoid" or "identity", after every layer.
    """
    raise NotImplementedError("activation_scales is yours to write")


# %% [markdown]
# ## Instrument two: the twins
#
# For the network $y = \tanh(x W_1^\top)\, W_2^\top$ under the mean squared error (the mean over all samples and
# outputs), row $k$ of $\partial L / \partial W_1$ is the gradient of hidden unit $k$. How far apart are the rows?
#
# $$\text{gap} = \max_{k, l, i} \left| \frac{\partial L}{\partial W_{1,ki}} - \frac{\partial L}{\partial W_{1,li}} \right| .$$
#
# Fill both weights with a constant and the gap is 0: the units move as one, and a layer of a thousand is a layer of
# one. Any random start makes it positive.


# %%
def symmetry_gap(x, target, w1, w2):
    """The largest absolute difference between two hidden units' gradient rows of w1, a number.

    Args:
        x: input, shape (N, I).
        target: shape (N, O).
        w1: weight of the hidden layer, shape (K, I).
        w2: weight of the output layer, shape (O, K).
    """
    raise NotImplementedError("symmetry_gap is yours to write")
