"""What nbgrader must not touch in a submission's folder."""

import logging
import os
import stat
from collections.abc import Sequence
from pathlib import Path

_log = logging.getLogger("grader.nbgrader")


def drop_links(*, assignment: str, student: str, notebooks: Sequence[str]) -> None:  # noqa: ARG001  # nbgrader's call
    """Removes links, pipes and devices from a submission, before nbgrader copies what they lead to.

    It would copy the instructor's file behind a link into the feedback. Notebooks stay: they are opened without following
    links, and the report then says what is wrong.

    Args:
        assignment: the one that is being graded.
        student: nbgrader's pattern for whom.
        notebooks: paths of the submission's notebooks.
    """
    for folder in {Path(notebook).parent for notebook in notebooks}:
        for path in _special_files(folder):
            _log.warning("%s is a link, a pipe or a device, and is removed", path)
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
