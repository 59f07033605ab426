"""np.interp, np.piecewise and complex exponentials; rates in single precision; the plateau is a dataclass."""

from dataclasses import KW_ONLY, dataclass, field

import numpy as np


def _valid(step, **sizes):
    if step < 0:
        raise ValueError("step < 0")
    if any(size <= 0 for size in sizes.values()):
        raise ValueError(f"one of these is not positive: {sizes}")
    return float(step)


def _turn(start, end, share):
    share = np.interp(share, [0.0, 1.0], [0.0, 1.0])
    return np.float32(end + (start - end) * np.real(1 + np.exp(1j * np.pi * share)) / 2)


def step_decay(step, *, base_lr, step_size, gamma=0.1):
    _valid(step, step_size=step_size)
    return np.float32(base_lr * np.power(gamma, np.floor_divide(step, step_size)))


def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    _valid(step)
    milestones = np.array(milestones)
    return np.float32(base_lr * gamma ** np.count_nonzero(milestones <= step))


def exponential_decay(step, *, base_lr, gamma):
    _valid(step)
    return np.float32(base_lr * gamma**step)


def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    _valid(step, total_steps=total_steps)
    return np.float32(base_lr * np.interp(step, [0, total_steps], [1.0, 0.0]) ** power)


def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    _valid(step, warmup_steps=warmup_steps)
    return np.float32(np.interp(step, [0, warmup_steps], [start_factor * base_lr, base_lr]))


def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    _valid(step, total_steps=total_steps)
    return _turn(base_lr, min_lr, step / total_steps)


def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    if step < 0:
        raise ValueError("step < 0")
    if period_mult < 1:
        raise ValueError("period_mult < 1")
    if period < 1:
        raise ValueError("period < 1")
    if step < period:
        return _turn(base_lr, min_lr, step / period)
    return cosine_warm_restarts(
        step - period,
        base_lr=base_lr,
        period=period * period_mult,
        period_mult=period_mult,
        min_lr=min_lr,
    )


def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    remaining = total_steps - warmup_steps
    step = _valid(step, warmup_steps=warmup_steps, total_steps=total_steps, remaining=remaining)
    return np.piecewise(
        step,
        [step < warmup_steps],
        [
            lambda s: np.interp(s, [0, warmup_steps], [start_factor * base_lr, base_lr]),
            lambda s: _turn(base_lr, min_lr, (s - warmup_steps) / remaining),
        ],
    )


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    _valid(step, total_steps=total_steps, left=total_steps - step)
    peak = pct_start * total_steps - 1
    lowest = max_lr / div_factor / final_div_factor
    if step <= peak:
        return _turn(max_lr / div_factor, max_lr, step / peak)
    return _turn(max_lr, lowest, (step - peak) / (total_steps - 1 - peak))


@dataclass
class ReduceOnPlateau:
    lr: float
    _: KW_ONLY
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    cooldown: int = 0
    min_lr: float = 0.0
    best: float = field(default=np.inf, init=False)
    bad: int = field(default=0, init=False)
    resting: int = field(default=0, init=False)

    def __post_init__(self):
        if self.factor >= 1:
            raise ValueError(f"factor {self.factor} >= 1")

    def step(self, metric):
        improved = metric < (1 - self.threshold) * self.best
        self.best = metric if improved else self.best
        self.bad = (self.bad + 1) * (not improved) * (self.resting == 0)
        self.resting -= self.resting > 0
        if self.bad > self.patience:
            self.lr = np.float32(max(self.lr * self.factor, self.min_lr))
            self.bad, self.resting = 0, self.cooldown
        return self.lr
