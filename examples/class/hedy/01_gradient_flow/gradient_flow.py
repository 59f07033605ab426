# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Gradient flow
#
# Backpropagation carries a message from the loss down to the first layer. Every layer it passes multiplies the message
# by that layer's Jacobian. In a stack $x_{k+1} = f_k(x_k)$ of depth $L$,
#
# $$\frac{\partial x_L}{\partial x_0} = J_{L-1}\,J_{L-2}\cdots J_0, \qquad
#   J_k = \mathrm{diag}\bigl(\phi'(z_k)\bigr)\,W_k .$$
#
# A product of many factors rarely stays near one. Suppose each layer scales the gradient by the same factor:
#
# | factor per layer | after 12 layers | after 50 layers |
# |---|---|---|
# | 0.25 (the steepest slope of a sigmoid) | 0.00000006 | 8e-31 |
# | 0.9 | 0.28 | 0.005 |
# | 1 | 1 | 1 |
# | 1.1 | 3.1 | 117 |
# | 2 | 4096 | 1e15 |
#
# Below one the gradient **vanishes** and the first layers do not learn; above one it **explodes** and a step throws
# the weights away. Here you build the chain rule by hand, and then the two instruments that show the effect: the
# Jacobian of a whole network, and the gradient norm of each layer.
#
# Two rules hold throughout the course: return the dtype that you were given, and never modify an argument.

# %%
import numpy as np

# %% [markdown]
# ## Linear layer
#
# $Y = X W^\top + b$ with $X$ `(N, I)`, $W$ `(O, I)`, $b$ `(O,)` and $Y$ `(N, O)`. With $G = \partial L/\partial Y$,
#
# $$\frac{\partial L}{\partial X} = G W, \qquad \frac{\partial L}{\partial W} = G^\top X, \qquad
#   \frac{\partial L}{\partial b} = \sum_n G_n .$$
#
# *Hint:* the shapes leave only one way to multiply, except when all of them are equal. The bias was used once for each
# sample, so its gradient is a sum over samples, not a mean: the $1/N$ belongs to the loss.


# %%
def linear_forward(x, weight, bias):
    """The affine map of each sample, and the cache.

    Args:
        x: input, shape (N, I).
        weight: shape (O, I).
        bias: shape (O,).

    Returns:
        (out, cache); out has shape (N, O).
    """
    print("linear_forward", x.shape, weight.shape, bias.shape)
    out = np.dot(x, np.transpose(weight)) + bias
    return out, [x, weight]


# %%
def linear_backward(grad_out, cache):
    """Gradients of x, weight and bias.

    Args:
        grad_out: gradient of the loss by out, shape (N, O).
        cache: what `linear_forward` returned.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped like x, weight and bias.
    """
    x, weight = cache
    grad_x = np.dot(grad_out, weight)
    grad_weight = np.dot(np.transpose(grad_out), x)
    grad_bias = np.sum(grad_out, axis=0, keepdims=True)
    return grad_x, grad_weight, grad_bias


# %% [markdown]
# ## ReLU
#
# $\mathrm{relu}(x) = \max(x, 0)$. Its slope is 1 for positive inputs and 0 for negative ones: it passes a gradient on
# whole or not at all. At 0 there is no derivative; like torch, we take 0. *In practice* a unit that is negative for
# every sample gets no gradient at all, and stays dead.


# %%
def relu_forward(x):
    """max(x, 0) of each element, and the cache.

    Args:
        x: any shape.

    Returns:
        (out, cache); out is shaped like x.
    """
    out = np.array([max(v, 0.0) for v in x.flatten()]).reshape(x.shape)
    return out, x


# %%
def relu_backward(grad_out, cache):
    """The gradient of x; the slope at 0 is 0.

    Args:
        grad_out: gradient of the loss by out, shaped like x.
        cache: what `relu_forward` returned.
    """
    x = cache
    return [g if v > 0 else 0.0 for g, v in zip(grad_out.flatten(), x.flatten())]


# %% [markdown]
# ## Tanh
#
# $\tanh'(x) = 1 - \tanh^2(x)$. The slope is 1 at 0 and $10^{-8}$ at $x = 10$: a saturated unit blocks the gradient.
# *Hint:* the derivative needs the output only, so that is what to keep.


# %%
def tanh_forward(x):
    """tanh of each element, and the cache.

    Args:
        x: any shape.

    Returns:
        (out, cache); out is shaped like x.
    """
    out = np.tanh(x)
    return out, out


# %%
def tanh_backward(grad_out, cache):
    """The gradient of x.

    Args:
        grad_out: gradient of the loss by out, shaped like x.
        cache: what `tanh_forward` returned.
    """
    out = cache
    return grad_out * (np.ones(out.shape) - out**2)


# %% [markdown]
# ## Sigmoid
#
# $\sigma(x) = 1/(1 + e^{-x})$ and $\sigma' = \sigma(1 - \sigma) \le \frac14$. So even at its best a sigmoid divides the
# gradient by four. Your answer must hold for $|x|$ up to $10^4$.
#
# *Hint:* $e^x/(1 + e^x)$ is the same function on paper, but $\infty/\infty$ in floating point. An exponential of a
# number that is never positive cannot overflow.


# %%
def sigmoid_forward(x):
    """The logistic function of each element, and the cache.

    Args:
        x: any shape, magnitudes up to 1e4.

    Returns:
        (out, cache); out is shaped like x.
    """
    out = 1 / (1 + np.exp(-x))
    return out, out


# %%
def sigmoid_backward(grad_out, cache):
    """The gradient of x.

    Args:
        grad_out: gradient of the loss by out, shaped like x.
        cache: what `sigmoid_forward` returned.
    """
    out = cache
    return grad_out * out * (1 - out)


# %% [markdown]
# ## Mean squared error
#
# $L = \frac1M \sum_i (p_i - t_i)^2$ over all $M$ elements, whatever the shape. The gradient keeps the 2 and the $1/M$.


# %%
def mse_loss(prediction, target):
    """The mean squared error over all elements, and its gradient.

    Args:
        prediction: any shape.
        target: shaped like prediction.

    Returns:
        (loss, grad_prediction); the gradient is shaped like prediction.
    """
    diff = prediction - target
    loss = np.array([np.mean(diff**2)])
    return loss, 2 * diff / diff.size


# %% [markdown]
# ## Softmax and cross-entropy
#
# With logits $z$ `(N, C)` and the right classes $t$ `(N,)`,
#
# $$L = -\frac1N \sum_n \log \frac{e^{z_{n t_n}}}{\sum_c e^{z_{nc}}}, \qquad
#   \frac{\partial L}{\partial z_{nc}} = \frac1N\bigl(p_{nc} - [c = t_n]\bigr).$$
#
# The gradient is the predicted probability minus the right one: nothing saturates, which is why this pair is used
# everywhere. Logits up to $10^4$ must be survived. *Hint:* subtract the largest logit of each row first, and stay with
# logarithms: $\log p = z - \log\sum e^{z}$ never takes the logarithm of a rounded zero.


# %%
def softmax_cross_entropy(logits, targets, num_classes):
    """The mean cross-entropy over the batch, and its gradient.

    Args:
        logits: shape (N, C), magnitudes up to 1e4.
        targets: the right classes, integers in [0, C), shape (N,).

    Returns:
        (loss, grad_logits); the gradient has shape (N, C).
    """
    z = logits - logits.max(axis=1, keepdims=True)
    exp = np.exp(z)
    p = exp / exp.sum(axis=1, keepdims=True)
    labels = np.zeros((logits.shape[0], num_classes))
    labels[np.arange(logits.shape[0]), targets] = 1
    log_p = z - np.log(exp.sum(axis=1, keepdims=True))
    loss = -np.sum(labels * log_p) / logits.shape[0]
    return loss, (p - labels) / logits.shape[0]


# %% [markdown]
# ## A whole network
#
# A multilayer perceptron alternates linear layers and activations, with no activation after the last layer:
# $h_0 = x$, $h_{k+1} = \phi(h_k W_k^\top + b_k)$. Build it from the pieces above. The backward pass visits the layers
# in reverse order, and each needs the cache of its own forward pass. `"identity"` means no activation at all.


# %%
def mlp_forward(x, weights, biases, *, activation):
    """The output of a multilayer perceptron, and the cache.

    Args:
        x: input, shape (N, I).
        weights: one array per layer, first layer first; shapes (H, I), ..., (O, H).
        biases: one array per layer, shapes (H,), ..., (O,).
        activation: "relu", "tanh", "sigmoid" or "identity"; between layers, not after the last.

    Returns:
        (out, cache); out has shape (N, O).

    Raises:
        ValueError: the activation is unknown.
    """
    print("mlp_forward with", len(weights), "layers and", activation)
    if activation == "relu":
        act = relu_forward
    elif activation == "tanh":
        act = tanh_forward
    elif activation == "sigmoid":
        act = sigmoid_forward
    elif activation == "identity":
        act = None
    else:
        raise ValueError("activation")
    caches = []
    out = x
    for i in range(len(weights)):
        out, c = linear_forward(out, weights[i], biases[i])
        print("  layer", i, out.shape)
        caches.append(c)
        if act is not None and i < len(weights) - 1:
            out, c = act(out)
            caches.append(c)
    return out, [caches, activation]


# %%
def mlp_backward(grad_out, cache):
    """Gradients of x, of all weights and of all biases.

    Args:
        grad_out: gradient of the loss by out, shape (N, O).
        cache: what `mlp_forward` returned.

    Returns:
        (grad_x, grad_weights, grad_biases); the last two are lists, first layer first.
    """
    caches, activation = cache
    grad_weights = []
    grad_biases = []
    caches = list(caches)
    grad = grad_out
    first = True
    while caches:
        if not first and activation != "identity":
            if activation == "relu":
                grad = relu_backward(grad, caches.pop())
            elif activation == "tanh":
                grad = tanh_backward(grad, caches.pop())
            else:
                grad = sigmoid_backward(grad, caches.pop())
        first = False
        grad, w, b = linear_backward(grad, caches.pop())
        grad_weights = [w] + grad_weights
        grad_biases = [b] + grad_biases
    return grad, grad_weights, grad_biases


# %% [markdown]
# ## The product of Jacobians
#
# For one sample $x$ `(I,)` the Jacobian $\partial\,\mathrm{out}/\partial x$ is a matrix `(O, I)`, the product of the
# layers' own Jacobians: later layers stand on the **left**. Walking forwards, start with the identity and multiply from
# the left by $W_k$, then by $\mathrm{diag}(\phi'(z_k))$, which only scales rows.
#
# *Try it:* 12 layers of width 64, weights $\mathcal N(0, g^2/64)$, no activation: the norm of the product grows roughly
# like $g^{12}$, so $g = 0.5$ leaves 0.0002 of it and $g = 2$ makes it 4096 times larger. Then put sigmoids in.


# %%
def input_jacobian(x, weights, biases, *, activation):
    """The Jacobian of the network's output by its input, for one sample.

    Args:
        x: one sample, shape (I,).
        weights: as in `mlp_forward`.
        biases: as in `mlp_forward`.
        activation: as in `mlp_forward`.

    Returns:
        The matrix of d out[o] / d x[i], shape (O, I).
    """
    out, cache = mlp_forward(np.array([x]), weights, biases, activation)
    rows = []
    for o in range(out.shape[1]):
        one = np.zeros(out.shape)
        one[0][o] = 1
        grad_x, _, _ = mlp_backward(one, cache)
        rows.append(grad_x[0])
    return rows


# %% [markdown]
# ## Watching the gradient
#
# The first thing to plot when a deep network does not learn: the norm of each layer's weight gradient. A line that
# falls steeply towards the first layer is a vanishing gradient. The Frobenius norm is
# $\lVert G\rVert_F = \sqrt{\sum_{ij} G_{ij}^2}$ (not the largest singular value).


# %%
def gradient_norms(grad_weights):
    """The Frobenius norm of each layer's gradient, first layer first.

    Args:
        grad_weights: one matrix per layer, as `mlp_backward` returns them.

    Returns:
        An array of shape (L,).
    """
    return [np.linalg.norm(g) for g in grad_weights]
