"""Explicit Jacobian matrices, multiplied out; caches are objects."""

import numpy as np


class Cache:
    def __init__(self, **items):
        self.__dict__.update(items)


def linear_forward(x, weight, bias):
    return (weight @ x.T + bias[:, None]).T, Cache(x=x, w=weight)


def linear_backward(grad_out, cache):
    n, i = cache.x.shape
    o = cache.w.shape[0]
    grad_x = np.zeros((n, i), dtype=grad_out.dtype)
    grad_w = np.zeros((o * i,), dtype=grad_out.dtype)
    for k in range(n):
        grad_x[k] = grad_out[k] @ cache.w
        by_weight = np.kron(np.eye(o, dtype=grad_out.dtype), cache.x[k])
        grad_w += grad_out[k] @ by_weight
    return grad_x, grad_w.reshape(o, i), np.sum(grad_out, 0)


def _through(slope, grad_out):
    return (np.diag(slope.ravel()) @ grad_out.ravel()).reshape(grad_out.shape)


def relu_forward(x):
    return (x + np.abs(x)) / 2, Cache(slope=np.heaviside(x, np.zeros_like(x)))


def relu_backward(grad_out, cache):
    return _through(cache.slope, grad_out)


def tanh_forward(x):
    y = np.tanh(x)
    return y, Cache(slope=1 - np.square(y))


def tanh_backward(grad_out, cache):
    return _through(cache.slope, grad_out)


def sigmoid_forward(x):
    y = np.exp(-np.logaddexp(np.zeros_like(x), -x))
    return y, Cache(slope=y * (1 - y))


def sigmoid_backward(grad_out, cache):
    return _through(cache.slope, grad_out)


def mse_loss(prediction, target):
    count = prediction.size
    d = np.subtract(prediction, target)
    return np.linalg.norm(d) ** 2 / count, (d + d) / count


def softmax_cross_entropy(logits, targets):
    n, c = logits.shape
    grad = np.empty_like(logits)
    total = 0
    for k in range(n):
        z = logits[k] - np.max(logits[k])
        log_p = z - np.log(np.sum(np.exp(z)))
        total = total - log_p[targets[k]]
        p = np.exp(log_p)
        by_log_p = np.eye(c, dtype=logits.dtype) - p[None, :]
        grad[k] = -by_log_p[targets[k]] / n
    return total / n, grad


_ACT = {"relu": relu_forward, "tanh": tanh_forward, "sigmoid": sigmoid_forward}


def mlp_forward(x, weights, biases, *, activation):
    if activation not in ("relu", "tanh", "sigmoid", "identity"):
        raise ValueError("activation is unknown")
    inputs, slopes, h = [], [], x
    for k, w in enumerate(weights):
        inputs.append(h)
        h = h @ w.T + biases[k]
        if k < len(weights) - 1 and activation != "identity":
            h, c = _ACT[activation](h)
            slopes.append(c.slope)
        else:
            slopes.append(np.ones_like(h))
    return h, Cache(inputs=inputs, slopes=slopes, weights=list(weights))


def mlp_backward(grad_out, cache):
    depth = len(cache.weights)
    grad = grad_out
    gws, gbs = [], []
    for k in reversed(range(depth)):
        grad = grad * cache.slopes[k]
        gws = [grad.T @ cache.inputs[k]] + gws
        gbs = [grad.sum(0)] + gbs
        grad = grad @ cache.weights[k]
    return grad, gws, gbs


def input_jacobian(x, weights, biases, *, activation):
    _, cache = mlp_forward(x[None], weights, biases, activation=activation)
    factors = [np.diag(s[0]) @ w for s, w in zip(cache.slopes, weights)]
    product = factors[-1]
    for factor in factors[-2::-1]:
        product = product @ factor
    return product


def gradient_norms(grad_weights):
    return np.asarray([np.sqrt(np.trace(g.T @ g)) for g in grad_weights]).astype(
        grad_weights[0].dtype
    )
