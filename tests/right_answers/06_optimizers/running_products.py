"""Running products of the betas instead of powers; the memory is a closure or a tuple under one key."""

import numpy as np


def _memory(*values):
    return {"recall": lambda: values}


def _recall(state, *otherwise):
    return state["recall"]() if state else otherwise


def _non_negative(text, *values):
    if min(values) < 0:
        raise ValueError(f"{text}: none may be negative")


def sgd_step(param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):  # fmt: skip  # noqa: E501
    _non_negative("lr, weight_decay", lr, weight_decay)
    if nesterov and not (momentum > 0 and dampening == 0):
        raise ValueError("nesterov goes with momentum > 0 and dampening = 0")
    sign = -1.0 if maximize else 1.0
    slope = sign * grad + weight_decay * param
    (velocity,) = _recall(state, None)
    if velocity is None:
        velocity = slope
    else:
        velocity = momentum * velocity + slope - dampening * slope
    if momentum == 0:
        direction = slope
    else:
        direction = slope + momentum * velocity if nesterov else velocity
    return param - lr * direction, _memory(velocity)


def rmsprop_step(param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):  # fmt: skip  # noqa: E501
    _non_negative("lr, eps, weight_decay", lr, eps, weight_decay)
    zero = np.zeros(param.shape, param.dtype)
    square, mean, velocity = state.get("memory", (zero, zero, zero))
    grad = grad + weight_decay * param
    square = square + (1 - alpha) * (grad**2 - square)
    mean = mean + (1 - alpha) * (grad - mean)
    spread = np.clip(square - mean**2, 0, None) if centered else square
    velocity = momentum * velocity + grad / (spread**0.5 + eps)
    return param - lr * velocity, {"memory": (square, mean, velocity)}


def _adam(param, grad, state, lr, betas, eps, amsgrad):
    if not all(0 <= beta < 1 for beta in betas):
        raise ValueError("betas: both lie in [0, 1)")
    zero = np.zeros(param.shape, param.dtype)
    mean, square, top, product1, product2 = _recall(state, zero, zero, zero, 1.0, 1.0)
    product1, product2 = product1 * betas[0], product2 * betas[1]
    mean = betas[0] * mean + (1 - betas[0]) * grad
    square = betas[1] * square + (1 - betas[1]) * grad**2
    top = np.where(square > top, square, top)
    root = ((top if amsgrad else square) / (1 - product2)) ** 0.5
    step = mean / (1 - product1) / (root + eps)
    return param - lr * step, _memory(mean, square, top, product1, product2)


def adam_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _non_negative("lr, eps, weight_decay", lr, eps, weight_decay)
    slope = weight_decay * param + (-grad if maximize else grad)
    return _adam(param, slope, state, lr, betas, eps, amsgrad)


def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _non_negative("lr, eps, weight_decay", lr, eps, weight_decay)
    moved, state = _adam(param, -grad if maximize else grad, state, lr, betas, eps, amsgrad)
    return moved - lr * weight_decay * param, state


def clip_gradient_norm(grads, max_norm):
    total = sum(np.vdot(grad, grad) for grad in grads) ** 0.5
    if total + 1e-6 <= max_norm:
        return [grad.copy() for grad in grads], total
    factor = float(max_norm / (total + 1e-6))
    return [grad * factor for grad in grads], total
