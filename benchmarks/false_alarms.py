"""The statistical checks over many seeds: right answers must never fail, a scale that is off by 5 % always.

python benchmarks/false_alarms.py [--seeds 1000]
"""

import argparse
import sys

import numpy as np
from scipy import stats

from grader import Failure, check_frequency, check_law, check_uncorrelated
from grader.checks.distributions import ENOUGH

LAWS = {
    "normal": stats.norm(),
    "uniform": stats.uniform(-1, 2),
    "truncated": stats.truncnorm(-1, 2),
}


def fails(check, *arguments):
    """Whether a check rejects."""
    try:
        check(*arguments, what="draws")
    except Failure:
        return True
    return False


def main():
    """Exit code 1 if a right answer failed or a wrong one passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1000)
    seeds = parser.parse_args().seeds
    alarms = dict.fromkeys((*LAWS, "frequency", "uncorrelated"), 0)
    seen = dict.fromkeys(LAWS, 0)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        for name, law in LAWS.items():
            draws = law.rvs(size=ENOUGH, random_state=rng)
            alarms[name] += fails(check_law, draws, law)
            seen[name] += fails(check_law, law.mean() + 1.05 * (draws - law.mean()), law)
        kept = rng.random(4200) < 0.3
        alarms["frequency"] += fails(check_frequency, int(kept.sum()), kept.size, 0.3)
        alarms["uncorrelated"] += fails(check_uncorrelated, kept[1:], kept[:-1])
    print(f"{seeds} seeds")
    print("right answers rejected: ", *(f"{name} {count}" for name, count in alarms.items()))
    print("5 % errors of scale seen: ", *(f"{name} {count}" for name, count in seen.items()))
    return int(any(alarms.values()) or any(count < seeds for count in seen.values()))


if __name__ == "__main__":
    sys.exit(main())
