"""How fast grading is, as ratios measured side by side in one run.

    python benchmarks/speed.py [warm] [nbgrader] [jobs] [cold] [thousand] [--topic 04_normalization]

warm      a right submission, judge and worker started: isolated grading against the bare loop
nbgrader  the same against stock `nbgrader autograde`, with the same checks as cells under hypothesis in the kernel
jobs      a class with one and with two judge processes
cold      `pytest exercises/TOPIC` against importing torch, hypothesis, pytest, numpy and scipy.stats
thousand  1,000 submissions in one run: seconds and memory after each hundred

Each figure is the median of alternating runs. Without a name all but `thousand` are measured.
"""

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat

from grader.batch import Task, grade_tasks
from grader.course import Course, Topic, find_course
from grader.grading import Settings, grade, topic_checks
from grader.student import RaisedError
from grader.worker.pool import the_pool
from grader.worker.program import Raised

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = 25
RUNS = 5
IMPORTS = "import torch, hypothesis, pytest, numpy, scipy.stats"


class Bare:
    """A module's functions, called as they are; a ValueError becomes what the checks expect."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._module, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except ValueError as error:
                names = [cls.__name__ for cls in type(error).__mro__]
                raise RaisedError(name, Raised(names, str(error), "", None)) from None

        call.__name__ = name
        return call


def bare_loop(topic: Topic) -> Callable[[], None]:
    """Solution, reference and comparison on the same examples, in this process: no sandbox, no hypothesis."""
    spec = importlib.util.spec_from_file_location("bare_solution", topic.source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    student = Bare(module)

    def loop() -> None:
        for check in topic_checks(topic):
            for example in check.examples(0, EXAMPLES):
                check.body(student=student, **example)

    return loop


def seconds(action: Callable[[], Any]) -> float:
    """Wall-clock seconds of one run."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def side_by_side(*actions: Callable[[], Any], runs: int = RUNS) -> list[float]:
    """Median seconds of each action, run in turn."""
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(runs):
        for times, action in zip(taken, actions, strict=True):
            times.append(seconds(action))
    return [statistics.median(times) for times in taken]


def row(what: str, figure: str, wanted: str) -> None:
    """A line of the table."""
    print(f"| {what} | {figure} | {wanted} |", flush=True)


def graded(topic: Topic) -> Callable[[], None]:
    """Grading the solution in a sandboxed worker."""

    def once() -> None:
        report = grade(topic.source, topic, Settings(examples=EXAMPLES))
        assert report.points == report.max_points, "the solution has full marks"

    return once


def warm(topic: Topic) -> None:
    """Isolated grading against the bare loop, and the memory of judge and worker."""
    ours, bare = graded(topic), bare_loop(topic)
    ours()
    bare()
    one, other = side_by_side(ours, bare)
    row(
        f"{topic.name}, warm: isolated / bare loop",
        f"{one:.2f} s / {other:.2f} s = {one / other:.1f}",
        "4",
    )
    row("memory of the judge", f"{_peak_mib(os.getpid()):.0f} MiB", "450 MiB")
    worker = the_pool().take()
    row(
        "memory of an idle worker",
        f"{max(map(_peak_mib, _descendants(worker._process.pid))):.0f} MiB",
        "60 MiB",
    )
    worker.close()


def stock_nbgrader(topic: Topic, count: int = 3) -> float:
    """Seconds per submission of `nbgrader autograde`, a kernel per notebook."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"
            "c.ExecutePreprocessor.timeout = 600\nc.Execute.timeout = 600\n"
        )
        _write_notebook(root / "source/ps" / f"{topic.module}.ipynb", topic)
        _run(root, "generate_assignment", "ps", "--force")
        for number in range(count):
            place = root / f"submitted/s{number}/ps"
            place.mkdir(parents=True)
            shutil.copy(root / "source/ps" / f"{topic.module}.ipynb", place)
        took = seconds(lambda: _run(root, "autograde", "ps", "--force"))
        _run(root, "export", "--to", str(root / "grades.csv"))
        scores = [line.split(",") for line in (root / "grades.csv").read_text().splitlines()]
        column = scores[0].index("score")
        assert all(float(line[column]) > 0 for line in scores[1:]), "the right answer earns points"
        return took / count


def _run(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # nbgrader calls alembic by name
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _write_notebook(path: Path, topic: Topic) -> None:
    """The solution, and a cell per check that runs it under hypothesis in the kernel."""
    path.parent.mkdir(parents=True)
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }

    def cell(source: str, name: str, **flags: Any) -> None:
        meta = {"schema_version": 3, "grade_id": name, "locked": False, "task": False, **flags}
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"nbgrader": meta}))

    source = topic.source.read_text()
    for marker in ("### BEGIN SOLUTION", "### END SOLUTION"):
        source = source.replace(marker, "")
    solution = f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"
    cell(solution, "solution", solution=True, grade=False)
    setup = (
        "import sys, types\n"
        f"sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(topic.exercise_dir)!r}, {str(ROOT)!r}]\n"
        "from speed import under_hypothesis\n"
        "answers = types.SimpleNamespace(**globals())"
    )
    notebook.cells.append(nbformat.v4.new_code_cell(setup))
    for check in topic_checks(topic):
        source = f"under_hypothesis({topic.checks.stem!r}, {check.name!r}, answers)"
        cell(source, check.name, solution=False, grade=True, points=check.points, locked=True)
    nbformat.write(notebook, path)


def under_hypothesis(module: str, name: str, answers: Any) -> None:
    """A check as a plain hypothesis test on functions of this process, with as many examples as ours."""
    import hypothesis

    from grader.checks.check import Check

    check = Check.of(getattr(importlib.import_module(module), name))
    student = Bare(answers)
    if not check.strategies:
        check.body(student=student)
        return
    count = len(check.examples(0, EXAMPLES))

    def test(**values: Any) -> None:
        check.body(student=student, **values)

    settings = hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    settings(hypothesis.given(**check.strategies)(test))()


def against_nbgrader(topic: Topic) -> None:
    """Seconds per submission beside stock nbgrader's."""
    ours = graded(topic)
    ours()
    stock = stock_nbgrader(topic)
    (one,) = side_by_side(ours)
    row(
        f"{topic.name}: stock nbgrader / isolated, warm, per core",
        f"{stock:.1f} s / {one:.2f} s = {stock / one:.1f}",
        "at least 15",
    )


def a_class(topic: Topic, folder: Path, count: int) -> list[Task]:
    """Copies of the solution that differ in a comment, so that no two are equal to the cache."""
    source = topic.source.read_text()
    tasks = []
    for number in range(count):
        path = folder / f"s{number:04}" / f"{topic.module}.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{source}\n# {number}\n")
        tasks.append(Task(path.parent.name, topic.name, path))
    return tasks


def jobs(course: Course, topic: Topic, count: int = 120) -> None:
    """A class with one judge process on one core, with one on all, and with two: judge and worker of a job overlap."""
    cores = sorted(os.sched_getaffinity(0))
    taken = {}
    for number, free in ((1, cores[:1]), (1, cores), (2, cores)):
        os.sched_setaffinity(0, free)
        with tempfile.TemporaryDirectory() as folder:
            tasks = a_class(topic, Path(folder), count)
            taken[number, len(free)] = seconds(
                lambda tasks=tasks, folder=folder, number=number: grade_tasks(
                    tasks,
                    course,
                    Settings(examples=EXAMPLES),
                    cache=Path(folder) / "cache",
                    jobs=number,
                    done=lambda _: None,
                )
            )
    one, free, two = taken[1, 1], taken[1, len(cores)], taken[2, len(cores)]
    row(
        f"{count} submissions of {topic.name}: one job on one core / two jobs on {len(cores)} cores "
        f"(one job on {len(cores)}: {free:.0f} s)",
        f"{one:.0f} s / {two:.0f} s = {one / two:.2f}",
        "at least 1.8",
    )


def cold(topic: Topic) -> None:
    """A student's pytest against the imports that it cannot do without."""

    def process(*arguments: str) -> Callable[[], None]:
        def run() -> None:
            subprocess.run(
                [sys.executable, *arguments],
                cwd=ROOT,
                capture_output=True,
                check=False,
                timeout=600,
            )

        return run

    test = ("-m", "pytest", "-q", "-p", "no:cacheprovider", f"exercises/{topic.name}")
    right = (*test, "--submission", str(topic.source))
    one, other, imports = side_by_side(process(*right), process(*test), process("-c", IMPORTS))
    row(
        f"cold: pytest {topic.name}, right answer / imports",
        f"{one:.2f} s / {imports:.2f} s = {one / imports:.2f}",
        "1.5",
    )
    row(
        f"cold: pytest {topic.name}, stub / imports",
        f"{other:.2f} s / {imports:.2f} s = {other / imports:.2f}",
        "1.5",
    )


def thousand(course: Course, topic: Topic, count: int = 1000) -> None:
    """Seconds and memory of the judges after each hundred."""
    began = time.perf_counter()
    seen = []

    def done(_: object) -> None:
        seen.append(None)
        if len(seen) % 100 == 0:
            judges = [_rss_mib(pid) for pid in _descendants(os.getpid()) if _is_judge(pid)]
            most = f"{max(judges, default=0):.0f}"
            print(
                f"| {len(seen)} | {time.perf_counter() - began:.0f} s | {_rss_mib(os.getpid()):.0f} MiB | {most} MiB |",
                flush=True,
            )

    print("| graded | after | this process | largest judge |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        tasks = a_class(topic, Path(folder), count)
        outcomes = grade_tasks(
            tasks,
            course,
            Settings(examples=0),
            cache=Path(folder) / "cache",
            jobs=os.cpu_count() or 1,
            done=done,
        )
    assert all(o.report is not None and o.report.points == topic.points for o in outcomes)


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _descendants(int(child)))]


def _is_judge(pid: int) -> bool:
    return b"multiprocessing" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _status(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def _peak_mib(pid: int) -> float:
    return _status(pid, "VmHWM:")


def _rss_mib(pid: int) -> float:
    return _status(pid, "VmRSS:")


def main(names: Sequence[str], topic_name: str) -> None:
    """Prints the table."""
    course = find_course(ROOT)
    topic = course.topic(topic_name)
    measured: dict[str, Callable[[], None]] = {
        "warm": lambda: warm(topic),
        "nbgrader": lambda: against_nbgrader(topic),
        "jobs": lambda: jobs(course, topic),
        "cold": lambda: cold(topic),
        "thousand": lambda: thousand(course, topic),
    }
    print("| what | measured | wanted |\n|---|---|---|")
    for name in names or [name for name in measured if name != "thousand"]:
        measured[name]()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="warm, nbgrader, jobs, cold, thousand")
    parser.add_argument("--topic", default="04_normalization")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    main(given.names, given.topic)
