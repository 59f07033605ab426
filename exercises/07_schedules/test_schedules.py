"""The checks of topic 07, schedules: every step of whole schedules beside torch.optim.lr_scheduler, in float64."""

import math
from functools import lru_cache

import torch
from torch.optim import lr_scheduler

from grader import assert_close, assert_raises, cases, given, load_optimizers, points, showing

load_optimizers()  # in no check's time

RATES = [0.1, 1.0, 0.003, 0.25, 20.0, 1e-4]
GAMMAS = [0.5, 0.1, 0.9, 0.25, 0.97]
LOWEST = [0.1, 0.0, 0.5, 1e-3]
"""Smallest rates, as shares of the base rate."""
START_FACTORS = [0.25, 0.1, 0.5, 1.0, 1e-3]
PLATEAU_RATES = [0.1, 1.0, 0.01, 20.0]
OMITTED = "omitted"
"""An option with this value is left out of the call."""


@lru_cache(maxsize=4096)
def torch_rates(rate, count, kind, *options):
    """The rates that torch uses at steps 0 to count - 1, by a scheduler of the class `kind`."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    rule = scheduler(optimizer, kind, *options)
    rates = []
    for step in range(count):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        if step < count - 1:
            optimizer.step()
            rule.step()
    return rates


def scheduler(optimizer, kind, *options):
    """torch's scheduler; for SequentialLR the options are those of its parts, and the milestone."""
    if kind is lr_scheduler.SequentialLR:
        *parts, milestone = options
        return kind(optimizer, [scheduler(optimizer, *part) for part in parts], [milestone])
    return kind(optimizer, **dict(options))


def rounded(number):
    """A number of three digits, which is easy to read."""
    return float(f"{number:.3g}")


def length(draw):
    """The length of a phase, in steps."""
    return draw.integer(1, 24)


def schedules(plan, *names, base="base_lr", **options):
    """A base rate and options, and the steps at which the rates are compared.

    Args:
        plan: given `draw`, returns the steps and a dict of sizes.
        *names: the sizes.
        base: name of the base rate.
        **options: values of each option that has a default; in some cases it is left out of the call.
            Those of min_lr are shares of the base rate.
    """

    def build(draw):
        rate = draw.choice(RATES)
        steps, drawn = plan(draw)
        made = {"steps": list(steps), base: rate, **drawn}
        for name, values in options.items():
            value = draw.choice([*values, OMITTED])
            if value != OMITTED:
                made[name] = rounded(value * rate) if name == "min_lr" else value
        return made

    return cases(
        build,
        kinds=("normal",),
        dtypes=("float64",),
        layouts=("C",),
        options_of=(base, *names, *options),
    )


def around(end):
    """Every step to a little beyond `end`, and some far away, where a cosine that goes on would have risen again."""
    return [*range(end + 4), *(end + far for far in (end // 2 + 4, end + 4, 2 * end + 4, 1000))]


def check_rates(function, case, rates, *, scale=None):
    """The rate at each step; after the last of `rates` it stays as it is."""
    for step in case.steps:
        assert_close(
            function(step, **case.options),
            rates[min(step, len(rates) - 1)],
            what=f"the rate of {function.__name__} at step {step}",
            scale=scale,
        )


def check_refused(function, options, *sizes, extra=()):
    """Negative steps raise ValueError, and so does each of the sizes that is not positive, at any step.

    Args:
        function: the student's.
        options: good ones.
        *sizes: names of options that must be positive.
        extra: further bad options.
    """
    for step in (-1, -4):
        assert_raises(ValueError, function, step, because=f"step = {step} is negative", **options)
    for bad in (*({name: size} for name in sizes for size in (0, -1, -3)), *extra):
        for step in (0, 5):
            made = {**options, **bad}
            because = "step = {}, {}".format(step, ", ".join(f"{k} = {v}" for k, v in made.items()))
            assert_raises(ValueError, function, step, because=because, **made)


def stairs(draw):
    step_size = min(length(draw), 12)
    return range(3 * step_size + 2), {"step_size": step_size}


def milestones(draw):
    """Milestones in any order, also repeated, as a list or a tuple."""
    count = draw.choice([2, 3, 0, 1, 4, 5])
    found = [int(step) for step in draw.rng.integers(1, 13, size=count)]
    if draw.choice([False, True]):
        found += found[:2]
    if draw.choice([False, True]):
        found.sort(reverse=True)
    return range(15), {"milestones": draw.choice([list, tuple])(found)}


def power_law(draw):
    return range(length(draw) + 5), {"gamma": draw.choice(GAMMAS)}


def total(draw):
    total_steps = length(draw)
    return around(total_steps), {"total_steps": total_steps}


def warmup(draw):
    warmup_steps = length(draw)
    return around(warmup_steps), {"warmup_steps": warmup_steps}


def warmup_and_total(draw):
    warmup_steps = length(draw)
    total_steps = warmup_steps + length(draw)
    steps = {*around(total_steps), 2 * total_steps - warmup_steps}
    return sorted(steps), {"warmup_steps": warmup_steps, "total_steps": total_steps}


def cycles(draw):
    """Steps to the third restart, which comes after 1 + mult + mult^2 periods."""
    mult = draw.choice([1, 2, 3, OMITTED])
    period = min(length(draw), 5 if mult == 3 else 7)
    made = {"period": period} if mult == OMITTED else {"period": period, "period_mult": mult}
    mult = made.get("period_mult", 1)
    return range(period * (1 + mult + mult**2) + 2), made


def one_swing(draw):
    """Steps and a share of them; the peak is not at step 0, where torch divides by zero."""
    total_steps = length(draw)
    share = draw.choice([0.5, 0.3, 0.25, OMITTED, 0.9, 0.1, 1.0, 0.0])
    made = {} if share == OMITTED else {"pct_start": share}
    if math.isclose(made.get("pct_start", 0.3) * total_steps, 1.0):
        total_steps += 1
    return range(total_steps), {"total_steps": total_steps, **made}


@points(1)
@given(case=schedules(stairs, "step_size", gamma=GAMMAS))
def test_step_decay(student, case):
    """The rate is multiplied by gamma at every step_size-th step, as in StepLR."""
    options = (("step_size", case.step_size), ("gamma", case.options.get("gamma", 0.1)))
    rates = torch_rates(case.base_lr, len(case.steps), lr_scheduler.StepLR, *options)
    check_rates(student.step_decay, case, rates)


@points(0.5)
def test_step_decay_refuses_bad_arguments(student):
    """A negative step, or a step_size that is not positive, raises ValueError."""
    check_refused(student.step_decay, {"base_lr": 0.1, "step_size": 3}, "step_size")


@points(1)
@given(case=schedules(milestones, "milestones", gamma=GAMMAS))
def test_multistep_decay(student, case):
    """The rate is multiplied by gamma at each milestone, in whatever order they are listed, as in MultiStepLR."""
    options = (
        ("milestones", tuple(case.milestones)),
        ("gamma", case.options.get("gamma", 0.1)),
    )
    rates = torch_rates(case.base_lr, len(case.steps), lr_scheduler.MultiStepLR, *options)
    check_rates(student.multistep_decay, case, rates)


@points(0.5)
def test_multistep_decay_refuses_bad_arguments(student):
    """A negative step of multistep_decay raises ValueError."""
    for milestones in ([2, 4], []):
        check_refused(student.multistep_decay, {"base_lr": 0.1, "milestones": milestones})


@points(0.5)
@given(case=schedules(power_law, "gamma"))
def test_exponential_decay(student, case):
    """The rate is multiplied by gamma at every step, as in ExponentialLR."""
    rates = torch_rates(
        case.base_lr, len(case.steps), lr_scheduler.ExponentialLR, ("gamma", case.gamma)
    )
    check_rates(student.exponential_decay, case, rates)


@points(0.5)
def test_exponential_decay_refuses_bad_arguments(student):
    """A negative step of exponential_decay raises ValueError."""
    for gamma in (0.9, 0.5, 1.0):
        check_refused(student.exponential_decay, {"base_lr": 0.1, "gamma": gamma})


@points(1)
@given(case=schedules(total, "total_steps", power=[2.0, 1.0, 0.5, 0.9, 3.0]))
def test_polynomial_decay(student, case):
    """A power of the share of steps that are left, zero from total_steps on, as in PolynomialLR."""
    options = (("total_iters", case.total_steps), ("power", case.options.get("power", 1.0)))
    rates = torch_rates(case.base_lr, case.total_steps + 2, lr_scheduler.PolynomialLR, *options)
    check_rates(student.polynomial_decay, case, rates, scale=case.base_lr)


@points(0.5)
def test_polynomial_decay_refuses_bad_arguments(student):
    """A negative step of polynomial_decay, or total_steps that is not positive, raises ValueError."""
    for power in (1.0, 2.0, 0.5):
        options = {"base_lr": 0.1, "total_steps": 8, "power": power}
        check_refused(student.polynomial_decay, options, "total_steps")


@points(1)
@given(case=schedules(warmup, "warmup_steps", start_factor=START_FACTORS))
def test_linear_warmup(student, case):
    """The rate rises in a straight line and is full from step warmup_steps on, as in LinearLR."""
    options = (
        ("total_iters", case.warmup_steps),
        ("start_factor", case.options.get("start_factor", 1 / 3)),
    )
    rates = torch_rates(case.base_lr, case.warmup_steps + 2, lr_scheduler.LinearLR, *options)
    check_rates(student.linear_warmup, case, rates)


@points(0.5)
def test_linear_warmup_refuses_bad_arguments(student):
    """A negative step, or warmup_steps that is not positive, raises ValueError."""
    check_refused(student.linear_warmup, {"base_lr": 0.1, "warmup_steps": 8}, "warmup_steps")


# torch's cosine would rise again after its last step; the course's stays.
@points(1)
@given(case=schedules(total, "total_steps", min_lr=LOWEST))
def test_cosine_annealing(student, case):
    """Half a cosine down to min_lr, as in CosineAnnealingLR, and min_lr from total_steps on."""
    options = (("T_max", case.total_steps), ("eta_min", case.options.get("min_lr", 0.0)))
    rates = torch_rates(
        case.base_lr, case.total_steps + 1, lr_scheduler.CosineAnnealingLR, *options
    )
    check_rates(student.cosine_annealing, case, rates, scale=case.base_lr)


@points(0.5)
def test_cosine_annealing_refuses_bad_arguments(student):
    """A negative step of cosine_annealing, or total_steps that is not positive, raises ValueError."""
    options = {"base_lr": 0.1, "total_steps": 8, "min_lr": 0.01}
    check_refused(student.cosine_annealing, options, "total_steps")


@points(1.5)
@given(case=schedules(cycles, "period", "period_mult", min_lr=LOWEST))
def test_cosine_warm_restarts(student, case):
    """Every cycle begins at base_lr and is period_mult times as long as the one before, as in torch."""
    options = (
        ("T_0", case.period),
        ("T_mult", case.options.get("period_mult", 1)),
        ("eta_min", case.options.get("min_lr", 0.0)),
    )
    rates = torch_rates(
        case.base_lr, len(case.steps), lr_scheduler.CosineAnnealingWarmRestarts, *options
    )
    check_rates(student.cosine_warm_restarts, case, rates, scale=case.base_lr)


@points(0.5)
def test_cosine_warm_restarts_refuses_bad_arguments(student):
    """A negative step, or a period or period_mult that is not positive, raises ValueError."""
    options = {"base_lr": 0.1, "period": 8, "period_mult": 2}
    check_refused(student.cosine_warm_restarts, options, "period", "period_mult")


@points(1.5)
@given(
    case=schedules(
        warmup_and_total,
        "warmup_steps",
        "total_steps",
        min_lr=LOWEST,
        start_factor=START_FACTORS,
    )
)
def test_warmup_cosine(student, case):
    """A linear warmup, then a cosine over the remaining steps, as the two schedulers of torch in sequence."""
    rise = (
        ("total_iters", case.warmup_steps),
        ("start_factor", case.options.get("start_factor", 1 / 3)),
    )
    fall = (
        ("T_max", case.total_steps - case.warmup_steps),
        ("eta_min", case.options.get("min_lr", 0.0)),
    )
    rates = torch_rates(
        case.base_lr,
        case.total_steps + 1,
        lr_scheduler.SequentialLR,
        (lr_scheduler.LinearLR, *rise),
        (lr_scheduler.CosineAnnealingLR, *fall),
        case.warmup_steps,
    )
    check_rates(student.warmup_cosine, case, rates, scale=case.base_lr)


@points(0.5)
def test_warmup_cosine_refuses_bad_arguments(student):
    """A negative step, sizes that are not positive, and total_steps that leave no cosine raise ValueError."""
    options = {"base_lr": 0.1, "warmup_steps": 3, "total_steps": 8}
    short = [{"total_steps": 3}, {"total_steps": 2}, {"warmup_steps": 8}, {"warmup_steps": 20}]
    check_refused(student.warmup_cosine, options, "warmup_steps", "total_steps", extra=short)


@points(1.5)
@given(
    case=schedules(
        one_swing,
        "total_steps",
        "pct_start",
        base="max_lr",
        div_factor=[10.0, 4.0, 100.0, 2.0],
        final_div_factor=[10.0, 100.0, 1e3, 2.0],
    )
)
def test_one_cycle(student, case):
    """One cosine up to max_lr and another down to the last step, as in OneCycleLR."""
    defaults = {"pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4}
    options = {**defaults, **case.options, "cycle_momentum": False}
    rates = torch_rates(
        case.max_lr, case.total_steps, lr_scheduler.OneCycleLR, *sorted(options.items())
    )
    check_rates(student.one_cycle, case, rates, scale=case.max_lr)


@points(0.5)
def test_one_cycle_refuses_bad_arguments(student):
    """A negative step, one from total_steps on, and total_steps that is not positive raise ValueError."""
    check_refused(student.one_cycle, {"max_lr": 0.1, "total_steps": 8}, "total_steps")
    for total_steps in (1, 2, 8, 25):
        for step in (total_steps, total_steps + 1, 3 * total_steps):
            because = f"step = {step} comes after the last of {total_steps}"
            options = {"max_lr": 0.1, "total_steps": total_steps, "pct_start": 0.3}
            assert_raises(ValueError, student.one_cycle, step, because=because, **options)


def next_loss(move, best, limit, last):
    """A loss made of the best one so far, of the limit that a better one lies below, or of the last one."""
    return {
        "worse": rounded(best + 0.5 * abs(best) + 0.1),
        "better": rounded(limit - 0.2 * abs(limit)),
        "tie": best,
        "just better": limit - 1e-6 * abs(best),
        "just worse": limit + 1e-6 * abs(best),
        "between": (best + limit) / 2,
        "creep": last - 0.6 * (best - limit),
        "at the limit": limit,
        "nan": math.nan,
        "infinite": math.inf,
        "below zero": rounded(-abs(best) - 0.5),
        "zero": 0.0,
    }[move]


def losses(moves, threshold, first):
    """The first loss, and one for each move."""
    best, last, found = first, first, [first]
    for move in moves:
        limit = best * (1 - threshold)
        last = next_loss(move, best, limit, last if math.isfinite(last) else best)
        best = last if last < limit else best
        found.append(last)
    return found


def plateaus(*moves, first=(2.0, 0.5, 100.0, 0.01), runs=None, **options):
    """A learning rate, options and losses; every option is left out of some calls.

    Args:
        *moves: names of moves that are drawn from.
        first: values of the first loss.
        runs: lengths of runs of bad epochs, which the moves take turns to end; without it all moves are drawn at random.
        **options: values of each option. Those of min_lr are shares of the learning rate.
    """

    def build(draw):
        made = {"lr": draw.choice(PLATEAU_RATES)}
        for name, values in options.items():
            value = draw.choice(values)
            if value != OMITTED:
                made[name] = rounded(value * made["lr"]) if name == "min_lr" else value
        if runs is None:
            count = 3 * draw.integer(1, 10)
            chosen = [str(move) for move in draw.rng.choice(moves, size=count)]
        else:
            chosen = []
            for run in draw.choice(runs):
                chosen += ["worse"] * run + [draw.choice(moves)]
        made["metrics"] = losses(chosen, made.get("threshold", 1e-4), draw.choice(first))
        if draw.choice([False, False, True]) and "nan" in moves:
            made["metrics"].insert(0, math.nan)
        return made

    return cases(
        build,
        kinds=("normal",),
        dtypes=("float64",),
        layouts=("C",),
        options_of=tuple(options),
    )


@lru_cache(maxsize=4096)
def plateau_rates(lr, metrics, *options, eps=1e-8):
    """The rates after each metric, as torch's ReduceLROnPlateau gives them."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    rule = lr_scheduler.ReduceLROnPlateau(optimizer, eps=eps, **dict(options))
    rates = []
    for metric in metrics:
        rule.step(metric)
        rates.append(float(optimizer.param_groups[0]["lr"]))
    return rates


def graded_rates(lr, metrics, options):
    """torch's rates up to its first change by less than 1e-8, which it does not make."""
    given_options = tuple(options.items())
    rates = plateau_rates(lr, tuple(metrics), *given_options)
    every_change = plateau_rates(lr, tuple(metrics), *given_options, eps=0.0)
    for count, (rate, other) in enumerate(zip(rates, every_change, strict=True)):
        if not math.isclose(rate, other, rel_tol=1e-9):
            return rates[:count]
    return rates


def check_plateau(student, case):
    """The rate after every metric."""
    rates = graded_rates(case.lr, case.metrics, case.options)
    with showing(case, case.inputs, case.options):
        schedule = student.ReduceOnPlateau(case.lr, **case.options)
        for epoch, (metric, rate) in enumerate(zip(case.metrics, rates, strict=False)):
            what = f"the rate of ReduceOnPlateau after epoch {epoch + 1}, metric {metric:.9g},"
            assert_close(schedule.step(metric), rate, what=what)


FACTORS_BELOW_1 = [0.5, 0.1, 0.25, 0.9]


@points(1)
@given(
    case=plateaus(
        "worse", "worse", "better", "tie", patience=[2, 0, 1, 3], factor=[*FACTORS_BELOW_1, OMITTED]
    )
)
def test_reduce_on_plateau(student, case):
    """The rate is reduced when more than `patience` epochs in a row bring no improvement."""
    check_plateau(student, case)


@points(1)
@given(
    case=plateaus(
        "just better",
        "just worse",
        "between",
        "creep",
        "worse",
        "zero",
        "below zero",
        patience=[0, 1],
        factor=[0.5, 0.9],
        threshold=[0.1, 0.01, 0.0, 0.3, 1e-3, OMITTED],
    ),
    exact=plateaus(
        "at the limit",
        "tie",
        "worse",
        first=[1024.0, 2.0, -1024.0],
        patience=[0, 1],
        factor=[0.5],
        threshold=[0.25, 0.0, 0.5],
    ),
)
def test_reduce_on_plateau_threshold(student, case, exact):
    """A loss is better if it is below best * (1 - threshold); a tie is not, a negative loss may be."""
    check_plateau(student, case)
    check_plateau(student, exact)


@points(1)
@given(
    case=plateaus(
        "worse",
        "worse",
        "worse",
        "better",
        "tie",
        patience=[0, 1, 2],
        factor=[0.5, 0.9],
        cooldown=[1, 2, 3, 5, 0, OMITTED],
    )
)
def test_reduce_on_plateau_cooldown(student, case):
    """In the `cooldown` epochs after a reduction bad epochs do not count, but a better loss is remembered."""
    check_plateau(student, case)


@points(0.5)
@given(
    case=plateaus(
        "worse",
        "worse",
        "better",
        patience=[0, 1],
        factor=[0.5, 0.1, 0.25, OMITTED],
        min_lr=[0.3, 0.1, 0.01, 1.0, 0.0],
    )
)
def test_reduce_on_plateau_min_lr(student, case):
    """No reduction goes below min_lr."""
    check_plateau(student, case)


@points(0.5)
@given(
    case=plateaus(
        "nan",
        "nan",
        "infinite",
        "worse",
        "better",
        patience=[0, 1, 2],
        factor=[0.5, 0.9],
    )
)
def test_reduce_on_plateau_nan(student, case):
    """NaN and an infinite loss are no improvement, also at the very beginning."""
    check_plateau(student, case)


@points(0.5)
@given(
    case=plateaus(
        "better",
        "just better",
        "just worse",
        runs=[(10, 11), (11, 10), (12, 5), (23,), (10, 12), (34,), (9, 11)],
    )
)
def test_reduce_on_plateau_defaults(student, case):
    """Without options: factor 0.1, patience 10, threshold 1e-4, no cooldown and no smallest rate."""
    check_plateau(student, case)


@points(0.5)
@given(
    case=plateaus("worse", "better", "tie", patience=[1, 0], factor=[0.5, 0.9]),
    other=plateaus("worse", "better", patience=[0, 2], factor=[0.25, 0.8], threshold=[0.1, 0.0]),
)
def test_reduce_on_plateau_instances(student, case, other):
    """Two schedules that are used in turn do not mix."""
    schedules_and_cases = [
        (student.ReduceOnPlateau(one.lr, **one.options), one) for one in (case, other)
    ]
    rates = [graded_rates(one.lr, one.metrics, one.options) for one in (case, other)]
    for epoch in range(max(map(len, rates))):
        for number, (schedule, one) in enumerate(schedules_and_cases):
            if epoch < len(rates[number]):
                what = f"the rate of the {('first', 'second')[number]} ReduceOnPlateau after epoch {epoch + 1}"
                assert_close(schedule.step(one.metrics[epoch]), rates[number][epoch], what=what)


@points(0.5)
def test_reduce_on_plateau_refuses_bad_options(student):
    """A factor of 1 or more raises ValueError."""
    for factor in (1.0, 1.5, 10.0):
        for options in ({}, {"patience": 0, "min_lr": 0.01}):
            assert_raises(
                ValueError,
                student.ReduceOnPlateau,
                0.1,
                because=f"factor = {factor} never reduces",
                factor=factor,
                **options,
            )
