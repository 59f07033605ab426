# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Residual connections
#
# Stack more layers and a plain network gets *worse*, even on its training data: doing nothing, $F(x) = x$, is hard to
# learn for a layer full of weights. A residual block makes it the starting point. It learns only what to **add**:
#
# $$y = x + F(x), \qquad \frac{\partial y}{\partial x} = I + \frac{\partial F}{\partial x} .$$
#
# The identity is the point. Backwards, the gradient arrives twice and is summed: once through $F$, once untouched. However
# small the slope of $F$, the second part cannot vanish. This is what made networks of a hundred layers trainable, and
# every transformer layer has two of these shortcuts.
#
# Here you build the block for vectors, a stack of blocks, the convolutional block of ResNet, and an instrument that
# measures how much of the gradient reaches each depth.

# %%
import numpy as np

# %% [markdown]
# ## The residual block
#
# $Y = X + \mathrm{relu}(X W_1^\top + b_1)\,W_2^\top + b_2$ with $X$ `(N, D)`, $W_1$ `(H, D)`, $b_1$ `(H,)`,
# $W_2$ `(D, H)`, $b_2$ `(D,)`. The hidden width $H$ is free; the output must have the width of $X$, or it could not be added.
#
# *Hint:* a value that is used twice collects two gradients. The slope of relu at 0 is 0.


# %%
def residual_forward(x, w1, b1, w2, b2):
    """x + W2 relu(W1 x + b1) + b2 of each sample, and the cache.

    Args:
        x: input, shape (N, D).
        w1: shape (H, D).
        b1: shape (H,).
        w2: shape (D, H).
        b2: shape (D,).

    Returns:
        (out, cache); out has shape (N, D).
    """
    a = x @ w1.T + b1
    h = np.maximum(a, 0)
    y = h @ w2.T + b2
    return x + y, (x, w1, w2, a, h)


# %%
def residual_backward(grad_out, cache):
    """Gradients of x, w1, b1, w2 and b2.

    Args:
        grad_out: gradient of the loss by out, shape (N, D).
        cache: what `residual_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_b1, grad_w2, grad_b2).
    """
    x, w1, w2, a, h = cache
    dh = grad_out @ w2
    da = dh * (a > 0)
    grad_x = grad_out + da @ w1
    return grad_x, da.T @ x, da.sum(axis=0), grad_out.T @ h, grad_out.sum(axis=0)


# %% [markdown]
# ## A shortcut with a projection
#
# Where the width changes from $D$ to $E$, the shortcut is a matrix: $Y = X W_s^\top + \mathrm{relu}(X W_1^\top + b_1)
# W_2^\top + b_2$ with $W_s$ `(E, D)`, $W_2$ `(E, H)`, $b_2$ `(E,)`. ResNet does this wherever a stage gets more channels.
#
# *Hint:* the gradient no longer passes the shortcut untouched.


# %%
def projection_residual_forward(x, w1, b1, w2, b2, w_skip):
    """W_skip x + W2 relu(W1 x + b1) + b2 of each sample, and the cache.

    Args:
        x: input, shape (N, D).
        w1: shape (H, D).
        b1: shape (H,).
        w2: shape (E, H).
        b2: shape (E,).
        w_skip: shape (E, D).

    Returns:
        (out, cache); out has shape (N, E).
    """
    a = x @ w1.T + b1
    h = np.maximum(a, 0)
    return x @ w_skip.T + (h @ w2.T + b2), (x, w1, w2, w_skip, a, h)


# %%
def projection_residual_backward(grad_out, cache):
    """Gradients of x, w1, b1, w2, b2 and w_skip.

    Args:
        grad_out: gradient of the loss by out, shape (N, E).
        cache: what `projection_residual_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_b1, grad_w2, grad_b2, grad_w_skip).
    """
    x, w1, w2, w_skip, a, h = cache
    da = (grad_out @ w2) * (a > 0)
    grad_x = grad_out @ w_skip + da @ w1
    db2 = grad_out.sum(axis=0)
    return grad_x, da.T @ x, da.sum(axis=0), grad_out.T @ h, db2, grad_out.T @ x


# %% [markdown]
# ## A stack of blocks
#
# $x_{k+1} = x_k + F_k(x_k)$ for $k = 0, \dots, L-1$. Unrolled, $x_L = x_0 + \sum_k F_k(x_k)$: every block writes its
# correction into one stream that runs from the input to the output.
#
# *Hint:* the backward pass visits the blocks last to first; the gradients come back in the order of the blocks.


# %%
def residual_stack_forward(x, blocks):
    """The output of the residual blocks, one after the other, and the cache.

    Args:
        x: input, shape (N, D).
        blocks: list of (w1, b1, w2, b2), first block first; hidden widths may differ.

    Returns:
        (out, cache); out has shape (N, D).
    """
    caches = []
    for block in blocks:
        x, c = residual_forward(x, *block)
        caches.append(c)
    return x, caches


# %%
def residual_stack_backward(grad_out, cache):
    """Gradients of x and of every block.

    Args:
        grad_out: gradient of the loss by out, shape (N, D).
        cache: what `residual_stack_forward` returned.

    Returns:
        (grad_x, grad_blocks); grad_blocks has a tuple (grad_w1, grad_b1, grad_w2, grad_b2) per block, first block first.
    """
    raise NotImplementedError("residual_stack_backward is yours to write")


# %% [markdown]
# ## Convolution
#
# With stride $s$, and $x$ padded by $p$ zeros on all four sides,
#
# $$y_{n,o,i,j} = b_o + \sum_{c,u,v} w_{o,c,u,v}\; x^{\mathrm{pad}}_{n,c,\,si+u,\,sj+v} .$$
#
# The kernel is not flipped. With images `(N, C, H, W)` and kernels `(O, C, kH, kW)` the output is
# $\lfloor (H + 2p - k_H)/s \rfloor + 1$ high, and likewise wide; pixels beyond the last full window are not read.
#
# *Hint:* loop over the kernel's few positions $(u, v)$ rather than over pixels. For each, a strided slice of the padded
# image meets one `(O, C)` matrix. The backward pass uses the same slices: what was read there receives its gradient there.


# %%
def conv2d_forward(x, weight, bias, *, stride=1, padding=0):
    """The cross-correlation of images with kernels, and the cache.

    Args:
        x: images, shape (N, C, H, W).
        weight: kernels, shape (O, C, kH, kW).
        bias: shape (O,).
        stride: step of the window, for both directions.
        padding: zeros added on each of the four sides.

    Returns:
        (out, cache); out has shape (N, O, outH, outW).

    Raises:
        ValueError: the kernel is larger than the padded image.
    """
    if weight.shape[2] > x.shape[2] + 2 * padding or weight.shape[3] > x.shape[3] + 2 * padding:
        raise ValueError("the kernel (weight) is larger than the padded image")
    if stride != 1:
        raise NotImplementedError("only stride 1 so far")
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    k, l = weight.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, l), axis=(2, 3))
    out = np.einsum("nchwkl,ockl->nohw", windows, weight) + bias[:, None, None]
    return out, (x, weight, padding)


# %%
def conv2d_backward(grad_out, cache):
    """Gradients of x, weight and bias.

    Args:
        grad_out: gradient of the loss by out, shape (N, O, outH, outW).
        cache: what `conv2d_forward` returned.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped like x, weight and bias.
    """
    raise NotImplementedError("conv2d_backward is yours to write")


# %% [markdown]
# ## The basic block of ResNet
#
# $y = \mathrm{relu}\bigl(x + w_2 * \mathrm{relu}(w_1 * x)\bigr)$ with 3x3 kernels, stride 1, padding 1 and no bias. The
# second relu comes **after** the sum, so it also acts on the shortcut. $x$ is `(N, C, H, W)`, $w_1$ `(M, C, 3, 3)`,
# $w_2$ `(C, M, 3, 3)`.
#
# *Hint:* you have a convolution already. A bias of zeros is no bias.


# %%
def basic_block_forward(x, w1, w2):
    """relu(x + conv(relu(conv(x, w1)), w2)), and the cache.

    Args:
        x: images, shape (N, C, H, W).
        w1: shape (M, C, 3, 3).
        w2: shape (C, M, 3, 3).

    Returns:
        (out, cache); out is shaped like x.
    """
    a, c1 = conv2d_forward(x, w1, np.zeros(len(w1), x.dtype), padding=1)
    h = np.maximum(a, 0)
    b, c2 = conv2d_forward(h, w2, np.zeros(len(w2), x.dtype), padding=1)
    s = x + b
    return np.maximum(s, 0), (a, s, c1, c2)


# %%
def basic_block_backward(grad_out, cache):
    """Gradients of x, w1 and w2.

    Args:
        grad_out: gradient of the loss by out, shape (N, C, H, W).
        cache: what `basic_block_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_w2).
    """
    a, s, c1, c2 = cache
    ds = grad_out * (s > 0)
    dh, dw2, _ = conv2d_backward(ds, c2)
    dx, dw1, _ = conv2d_backward(dh * (a > 0), c1)
    return dx + ds, dw1, dw2


# %% [markdown]
# ## How much gradient arrives
#
# Send a gradient back through $L$ blocks and note its norm at each stop: before each block, and at the output. Without
# the shortcut each block is $x_{k+1} = F_k(x_k)$ with $F_k(x) = W_2\,\mathrm{relu}(W_1 x + b_1) + b_2$, and the norms
# shrink (or grow) geometrically with depth. With it, they stay on one scale. Plot both for 20 blocks of small weights.
#
# The norm is the Frobenius norm of the whole `(N, D)` gradient: $\sqrt{\sum_{n,d} G_{n,d}^2}$.


# %%
