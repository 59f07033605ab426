"""Sums by einsum, shrinking by two one-sided parts, and a dataclass that keeps deep copies."""

import copy
from dataclasses import dataclass, field

import numpy as np


def l2_penalty(params, strength):
    halves = [np.einsum("i,i->", p.reshape(-1), p.reshape(-1)) / 2 for p in params]
    return strength * np.sum(halves), [
        np.einsum("...,->...", p, p.dtype.type(strength)) for p in params
    ]


def l1_penalty(params, strength):
    signs = [np.where(p > 0, 1, np.where(p < 0, -1, 0)).astype(p.dtype) for p in params]
    values = [np.einsum("i,i->", s.reshape(-1), p.reshape(-1)) for s, p in zip(signs, params)]
    return np.asarray(strength * sum(values)), [
        s * p.dtype.type(strength) for s, p in zip(signs, params)
    ]


def soft_threshold(x, threshold):
    if np.signbit(threshold) and threshold != 0:
        raise ValueError(f"threshold {threshold} lies below zero")
    return np.maximum(x - threshold, 0) - np.maximum(-x - threshold, 0)


def decayed_sgd_step(param, grad, *, lr, weight_decay):
    shrunk = param - param * (lr * weight_decay)
    return np.subtract(shrunk, np.multiply(grad, lr), order="F")


@dataclass(kw_only=True)
class EarlyStopping:
    patience: int
    min_delta: float = 0.0
    best_loss: float = field(default=float("inf"), init=False)
    best_params: object = field(default=None, init=False)
    best_step: object = field(default=None, init=False)
    improvements: list = field(default_factory=list, init=False)

    def __post_init__(self):
        if not self.patience >= 1:
            raise ValueError(f"patience {self.patience} is below 1")

    def step(self, val_loss, params):
        better = bool(self.best_loss - val_loss > self.min_delta)
        self.improvements.append(better)
        if better:
            self.best_loss = val_loss
            self.best_params = copy.deepcopy(params)
            self.best_step = len(self.improvements) - 1
        recent = self.improvements[-self.patience :]
        return len(recent) == self.patience and not any(recent)
