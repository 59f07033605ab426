"""The whole grid in one pass of einsum; eigh and np.sign; position and velocity as one vector under one matrix."""

import numpy as np


def filter_normalized_direction(weights, *, rng):
    out = []
    for w in weights:
        if w.ndim < 2:
            out.append(w * 0)
            continue
        flat = w.reshape(w.shape[0], -1)
        g = rng.normal(size=flat.shape)
        g /= np.sqrt(np.einsum("oi,oi->o", g, g))[:, None]
        g *= np.linalg.norm(flat, axis=1, keepdims=True)
        out.append(np.asfortranarray(g.reshape(w.shape).astype(w.dtype)))
    return tuple(out)


def loss_surface(x, targets, weights, biases, direction_a, direction_b, alphas, betas, *, skip):
    alphas = np.asarray(alphas, dtype=x.dtype)[:, None, None, None]
    betas = np.asarray(betas, dtype=x.dtype)[None, :, None, None]
    h = np.broadcast_to(x, (len(alphas), betas.shape[1], *x.shape))
    last = len(weights) - 1
    for layer in range(len(weights)):
        w = weights[layer] + alphas * direction_a[layer] + betas * direction_b[layer]
        z = np.einsum("abni,aboi->abno", h, w) + biases[layer]
        if layer == last:
            h = z
        elif skip and w.shape[-1] == w.shape[-2]:
            h = h + np.tanh(z)
        else:
            h = np.tanh(z)
    h = h - h.max(axis=-1, keepdims=True)
    log_probabilities = h - np.log(np.exp(h).sum(axis=-1, keepdims=True))
    one_hot = np.eye(h.shape[-1], dtype=x.dtype)[targets]
    return -np.einsum("abnc,nc->ab", log_probabilities, one_hot) / x.dtype.type(len(x))


def classify_critical_point(hessian, *, tolerance=1e-8):
    if np.abs(hessian - hessian.T).max() > 1e-6 * max(1.0, np.abs(hessian).max()):
        raise ValueError("the hessian has to be symmetric")
    values, _ = np.linalg.eigh(hessian)
    signs = set(np.where(np.abs(values) <= tolerance, 0, np.sign(values)).astype(int).tolist())
    if {1, -1} <= signs:
        return "saddle"
    if 0 in signs:
        return "degenerate"
    return np.array(["maximum", "minimum"])[int(signs == {1})]


def descend(hessian, start, *, lr, momentum, steps):
    d = start.size
    eye = np.eye(d)
    step = np.block([[eye - lr * hessian, -lr * momentum * eye], [hessian, momentum * eye]])
    states = [np.concatenate([start, np.zeros(d)])]
    while len(states) <= steps:
        states.append(step @ states[-1])
    return np.stack(states)[:, :d].astype(start.dtype)
