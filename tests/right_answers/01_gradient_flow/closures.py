"""Caches are closures: a forward pass returns the function that its backward pass calls."""

import numpy as np


def linear_forward(x, weight, bias):
    def back(g):
        return np.dot(g, weight), np.dot(x.T, g).T, np.ones(len(g), dtype=g.dtype) @ g

    return np.dot(x, weight.T) + bias, back


def linear_backward(grad_out, cache):
    return cache(grad_out)


def relu_forward(x):
    return x.clip(0), lambda g: np.where(x <= 0, 0, g).astype(g.dtype)


def relu_backward(grad_out, cache):
    return cache(grad_out)


def tanh_forward(x):
    t = np.tanh(x)
    return t, lambda g: g * (1 - t) * (1 + t)


tanh_backward = relu_backward


def sigmoid_forward(x):
    with np.errstate(over="ignore"):
        s = 1 / (1 + np.exp(-x))
    return s, lambda g: g * (s - s * s)


sigmoid_backward = relu_backward


def mse_loss(prediction, target):
    d = target - prediction
    return float((d * d).mean()), d * (-2.0 / prediction.size)


def softmax_cross_entropy(logits, targets):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    total = e.sum(-1, keepdims=True)
    hot = (np.arange(logits.shape[1]) == targets[:, None]).astype(logits.dtype)
    picked = np.take_along_axis(logits - logits.max(-1, keepdims=True), targets[:, None], 1)
    return float(np.mean(np.log(total) - picked)), (e / total - hot) / logits.shape[0]


def mlp_forward(x, weights, biases, *, activation):
    table = {"relu": relu_forward, "tanh": tanh_forward, "sigmoid": sigmoid_forward}
    if activation == "identity":
        act = lambda z: (z, lambda g: g)
    elif activation in table:
        act = table[activation]
    else:
        raise ValueError(f"{activation!r} is no activation")
    if len(weights) == 1:
        out, back = linear_forward(x, weights[0], biases[0])

        def last(g):
            gx, gw, gb = back(g)
            return gx, [gw], [gb]

        return out, last
    z, back = linear_forward(x, weights[0], biases[0])
    h, slope = act(z)
    out, rest = mlp_forward(h, weights[1:], biases[1:], activation=activation)

    def all_back(g):
        gh, gws, gbs = rest(g)
        gx, gw, gb = back(slope(gh))
        return gx, [gw, *gws], [gb, *gbs]

    return out, all_back


def mlp_backward(grad_out, cache):
    return cache(grad_out)


def input_jacobian(x, weights, biases, *, activation):
    rows = len(weights[-1])
    _, back = mlp_forward(np.repeat(x[None], rows, axis=0), weights, biases, activation=activation)
    return back(np.eye(rows, dtype=x.dtype))[0]


def gradient_norms(grad_weights):
    return np.array([np.linalg.norm(g) for g in grad_weights], dtype=grad_weights[0].dtype)
