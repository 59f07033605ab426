"""Penalties made by a higher-order function, masks instead of signs, early stopping as a coroutine."""

import functools
import math
import pickle

import numpy as np


def _penalty(of_array, slope):
    def penalty(params, strength):
        value = functools.reduce(lambda total, param: total + of_array(param), params, 0)
        return value * strength, [slope(param) * strength for param in params]

    return penalty


def _signs(param):
    slope = np.zeros_like(param)
    slope[param > 0] = 1
    slope[param < 0] = -1
    return slope


l2_penalty = _penalty(lambda param: np.vdot(param, param) / 2, np.array)
l1_penalty = _penalty(lambda param: np.abs(param).sum(), _signs)


def soft_threshold(x, threshold):
    match threshold:
        case number if number < 0:
            raise ValueError("a threshold cannot be negative")
    moved = np.array(x)
    moved[x > threshold] -= threshold
    moved[x < -threshold] += threshold
    moved[np.abs(x) <= threshold] = 0
    return moved


def decayed_sgd_step(param, grad, *, lr, weight_decay):
    return param + -lr * np.add(grad, weight_decay * param)


def _watch(patience, min_delta, found):
    stop = None
    for number in range(1_000_000):
        val_loss, params = yield stop
        if not math.isnan(val_loss) and val_loss + min_delta < found["loss"]:
            found.update(loss=val_loss, step=number, params=pickle.loads(pickle.dumps(params)))
            first_after = number + 1
        elif number == 0:
            first_after = 0
        stop = number - first_after + 1 >= patience


class EarlyStopping:
    def __init__(self, *, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError("patience < 1")
        self._found = {"loss": math.inf, "step": None, "params": None}
        self._watch = _watch(patience, min_delta, self._found)
        next(self._watch)

    def step(self, val_loss, params):
        return self._watch.send((val_loss, params))

    def __getattr__(self, name):
        if name.startswith("best_"):
            return self._found[name[len("best_") :]]
        raise AttributeError(name)
