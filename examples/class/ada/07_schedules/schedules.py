"""Every schedule is a list of phases (length, rate within the phase); the last rate holds for ever after."""

import math


def line(a, b):
    return lambda u: a + (b - a) * u


def cos(a, b):
    return lambda u: b + (a - b) * 0.5 * (1.0 + math.cos(math.pi * u))


def const(a):
    return lambda u: a


def follow(step, phases, after):
    """The rate at `step`; a phase runs over u = 0, 1/length, 2/length, ... and never reaches u = 1."""
    t = step
    for length, rate in phases:
        if t < length:
            return rate(t / length)
        t -= length
    return after


def need(step=0, **sizes):
    if step < 0:
        raise ValueError(f"step={step} is negative")
    for name, value in sizes.items():
        if value <= 0:
            raise ValueError(f"{name}={value} is not positive")


def step_decay(step, *, base_lr, step_size, gamma=0.1):
    need(step, step_size=step_size)
    return base_lr * math.pow(gamma, step // step_size)


def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    need(step)
    return base_lr * math.prod(gamma for m in milestones if m <= step)


def exponential_decay(step, *, base_lr, gamma):
    return step_decay(step, base_lr=base_lr, step_size=1, gamma=gamma)


def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    need(step, total_steps=total_steps)
    return follow(step, [(total_steps, lambda u: base_lr * (1 - u) ** power)], 0.0)


def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    need(step, warmup_steps=warmup_steps)
    return follow(step, [(warmup_steps, line(start_factor * base_lr, base_lr))], base_lr)


def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    need(step, total_steps=total_steps)
    return follow(step, [(total_steps, cos(base_lr, min_lr))], min_lr)


def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    need(step, period=period, period_mult=period_mult)

    def cycles(length):
        while True:
            yield length, cos(base_lr, min_lr)
            length *= period_mult

    return follow(step, cycles(period), None)


def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    need(step, warmup_steps=warmup_steps, total_steps=total_steps)
    rest = total_steps - warmup_steps
    if rest <= 0:
        raise ValueError(f"total_steps={total_steps} leaves nothing after warmup_steps={warmup_steps}")
    up, down = line(start_factor * base_lr, base_lr), cos(base_lr, min_lr)
    return follow(step, [(warmup_steps, up), (rest, down)], min_lr)


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    need(step, total_steps=total_steps)
    if step >= total_steps:
        raise ValueError(f"step={step} is past the end, total_steps={total_steps}")
    bottom = max_lr / div_factor
    floor = bottom / final_div_factor
    peak = pct_start * total_steps - 1
    phases = [(peak, cos(bottom, max_lr))] if peak > 0 else []
    t = step if phases else step - peak
    return follow(t, [*phases, (total_steps - 1 - peak, cos(max_lr, floor))], floor if peak < total_steps - 1 else max_lr)


class ReduceOnPlateau:
    def __init__(self, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0):
        if factor >= 1.0:
            raise ValueError(f"factor={factor} does not reduce")
        self.reduced = lambda old: max(min_lr, old * factor)
        self.better = lambda metric, best: metric < (1.0 - threshold) * best
        self.patience, self.cooldown = patience, cooldown
        self.lr, self.best = lr, math.inf
        # epochs since the last one that was good or excused; negative while cooling down
        self.waited = 0

    def step(self, metric):
        good = self.better(metric, self.best)
        if good:
            self.best = metric
        if self.waited < 0:
            self.waited += 1
        elif good:
            self.waited = 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.lr = self.reduced(self.lr)
            self.waited = -self.cooldown
        return self.lr
