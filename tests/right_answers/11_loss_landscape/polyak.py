"""Differences of positions instead of a velocity; np.logaddexp; Gaussians as roots of gamma numbers with random signs."""

import functools

import numpy as np


def filter_normalized_direction(weights, *, rng):
    def one(weight):
        if weight.ndim == 1:
            return np.zeros(weight.shape, weight.dtype)
        size = np.sqrt(2 * rng.gamma(0.5, size=weight.shape))
        draw = np.where(rng.integers(0, 2, size=weight.shape) == 1, size, -size)
        norm = functools.partial(np.apply_over_axes, np.sum, axes=range(1, weight.ndim))
        ratio = np.sqrt(norm(weight.astype(np.float64) ** 2) / norm(draw**2))
        return (ratio * draw).astype(weight.dtype)

    return [one(weight) for weight in weights]


def _run(x, weights, biases, skip):
    if len(weights) == 1:
        return x @ weights[0].T + biases[0]
    hidden = np.tanh(x @ weights[0].T + biases[0])
    if skip and hidden.shape[1] == x.shape[1]:
        hidden = hidden + x
    return _run(hidden, weights[1:], biases[1:], skip)


def loss_surface(x, targets, weights, biases, direction_a, direction_b, alphas, betas, *, skip):
    def loss(alpha, beta):
        moved = [
            np.asarray(w + a * float(alpha) + b * float(beta))
            for w, a, b in zip(weights, direction_a, direction_b)
        ]
        z = _run(x, moved, biases, skip)
        right = np.take_along_axis(z, targets[:, None], axis=1)
        return np.logaddexp.reduce(z - right, axis=1).mean()

    return np.array([[loss(a, b) for b in betas] for a in alphas], x.dtype)


def classify_critical_point(hessian, *, tolerance=1e-8):
    if (hessian != hessian.T).any():
        raise ValueError("hessian: not symmetric")
    values = np.linalg.eigvals(hessian).real
    smallest, largest, nearest = values.min(), values.max(), np.abs(values).min()
    kinds = [
        (smallest < -tolerance and largest > tolerance, "saddle"),
        (nearest <= tolerance, "degenerate"),
        (smallest > tolerance, "minimum"),
        (largest < -tolerance, "maximum"),
    ]
    return next(name for holds, name in kinds if holds)


def descend(hessian, start, *, lr, momentum, steps):
    path = [start]
    for step in range(steps):
        before = path[-2] if step else start
        path.append(path[-1] - lr * hessian.dot(path[-1]) + momentum * (path[-1] - before))
    return np.vstack(path)
