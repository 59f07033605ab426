"""From save to verdict: `grader watch` in a terminal against a cold pytest, topic by topic.

    python benchmarks/watch.py [TOPIC ...]

In a copy of the course the solution is watched, and each of its functions is changed in turn (a statement that does nothing);
then three wrong answers of the bank are saved, each after the solution; then the stub, and the solution at once in its place.
Two times are taken of each save: until every check has a verdict on the screen (of its edge cases, and of what a save cannot
have changed), and until nothing is left to run (the random examples and the smallest case of the first failure).
Prints medians, the cold pytest on the solution, and the ratio of that to the first time of a changed function.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pexpect

from grader.content.text_rules import wrong_answer
from grader.course import Topic, load_course
from grader.diagnosis.misconceptions import load_misconceptions

ROOT = Path(__file__).parent.parent
FUNCTION_BODY = re.compile(r"^    ### BEGIN SOLUTION$", re.MULTILINE)
VERDICT = r"of [\d.]+ points   [#-]{10}"
REST_RUNS = r"[^\r]*(?:running|searched) \.\.\."
WRONG = 3


class Times(NamedTuple):
    """Seconds from a save to the verdict of every check, and to the end."""

    verdict: float
    end: float


def main() -> int:
    """Prints a line per topic."""
    course = load_course(ROOT)
    topics = [course.topic(name) for name in sys.argv[1:]] or course.topics
    load = f"{os.getloadavg()[0]:.0f} processes on {len(os.sched_getaffinity(0))} cores"
    print(f"verdict / end, in s; {load}\n")
    print("| topic | a function | a wrong answer | stub | all at once | cold pytest | ratio |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copy(ROOT / "course.toml", copy)
        shutil.copytree(ROOT / "exercises", copy / "exercises")
        for topic in topics:
            if not topic.source.is_file():
                continue
            own, wrong, stub, whole = saves(topic, copy)
            cold = cold_pytest(topic, copy)
            ratio = cold / statistics.median(one.verdict for one in own)
            columns = " | ".join(map(summary, (own, wrong, stub, whole)))
            print(f"| {topic.name} | {columns} | {cold:.1f} | {ratio:.0f} |", flush=True)
    return 0


def saves(topic: Topic, copy: Path) -> tuple[list[Times], ...]:
    """After a change of each function, of wrong answers, of the stub, and of everything."""
    source = topic.source.read_text(encoding="utf-8")
    file = load_course(copy).topic(topic.name).stub
    stub = file.read_text(encoding="utf-8")
    file.write_text(source, encoding="utf-8")
    child = pexpect.spawn(
        sys.executable,
        ["-W", "ignore", "-m", "grader", "watch", topic.name],
        cwd=str(copy),
        dimensions=(60, 120),
        encoding="utf-8",
        timeout=300,
    )
    the_end(child)
    save(file, stub, child)
    save(file, source, child)  # the examples are drawn, the children warm
    own = [
        save(file, source[: at.end()] + "\n    _ = None" + source[at.end() :], child)
        for at in FUNCTION_BODY.finditer(source)
    ]
    bank = load_misconceptions(topic.misconceptions)
    wrong = []
    for one in bank[:: max(1, len(bank) // WRONG)][:WRONG]:
        save(file, source, child)
        wrong.append(save(file, wrong_answer(one, topic).decode(), child))
    empty = [save(file, stub, child)]
    whole = [save(file, source, child)]
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    return own, wrong, empty, whole


def save(file: Path, text: str, child: pexpect.spawn) -> Times:
    """The times of one save."""
    began = time.perf_counter()
    file.write_text(text, encoding="utf-8")
    child.expect(VERDICT)
    verdict = time.perf_counter() - began
    the_end(child, seen=True)
    return Times(verdict, time.perf_counter() - began)


def the_end(child: pexpect.spawn, *, seen: bool = False) -> None:
    """Waits for the screen behind whose points nothing is left; `seen` if its points were read already."""
    while True:
        if not seen:
            child.expect(VERDICT)
        rest_of_the_line = child.expect([REST_RUNS, r"\x1b\[K\r\n"])
        child.expect("q quit")
        if rest_of_the_line == 1:
            return
        seen = False


def cold_pytest(topic: Topic, copy: Path) -> float:
    """Seconds of pytest on the topic, from nothing."""
    command = [sys.executable, "-m", "pytest", "-q", f"exercises/{topic.name}"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return time.perf_counter() - began


def summary(times: list[Times]) -> str:
    """Medians."""
    verdict, end = (statistics.median(column) for column in zip(*times, strict=True))
    return f"{verdict:.2f} / {end:.2f}"


if __name__ == "__main__":
    sys.exit(main())
