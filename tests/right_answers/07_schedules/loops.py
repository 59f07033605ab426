"""Walks from step 0 to the step that is asked for, and changes the rate on the way; Python floats."""

import math


def _nonnegative(step):
    if step < 0:
        raise ValueError(f"step must be at least 0: {step}")


def _positive(name, value):
    if value <= 0:
        raise ValueError(f"{name} must be at least 1: {value}")


def step_decay(step, *, base_lr, step_size, gamma=0.1):
    _nonnegative(step)
    _positive("step_size", step_size)
    lr = base_lr
    for s in range(1, step + 1):
        if s % step_size == 0:
            lr *= gamma
    return lr


def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    _nonnegative(step)
    lr = base_lr
    for milestone in sorted(milestones):
        if step < milestone:
            break
        lr *= gamma
    return lr


def exponential_decay(step, *, base_lr, gamma):
    _nonnegative(step)
    lr = base_lr
    for _ in range(step):
        lr *= gamma
    return lr


def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    _nonnegative(step)
    _positive("total_steps", total_steps)
    if step >= total_steps:
        return 0.0
    return base_lr * math.pow((total_steps - step) / total_steps, power)


def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    _nonnegative(step)
    _positive("warmup_steps", warmup_steps)
    lr = base_lr * start_factor
    increment = (base_lr - lr) / warmup_steps
    for s in range(step):
        if s < warmup_steps:
            lr += increment
    return lr


def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    _nonnegative(step)
    _positive("total_steps", total_steps)
    if step >= total_steps:
        return min_lr
    angle = math.pi * step / total_steps
    return min_lr + 0.5 * (base_lr - min_lr) * (1.0 + math.cos(angle))


def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    _nonnegative(step)
    _positive("period", period)
    _positive("period_mult", period_mult)
    inside, length = 0, period
    for _ in range(step):
        inside += 1
        if inside == length:
            inside = 0
            length *= period_mult
    return min_lr + 0.5 * (base_lr - min_lr) * (1.0 + math.cos(math.pi * inside / length))


def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    _nonnegative(step)
    _positive("warmup_steps", warmup_steps)
    _positive("total_steps", total_steps)
    if warmup_steps >= total_steps:
        raise ValueError(f"warmup_steps {warmup_steps} is not below total_steps {total_steps}")
    if step <= warmup_steps:
        return linear_warmup(
            step, base_lr=base_lr, warmup_steps=warmup_steps, start_factor=start_factor
        )
    return cosine_annealing(
        step - warmup_steps,
        base_lr=base_lr,
        total_steps=total_steps - warmup_steps,
        min_lr=min_lr,
    )


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    _nonnegative(step)
    _positive("total_steps", total_steps)
    if step > total_steps - 1:
        raise ValueError(f"step must be below total_steps = {total_steps}: {step}")
    first = max_lr / div_factor
    phases = [
        (0.0, pct_start * total_steps - 1, first, max_lr),
        (pct_start * total_steps - 1, total_steps - 1, max_lr, first / final_div_factor),
    ]
    for begin, end, from_lr, to_lr in phases:
        if step <= end:
            share = (step - begin) / (end - begin)
            return to_lr + (from_lr - to_lr) / 2 * (math.cos(math.pi * share) + 1)
    raise AssertionError("not reached")


class ReduceOnPlateau:
    def __init__(self, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0):
        if not factor < 1:
            raise ValueError(f"factor must be < 1: {factor}")
        self.options = (factor, patience, threshold, cooldown, min_lr)
        self.lr = lr
        self.metrics = []

    def step(self, metric):
        """Replays all metrics so far."""
        self.metrics.append(float(metric))
        factor, patience, threshold, cooldown, min_lr = self.options
        lr, best, bad, rest = self.lr, math.inf, 0, 0
        for m in self.metrics:
            improved = m < best * (1 - threshold)
            if improved:
                best = m
            bad = 0 if improved or rest > 0 else bad + 1
            rest = max(rest - 1, 0)
            if bad > patience:
                lr, bad, rest = max(lr * factor, min_lr), 0, cooldown
        return lr
