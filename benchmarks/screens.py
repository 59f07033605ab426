"""How many lines of a terminal of 80 columns does a failing check fill?

    python benchmarks/screens.py [TOPIC ...] [--every 1] [--jobs N]

Every wrong answer of the banks (or every Nth) is run on the checks of the functions that it makes wrong; of each check that
fails the lines are counted that a student sees: title, what is wrong, the smallest case, the misconception and the pointer.
Prints the median and the largest number per topic, and the checks with 25 lines or more; exit code 1 if there is one.
"""

import argparse
import os
import statistics
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from grader.content.text_rules import checks_in
from grader.course import Topic, find_course
from grader.diagnosis.fingerprints import fingerprints_of
from grader.diagnosis.matching import Diagnosis
from grader.diagnosis.misconceptions import Misconception, load_misconceptions
from grader.grading import Settings, outcome, topic_checks
from grader.opening import the_student
from grader.report.explanation import SCREEN
from grader.report.terminal import explanation
from grader.submission import submission_from_bytes

COLUMNS = 80
FEWER_THAN = 25


def lines_of(text: str) -> int:
    """How many lines a text fills where longer ones are wrapped."""
    return sum(max(1, -(-len(line) // COLUMNS)) for line in text.splitlines())


def screens(topic: Topic, one: Misconception) -> list[tuple[int, str, str]]:
    """Lines, check and text of each check of its functions that a wrong answer fails."""
    warnings.simplefilter("ignore")
    source = one.edited(topic.source.read_text(encoding="utf-8"))
    student = the_student(
        submission_from_bytes(source.encode(), topic.source.name), topic, isolated=False
    )
    diagnosis = Diagnosis(fingerprints_of(topic), topic_checks(topic), student)
    concerned = {
        check.name for check in checks_in(topic) if any(map(check.belongs_to, one.functions))
    }
    found = []
    for check in topic_checks(topic):
        if check.name not in concerned:
            continue
        result = outcome(check, student, Settings(isolated=False), diagnosis)
        if result.verdict != "passed":
            text = f"{check.title}\n\n{explanation(result, topic, at_most=SCREEN)}"
            found.append((lines_of(text), f"{one.id}: {check.name}", text))
    return found


def main() -> int:
    """Exit code 1 if a check fills the screen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("topics", nargs="*")
    parser.add_argument("--every", type=int, default=1, help="one of so many wrong answers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    course = find_course(Path(__file__))
    topics = [course.topic(name) for name in arguments.topics] or course.topics
    print("| topic | failing checks | lines, median | most | 25 or more |\n|---|---|---|---|---|")
    too_many = 0
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        for topic in topics:
            bank = load_misconceptions(topic.misconceptions)[:: arguments.every]
            found = [one for some in pool.map(partial(screens, topic), bank) for one in some]
            counts = [count for count, _, _ in found]
            long = [one for one in found if one[0] >= FEWER_THAN]
            print(
                f"| {topic.name} | {len(counts)} | {statistics.median(counts):g} | {max(counts)} | {len(long)} |",
                flush=True,
            )
            for count, where, text in long:
                print(f"{count} lines, {where}\n{text}\n", file=sys.stderr, flush=True)
            too_many += len(long)
    return int(too_many > 0)


if __name__ == "__main__":
    sys.exit(main())
