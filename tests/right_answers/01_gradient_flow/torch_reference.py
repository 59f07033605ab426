"""torch's own functions and autograd, numpy in and numpy out."""

import numpy as np
import torch
import torch.nn.functional as F

ACTS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": lambda z: z}


def _t(a):
    return torch.from_numpy(np.array(a, order="C", copy=True))


def _run(function, *args):
    leaves = [_t(a).requires_grad_() for a in args]
    out = function(*leaves)
    return out.detach().numpy().copy(), (out, leaves)


def _grad(grad_out, cache):
    out, leaves = cache
    grads = torch.autograd.grad(out, leaves, _t(grad_out), retain_graph=True, allow_unused=True)
    return [
        np.zeros(tuple(v.shape), v.detach().numpy().dtype) if g is None else g.numpy()
        for g, v in zip(grads, leaves)
    ]


def linear_forward(x, weight, bias):
    return _run(F.linear, x, weight, bias)


def linear_backward(grad_out, cache):
    return _grad(grad_out, cache)


def relu_forward(x):
    return _run(F.relu, x)


def relu_backward(grad_out, cache):
    return _grad(grad_out, cache)[0]


def tanh_forward(x):
    return _run(torch.tanh, x)


tanh_backward = relu_backward


def sigmoid_forward(x):
    return _run(torch.sigmoid, x)


sigmoid_backward = relu_backward


def mse_loss(prediction, target):
    p = _t(prediction).requires_grad_()
    loss = F.mse_loss(p, _t(target))
    loss.backward()
    return loss.item(), p.grad.numpy()


def softmax_cross_entropy(logits, targets):
    z = _t(logits).requires_grad_()
    loss = F.cross_entropy(z, _t(targets))
    loss.backward()
    return loss.item(), z.grad.numpy()


def _mlp(x, weights, biases, activation):
    for w, b in zip(weights[:-1], biases[:-1]):
        x = ACTS[activation](F.linear(x, w, b))
    return F.linear(x, weights[-1], biases[-1])


def mlp_forward(x, weights, biases, *, activation):
    if activation not in ACTS:
        raise ValueError(f"activation {activation}")
    n = len(weights)
    out, cache = _run(lambda v, *p: _mlp(v, p[:n], p[n:], activation), x, *weights, *biases)
    return out, (cache, n)


def mlp_backward(grad_out, cache):
    inner, n = cache
    grads = _grad(grad_out, inner)
    return grads[0], grads[1 : n + 1], grads[n + 1 :]


def input_jacobian(x, weights, biases, *, activation):
    ws, bs = [_t(w) for w in weights], [_t(b) for b in biases]
    return torch.func.jacrev(lambda v: _mlp(v, ws, bs, activation))(_t(x)).numpy()


def gradient_norms(grad_weights):
    return torch.stack([torch.linalg.norm(_t(g)) for g in grad_weights]).numpy()
