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
    ### BEGIN SOLUTION
    hidden = np.maximum(x @ w1.T + b1, 0)
    out = x + (hidden @ w2.T + b2)
    return out, (x, w1, w2, hidden)
    ### END SOLUTION


# %%
def residual_backward(grad_out, cache):
    """Gradients of x, w1, b1, w2 and b2.

    Args:
        grad_out: gradient of the loss by out, shape (N, D).
        cache: what `residual_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_b1, grad_w2, grad_b2).
    """
    ### BEGIN SOLUTION
    x, w1, w2, hidden = cache
    grad_hidden = (grad_out @ w2) * (hidden > 0)
    grad_x = grad_out + grad_hidden @ w1
    grad_w1 = grad_hidden.T @ x
    grad_b1 = grad_hidden.sum(axis=0)
    return grad_x, grad_w1, grad_b1, grad_out.T @ hidden, grad_out.sum(axis=0)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    act = np.maximum(x @ w1.T + b1, 0)
    out = x @ w_skip.T + (act @ w2.T + b2)
    return out, (x, w1, w2, w_skip, act)
    ### END SOLUTION


# %%
def projection_residual_backward(grad_out, cache):
    """Gradients of x, w1, b1, w2, b2 and w_skip.

    Args:
        grad_out: gradient of the loss by out, shape (N, E).
        cache: what `projection_residual_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_b1, grad_w2, grad_b2, grad_w_skip).
    """
    ### BEGIN SOLUTION
    x, w1, w2, w_skip, act = cache
    grad_act = (grad_out @ w2) * (act > 0)
    grad_x = grad_out @ w_skip + grad_act @ w1
    grad_w2, grad_b2 = grad_out.T @ act, grad_out.sum(axis=0)
    grad_w_skip = grad_out.T @ x
    return grad_x, grad_act.T @ x, grad_act.sum(axis=0), grad_w2, grad_b2, grad_w_skip
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    caches = []
    for w1, b1, w2, b2 in blocks:
        x, cache = residual_forward(x, w1, b1, w2, b2)
        caches.append(cache)
    return x, caches
    ### END SOLUTION


# %%
def residual_stack_backward(grad_out, cache):
    """Gradients of x and of every block.

    Args:
        grad_out: gradient of the loss by out, shape (N, D).
        cache: what `residual_stack_forward` returned.

    Returns:
        (grad_x, grad_blocks); grad_blocks has a tuple (grad_w1, grad_b1, grad_w2, grad_b2) per block, first block first.
    """
    ### BEGIN SOLUTION
    grad_blocks = []
    for block_cache in reversed(cache):
        grad_out, *grads = residual_backward(grad_out, block_cache)
        grad_blocks.append(tuple(grads))
    return grad_out, grad_blocks[::-1]
    ### END SOLUTION


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
### BEGIN SOLUTION
def _windows(height, width, kernel, stride):
    """Kernel positions (u, v) and the slices of the padded image that they meet."""
    span_h = height - kernel[0] + 1
    span_w = width - kernel[1] + 1
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            yield u, v, np.s_[:, :, u : u + span_h : stride, v : v + span_w : stride]


### END SOLUTION


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
    ### BEGIN SOLUTION
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    height, width = padded.shape[2:]
    kernel = weight.shape[2:]
    if kernel[0] > height or kernel[1] > width:
        raise ValueError(f"weight: kernel {kernel} exceeds the padded image {(height, width)}")
    out_h = (height - kernel[0]) // stride + 1
    out_w = (width - kernel[1]) // stride + 1
    out = np.zeros((len(x), len(weight), out_h, out_w), dtype=x.dtype)
    for u, v, place in _windows(height, width, kernel, stride):
        out += np.einsum("nchw,oc->nohw", padded[place], weight[:, :, u, v])
    out += bias[:, None, None]
    return out, (padded, weight, stride, padding)
    ### END SOLUTION


# %%
def conv2d_backward(grad_out, cache):
    """Gradients of x, weight and bias.

    Args:
        grad_out: gradient of the loss by out, shape (N, O, outH, outW).
        cache: what `conv2d_forward` returned.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped like x, weight and bias.
    """
    ### BEGIN SOLUTION
    padded, weight, stride, padding = cache
    height, width = padded.shape[2:]
    grad_padded = np.zeros_like(padded)
    grad_weight = np.zeros_like(weight)
    for u, v, place in _windows(height, width, weight.shape[2:], stride):
        grad_padded[place] += np.einsum("nohw,oc->nchw", grad_out, weight[:, :, u, v])
        grad_weight[:, :, u, v] = np.einsum("nohw,nchw->oc", grad_out, padded[place])
    grad_x = grad_padded[:, :, padding : height - padding, padding : width - padding]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    first, cache1 = conv2d_forward(x, w1, np.zeros(len(w1), dtype=x.dtype), padding=1)
    inner = np.maximum(first, 0)
    second, cache2 = conv2d_forward(inner, w2, np.zeros(len(w2), dtype=x.dtype), padding=1)
    out = np.maximum(x + second, 0)
    return out, (cache1, cache2, inner > 0, out > 0)
    ### END SOLUTION


# %%
def basic_block_backward(grad_out, cache):
    """Gradients of x, w1 and w2.

    Args:
        grad_out: gradient of the loss by out, shape (N, C, H, W).
        cache: what `basic_block_forward` returned.

    Returns:
        (grad_x, grad_w1, grad_w2).
    """
    ### BEGIN SOLUTION
    cache1, cache2, inner_on, out_on = cache
    grad_sum = grad_out * out_on
    grad_inner, grad_w2, _ = conv2d_backward(grad_sum, cache2)
    grad_branch, grad_w1, _ = conv2d_backward(grad_inner * inner_on, cache1)
    return grad_sum + grad_branch, grad_w1, grad_w2
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    caches = []
    for w1, b1, w2, b2 in blocks:
        after, cache = residual_forward(x, w1, b1, w2, b2)
        caches.append(cache)
        x = after if skip else cache[3] @ w2.T + b2
    grad = grad_out
    norms = [np.linalg.norm(grad)]
    for block_cache in reversed(caches):
        through = residual_backward(grad, block_cache)[0]
        grad = (
            through if skip else ((grad @ block_cache[2]) * (block_cache[3] > 0)) @ block_cache[1]
        )
        norms.append(np.linalg.norm(grad))
    return np.array(norms[::-1], dtype=grad_out.dtype)
    ### END SOLUTION
