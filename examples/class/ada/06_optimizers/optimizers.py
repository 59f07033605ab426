"""An optimizer is a chain of small transformations of the gradient, each with a memory of its own.

A transformation takes (update, memory, param) and gives (update, memory); memory is None before the first step.
The state keeps the memories under their position in the chain.
"""

from functools import reduce
from math import hypot

import numpy as np


def chain(param, grad, state, lr, *transformations):
    update, memories = grad, {}
    for place, transformation in enumerate(transformations):
        update, memories[place] = transformation(update, state.get(place), param)
    return param - lr * update, memories


def turned(maximize):
    return lambda u, memory, p: (np.negative(u) if maximize else u, None)


def decayed(strength):
    return lambda u, memory, p: (u + strength * p, None)


def average(old, new, beta):
    """Exponential moving average from zero."""
    return (1 - beta) * new if old is None else old + (1 - beta) * (new - old)


def heavy_ball(mu, tau, look_ahead):
    def transformation(u, memory, p):
        v = u if memory is None else mu * memory + (1 - tau) * u
        return (u + mu * v if look_ahead else v), v

    return transformation


def by_root_mean_square(alpha, eps, centered):
    def transformation(u, memory, p):
        m, s = memory or (None, None)
        m, s = average(m, u, alpha), average(s, u * u, alpha)
        variance = np.maximum(s - m * m, 0) if centered else s
        return u / (variance**0.5 + eps), (m, s)

    return transformation


def by_adam(betas, eps, amsgrad):
    def transformation(u, memory, p):
        t, m, s, top = memory or (0, None, None, 0)
        t += 1
        m, s = (average(old, new, b) for old, new, b in zip((m, s), (u, u * u), betas))
        top = np.maximum(top, s)
        m_correction, s_correction = (1 - b**t for b in betas)
        root = ((top if amsgrad else s) / s_correction) ** 0.5
        return m / m_correction / (root + eps), (t, m, s, top)

    return transformation


def insist(betas=(), **not_negative):
    for name in not_negative:
        if not not_negative[name] >= 0:
            raise ValueError(f"{name} = {not_negative[name]}, expected at least 0")
    if betas and not (min(betas) >= 0 and max(betas) < 1):
        raise ValueError(f"betas = {betas}, expected both in [0, 1)")


def sgd_step(
    param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False
):
    insist(lr=lr, weight_decay=weight_decay)
    if nesterov and not (momentum > 0 == dampening):
        raise ValueError("nesterov needs momentum > 0 and dampening = 0")
    ball = [heavy_ball(momentum, dampening, nesterov)] if momentum else []
    return chain(param, grad, state, lr, turned(maximize), decayed(weight_decay), *ball)


def rmsprop_step(
    param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False
):
    insist(lr=lr, eps=eps, weight_decay=weight_decay)
    rms = by_root_mean_square(alpha, eps, centered)
    return chain(param, grad, state, lr, decayed(weight_decay), rms, heavy_ball(momentum, 0, False))


def adam_step(
    param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False
):
    insist(betas, lr=lr, eps=eps, weight_decay=weight_decay)
    steps = turned(maximize), decayed(weight_decay), by_adam(betas, eps, amsgrad)
    return chain(param, grad, state, lr, *steps)


def adamw_step(
    param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False
):
    insist(betas, lr=lr, eps=eps, weight_decay=weight_decay)
    # the decay comes last: Adam does not see it, and both are scaled by lr
    steps = turned(maximize), by_adam(betas, eps, amsgrad), decayed(weight_decay)
    return chain(param, grad, state, lr, *steps)


def clip_gradient_norm(grads, max_norm):
    norm = reduce(hypot, (float(np.linalg.norm(g)) for g in grads), 0.0)
    scale = max_norm / (norm + 1e-6)
    return (list(grads) if scale >= 1 else [scale * g for g in grads]), norm
