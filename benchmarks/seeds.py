"""Right answers over many seeds: each must have full marks with every one.

    python benchmarks/seeds.py 04_normalization [--seeds 200] [FILE ...]

Without files: the topic's solution. Prints the seeds that fail, with the check and its message.
"""

import argparse
import sys
from pathlib import Path

from grader.checks.check import forget_examples
from grader.course import find_course
from grader.grading import Settings, grade


def main() -> int:
    """Exit code 1 if any seed fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("topic")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    topic = find_course(Path(__file__)).topic(arguments.topic)
    failures = 0
    for file in arguments.files or [topic.source]:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            forget_examples()
            report = grade(file, topic, Settings(seed=seed, isolated=False))
            for check in report.checks:
                if check.verdict != "passed":
                    failures += 1
                    print(
                        f"{file.name} seed {seed} {check.name}: {check.message}\n{check.smallest_case}"
                    )
        print(f"{file.name}: {arguments.seeds} seeds, {failures} failures", flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
