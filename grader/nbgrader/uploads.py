"""What nbgrader must not touch in a submission's folder."""

import contextlib
import logging
import os
import shutil
import stat
from datetime import datetime
from pathlib import Path

from nbgrader.utils import parse_utc

TIMESTAMP = "timestamp.txt"
"""nbgrader's file in a submission's folder: when it was handed in. `nbgrader submit` writes it, on the student's side."""

_log = logging.getLogger("grader.nbgrader")


def make_safe(folder: Path) -> None:
    """Removes links, pipes, devices and a timestamp that is none from a submission's folder, before nbgrader reads it.

    nbgrader would copy the instructor's file behind a link into the feedback, and stop altogether at a time that it cannot
    read. Notebooks stay: they are opened without following links, and the report then says what is wrong.

    Raises:
        OSError: something cannot be removed; the submission is not to be read then.
    """
    for path in _special_files(folder):
        _log.warning("%s is a link, a pipe or a device, and is removed", path)
        _remove(path)
    if (folder / TIMESTAMP).exists() and handed_in_at(folder) is None:
        _log.warning("%s is no time, and is removed: see when it was handed in", folder / TIMESTAMP)
        _remove(folder / TIMESTAMP)


def handed_in_at(folder: Path) -> datetime | None:
    """When a submission was handed in (UTC), by its own timestamp.txt; None where that is missing, a link or no time."""
    file = folder / TIMESTAMP
    if not file.is_file() or file.is_symlink():
        return None
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return parse_utc(file.read_text(encoding="utf-8").strip())
    return None


def _remove(path: Path) -> None:
    """Also out of a folder in which nothing may be changed, for a student's modes are kept when work is collected."""
    folder = path.parent
    folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IRWXU)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _special_files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            is_plain = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
            if not is_plain and path.suffix != ".ipynb":
                found.append(path)
    return found
