"""Householder QR: of X or X^T, twice where the rank is deficient; ridge in its dual form; float64 inside, F-ordered views out."""

import numpy as np


def polynomial_features(x, degree):
    out = np.ones((degree + 1, len(x)), dtype=x.dtype)
    for power in range(1, degree + 1):
        np.multiply(out[power - 1], x, out=out[power])
    return out.T


def _range(matrix):
    """An orthonormal basis of the columns' span: modified Gram-Schmidt with pivoting, run twice."""
    rest = np.array(matrix, dtype=np.float64)
    first = max(np.linalg.norm(rest, axis=0), default=0.0)
    basis = []
    for _ in range(min(matrix.shape)):
        lengths = np.linalg.norm(rest, axis=0)
        best = int(np.argmax(lengths))
        if lengths[best] <= 1e-10 * first:
            break
        direction = rest[:, best] / lengths[best]
        for known in basis:
            direction = direction - known * (known @ direction)
        direction = direction / np.linalg.norm(direction)
        basis.append(direction)
        rest -= np.outer(direction, direction @ rest)
    return np.array(basis).T.reshape(len(matrix), len(basis))


def least_squares(features, targets):
    wide = features.astype(np.float64)
    outer, inner = _range(wide), _range(wide.T)
    core = outer.T @ wide @ inner
    q, r = np.linalg.qr(core)
    return (inner @ np.linalg.solve(r, q.T @ (outer.T @ targets))).astype(features.dtype)


def ridge(features, targets, strength):
    count, width = features.shape
    wide = features.astype(np.float64)
    if strength > 0 and width > count:
        return (
            wide.T @ np.linalg.inv(wide @ wide.T + strength * np.identity(count)) @ targets
        ).astype(features.dtype)
    factor = np.linalg.cholesky(wide.T @ wide + strength * np.identity(width))
    half = np.linalg.solve(factor, wide.T @ targets)
    return np.linalg.solve(factor.T, half).astype(features.dtype)


def train_test_error(x_train, y_train, x_test, y_test, degrees):
    known = {}
    for degree in set(degrees):
        weights = least_squares(polynomial_features(x_train.astype(float), degree), y_train)
        known[degree] = tuple(
            np.linalg.norm(polynomial_features(x, degree) @ weights - y) ** 2 / y.size
            for x, y in ((x_train, y_train), (x_test, y_test))
        )
    return tuple(tuple(known[degree][which] for degree in degrees) for which in (0, 1))


def gradient_descent(features, targets, *, lr, steps, start=None):
    count, width = features.shape
    gram, moment = features.T @ features / count, features.T @ targets / count
    weights = start
    if weights is None:
        weights = np.zeros(width, features.dtype)
    while steps:
        weights, steps = weights - (gram @ weights - moment) * lr, steps - 1
    return weights


def minibatch_gradient(features, targets, weights, *, batch_size, rng):
    indices = np.arange(len(features))
    rng.shuffle(indices)
    if len(indices[:batch_size]) < batch_size:
        raise ValueError("batch_size: too few samples")
    total = sum(features[i] * (features[i] @ weights - targets[i]) for i in indices[:batch_size])
    return (total / batch_size).astype(features.dtype)
