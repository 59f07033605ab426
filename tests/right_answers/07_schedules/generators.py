"""Endless generators of rates, chained and sliced; the plateau is a coroutine."""

import itertools
import math


def _at(step, rates):
    if step < 0:
        raise ValueError("step is negative")
    return next(itertools.islice(rates, step, None))


def _at_least_one(**sizes):
    bad = [name for name, size in sizes.items() if size < 1]
    if bad:
        raise ValueError(f"not positive: {', '.join(bad)}")


def _cosines(start, end, length):
    middle, radius = (start + end) / 2, (start - end) / 2
    return (middle + radius * math.cos(math.pi * s / length) for s in range(length))


def _line(start, end, length):
    return ((start * (length - s) + end * s) / length for s in range(length))


def step_decay(step, *, base_lr, step_size, gamma=0.1):
    _at_least_one(step_size=step_size)
    stairs = itertools.accumulate(itertools.repeat(gamma), lambda lr, g: lr * g, initial=base_lr)
    return _at(
        step, itertools.chain.from_iterable(itertools.repeat(lr, step_size) for lr in stairs)
    )


def multistep_decay(step, *, base_lr, milestones, gamma=0.1):
    def rates():
        lr, waiting = base_lr, list(milestones)
        for now in itertools.count():
            lr *= gamma ** waiting.count(now)
            yield lr

    return _at(step, rates())


def exponential_decay(step, *, base_lr, gamma):
    return _at(
        step, itertools.accumulate(itertools.repeat(gamma), lambda a, b: a * b, initial=base_lr)
    )


def polynomial_decay(step, *, base_lr, total_steps, power=1.0):
    _at_least_one(total_steps=total_steps)
    falling = (base_lr * ((total_steps - s) / total_steps) ** power for s in range(total_steps))
    return _at(step, itertools.chain(falling, itertools.repeat(0)))


def linear_warmup(step, *, base_lr, warmup_steps, start_factor=1 / 3):
    _at_least_one(warmup_steps=warmup_steps)
    rise = _line(base_lr * start_factor, base_lr, warmup_steps)
    return _at(step, itertools.chain(rise, itertools.repeat(base_lr)))


def cosine_annealing(step, *, base_lr, total_steps, min_lr=0.0):
    _at_least_one(total_steps=total_steps)
    fall = _cosines(base_lr, min_lr, total_steps)
    return _at(step, itertools.chain(fall, itertools.repeat(min_lr)))


def cosine_warm_restarts(step, *, base_lr, period, period_mult=1, min_lr=0.0):
    _at_least_one(period=period, period_mult=period_mult)
    lengths = itertools.accumulate(
        itertools.repeat(period_mult), lambda a, b: a * b, initial=period
    )
    cycles = (_cosines(base_lr, min_lr, length) for length in lengths)
    return _at(step, itertools.chain.from_iterable(cycles))


def warmup_cosine(step, *, base_lr, warmup_steps, total_steps, min_lr=0.0, start_factor=1 / 3):
    _at_least_one(warmup_steps=warmup_steps, total_steps=total_steps)
    _at_least_one(**{"total_steps - warmup_steps": total_steps - warmup_steps})
    rise = _line(base_lr * start_factor, base_lr, warmup_steps)
    fall = _cosines(base_lr, min_lr, total_steps - warmup_steps)
    return _at(step, itertools.chain(rise, fall, itertools.repeat(min_lr)))


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    _at_least_one(total_steps=total_steps)

    def rates():
        low = max_lr / div_factor
        lowest = low / final_div_factor
        peak = pct_start * total_steps - 1
        for now in range(total_steps):
            start, end, share = max_lr, lowest, None
            if now <= peak:
                start, end, share = low, max_lr, now / peak
            if share is None:
                share = (now - peak) / (total_steps - 1 - peak)
            yield (start + end) / 2 + (start - end) / 2 * math.cos(math.pi * share)

    try:
        return _at(step, rates())
    except StopIteration:
        raise ValueError(f"there is no step {step}: total_steps is {total_steps}") from None


def _plateau(lr, factor, patience, threshold, cooldown, min_lr):
    best = math.inf
    while True:
        bad = 0
        while bad <= patience:
            metric = yield lr
            bad += 1
            if metric < best * (1 - threshold):
                best, bad = metric, 0
        lr = max(lr * factor, min_lr)
        for _ in range(cooldown):
            metric = yield lr
            if metric < best * (1 - threshold):
                best = metric


class ReduceOnPlateau:
    def __init__(self, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0):
        if factor >= 1:
            raise ValueError("factor is not below 1")
        self.coroutine = _plateau(lr, factor, patience, threshold, cooldown, min_lr)
        next(self.coroutine)

    def step(self, metric):
        return self.coroutine.send(metric)
