"""The tests of laws: each rejects a wrong law, and the right one passes over many seeds (1,000 in benchmarks/false_alarms.py)."""

import numpy as np
import pytest
from scipy import stats

from grader import check_frequency, check_law, check_rng, check_uncorrelated
from grader.checks.distributions import ENOUGH
from grader.failure import Failure

LAWS = {
    "normal": stats.norm(1.0, 0.5),
    "uniform": stats.uniform(-0.3, 0.6),
    "truncated": stats.truncnorm(-1.0, 2.0),
}


@pytest.mark.parametrize("name", LAWS)
def test_the_right_law_passes(name):
    """Over thirty seeds."""
    for seed in range(30):
        check_law(LAWS[name].rvs(size=2000, random_state=seed), LAWS[name], what=name)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_scale_that_is_off_by_five_percent_fails(name, factor):
    """With ENOUGH draws, for every seed tried."""
    law = LAWS[name]
    for seed in range(5):
        draws = law.rvs(size=ENOUGH, random_state=seed)
        with pytest.raises(Failure):
            check_law(law.mean() + factor * (draws - law.mean()), law, what=name)


def test_another_law_of_the_same_scale_fails():
    """Mean and variance alone would not tell them apart."""
    draws = stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)).rvs(size=5000, random_state=0)
    with pytest.raises(Failure, match="another law"):
        check_law(draws, stats.norm(), what="draws")


def test_draws_outside_the_support_fail():
    """A single one is enough."""
    with pytest.raises(Failure, match=r"should stay in \[0, 1\]"):
        check_law(np.array([0.1, 0.9, 1.01]), stats.uniform(), what="draws")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_fail(value):
    """NaN compares as false with every bound: it has to be looked for."""
    draws = stats.norm().rvs(size=1000, random_state=0)
    broken = np.where(np.arange(1000) == 500, value, draws)
    for sample in (broken, np.full(1000, value)):
        with pytest.raises(Failure, match="NaN or infinite"):
            check_law(sample, stats.norm(), what="draws")
        with pytest.raises(Failure, match="NaN or infinite"):
            check_uncorrelated(sample, draws, what="pairs")


def test_a_shifted_mean_fails():
    """By a tenth of a standard deviation."""
    draws = stats.norm(0.1).rvs(size=ENOUGH, random_state=0)
    with pytest.raises(Failure, match="have mean"):
        check_law(draws, stats.norm(), what="draws")


def test_clipping_is_no_truncation():
    """The bounds collect what was cut off."""
    clipped = np.clip(stats.norm().rvs(size=ENOUGH, random_state=0), -1.0, 2.0)
    with pytest.raises(Failure):
        check_law(clipped, stats.truncnorm(-1.0, 2.0), what="draws")


@pytest.mark.parametrize(
    ("successes", "trials", "p"), [(0, 0, 0.3), (300, 1000, 0.3), (0, 5, 0.0), (5, 5, 1.0)]
)
def test_likely_counts_pass(successes, trials, p):
    """The extremes included."""
    check_frequency(successes, trials, p, what="elements")


@pytest.mark.parametrize(
    ("successes", "trials", "p"), [(700, 1000, 0.3), (100, 1000, 0.3), (1, 5, 0.0), (4, 5, 1.0)]
)
def test_unlikely_counts_fail(successes, trials, p):
    """In both directions; what cannot happen at all fails at once."""
    with pytest.raises(Failure, match="elements"):
        check_frequency(successes, trials, p, what="elements")


def test_uncorrelated():
    """Independent pairs pass; dependent and constant ones fail."""
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 4000))
    check_uncorrelated(first, second, what="pairs")
    with pytest.raises(Failure, match="have correlation"):
        check_uncorrelated(first, first * 0.3 + second, what="pairs")
    with pytest.raises(Failure, match="do not vary"):
        check_uncorrelated(np.ones(4000), second, what="pairs")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda _: np.arange(30.0), "another rng"),
        (
            lambda rng: np.random.default_rng(rng.bit_generator.state["state"]["inc"] % 7).random(
                30
            ),
            "r",
        ),
        (lambda _: np.random.default_rng().random(30), "same state"),
    ],
)
def test_rng_that_is_not_used_is_found(call, words):
    """A constant, a generator of one's own, fresh entropy."""
    with pytest.raises(Failure, match=words):
        check_rng(call, what="draw")


def test_rng_that_is_used_passes():
    """Whatever is drawn from it."""
    check_rng(lambda rng: rng.standard_normal(30), what="draw")
    check_rng(lambda rng: rng.spawn(1)[0].random(30), what="draw")
