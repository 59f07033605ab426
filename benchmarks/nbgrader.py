"""`nbgrader autograde` with and without this engine's preprocessors, on the same class.

    python benchmarks/nbgrader.py [--topic 04_normalization] [--runs 3] [--examples 25]

The sample class hands in the released notebook. Stock nbgrader runs every notebook in a kernel, where `check(...)` judges
in the student's own process; with our preprocessors no kernel is started. A third run only writes what `grader grade` had
graded before. Medians of alternating runs, process start included, and how many marks the two ways give differently.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOCK = """
import os
import sys
from pathlib import Path

c = get_config()
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
c.CourseDirectory.course_id = "stock"
c.Execute.timeout = 600
"""

WAYS = {
    "stock": "stock nbgrader autograde",
    "ours": "with our preprocessors",
    "kept": "graded before by grader grade",
}


def run(folder: Path, *command: str) -> float:
    """Seconds that a command takes; it must succeed."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def class_of(course: Path, topic: str) -> int:
    """Hands in the sample class's answers as notebooks; how many there are."""
    released = next((course / "release" / topic).glob("*.ipynb"))
    count = 0
    for student in sorted((ROOT / "examples/class").iterdir()):
        for file in sorted((student / topic).glob("*.*")):
            folder = course / "submitted" / student.name / topic
            folder.mkdir(parents=True)
            shutil.copy(released.parent / "course.toml", folder)
            for name in ("fingerprints.json", f"test_{topic[3:]}.py"):
                shutil.copy(released.parent / name, folder)
            source = folder / f"{topic[3:]}.py"
            source.write_text(code_in(file))
            made = subprocess.run(
                [sys.executable, "-m", "grader", "notebook", str(source), "--topic", topic,
                 "--into", str(released)],
                cwd=ROOT, capture_output=True, check=False,
            )  # fmt: skip
            source.unlink()
            if made.returncode != 0:  # a file that is not Python
                shutil.rmtree(course / "submitted" / student.name)
                continue
            count += 1
    return count


def code_in(file: Path) -> str:
    """A file's code; of a notebook the code cells, one below the other."""
    if file.suffix == ".py":
        return file.read_text()
    cells = json.loads(file.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def autograde(course: Path, topic: str, *, kept: bool = False) -> float:
    """Seconds for the whole class, from nothing; `kept`: from the reports of `grader grade`."""
    shutil.rmtree(course / "autograded", ignore_errors=True)
    if not kept:
        shutil.rmtree(course / ".grader", ignore_errors=True)
    return run(course, "nbgrader", "autograde", topic)


def points(course: Path) -> dict[str, float]:
    """Student -> points, as nbgrader exports them."""
    run(course, "nbgrader", "export")
    with (course / "grades.csv").open() as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--topic", default="04_normalization")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--examples", type=int, default=25)
    options = parser.parse_args()
    topic = options.topic
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with tempfile.TemporaryDirectory() as place:
        ours, stock = Path(place, "ours"), Path(place, "stock")
        run(ROOT, "grader", "nbgrader", "init", str(ours), "--course-id", "ours")
        config = ours / "nbgrader_config.py"
        config.write_text(
            config.read_text().replace("examples = 25", f"examples = {options.examples}")
        )
        run(ours, "nbgrader", "generate_assignment", topic)
        count = class_of(ours, topic)
        shutil.copytree(ours, stock)
        (stock / "nbgrader_config.py").write_text(STOCK)
        times: dict[str, list[float]] = {"stock": [], "ours": [], "kept": []}
        for _ in range(options.runs):
            times["stock"].append(autograde(stock, topic))
            times["ours"].append(autograde(ours, topic))
            run(ours, "grader", "grade", "submitted", "--out", "graded", "--topic", topic)
            times["kept"].append(autograde(ours, topic, kept=True))
        median = {name: statistics.median(seconds) for name, seconds in times.items()}
        marks, stock_marks = points(ours), points(stock)
    print(f"{topic}, {count} submissions, {options.examples} random examples per check")
    for name, what in WAYS.items():
        ratio = median["stock"] / median[name]
        each = median[name] / count
        print(f"  {what:<30} {median[name]:6.1f} s  {each:5.2f} s each  {ratio:4.1f} times as fast")
    differing = {
        name: (stock_marks.get(name), mark)
        for name, mark in marks.items()
        if stock_marks.get(name) != mark
    }
    print(f"  students whose points differ (stock, ours): {differing or 'none'}")


if __name__ == "__main__":
    main()
