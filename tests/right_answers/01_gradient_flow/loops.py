"""Plain Python loops over samples and elements; caches are dicts, sequences are lists."""

import math

import numpy as np


def linear_forward(x, weight, bias):
    out = np.zeros((x.shape[0], weight.shape[0]), dtype=x.dtype)
    for n in range(x.shape[0]):
        for o in range(weight.shape[0]):
            total = float(bias[o])
            for i in range(x.shape[1]):
                total += float(x[n, i]) * float(weight[o, i])
            out[n, o] = total
    return [out, {"x": x.copy(), "weight": weight.copy()}]


def linear_backward(grad_out, cache):
    x, weight = cache["x"], cache["weight"]
    grad_x, grad_w = np.zeros_like(x), np.zeros_like(weight)
    grad_b = np.zeros(weight.shape[0], dtype=x.dtype)
    for n in range(x.shape[0]):
        for o in range(weight.shape[0]):
            grad_b[o] += grad_out[n, o]
            grad_x[n] += grad_out[n, o] * weight[o]
            grad_w[o] += grad_out[n, o] * x[n]
    return [grad_x, grad_w, grad_b]


def _each(function, *arrays):
    out = np.empty(arrays[0].shape, dtype=arrays[0].dtype)
    for index in np.ndindex(out.shape):
        out[index] = function(*(float(a[index]) for a in arrays))
    return out


def _sigmoid(v):
    if v >= 0:
        return 1 / (1 + math.exp(-v))
    return math.exp(v) / (1 + math.exp(v))


def relu_forward(x):
    return _each(lambda v: v if v > 0 else 0.0, x), {"x": x.copy()}


def relu_backward(grad_out, cache):
    return _each(lambda g, v: g if v > 0 else 0.0, grad_out, cache["x"])


def tanh_forward(x):
    return _each(math.tanh, x), {"x": x.copy()}


def tanh_backward(grad_out, cache):
    return _each(lambda g, v: g * (1 - math.tanh(v) ** 2), grad_out, cache["x"])


def sigmoid_forward(x):
    return _each(_sigmoid, x), {"x": x.copy()}


def sigmoid_backward(grad_out, cache):
    return _each(lambda g, v: g * _sigmoid(v) * _sigmoid(-v), grad_out, cache["x"])


def mse_loss(prediction, target):
    total = 0.0
    grad = np.zeros_like(prediction)
    for index in np.ndindex(prediction.shape):
        d = float(prediction[index]) - float(target[index])
        total += d * d
        grad[index] = 2 * d / prediction.size
    return [total / prediction.size, grad]


def softmax_cross_entropy(logits, targets):
    loss, grad = 0.0, np.zeros_like(logits)
    n = len(targets)
    for row, target in enumerate(targets):
        values = [float(v) for v in logits[row]]
        top = max(values)
        total = sum(math.exp(v - top) for v in values)
        loss += math.log(total) + top - values[target]
        for c, v in enumerate(values):
            grad[row, c] = (math.exp(v - top) / total - (c == target)) / n
    return loss / n, grad


def _same(x):
    return x, None


_PAIRS = {
    "relu": (relu_forward, relu_backward),
    "tanh": (tanh_forward, tanh_backward),
    "sigmoid": (sigmoid_forward, sigmoid_backward),
    "identity": (_same, lambda g, cache: g),
}


def mlp_forward(x, weights, biases, *, activation):
    if activation not in _PAIRS:
        raise ValueError("activation: " + str(activation))
    steps = []
    for k in range(len(weights)):
        x, cache = linear_forward(x, weights[k], biases[k])
        steps.append(("linear", cache))
        if k + 1 < len(weights):
            x, cache = _PAIRS[activation][0](x)
            steps.append((activation, cache))
    return x, {"steps": steps}


def mlp_backward(grad_out, cache):
    gw, gb = [], []
    for kind, step in reversed(cache["steps"]):
        if kind == "linear":
            grad_out, w, b = linear_backward(grad_out, step)
            gw.insert(0, w)
            gb.insert(0, b)
        else:
            grad_out = _PAIRS[kind][1](grad_out, step)
    return [grad_out, tuple(gw), tuple(gb)]


def input_jacobian(x, weights, biases, *, activation):
    out, cache = mlp_forward(x[None, :], weights, biases, activation=activation)
    rows = []
    for o in range(out.shape[1]):
        seed = np.zeros_like(out)
        seed[0, o] = 1
        rows.append(mlp_backward(seed, cache)[0][0])
    return np.stack(rows)


def gradient_norms(grad_weights):
    out = np.zeros(len(grad_weights), dtype=grad_weights[0].dtype)
    for k, g in enumerate(grad_weights):
        out[k] = math.sqrt(sum(float(v) ** 2 for v in g.ravel()))
    return out
