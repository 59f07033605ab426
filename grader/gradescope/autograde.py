"""What run_autograder runs in Gradescope's container: grades submission/ and writes results/results.json.

    /autograder/source          the archive
    /autograder/submission      what the student uploaded
    /autograder/results         results.json goes here

Another folder takes the place of /autograder by the variable AUTOGRADER_ROOT. A submission that cannot be read or loaded
has a results.json with 0 points and the reason. When the machine cannot grade (no sandbox, no room), there is none: Gradescope
then records no score, and a run again makes up for it.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from grader.atomic import write_atomically
from grader.choice import SUFFIXES, chosen_file
from grader.course import CourseError, Topic, load_course
from grader.gradescope.order import Order, order_in
from grader.grading import Settings, grade
from grader.opening import Unreadable
from grader.report.gradescope import results_json
from grader.report.visible import visible
from grader.worker.selftest import SandboxUnavailable

DONE, COULD_NOT_GRADE = 0, 3

_DEPTH = 3
"""How deep below submission/ a file is looked for: students upload folders, too."""


def main() -> int:
    """Exit code 0: there is a results.json; 3: the submission could not be graded, and there is none."""
    root = Path(os.environ.get("AUTOGRADER_ROOT") or "/autograder")
    results = root / "results" / "results.json"
    try:
        results.unlink(missing_ok=True)
        order = order_in(root / "source")
        topic = load_course(root / "source").topic(order.topic)
        settings = settings_of(order)
        submission, note = submitted(root / "submission", topic)
        report = grade(submission, topic, settings, notes=(note,) if note else ())
        write_atomically(results, results_json(report, visibility=order.visibility))
    except (CourseError, SandboxUnavailable, msgspec.MsgspecError, OSError, MemoryError) as error:
        print(f"This submission was not graded. {error}", file=sys.stderr)  # noqa: T201  # instructors see it
        return COULD_NOT_GRADE
    name = submission.name if isinstance(submission, Path) else "nothing"
    print(f"graded {visible(name)}: {report.points:g} of {report.max_points:g}")  # noqa: T201  # the same
    return DONE


def settings_of(order: Order) -> Settings:
    """How to grade here.

    Raises:
        SandboxUnavailable: no sandbox works in this container, and the order does not allow to go without.
    """
    settings = Settings(seed=order.seed, examples=order.examples)
    try:
        return settings.resolved()
    except SandboxUnavailable as error:
        if order.no_sandbox:
            return msgspec.structs.replace(settings, sandbox="none")
        why, _, _ = str(error).rpartition("\n")  # the last line names an option of another command
        raise SandboxUnavailable(
            f"{why}\n"
            "On Gradescope: choose another base image or another container, or accept the risk that a student's code "
            "writes its own results: grader export gradescope --no-sandbox."
        ) from None


def submitted(folder: Path, topic: Topic) -> tuple[Path | Unreadable, str]:
    """The file to grade: the topic's, at the top or in a folder of the upload, else the only one there is; and why that one.

    What is wrong with the upload is the student's error: `Unreadable` says what was expected.
    """
    folders = list(_folders(folder, _DEPTH))
    for place in folders:
        if (chosen := chosen_file(place, topic)) is not None:
            return chosen
    others = [
        path
        for place in folders
        for path in sorted(place.iterdir())
        if path.suffix in SUFFIXES and not path.name.startswith(".")
    ]
    if len(others) == 1:
        return others[0], ""
    found = ", ".join(path.name for path in others) or "no .py or .ipynb file"
    return Unreadable(
        f"Expected {topic.module}.py or {topic.module}.ipynb, but found {found}: submit that file.",
        aspect="load",
    ), ""


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """The folder, then those below it, nearer ones first; links are not followed."""
    level = [folder]
    for _ in range(depth + 1):
        yield from level
        level = [
            path
            for place in level
            for path in sorted(place.iterdir())
            if path.is_dir()
            and not path.is_symlink()
            and not path.name.startswith((".", "__"))  # __MACOSX, __pycache__
        ]


if __name__ == "__main__":
    sys.exit(main())
