"""Python loops over the elements; the state holds plain lists of numbers."""

import math

import numpy as np


def _check(lr, weight_decay, eps=0.0, betas=()):
    if lr < 0 or weight_decay < 0 or eps < 0:
        raise ValueError(f"lr, weight_decay and eps must be >= 0: {lr}, {weight_decay}, {eps}")
    if any(beta < 0 or beta >= 1 for beta in betas):
        raise ValueError(f"betas must lie in [0, 1): {betas}")


def _numbers(array):
    return [float(value) for value in np.asarray(array).flat]


def _like(array, numbers):
    return np.array(numbers, dtype=array.dtype).reshape(array.shape)


def sgd_step(param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):  # fmt: skip  # noqa: E501
    _check(lr, weight_decay)
    if nesterov and (not momentum or dampening):
        raise ValueError("nesterov needs momentum and zero dampening")
    old = state.get("buffer")
    new, buffer = [], []
    for i, (p, g) in enumerate(zip(_numbers(param), _numbers(grad), strict=True)):
        g = (-g if maximize else g) + weight_decay * p
        b = g if old is None else momentum * old[i] + (1 - dampening) * g
        buffer.append(b)
        if not momentum:
            new.append(p - lr * g)
        elif nesterov:
            new.append(p - lr * (g + momentum * b))
        else:
            new.append(p - lr * b)
    return _like(param, new), {"buffer": buffer}


def rmsprop_step(param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):  # fmt: skip  # noqa: E501
    _check(lr, weight_decay, eps)
    rows = state.get("rows") or [(0.0, 0.0, 0.0)] * param.size
    new, new_rows = [], []
    for p, g, (s, m, v) in zip(_numbers(param), _numbers(grad), rows, strict=True):
        g += weight_decay * p
        s = alpha * s + (1 - alpha) * g * g
        m = alpha * m + (1 - alpha) * g
        spread = max(s - m * m, 0.0) if centered else s
        denominator = math.sqrt(spread) + eps
        v = momentum * v + (g / denominator)
        new.append(p - lr * v)
        new_rows.append((s, m, v))
    return _like(param, new), {"rows": new_rows}


def _adam(param, grad, state, lr, betas, eps, l2, shrink, amsgrad, maximize):
    count = state.get("count", 0) + 1
    rows = state.get("rows") or [(0.0, 0.0, 0.0)] * param.size
    new, new_rows = [], []
    for p, g, (m, v, top) in zip(_numbers(param), _numbers(grad), rows, strict=True):
        g = (-g if maximize else g) + l2 * p
        p -= lr * shrink * p
        m += (1 - betas[0]) * (g - m)
        v = betas[1] * v + (1 - betas[1]) * g * g
        top = max(top, v)
        m_hat = m / (1 - betas[0] ** count)
        v_hat = (top if amsgrad else v) / (1 - betas[1] ** count)
        new.append(p - lr * m_hat / (math.sqrt(v_hat) + eps))
        new_rows.append((m, v, top))
    return _like(param, new), {"count": count, "rows": new_rows}


def adam_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _check(lr, weight_decay, eps, betas)
    return _adam(param, grad, state, lr, betas, eps, weight_decay, 0.0, amsgrad, maximize)


def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _check(lr, weight_decay, eps, betas)
    return _adam(param, grad, state, lr, betas, eps, 0.0, weight_decay, amsgrad, maximize)


def clip_gradient_norm(grads, max_norm):
    total = math.hypot(*(value for grad in grads for value in _numbers(grad)))
    factor = max_norm / (total + 1e-6)
    if factor >= 1:
        return grads, total
    return [_like(grad, [factor * value for value in _numbers(grad)]) for grad in grads], total
