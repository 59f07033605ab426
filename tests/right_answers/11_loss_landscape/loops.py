"""Python loops over numbers; eigenvalues by Jacobi's rotations; Box and Muller's Gaussians from uniform numbers."""

import math

import numpy as np


def _gaussians(rng, count):
    radii = (math.sqrt(-2 * math.log(1 - u)) for u in rng.random(count).tolist())
    return [r * math.cos(2 * math.pi * u) for r, u in zip(radii, rng.random(count).tolist())]


def filter_normalized_direction(weights, *, rng):
    result = []
    for weight in weights:
        part = np.zeros(weight.shape, dtype=weight.dtype)
        if weight.ndim > 1:
            for i in range(weight.shape[0]):
                own = _gaussians(rng, weight[i].size)
                factor = math.hypot(*map(float, weight[i].flat)) / math.hypot(*own)
                part[i] = np.array([factor * value for value in own]).reshape(weight[i].shape)
        result.append(part)
    return result


def _loss(rows, targets, layers, skip):
    total = 0.0
    for row, target in zip(rows, targets):
        h = [float(value) for value in row]
        for number, (weight, bias) in enumerate(layers):
            out = [sum(w * v for w, v in zip(line, h)) + c for line, c in zip(weight, bias)]
            if number < len(layers) - 1:
                out = [math.tanh(value) for value in out]
                if skip and len(weight) == len(weight[0]):
                    out = [value + old for value, old in zip(out, h)]
            h = out
        top = max(h)
        total += top - h[target] + math.log(sum(math.exp(value - top) for value in h))
    return total / len(rows)


def loss_surface(x, targets, weights, biases, direction_a, direction_b, alphas, betas, *, skip):
    rows = []
    for alpha in alphas:
        rows.append([])
        for beta in betas:
            layers = []
            for w, c, a, b in zip(weights, biases, direction_a, direction_b):
                moved = w.astype(float) + float(alpha) * a.astype(float) + float(beta) * b
                layers.append((moved.tolist(), c.tolist()))
            rows[-1].append(_loss(x.tolist(), targets.tolist(), layers, skip))
    return np.array(rows, dtype=x.dtype)


def _eigenvalues(matrix):
    a = [[float(value) for value in row] for row in matrix]
    n = len(a)
    for _ in range(60):
        if all(a[i][j] == 0 for i in range(n) for j in range(n) if i != j):
            break
        for p in range(n):
            for q in range(p + 1, n):
                if a[p][q] == 0:
                    continue
                angle = 0.5 * math.atan2(2 * a[p][q], a[q][q] - a[p][p])
                c, s = math.cos(angle), math.sin(angle)
                for k in range(n):
                    a[k][p], a[k][q] = c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]
                for k in range(n):
                    a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]
                a[p][q] = a[q][p] = 0.0
    return [a[i][i] for i in range(n)]


def classify_critical_point(hessian, *, tolerance=1e-8):
    n = len(hessian)
    for i in range(n):
        for j in range(i):
            if not math.isclose(hessian[i][j], hessian[j][i], rel_tol=1e-6, abs_tol=1e-9):
                raise ValueError(f"hessian[{i}, {j}] differs from hessian[{j}, {i}]")
    up = down = flat = 0
    for value in _eigenvalues(hessian):
        if value > tolerance:
            up += 1
        elif value < -tolerance:
            down += 1
        else:
            flat += 1
    if up and down:
        return "saddle"
    if flat:
        return "degenerate"
    return "minimum" if up == n else "maximum"


def descend(hessian, start, *, lr, momentum, steps):
    x = [float(value) for value in start]
    h = [[float(value) for value in row] for row in hessian]
    v = [0.0] * len(x)
    path = [list(x)]
    for _ in range(steps):
        slope = [sum(a * b for a, b in zip(row, x)) for row in h]
        v = [momentum * old + new for old, new in zip(v, slope)]
        x = [old - lr * change for old, change in zip(x, v)]
        path.append(list(x))
    return np.array(path, dtype=start.dtype)
