"""einsum throughout, Fortran-ordered answers, tuples as caches, other stable formulas."""

import numpy as np


def linear_forward(x, weight, bias):
    return np.asfortranarray(np.einsum("ni,oi->no", x, weight) + bias[None]), (
        x.copy(),
        weight.copy(),
    )


def linear_backward(grad_out, cache):
    x, weight = cache
    return (
        np.asfortranarray(np.einsum("no,oi->ni", grad_out, weight)),
        np.einsum("no,ni->io", grad_out, x).T,
        np.einsum("no->o", grad_out),
    )


def relu_forward(x):
    return np.where(x > 0, x, np.zeros_like(x)), (np.sign(np.maximum(x, 0)),)


def relu_backward(grad_out, cache):
    return cache[0] * grad_out


def tanh_forward(x):
    e = np.exp(-2 * np.abs(x))
    return np.sign(x) * (1 - e) / (1 + e), (e,)


def tanh_backward(grad_out, cache):
    (e,) = cache
    return grad_out * 4 * e / (1 + e) ** 2


def sigmoid_forward(x):
    out = 0.5 * (1 + np.tanh(0.5 * x))
    return out, (out, x.copy())


def sigmoid_backward(grad_out, cache):
    return grad_out * 0.25 * (1 - np.tanh(0.5 * cache[1]) ** 2)


def mse_loss(prediction, target):
    d = (prediction - target).ravel()
    return np.asarray(np.einsum("i,i->", d, d) / d.size), (d * (2 / d.size)).reshape(
        prediction.shape
    )


def softmax_cross_entropy(logits, targets):
    n, c = logits.shape
    onehot = np.eye(c, dtype=logits.dtype)[targets]
    top = logits.max(1)
    lse = top + np.log(np.exp(logits - top[:, None]).sum(1))
    e = np.exp(logits - top[:, None])
    p = e / np.einsum("nc->n", e)[:, None]
    loss = (lse - np.einsum("nc,nc->n", logits, onehot)).sum() / n
    return np.float64(loss), np.asfortranarray((p - onehot) / n)


_SLOPE = {
    "relu": lambda z: (z > 0).astype(z.dtype),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "sigmoid": lambda z: np.exp(-np.logaddexp(0, z) - np.logaddexp(0, -z)),
    "identity": np.ones_like,
}
_VALUE = {
    "relu": lambda z: z * (z > 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: np.exp(-np.logaddexp(0, -z)),
    "identity": lambda z: z,
}


def mlp_forward(x, weights, biases, *, activation):
    if activation not in _VALUE:
        raise ValueError(f"unknown activation {activation}")
    inputs, zs = [x.copy()], []
    for k, (w, b) in enumerate(zip(weights, biases)):
        z = np.einsum("ni,oi->no", inputs[-1], w) + b
        zs.append(z)
        inputs.append(z if k == len(weights) - 1 else _VALUE[activation](z))
    return inputs[-1], (inputs, zs, [w.copy() for w in weights], activation)


def mlp_backward(grad_out, cache):
    inputs, zs, weights, activation = cache
    delta, gw, gb = grad_out, [None] * len(zs), [None] * len(zs)
    for k in range(len(zs) - 1, -1, -1):
        gw[k] = np.einsum("no,ni->oi", delta, inputs[k])
        gb[k] = np.einsum("no->o", delta)
        delta = np.einsum("no,oi->ni", delta, weights[k])
        if k:
            delta = delta * _SLOPE[activation](zs[k - 1])
    return delta, gw, gb


def input_jacobian(x, weights, biases, *, activation):
    zs, h = [], x
    for w, b in zip(weights, biases):
        zs.append(np.einsum("oi,i->o", w, h) + b)
        h = _VALUE[activation](zs[-1])
    j = weights[-1]
    for w, z in zip(weights[-2::-1], zs[-2::-1]):
        j = np.einsum("oh,h,hi->oi", j, _SLOPE[activation](z), w)
    return j.copy(order="F")


def gradient_norms(grad_weights):
    return np.stack([np.sqrt(np.einsum("ij,ij->", g, g)) for g in grad_weights])
