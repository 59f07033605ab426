"""How often a statistical test decides about one right submission, and what false alarms that allows at most.

python benchmarks/flakiness.py [--students 1000]
"""

import argparse
import sys
from functools import wraps
from pathlib import Path

from grader.checks.distributions import check_frequency, check_law, check_uncorrelated
from grader.course import load_course
from grader.grading import Settings, grade, topic_checks

ROOT = Path(__file__).parent.parent
DECISIONS = {check_law: 3, check_frequency: 1, check_uncorrelated: 1}
"""What each call tests: mean, variance and distribution function; a count; a correlation."""
BOUND = 1e-10
"""Each of them rejects a right answer with a smaller probability: see grader/checks/distributions.py."""


def decisions_of(topic):
    """How many statistical decisions one right submission meets."""
    count = 0
    topic_checks(topic)
    module = sys.modules[f"grader_checks_of_{topic.name}"]

    def counted(function):
        @wraps(function)
        def call(*arguments, **options):
            nonlocal count
            count += DECISIONS[function]
            return function(*arguments, **options)

        return call

    for name, value in list(vars(module).items()):
        if callable(value) and value in DECISIONS:
            setattr(module, name, counted(value))
    report = grade(topic.source, topic, Settings(isolated=False))
    assert report.points == report.max_points
    return count


def main():
    """Prints a row per topic that has statistical checks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=1000)
    students = parser.parse_args().students
    total = 0
    print("| topic | decisions per submission | false alarm of a right submission |")
    print("|---|---|---|")
    for topic in load_course(ROOT).topics:
        count = decisions_of(topic)
        total += count
        if count:
            print(f"| {topic.name} | {count} | below {count * BOUND:.1e} |")
    print(f"| all | {total} | below {total * BOUND:.1e} |")
    print(
        f"\n{students} students, all topics: a wrong rejection in fewer than one of {1 / (students * total * BOUND):,.0f} years."
    )


if __name__ == "__main__":
    main()
