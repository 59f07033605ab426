"""Plain Python loops over single elements; early stopping recounts its whole history at every step."""

import math

import numpy as np


def l2_penalty(params, strength):
    total = 0.0
    grads = []
    for param in params:
        grad = np.empty(param.shape, param.dtype)
        for index in np.ndindex(*param.shape):
            weight = float(param[index])
            total += weight * weight
            grad[index] = strength * weight
        grads.append(grad)
    return total * strength / 2, grads


def l1_penalty(params, strength):
    total = 0.0
    grads = ()
    for param in params:
        grad = np.zeros(param.shape, param.dtype)
        for index in np.ndindex(*param.shape):
            weight = float(param[index])
            if weight > 0:
                total += weight
                grad[index] = strength
            elif weight < 0:
                total -= weight
                grad[index] = -strength
        grads += (grad,)
    return strength * total, grads


def soft_threshold(x, threshold):
    if not threshold >= 0:
        raise ValueError("threshold: 0 or more, please")
    out = np.zeros(x.shape, x.dtype)
    for index in np.ndindex(*x.shape):
        value = x[index]
        if value > threshold:
            out[index] = value - threshold
        if value < -threshold:
            out[index] = value + threshold
    return out


def decayed_sgd_step(param, grad, *, lr, weight_decay):
    new = np.zeros(param.shape, param.dtype)
    for index in np.ndindex(*param.shape):
        weight, slope = float(param[index]), float(grad[index])
        new[index] = weight - lr * (slope + weight_decay * weight)
    return new


class EarlyStopping:
    def __init__(self, *, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(f"patience = {patience}")
        self._patience, self._min_delta = patience, min_delta
        self._losses, self._kept = [], None

    def _scan(self):
        """The best loss, its step, and how many steps came after it."""
        best, step = math.inf, None
        for number, loss in enumerate(self._losses):
            if loss < best - self._min_delta:
                best, step = loss, number
        waited = len(self._losses) - (0 if step is None else step + 1)
        return best, step, waited

    @property
    def best_loss(self):
        return self._scan()[0]

    @property
    def best_step(self):
        return self._scan()[1]

    @property
    def best_params(self):
        return self._kept

    def step(self, val_loss, params):
        self._losses.append(val_loss)
        _, _, waited = self._scan()
        if waited == 0:
            if hasattr(params, "keys"):
                self._kept = {}
                for name in params:
                    self._kept[name] = np.array(params[name])
            else:
                self._kept = []
                for array in params:
                    self._kept.append(np.array(array))
        return waited >= self._patience
