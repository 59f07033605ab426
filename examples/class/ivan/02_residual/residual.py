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
    h = x @ w1.T
    h += b1
    np.maximum(h, 0, out=h)
    out = h @ w2.T
    out += b2
    out += x
    return out, (x, w1, w2, h)


# %%
def residual_backward(grad_out, cache):
    """Gradients of x, w1, b1, w2 and b2.

    Args:
        grad_out: gradient of the loss by out, shape (N, D).
        cache: what `residual_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_b1, grad_w2, grad_b2).
    """
    x, w1, w2, h = cache
    grad_h = grad_out @ w2
    grad_h *= h > 0
    grad_x = grad_out  # the shortcut
    grad_x += grad_h @ w1
    grad_w1 = grad_h.T @ x
    grad_b1 = grad_h.sum(axis=0)
    grad_w2 = grad_out.T @ h
    grad_b2 = grad_out.sum(axis=0)
    return grad_x, grad_w1, grad_b1, grad_w2, grad_b2


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
    h = x @ w1.T
    h += b1
    np.maximum(h, 0, out=h)
    out = h @ w2.T
    out += b2
    out += x @ w_skip.T
    return out, (x, w1, w2, w_skip, h)


# %%
def projection_residual_backward(grad_out, cache):
    """Gradients of x, w1, b1, w2, b2 and w_skip.

    Args:
        grad_out: gradient of the loss by out, shape (N, E).
        cache: what `projection_residual_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_b1, grad_w2, grad_b2, grad_w_skip).
    """
    x, w1, w2, w_skip, h = cache
    grad_h = grad_out @ w2
    grad_h *= h > 0
    grad_x = grad_out @ w_skip
    grad_x += grad_h @ w1
    return (
        grad_x,
        grad_h.T @ x,
        grad_h.sum(axis=0),
        grad_out.T @ h,
        grad_out.sum(axis=0),
        grad_out.T @ x,
    )


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
    for w1, b1, w2, b2 in blocks:
        x, cache = residual_forward(x, w1, b1, w2, b2)
        caches.append(cache)
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
    grad_blocks = []
    grad = grad_out
    while cache:
        grad, g1, g2, g3, g4 = residual_backward(grad, cache.pop())
        grad_blocks.append((g1, g2, g3, g4))
    grad_blocks.reverse()
    return grad, grad_blocks


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
    n, c, h, w = x.shape
    o, _, kh, kw = weight.shape
    h += 2 * padding
    w += 2 * padding
    if kh > h or kw > w:
        raise ValueError("kernel of weight is larger than the padded image")
    xp = np.zeros((n, c, h, w), dtype=x.dtype)
    xp[:, :, padding : h - padding, padding : w - padding] = x
    oh = (h - kh) // stride + 1
    ow = (w - kw) // stride + 1
    out = np.zeros((n, o, oh, ow), dtype=x.dtype)
    for i in range(oh):
        for j in range(ow):
            window = xp[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[:, :, i, j] = np.tensordot(window, weight, axes=([1, 2, 3], [1, 2, 3]))
    out += bias.reshape(1, -1, 1, 1)
    return out, (xp, weight, stride, padding)


# %%
def conv2d_backward(grad_out, cache):
    """Gradients of x, weight and bias.

    Args:
        grad_out: gradient of the loss by out, shape (N, O, outH, outW).
        cache: what `conv2d_forward` returned.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped like x, weight and bias.
    """
    xp, weight, stride, padding = cache
    n, o, oh, ow = grad_out.shape
    _, c, kh, kw = weight.shape
    h = (oh - 1) * stride + kh
    w = (ow - 1) * stride + kw
    grad_xp = np.zeros((n, c, h, w), dtype=xp.dtype)
    grad_weight = np.zeros_like(weight)
    for i in range(oh):
        for j in range(ow):
            g = grad_out[:, :, i, j]
            rows = slice(i * stride, i * stride + kh)
            cols = slice(j * stride, j * stride + kw)
            grad_xp[:, :, rows, cols] += np.tensordot(g, weight, axes=1)
            grad_weight += np.tensordot(g.T, xp[:, :, rows, cols], axes=1)
    grad_x = grad_xp[:, :, padding : h - padding, padding : w - padding]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


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
    z1 = np.zeros(w1.shape[0], dtype=x.dtype)
    z2 = np.zeros(w2.shape[0], dtype=x.dtype)
    a, c1 = conv2d_forward(x, w1, z1, padding=1)
    np.maximum(a, 0, out=a)
    out, c2 = conv2d_forward(a, w2, z2, padding=1)
    out += x
    np.maximum(out, 0, out=out)
    return out, (c1, c2, a, out)


# %%
def basic_block_backward(grad_out, cache):
    """Gradients of x, w1 and w2.

    Args:
        grad_out: gradient of the loss by out, shape (N, C, H, W).
        cache: what `basic_block_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_w2).
    """
    c1, c2, a, out = cache
    grad_out[out <= 0] = 0
    grad_a, grad_w2, _ = conv2d_backward(grad_out, c2)
    grad_a *= a > 0
    grad_x, grad_w1, _ = conv2d_backward(grad_a, c1)
    grad_x += grad_out
    return grad_x, grad_w1, grad_w2


# %% [markdown]
# ## How much gradient arrives
#
# Send a gradient back through $L$ blocks and note its norm at each stop: before each block, and at the output. Without
# the shortcut each block is $x_{k+1} = F_k(x_k)$ with $F_k(x) = W_2\,\mathrm{relu}(W_1 x + b_1) + b_2$, and the norms
# shrink (or grow) geometrically with depth. With it, they stay on one scale. Plot both for 20 blocks of small weights.
#
# The norm is the Frobenius norm of the whole `(N, D)` gradient: $\sqrt{\sum_{n,d} G_{n,d}^2}$.


# %%
def gradient_signal(grad_out, x, blocks, *, skip):
    """Gradient norms along a stack: at the input of each block, first block first, then at the output.

    Args:
        grad_out: gradient of the loss by the stack's output, shape (N, D).
        x: input of the stack, shape (N, D).
        blocks: list of L tuples (w1, b1, w2, b2).
        skip: True for residual blocks, False for plain ones, x := F(x).

    Returns:
        The norms, shape (L + 1,).
    """
    hidden = []
    for w1, b1, w2, b2 in blocks:
        h = np.maximum(x @ w1.T + b1, 0)
        hidden.append(h)
        y = h @ w2.T + b2
        x = x + y if skip else y
    norms = [np.linalg.norm(grad_out)]
    grad = grad_out
    for (w1, _, w2, _), h in zip(reversed(blocks), reversed(hidden)):
        through = ((grad @ w2) * (h > 0)) @ w1
        grad = grad + through if skip else through
        norms.append(np.linalg.norm(grad))
    norms.reverse()
    return np.array(norms)
