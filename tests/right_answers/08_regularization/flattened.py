"""All parameters joined into one vector and taken apart again; the patience counts down."""

import numpy as np


def _joined(params):
    return np.concatenate([np.ravel(param) for param in params])


def _apart(vector, params):
    ends = np.cumsum([param.size for param in params])
    pieces = np.split(vector, ends[:-1])
    return tuple(piece.reshape(param.shape) for piece, param in zip(pieces, params))


def l2_penalty(params, strength):
    vector = _joined(params)
    return np.dot(vector, vector) * strength / 2, _apart(vector * strength, params)


def l1_penalty(params, strength):
    vector = _joined(params)
    slope = np.greater(vector, 0).astype(vector.dtype) - np.less(vector, 0).astype(vector.dtype)
    return np.dot(slope, vector) * strength, _apart(slope * strength, params)


def soft_threshold(x, threshold):
    if threshold < 0:
        raise ValueError(f"bad threshold: {threshold}")
    vector = np.ravel(x)
    return (vector - np.clip(vector, -threshold, threshold)).reshape(x.shape)


def decayed_sgd_step(param, grad, *, lr, weight_decay):
    vector, slope = np.ravel(param), np.ravel(grad)
    vector = vector - lr * (slope + weight_decay * vector)
    return vector.reshape(param.shape, order="C")


class EarlyStopping:
    best_loss = np.float64(np.inf)
    best_params = None
    best_step = None
    _next = 0

    def __init__(self, *, patience, min_delta=0.0):
        if patience <= 0:
            raise ValueError("patience has to be positive")
        self.patience = self.left = patience
        self.goal = np.inf
        self.min_delta = min_delta

    def step(self, val_loss, params):
        number, self._next = self._next, self._next + 1
        if np.less(val_loss, self.goal):
            self.goal = val_loss - self.min_delta
            self.best_loss = np.float64(val_loss)
            self.best_step = np.int64(number)
            self.best_params = self._copy(params)
            self.left = self.patience
            return False
        self.left -= 1
        return self.left <= 0

    @staticmethod
    def _copy(params):
        if isinstance(params, dict):
            return dict(zip(params, map(np.copy, params.values())))
        return list(map(np.copy, params))
