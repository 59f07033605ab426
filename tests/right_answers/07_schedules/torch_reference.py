"""torch's own schedulers, stepped from 0 to the step that is asked for."""

import torch
from torch.optim import lr_scheduler


def _check(step, **sizes):
    if step < 0:
        raise ValueError(f"step is negative: {step}")
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is not positive: {size}")


def _optimizer(lr):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def _rate(step, lr, make):
    optimizer = _optimizer(lr)
    rule = make(optimizer)
    for _ in range(step):
        optimizer.step()
        rule.step()
    return optimizer.param_groups[0]["lr"]


def step_decay(step, *, base_lr, step_size, gamma=0.1):
    _check(step, step_size=step_size)
    return _rate(step, base_lr, lambda o: lr_scheduler.StepLR(o, step_size, gamma))


def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    _check(step)
    return _rate(step, base_lr, lambda o: lr_scheduler.MultiStepLR(o, milestones, gamma))


def exponential_decay(step, *, base_lr, gamma):
    _check(step)
    return _rate(step, base_lr, lambda o: lr_scheduler.ExponentialLR(o, gamma))


def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    _check(step, total_steps=total_steps)
    return _rate(step, base_lr, lambda o: lr_scheduler.PolynomialLR(o, total_steps, power))


def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    _check(step, warmup_steps=warmup_steps)
    return _rate(
        step,
        base_lr,
        lambda o: lr_scheduler.LinearLR(o, start_factor, total_iters=warmup_steps),
    )


def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    _check(step, total_steps=total_steps)
    if step >= total_steps:
        return min_lr
    return _rate(step, base_lr, lambda o: lr_scheduler.CosineAnnealingLR(o, total_steps, min_lr))


def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    _check(step, period=period, period_mult=period_mult)
    return _rate(
        step,
        base_lr,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, period, period_mult, min_lr),
    )


def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    _check(step, warmup_steps=warmup_steps, total_steps=total_steps)
    if total_steps <= warmup_steps:
        raise ValueError("total_steps must be larger than warmup_steps")
    if step >= total_steps:
        return min_lr

    def make(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, start_factor, total_iters=warmup_steps)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, total_steps - warmup_steps, min_lr)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup_steps])

    return _rate(step, base_lr, make)


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    _check(step, total_steps=total_steps)
    if step >= total_steps:
        raise ValueError(f"step {step} is not below total_steps {total_steps}")

    def make(optimizer):
        return lr_scheduler.OneCycleLR(
            optimizer,
            max_lr,
            total_steps=total_steps,
            pct_start=pct_start,
            cycle_momentum=False,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
        )

    return _rate(step, max_lr, make)


class ReduceOnPlateau:
    def __init__(self, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0):
        self._optimizer = _optimizer(lr)
        self._rule = lr_scheduler.ReduceLROnPlateau(
            self._optimizer,
            factor=factor,
            patience=patience,
            threshold=threshold,
            cooldown=cooldown,
            min_lr=min_lr,
        )

    def step(self, metric):
        self._rule.step(metric)
        return self._optimizer.param_groups[0]["lr"]
