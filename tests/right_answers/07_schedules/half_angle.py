"""Squares of cosines of half the angle, logarithms, geometric series in closed form; 0-d arrays."""

import numpy as np


def _require(condition, text):
    if not condition:
        raise ValueError(text)


def _squared(start, end, fraction):
    weight = np.square(np.cos(0.5 * np.pi * np.asarray(fraction)))
    return np.asarray(weight * start + (1 - weight) * end)


def step_decay(step, *, base_lr, step_size, gamma=0.1):
    _require(step >= 0, "step must be >= 0")
    _require(step_size >= 1, "step_size must be >= 1")
    stairs, _ = divmod(step, step_size)
    return np.asarray(np.exp(np.log(base_lr) + stairs * np.log(gamma)))


def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    _require(step >= 0, "step must be >= 0")
    passed = np.searchsorted(np.sort(np.asarray(milestones, dtype=float)), step, side="right")
    return np.asarray(np.exp(np.log(base_lr) + passed * np.log(gamma)))


def exponential_decay(step, *, base_lr, gamma):
    _require(step >= 0, "step must be >= 0")
    return np.asarray(np.exp(np.log(base_lr) + step * np.log(gamma)))


def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    _require(step >= 0, "step must be >= 0")
    _require(total_steps >= 1, "total_steps must be >= 1")
    left = np.clip(np.asarray(total_steps - step), 0, None)
    return np.asarray(base_lr * left**power / total_steps**power)


def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    _require(step >= 0, "step must be >= 0")
    _require(warmup_steps >= 1, "warmup_steps must be >= 1")
    missing = np.clip(1 - np.asarray(step) / warmup_steps, 0, 1)
    return np.asarray(base_lr - base_lr * (1 - start_factor) * missing)


def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    _require(step >= 0, "step must be >= 0")
    _require(total_steps >= 1, "total_steps must be >= 1")
    return _squared(base_lr, min_lr, np.clip(step / total_steps, 0, 1))


def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    _require(step >= 0, "step must be >= 0")
    _require(period >= 1, "period must be >= 1")
    _require(period_mult >= 1, "period_mult must be >= 1")
    if period_mult == 1:
        return _squared(base_lr, min_lr, np.mod(step, period) / period)
    cycles = step / period * (period_mult - 1) + 1
    n = int(np.floor(np.log(cycles) / np.log(period_mult) + 1e-9))
    begin = period * (period_mult**n - 1) // (period_mult - 1)
    return _squared(base_lr, min_lr, (step - begin) / (period * period_mult**n))


def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    _require(step >= 0, "step must be >= 0")
    _require(warmup_steps >= 1, "warmup_steps must be >= 1")
    _require(total_steps > warmup_steps, "total_steps must be > warmup_steps")
    rising = np.minimum(step / warmup_steps, 1)
    falling = np.clip((step - warmup_steps) / (total_steps - warmup_steps), 0, 1)
    warm = base_lr - base_lr * (1 - start_factor) * (1 - rising)
    return np.asarray(np.where(step < warmup_steps, warm, _squared(base_lr, min_lr, falling)))


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    _require(step >= 0, "step must be >= 0")
    _require(total_steps >= 1, "total_steps must be >= 1")
    _require(step < total_steps, "step must be < total_steps")
    up = pct_start * total_steps - 1
    if step > up:
        end = max_lr / (div_factor * final_div_factor)
        return _squared(max_lr, end, (step - up) / (total_steps - 1 - up))
    return _squared(max_lr / div_factor, max_lr, step / up)


class ReduceOnPlateau:
    """Counts down what is left of the patience."""

    def __init__(self, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0):
        _require(factor < 1, "factor must be < 1")
        self.lr = np.array(lr)
        self.next_lr = lambda lr: np.asarray(np.maximum(lr * factor, min_lr))
        self.limit = np.array(np.inf)
        self.keep = 1 - threshold
        self.patience = self.left = patience
        self.cooldown, self.until, self.now = cooldown, 0, 0

    def step(self, metric):
        self.now += 1
        if metric < self.limit:
            self.limit = np.asarray(metric * self.keep)
            self.left = self.patience
        elif self.now > self.until:
            self.left -= 1
        if self.now <= self.until:
            self.left = self.patience
        if self.left < 0:
            self.lr, self.left = self.next_lr(self.lr), self.patience
            self.until = self.now + self.cooldown
        return self.lr
