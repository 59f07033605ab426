"""Everything is computed in float64 and rounded at the end; norms from np.linalg; buffers that are filled in place."""

import numpy as np


def _wide(array):
    return np.asarray(array, dtype=np.float64)


def l2_penalty(params, strength):
    norms = np.array([np.linalg.norm(_wide(param).ravel()) for param in params])
    return strength / 2 * np.sum(norms**2), [
        (strength * _wide(param)).astype(param.dtype) for param in params
    ]


def l1_penalty(params, strength):
    norms = [np.linalg.norm(_wide(param).ravel(), 1) for param in params]
    grads = []
    for param in params:
        size = np.abs(_wide(param))
        slope = np.divide(_wide(param), size, out=np.zeros(param.shape), where=size > 0)
        grads.append((strength * slope).astype(param.dtype))
    return strength * np.sum(norms), grads


def soft_threshold(x, threshold):
    if threshold < 0:
        raise ValueError("threshold is negative")
    size = np.abs(_wide(x))
    factor = np.divide(size - threshold, size, out=np.zeros(x.shape), where=size > threshold)
    return (factor * _wide(x)).astype(x.dtype)


def decayed_sgd_step(param, grad, *, lr, weight_decay):
    new = np.array(param, dtype=np.float64)
    new *= 1.0 - lr * weight_decay
    new -= lr * _wide(grad)
    return new.astype(param.dtype)


class EarlyStopping:
    def __init__(self, *, patience, min_delta=0.0):
        if int(patience) < 1:
            raise ValueError("patience must be 1 or more")
        self.patience, self.min_delta = int(patience), float(min_delta)
        self.best_loss, self.best_params, self.best_step = np.array(np.inf), None, None
        self.counts = {"steps": 0, "without": 0}

    def step(self, val_loss, params):
        self.counts["without"] += 1
        if self.best_loss - np.float64(val_loss) > self.min_delta:
            self.best_loss = np.array(val_loss, dtype=np.float64)
            self.best_step = np.array(self.counts["steps"])
            self.keep(params)
            self.counts["without"] = 0
        self.counts["steps"] += 1
        return np.bool_(self.counts["without"] >= self.patience)

    def keep(self, params):
        """Into arrays of its own, made once and filled again at each improvement."""
        if self.best_params is None:
            empty = np.empty_like
            self.best_params = (
                {name: empty(array) for name, array in params.items()}
                if isinstance(params, dict)
                else tuple(empty(array) for array in params)
            )
        for key in params if isinstance(params, dict) else range(len(params)):
            self.best_params[key][...] = params[key]
