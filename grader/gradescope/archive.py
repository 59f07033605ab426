"""`grader export gradescope`: the zip file to upload as an autograder.

It holds the engine's sources, the topic's checks and what a student gets, and nothing of solutions/. The same course gives the
same file, byte for byte.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

import grader
from grader.atomic import write_atomically
from grader.course import CourseError, Topic
from grader.gradescope.order import FILE, Order

PACKAGE = "gradus-dl"
TORCH_FOR_CPUS = "https://download.pytorch.org/whl/cpu"

_SCRIPTS = ("run_autograder", "setup.sh")
_WHEN = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE, _PLAIN = 0o100755, 0o100644


class NotInstalled(Exception):
    """The engine's requirements are not known here; the text says what to do."""


def write_archive(path: Path, topic: Topic, order: Order) -> None:
    """Writes the zip file, whole or not at all.

    Args:
        path: the file.
        topic: what it grades.
        order: how.

    Raises:
        CourseError: the topic has no checks.
        NotInstalled: the engine was not installed with pip, so that its requirements are not known.
        OSError: the file cannot be written.
    """
    write_atomically(path, archive(topic, order))


def archive(topic: Topic, order: Order) -> bytes:
    """The contents of the zip file.

    Raises:
        CourseError, NotInstalled: as `write_archive`.
    """
    if not topic.checks.is_file():
        raise CourseError(f"{topic.checks} does not exist: topic {topic.name} has no checks.")
    entries = {
        FILE: order.to_json().encode(),
        "course.toml": (topic.root / "course.toml").read_bytes(),
        "requirements.txt": requirements().encode(),
        **{name: Path(__file__).with_name(name).read_bytes() for name in _SCRIPTS},
    }
    for folder, place in (
        (Path(grader.__file__).parent, "engine/grader"),
        (topic.exercise_dir, f"exercises/{topic.name}"),
    ):
        for file in _files(folder):
            entries[f"{place}/{file.relative_to(folder).as_posix()}"] = file.read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _WHEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (_EXECUTABLE if name in _SCRIPTS else _PLAIN) << 16
            zipped.writestr(info, entries[name])
    return out.getvalue()


def requirements() -> str:
    """requirements.txt: what the engine needs, in the versions that are installed here; torch without CUDA's libraries.

    Raises:
        NotInstalled: there is no record of what it needs.
    """
    try:
        needed = [Requirement(text) for text in requires(PACKAGE) or ()]
        pins = [
            f"{one.name}=={_public(version(one.name))}"
            for one in needed
            if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
    except PackageNotFoundError as error:
        raise NotInstalled(
            f"{error.name} is not installed with pip in this environment, "
            "so that the versions to install on Gradescope are not known: install gradus-dl with pip."
        ) from None
    return "\n".join([f"--extra-index-url {TORCH_FOR_CPUS}", *sorted(pins, key=str.lower), ""])


def _public(version_: str) -> str:
    """A version without its local part: "2.13.0+cu130" -> "2.13.0"."""
    return re.sub(r"\+.*", "", version_)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden and path.suffix != ".pyc":
            yield path
