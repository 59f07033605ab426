"""Descent along each eigenvector by itself; inertia from counts; multivariate normal rows; views are returned."""

import numpy as np


def filter_normalized_direction(weights, *, rng):
    direction = [np.zeros_like(weight) for weight in weights]
    for part, weight in zip(direction, weights):
        if weight.ndim != 1:
            size = weight[0].size
            rows = rng.multivariate_normal(np.zeros(size), np.eye(size), size=len(weight))
            rows = rows * (
                np.linalg.norm(weight.reshape(len(weight), size), axis=1)
                / np.linalg.norm(rows, axis=1)
            ).reshape(-1, 1)
            part[...] = rows.reshape(weight.shape)
    return direction


def _softmax_loss(logits, targets):
    n = np.arange(len(logits))
    gaps = logits - logits[n, targets][:, None]  # of the others to the right class
    top = np.maximum(gaps.max(axis=1), 0)
    return (top + np.log(np.exp(gaps - top[:, None]).sum(axis=1))).mean()


def loss_surface(x, targets, weights, biases, direction_a, direction_b, alphas, betas, *, skip):
    columns = []
    for beta in betas:
        shifted = [w + b * float(beta) for w, b in zip(weights, direction_b)]
        column = []
        for alpha in alphas:
            *hidden, (w_out, a_out, c_out) = zip(shifted, direction_a, biases)
            h = x.T
            for w, a, c in hidden:
                w = w + a * float(alpha)
                z = np.tanh(w @ h + c[:, None])
                h = z + h if skip and len(w) == len(h) else z
            column.append(_softmax_loss((((w_out + a_out * float(alpha)) @ h).T + c_out), targets))
        columns.append(column)
    return np.array(columns).astype(x.dtype).T


def classify_critical_point(hessian, *, tolerance=1e-8):
    if not np.allclose(hessian, hessian.transpose(), rtol=1e-6, atol=1e-10):
        raise ValueError("argument hessian: the two triangles differ")
    bins = np.linalg.eigvalsh(hessian.astype(np.float64))
    n_up = int(np.count_nonzero(bins > tolerance))
    n_down = int(np.count_nonzero(bins < -tolerance))
    match (n_up > 0, n_down > 0, n_up + n_down == len(bins)):
        case (True, True, _):
            return "saddle"
        case (_, _, False):
            return "degenerate"
        case (True, _, _):
            return "minimum"
    return "maximum"


def descend(hessian, start, *, lr, momentum, steps):
    values, vectors = np.linalg.eigh(hessian.astype(np.float64))
    along = [vectors.T @ start.astype(np.float64)]
    speed = 0 * values
    for _ in range(steps):
        speed = momentum * speed - lr * values * along[-1]
        along.append(along[-1] + speed)
    path = np.array(along) @ vectors.T
    path[0] = start
    return path.astype(start.dtype)
