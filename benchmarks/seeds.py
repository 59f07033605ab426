"""Right answers over many seeds: each must have full marks with every one.

    python benchmarks/seeds.py 04_normalization [--seeds 200] [--first 0] [--jobs N] [FILE ...]

Without files: the topic's solution and the further right answers of the tests. The examples of a seed are drawn once for all of
them. Prints the seeds that fail, with the check and its message.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from grader.checks.check import forget_examples
from grader.course import Topic, find_course
from grader.grading import Settings, grade

ROOT = Path(__file__).resolve().parent.parent


def failures(seed: int, topic: Topic, files: Sequence[Path]) -> list[str]:
    """What fails with a seed."""
    warnings.simplefilter("ignore")
    forget_examples()
    return [
        f"{file.name} seed {seed} {check.name}: {check.message}\n{check.smallest_case}"
        for file in files
        for check in grade(file, topic, Settings(seed=seed, isolated=False)).checks
        if check.verdict != "passed"
    ]


def main() -> int:
    """Exit code 1 if any seed fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("topic")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    topic = find_course(ROOT).topic(arguments.topic)
    further = sorted((ROOT / "tests/right_answers" / topic.name).glob("*.py"))
    files = arguments.files or [topic.source, *further]
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    count = 0
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        for found in pool.map(partial(failures, topic=topic, files=files), seeds):
            count += len(found)
            for text in found:
                print(text, flush=True)
    print(f"{topic.name}: {len(files)} right answers, {len(seeds)} seeds, {count} failures")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
