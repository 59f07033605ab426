"""Judges random answers by their law: never by a seed's values, and never flaky.

Every test here rejects a right answer with a probability below 1e-10. The tests of moments reject beyond 8 standard
errors (a normal tail of 1.2e-15; the samples are large enough for the central limit theorem's own error, by Berry-Esseen
and exponential tilting, to stay below 1e-10), exact tests below a p-value of 1e-11.

Power: a scale that is off by 5 % shifts the variance by 10 %. With n draws its standard error is sqrt((k + 2) / n) of the
variance, k the law's excess kurtosis: 0.9 % for a normal law and n = 25,000, which puts the shift 11 standard errors away.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.checks.compare import Array
from grader.failure import Failure

STANDARD_ERRORS = 8.0
P_VALUE = 1e-11
ENOUGH = 25_000
"""Draws with which an error of scale of 5 % is seen."""


def check_law(sample: Any, law: Any, *, what: str, scale: bool = True) -> None:
    """Tests whether independent draws follow a continuous law: support, mean, variance, then Kolmogorov-Smirnov.

    Args:
        sample: the draws, shape (n,); `ENOUGH` of them show a scale that is off by 5 %.
        law: a frozen law of scipy.stats.
        what: the draws' name in the message.
        scale: test the variance too.

    Raises:
        Failure: they do not follow it; a right answer fails with a probability below 1e-10.

    >>> from scipy import stats
    >>> check_law(np.random.default_rng(0).standard_normal(1000), stats.norm(), what="normal draws")
    """
    from scipy import special

    values = np.asarray(sample, dtype=np.float64).ravel()
    _require_finite(values, what)
    low, high = law.support()
    slack = 1e-6 * (high - low) if np.isfinite(high - low) else 0.0
    if values.min() < low - slack or values.max() > high + slack:
        raise _unlike(
            f"{what} lie between {values.min():.4g} and {values.max():.4g}, but should stay in [{low:.4g}, {high:.4g}].",
            values,
        )
    mean, variance, _, kurtosis = (float(moment) for moment in law.stats(moments="mvsk"))
    error = math.sqrt(variance / values.size)
    if abs(values.mean() - mean) > STANDARD_ERRORS * error:
        raise _unlike(
            f"{what} have mean {values.mean():.4g}, but should have {mean:.4g} (give or take {error:.2g}).",
            values,
        )
    spread = math.sqrt((kurtosis + 2) / values.size) / 2
    ratio = float(values.std()) / math.sqrt(variance)
    if scale and abs(ratio**2 - 1) > 2 * STANDARD_ERRORS * spread:
        raise _unlike(
            f"{what} have standard deviation {values.std():.4g}, but should have {math.sqrt(variance):.4g} "
            f"(ratio {ratio:.3f}, give or take {spread:.2g}).",
            values,
        )
    ordered = np.asarray(law.cdf(np.sort(values)))
    steps = np.arange(values.size + 1) / values.size
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    if special.kolmogorov(math.sqrt(values.size) * distance) < P_VALUE:
        raise _unlike(
            f"{what} have the right scale but another law: their distribution function is off by {distance:.3f}.",
            values,
        )


def check_frequency(successes: int, trials: int, p: float, *, what: str) -> None:
    """Tests a count against the binomial law with `trials` and `p`, exactly.

    Args:
        successes: how often it happened.
        trials: out of how many independent trials.
        p: the probability that each should have.
        what: what was counted, for the message, as in "zeroed elements".

    Raises:
        Failure: the count is too unlikely; a right answer fails with a probability below 1e-10.

    >>> check_frequency(503, 1000, 0.5, what="heads")
    """
    from scipy import special

    below = float(special.bdtr(successes, trials, p))
    above = float(special.bdtrc(successes - 1, trials, p)) if successes > 0 else 1.0
    if min(below, above) < P_VALUE:
        raise _unlike(
            f"{what}: {successes} of {trials} ({successes / trials:.3f}), but should be about {p:.3f} of them."
        )


def check_uncorrelated(first: Any, second: Any, *, what: str) -> None:
    """Tests that paired draws are not correlated.

    Args:
        first: draws, shape (n,), n at least 1000.
        second: their partners, shape (n,).
        what: the pairs' name in the message.

    Raises:
        Failure: the correlation is more than 8 standard errors from zero, or one of them does not vary.

    >>> check_uncorrelated(*np.random.default_rng(0).standard_normal((2, 1000)), what="pairs")
    """
    one, other = (np.asarray(values, dtype=np.float64).ravel() for values in (first, second))
    _require_finite(np.concatenate([one, other]), what)
    if one.std() == 0 or other.std() == 0:
        raise _unlike(f"{what} do not vary at all, but should be drawn independently.")
    correlation = float(np.corrcoef(one, other)[0, 1])
    if abs(correlation) * math.sqrt(one.size) > STANDARD_ERRORS:
        raise _unlike(
            f"{what} have correlation {correlation:.3f}, but should be independent (0, give or take {one.size**-0.5:.2g})."
        )


def check_rng(call: Callable[[np.random.Generator], Array], *, what: str, seed: int = 0) -> None:
    """Tests that an answer depends on the generator that is passed, and on nothing else.

    Args:
        call: makes an answer of at least 30 random elements from a generator.
        what: the function's name.
        seed: of the generators.

    Raises:
        Failure: the same state gives another answer, another state the same one, or a second call with the same generator
            repeats the first.

    >>> check_rng(lambda rng: rng.random(40), what="draws")
    """
    rng = np.random.default_rng([seed, 1])
    first, second = call(rng), call(rng)
    again, other = (call(np.random.default_rng([seed, stream])) for stream in (1, 2))
    if not np.array_equal(first, again):
        raise Failure(
            f"{what} gives another answer for the same state of rng: does it draw from another source too?",
            aspect="rng",
        )
    if np.array_equal(first, other):
        raise Failure(
            f"{what} gives the same answer for another rng: it does not draw from the rng that it is given.",
            aspect="rng",
        )
    if np.array_equal(first, second):
        raise Failure(
            f"{what} gives the same answer when it is called again with the same rng, which has gone on meanwhile.",
            aspect="rng",
        )


def _require_finite(values: Array, what: str) -> None:
    """NaN compares as false with every bound, and would pass."""
    if not np.isfinite(values).all():
        raise Failure(
            f"{what} have values that are NaN or infinite: {int((~np.isfinite(values)).sum())} of {values.size}.",
            aspect="finite",
        )


def _unlike(headline: str, sample: Array | None = None) -> Failure:
    failure = Failure(headline, aspect="law")
    failure.sample = sample
    return failure
