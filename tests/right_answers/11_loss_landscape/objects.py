"""A network class with parameters in one flat vector; a child generator per array; an iterator that descends."""

import itertools

import numpy as np


class Network:
    def __init__(self, weights, biases, skip):
        self.shapes = [weight.shape for weight in weights]
        self.biases = biases
        self.skip = skip

    @staticmethod
    def flat(arrays):
        return np.concatenate([np.ravel(array) for array in arrays])

    def unflat(self, vector):
        ends = np.cumsum([rows * columns for rows, columns in self.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(vector, ends), self.shapes)]

    def residual(self, layer):
        rows, columns = self.shapes[layer]
        return self.skip and rows == columns and layer + 1 < len(self.shapes)

    def __call__(self, x, vector):
        layers = list(zip(self.unflat(vector), self.biases))
        for number, (weight, bias) in enumerate(layers):
            z = np.add(np.inner(x, weight), bias)
            if number + 1 < len(layers):
                z = np.tanh(z, out=z)
            x = np.add(x, z) if self.residual(number) else z
        return x


def filter_normalized_direction(weights, *, rng):
    found = []
    for weight, child in zip(weights, rng.spawn(len(weights))):
        if np.ndim(weight) == 1:
            found.append(np.full_like(weight, 0))
            continue
        d = child.standard_normal(weight.shape, dtype=weight.dtype)
        for i, row in enumerate(weight):
            d[i] *= np.sqrt((row**2).sum()) / (np.sqrt((d[i] ** 2).sum()) + 1e-10)
        found.append(d)
    return found


def loss_surface(x, targets, weights, biases, direction_a, direction_b, alphas, betas, *, skip):
    network = Network(weights, biases, skip)
    origin, a, b = (network.flat(arrays) for arrays in (weights, direction_a, direction_b))
    surface = np.zeros((len(alphas), len(betas)), order="F", dtype=x.dtype)
    for index in itertools.product(range(len(alphas)), range(len(betas))):
        alpha, beta = float(alphas[index[0]]), float(betas[index[1]])
        logits = network(x, origin + alpha * a + beta * b)
        logits = logits - np.max(logits, axis=-1)[:, np.newaxis]
        picked = (
            np.choose(targets, logits.T) if logits.shape[1] < 32 else logits[range(len(x)), targets]
        )
        surface[index] = np.average(np.log(np.exp(logits).sum(-1)) - picked)
    return surface


def classify_critical_point(hessian, *, tolerance=1e-8):
    scale = np.linalg.norm(hessian)
    if np.linalg.norm(hessian - hessian.T) > 1e-5 * scale:
        raise ValueError("classify_critical_point: hessian is not symmetric")
    values = np.linalg.eigvalsh(hessian)
    low, high = values[0], values[-1]
    if low < -tolerance and high > tolerance:
        return "saddle"
    if low > tolerance:
        return "minimum"
    return "maximum" if high < -tolerance else "degenerate"


def _positions(hessian, start, lr, momentum):
    x, v = start.copy(), np.zeros_like(start)
    while True:
        yield x.copy()
        v *= momentum
        v += hessian @ x
        x -= lr * v


def descend(hessian, start, *, lr, momentum, steps):
    return np.array(list(itertools.islice(_positions(hessian, start, lr, momentum), steps + 1)))
