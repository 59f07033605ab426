"""Is every wrong answer of the bank rejected, and named as what it is, and never as another?

    python benchmarks/diagnosis.py [TOPIC ...] [--pairs 40] [--jobs N]

Over every misconception of every topic, then over random pairs combined in one submission: there one of the two, or nothing,
may be named, never a third. A failing check may name up to three that cannot be told apart, joined by "or": the right one must
be among them.
"""

import argparse
import os
import random
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

from grader.content.text_rules import checks_in
from grader.course import CourseError, Topic, find_course
from grader.diagnosis.fingerprints import fingerprints_of
from grader.diagnosis.matching import Diagnosis
from grader.diagnosis.misconceptions import Misconception, load_misconceptions
from grader.failure import Failure, TimeLimit
from grader.grading import topic_checks
from grader.opening import the_student
from grader.submission import SubmissionError, submission_from_bytes


def diagnosed(source: str, topic: Topic, checks: set[str]) -> tuple[bool, list[set[str]]]:
    """Whether the checks reject an answer, and the ids that each one names."""
    answer = submission_from_bytes(source.encode(), topic.source.name)
    student = the_student(answer, topic, isolated=False)
    diagnosis = Diagnosis(fingerprints_of(topic), topic_checks(topic), student)
    rejected, named = False, []
    for check in topic_checks(topic):
        if check.name not in checks:
            continue
        try:
            check.run(student, shrink=False)
        except (Failure, TimeLimit) as failure:
            rejected = True
            found = set(diagnosis.misconceptions(check.name, failure))
            named += [found] if found else []
    return rejected, named


def checks_of(topic: Topic, *wrong: Misconception) -> set[str]:
    """The checks of the functions that misconceptions touch."""
    functions = {name for one in wrong for name in one.functions}
    return {
        check.name
        for check in checks_in(topic)
        if any(check.belongs_to(name) for name in functions)
    }


def pairs(topic: Topic, count: int) -> Iterator[tuple[Misconception, Misconception, str]]:
    """Random pairs whose edits fit together, with the combined source."""
    source = topic.source.read_text()
    bank = load_misconceptions(topic.misconceptions)
    possible = list(combinations(bank, 2))
    random.Random(0).shuffle(possible)
    for first, second in possible:
        if count == 0:
            return
        try:
            both = second.edited(first.edited(source))
            submission_from_bytes(both.encode(), topic.source.name)
        except (CourseError, SubmissionError):
            continue
        count -= 1
        yield first, second, both


@dataclass
class Counts:
    """Of a topic: how many wrong answers and pairs there are, what became of them, and the notable ones."""

    wrong_answers: int
    rejected: int = 0
    named: int = 0
    with_others: int = 0
    named_wrongly: int = 0
    pairs: int = 0
    one_named: int = 0
    a_third_named: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """What must not be."""
        return self.wrong_answers - self.rejected + self.named_wrongly + self.a_third_named


def counts_of(topic: Topic, count: int) -> Counts:
    """Runs the bank and so many pairs."""
    warnings.simplefilter("ignore")
    bank = load_misconceptions(topic.misconceptions)
    source = topic.source.read_text()
    counts = Counts(len(bank))
    for one in bank:
        rejected, named = diagnosed(one.edited(source), topic, checks_of(topic, one))
        counts.rejected += rejected
        counts.named += any(one.id in found for found in named)
        counts.with_others += any(one.id in found and len(found) > 1 for found in named)
        counts.named_wrongly += any(one.id not in found for found in named)
        if not rejected or not named or any(found != {one.id} for found in named):
            said = "rejected" if rejected else "PASSED"
            counts.notes.append(f"{one.id}: {said}, named {_joined(named)}")
    for first, second, both in pairs(topic, count):
        _, named = diagnosed(both, topic, checks_of(topic, first, second))
        counts.pairs += 1
        right = {first.id, second.id}
        counts.one_named += any(found & right for found in named)
        if not all(found & right for found in named):
            counts.a_third_named += 1
            counts.notes.append(f"{first.id} + {second.id}: named {_joined(named)}")
    return counts


def _joined(named: list[set[str]]) -> str:
    return ", ".join(sorted({" or ".join(sorted(found)) for found in named})) or "nothing"


def main() -> int:
    """Exit code 1 if something passes, or is named as something else."""
    parser = argparse.ArgumentParser()
    parser.add_argument("topics", nargs="*")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    course = find_course(Path(__file__))
    topics = [course.topic(name) for name in arguments.topics] or course.topics
    faults = 0
    print(
        "| topic | wrong answers | rejected | named | with others | named wrongly | pairs | one named | a third named |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        found = pool.map(partial(counts_of, count=arguments.pairs), topics)
        for topic, counts in zip(topics, found, strict=True):
            *numbers, _ = vars(counts).values()
            print(f"| {topic.name} | {' | '.join(map(str, numbers))} |", flush=True)
            print(*(f"    {note}" for note in counts.notes), sep="\n", file=sys.stderr, flush=True)
            faults += counts.faults
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
