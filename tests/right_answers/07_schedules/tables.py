"""Tabulates the whole schedule as an array and looks the step up; numpy scalars."""

import numpy as np


def _refuse(step, **sizes):
    if step < 0:
        raise ValueError(f"step={step}")
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}={size}")


def _half_cosine(high, low, count):
    """count + 1 rates, from high to low."""
    return low + (high - low) * (np.cos(np.linspace(0.0, np.pi, count + 1)) + 1) / 2


def _look_up(table, step):
    return table[min(step, len(table) - 1)]


def step_decay(step, *, base_lr, step_size, gamma=0.1):
    _refuse(step, step_size=step_size)
    factors = np.ones(step + 1)
    factors[step_size::step_size] = gamma
    return base_lr * np.cumprod(factors)[step]


def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    _refuse(step)
    counts = np.bincount(np.array(milestones, dtype=int), minlength=step + 1)
    return base_lr * np.power(float(gamma), np.cumsum(counts)[step])


def exponential_decay(step, *, base_lr, gamma):
    _refuse(step)
    return np.cumprod(np.r_[base_lr, np.full(step, gamma)])[step]


def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    _refuse(step, total_steps=total_steps)
    return _look_up(base_lr * np.linspace(1.0, 0.0, total_steps + 1) ** power, step)


def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    _refuse(step, warmup_steps=warmup_steps)
    return _look_up(np.linspace(start_factor * base_lr, base_lr, warmup_steps + 1), step)


def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    _refuse(step, total_steps=total_steps)
    return _look_up(_half_cosine(base_lr, min_lr, total_steps), step)


def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    _refuse(step, period=period, period_mult=period_mult)
    table = np.empty(0)
    while len(table) <= step:
        table = np.append(table, _half_cosine(base_lr, min_lr, period)[:-1])
        period = period * period_mult
    return table[step]


def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    _refuse(step, warmup_steps=warmup_steps, total_steps=total_steps)
    if total_steps - warmup_steps < 1:
        raise ValueError("total_steps leaves no step after warmup_steps")
    rise = np.linspace(start_factor * base_lr, base_lr, warmup_steps, endpoint=False)
    fall = _half_cosine(base_lr, min_lr, total_steps - warmup_steps)
    return _look_up(np.concatenate([rise, fall]), step)


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    _refuse(step, total_steps=total_steps)
    if step not in range(total_steps):
        raise ValueError(f"step={step}, but total_steps={total_steps}")
    steps = np.arange(total_steps)
    peak, last = pct_start * total_steps - 1, total_steps - 1
    low = max_lr / div_factor
    with np.errstate(divide="ignore", invalid="ignore"):
        up = max_lr + (low - max_lr) * (1 + np.cos(np.pi * steps / np.float64(peak))) / 2
        end = low / final_div_factor
        down_share = (steps - peak) / np.float64(last - peak)
        down = end + (max_lr - end) * (1 + np.cos(np.pi * down_share)) / 2
    return np.where(steps <= peak, up, down)[step]


class ReduceOnPlateau:
    def __init__(self, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0):
        if factor >= 1.0:
            raise ValueError(f"factor={factor}")
        self.state = {"lr": np.float64(lr), "best": np.float64(np.inf), "bad": 0, "rest": 0}
        self.options = {
            "factor": factor,
            "patience": patience,
            "scale": 1.0 - threshold,
            "cooldown": cooldown,
            "min_lr": min_lr,
        }

    def step(self, metric):
        s, o = self.state, self.options
        better = bool(np.less(metric, s["best"] * o["scale"]))
        s["best"] = np.where(better, metric, s["best"])[()]
        resting = s["rest"] > 0
        s["rest"] -= resting
        s["bad"] = 0 if better or resting else s["bad"] + 1
        if s["bad"] > o["patience"]:
            s.update(lr=np.maximum(s["lr"] * o["factor"], o["min_lr"]), bad=0, rest=o["cooldown"])
        return s["lr"]
