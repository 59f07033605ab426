"""Everything is computed in float64 and cast back at the end; caches are nested lists."""

import numpy as np


def _w(a):
    return np.asarray(a, dtype=np.float64)


def linear_forward(x, weight, bias):
    out = np.tensordot(_w(x), _w(weight), axes=(1, 1)) + _w(bias)
    return out.astype(x.dtype), [_w(x).copy(), _w(weight).copy(), x.dtype]


def linear_backward(grad_out, cache):
    x, w, t = cache
    g = _w(grad_out)
    return (g @ w).astype(t), np.tensordot(g, x, axes=(0, 0)).astype(t), np.add.reduce(g).astype(t)


def relu_forward(x):
    out = np.array(x, copy=True)
    out[x < 0] = 0
    return out, [out.copy()]


def relu_backward(grad_out, cache):
    grad = np.array(grad_out, copy=True)
    grad[cache[0] == 0] = 0
    return grad


def tanh_forward(x):
    t = np.tanh(_w(x))
    return t.astype(x.dtype), [t]


def tanh_backward(grad_out, cache):
    return (_w(grad_out) * (1 - cache[0] ** 2)).astype(grad_out.dtype)


def sigmoid_forward(x):
    z = np.clip(_w(x), -700, 700)
    s = 1 / (1 + np.exp(-z))
    return s.astype(x.dtype), [s]


def sigmoid_backward(grad_out, cache):
    return (_w(grad_out) * cache[0] * (1 - cache[0])).astype(grad_out.dtype)


def mse_loss(prediction, target):
    d = _w(prediction) - _w(target)
    return np.average(np.square(d)), (2 * d / d.size).astype(prediction.dtype)


def softmax_cross_entropy(logits, targets):
    z = _w(logits)
    lse = np.logaddexp.reduce(z, axis=1)
    p = np.exp(z - lse[:, None])
    np.subtract.at(p, (np.arange(len(z)), targets), 1)
    return np.mean(lse - z[np.arange(len(z)), targets]), (p / len(z)).astype(logits.dtype)


def _act(name, z):
    if name == "relu":
        return np.maximum(0, z), np.greater(z, 0) * 1.0
    if name == "tanh":
        return np.tanh(z), 1 / np.cosh(z) ** 2
    if name == "sigmoid":
        s = 1 / (1 + np.exp(-z))
        return s, s * (1 - s)
    if name == "identity":
        return z, np.ones_like(z)
    raise ValueError(f"activation={name}")


def mlp_forward(x, weights, biases, *, activation):
    _act(activation, np.zeros(1))
    h, tape = _w(x), []
    for w, b in zip(weights[:-1], biases[:-1]):
        z = h @ _w(w).T + _w(b)
        new, slope = _act(activation, z)
        tape.append([h, _w(w), slope])
        h = new
    tape.append([h, _w(weights[-1]), None])
    return (h @ _w(weights[-1]).T + _w(biases[-1])).astype(x.dtype), tape


def mlp_backward(grad_out, cache):
    t, g = grad_out.dtype, _w(grad_out)
    gw, gb = [], []
    for h, w, slope in cache[::-1]:
        if slope is not None:
            g = g * slope
        gw.append((g.T @ h).astype(t))
        gb.append(g.sum(0).astype(t))
        g = g @ w
    gw.reverse()
    gb.reverse()
    return g.astype(t), gw, gb


def input_jacobian(x, weights, biases, *, activation):
    h, j = _w(x), np.eye(x.size)
    for k, (w, b) in enumerate(zip(weights, biases)):
        j = _w(w) @ j
        h = _w(w) @ h + _w(b)
        if k < len(weights) - 1:
            h, slope = _act(activation, h)
            j = np.diag(slope) @ j
    return j.astype(x.dtype)


def gradient_norms(grad_weights):
    return np.array([np.hypot.reduce(_w(g).ravel()) for g in grad_weights]).astype(
        grad_weights[0].dtype
    )
