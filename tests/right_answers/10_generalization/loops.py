"""Python loops over plain numbers: Greville's recursion for the pseudo-inverse, elimination with pivoting, a hand-made shuffle."""

import numpy as np


def polynomial_features(x, degree):
    out = np.empty((len(x), degree + 1), dtype=x.dtype)
    for row, value in enumerate(x):
        power = x.dtype.type(1)
        for column in range(degree + 1):
            out[row, column] = power
            power = power * value if column < degree else power
    return out


def _dot(a, b):
    total = 0.0
    for one, other in zip(a, b):
        total += one * other
    return total


def _inverse_by_columns(columns):
    """The pseudo-inverse, row by row as columns are appended."""
    rows = []
    largest = max([0.0, *(_dot(column, column) ** 0.5 for column in columns)])
    for number, column in enumerate(columns):
        parts = [_dot(row, column) for row in rows]
        rest = [
            c - sum(p * other[i] for p, other in zip(parts, columns[:number]))
            for i, c in enumerate(column)
        ]
        if _dot(rest, rest) ** 0.5 > 1e-9 * largest:
            square = _dot(rest, rest)
            new = [value / square for value in rest]
        else:
            square = 1.0 + _dot(parts, parts)
            new = [
                sum(p * row[i] for p, row in zip(parts, rows)) / square for i in range(len(column))
            ]
        rows = [[r - p * n for r, n in zip(row, new)] for p, row in zip(parts, rows)] + [new]
    return rows


def least_squares(features, targets):
    columns = [[float(value) for value in column] for column in features.T]
    targets = [float(value) for value in targets]
    return np.array(
        [_dot(row, targets) for row in _inverse_by_columns(columns)], dtype=features.dtype
    )


def _eliminate(matrix, right):
    size = len(right)
    table = [[*row, value] for row, value in zip(matrix, right)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda i: abs(table[i][k]))
        table[k], table[pivot] = table[pivot], table[k]
        for i in range(k + 1, size):
            factor = table[i][k] / table[k][k]
            table[i] = [a - factor * b for a, b in zip(table[i], table[k])]
    found = [0.0] * size
    for k in reversed(range(size)):
        known = _dot(table[k][k + 1 : size], found[k + 1 :])
        found[k] = (table[k][size] - known) / table[k][k]
    return found


def ridge(features, targets, strength):
    columns = [[float(value) for value in column] for column in features.T]
    matrix = [
        [_dot(a, b) + (strength if i == j else 0.0) for j, b in enumerate(columns)]
        for i, a in enumerate(columns)
    ]
    right = [_dot(column, [float(value) for value in targets]) for column in columns]
    return np.array(_eliminate(matrix, right), dtype=features.dtype)


def train_test_error(x_train, y_train, x_test, y_test, degrees):
    def error(x, y, weights):
        total = 0.0
        for point, target in zip(x, y):
            value = 0.0
            for weight in reversed(weights):
                value = value * float(point) + float(weight)
            total += (value - float(target)) ** 2
        return total / len(x)

    pairs = []
    for degree in degrees:
        columns = [[float(value) ** power for value in x_train] for power in range(degree + 1)]
        targets = [float(value) for value in y_train]
        weights = [_dot(row, targets) for row in _inverse_by_columns(columns)]
        pairs.append((error(x_train, y_train, weights), error(x_test, y_test, weights)))
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def gradient_descent(features, targets, *, lr, steps, start=None):
    count, width = features.shape
    rows, goals = features.tolist(), targets.tolist()
    weights = [0.0] * width if start is None else start.tolist()
    for _ in range(steps):
        errors = [_dot(row, weights) - goal for row, goal in zip(rows, goals)]
        slopes = [
            sum(error * row[j] for error, row in zip(errors, rows)) / count for j in range(width)
        ]
        weights = [weight - lr * slope for weight, slope in zip(weights, slopes)]
    return np.array(weights, dtype=features.dtype)


def minibatch_gradient(features, targets, weights, *, batch_size, rng):
    count, width = features.shape
    if batch_size > count:
        raise ValueError("batch_size must not exceed the number of samples")
    order = list(range(count))
    for i in range(batch_size):
        j = int(rng.integers(i, count))
        order[i], order[j] = order[j], order[i]
    gradient = [0.0] * width
    for i in order[:batch_size]:
        error = sum(float(a) * float(b) for a, b in zip(features[i], weights)) - float(targets[i])
        for j in range(width):
            gradient[j] += error * float(features[i, j]) / batch_size
    return np.array(gradient, dtype=features.dtype)
