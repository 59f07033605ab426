"""Normal equations through the pseudo-inverse of X^T X; folds and iterators; a reservoir for the batch, and numpy's own error."""

from functools import reduce
from itertools import accumulate, repeat

import numpy as np


def polynomial_features(x, degree):
    exponents = np.arange(degree + 1).astype(x.dtype)
    return np.power(x[:, np.newaxis], exponents[np.newaxis, :])


def least_squares(features, targets):
    return np.linalg.pinv(features.T @ features) @ (features.T @ targets)


def ridge(features, targets, strength):
    left, singular, right = np.linalg.svd(features)
    size = len(singular)
    shrunk = singular / (singular * singular + strength) * (targets @ left[:, :size])
    return (shrunk @ right[:size]).astype(features.dtype)


def _fit(x, y, degree):
    table = polynomial_features(x, degree)
    return np.linalg.pinv(table) @ y


def _error(x, y, weights):
    guess = reduce(lambda value, weight: value * x + weight, weights[::-1], np.zeros_like(x))
    return ((guess - y) ** 2).mean()


def train_test_error(x_train, y_train, x_test, y_test, degrees):
    fits = [_fit(x_train, y_train, degree) for degree in degrees]
    return (
        [_error(x_train, y_train, weights) for weights in fits],
        [_error(x_test, y_test, weights) for weights in fits],
    )


def gradient_descent(features, targets, *, lr, steps, start=None):
    begin = np.zeros(features.shape[1], features.dtype) if start is None else start

    def step(weights, _):
        return weights - lr * np.mean((features @ weights - targets)[:, None] * features, axis=0)

    *_, last = accumulate(repeat(None, steps), step, initial=begin)
    return last


def minibatch_gradient(features, targets, weights, *, batch_size, rng):
    if batch_size > len(targets):
        rng.choice(len(targets), batch_size, replace=False)
    chosen = list(range(batch_size))
    for sample in range(batch_size, len(targets)):
        place = int(rng.integers(0, sample, endpoint=True))
        if place < batch_size:
            chosen[place] = sample
    rows = [features[i] for i in chosen]
    errors = [features[i] @ weights - targets[i] for i in chosen]
    return np.stack(rows).T @ np.stack(errors) / batch_size
