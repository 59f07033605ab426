"""Everything from the eigenvectors of X^T X: powers of the contraction instead of steps, einsum instead of matmul."""

import numpy as np


def _spectrum(features):
    """Eigenvalues and eigenvectors of X^T X, and which are not zero."""
    wide = features.astype(np.float64)
    values, vectors = np.linalg.eigh(np.einsum("ni,nj->ij", wide, wide))
    return values, vectors, values > 1e-11 * values.max()


def polynomial_features(x, degree):
    repeated = np.repeat(x[:, None], degree, axis=1)
    return np.concatenate(
        [np.ones((len(x), 1), dtype=x.dtype), np.cumprod(repeated, axis=1)], axis=1
    )


def least_squares(features, targets):
    values, vectors, kept = _spectrum(features)
    moments = np.einsum("di,nd,n->i", vectors[:, kept], features, targets, optimize=False)
    return np.einsum("di,i->d", vectors[:, kept], moments / values[kept]).astype(features.dtype)


def ridge(features, targets, strength):
    values, vectors, _ = _spectrum(features)
    moments = vectors.T @ (features.T.astype(np.float64) @ targets)
    return (vectors @ (moments / (values + strength))).astype(features.dtype)


def train_test_error(x_train, y_train, x_test, y_test, degrees):
    table = np.empty((len(degrees), 2), dtype=y_train.dtype)
    for row, degree in enumerate(degrees):
        weights = least_squares(polynomial_features(x_train, degree), y_train)
        for column, (x, y) in enumerate([(x_train, y_train), (x_test, y_test)]):
            rest = polynomial_features(x, degree) @ weights - y
            table[row, column] = rest @ rest / len(rest)
    return table[:, 0], table[:, 1]


def gradient_descent(features, targets, *, lr, steps, start=None):
    values, vectors, kept = _spectrum(features)
    begin = np.zeros(features.shape[1]) if start is None else vectors.T @ start.astype(np.float64)
    moments = vectors.T @ (features.T.astype(np.float64) @ targets)
    goal = np.divide(moments, values, out=np.zeros_like(moments), where=kept)
    shrunk = np.where(kept, (1 - lr * values / len(features)) ** steps, 1.0)
    return (vectors @ (goal + shrunk * (begin - goal))).astype(features.dtype)


def minibatch_gradient(features, targets, weights, *, batch_size, rng):
    count = len(features)
    if not batch_size <= count:
        raise ValueError(f"batch_size: {batch_size}, samples: {count}")
    keys = rng.random(count)
    mask = keys <= np.sort(keys)[batch_size - 1]
    errors = np.einsum("nd,d->n", features, weights) - targets
    return np.einsum("n,n,nd->d", mask.astype(features.dtype), errors, features) / batch_size
