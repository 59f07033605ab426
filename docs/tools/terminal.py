"""Runs commands as a student would, in a student's copy of the course, and keeps what the terminal shows.

The commands run in children of one process that has loaded torch, hypothesis and the engine: each takes a second, not five.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
_OF_CI = ("CI", "BUILD_NUMBER")  # where these are set, pytest's summary is not cut to the width
_SECONDS = re.compile(r" in [\d.]+s( \([\d:]+\))?")


class Terminal:
    """A terminal without colour; use it in a `with` block.

    Args:
        columns: its width.
    """

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={
                **{
                    name: value
                    for name, value in os.environ.items()
                    if "PYTEST" not in name and name not in _OF_CI
                },
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
                "COLUMNS": f"{self.columns}",
                "NO_COLOR": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def shows(self, command: str, folder: Path) -> str:
        """What `pytest ...` or `grader ...` prints when it is typed in a folder, without the seconds that it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.NamedTemporaryFile("r") as output:
            print(
                json.dumps([command, str(folder), output.name]),
                file=self._process.stdin,
                flush=True,
            )
            if not self._process.stdout.readline():
                raise RuntimeError(f"the process that should run {command!r} has ended")
            printed = output.read()
        return without_seconds(printed).replace(str(folder), "~").rstrip()


def students_copy(folder: Path, *topics: str) -> Path:
    """A course as students get it: course.toml and the exercises of some topics, no solutions."""
    shutil.copy(ROOT / "course.toml", folder)
    for topic in topics:
        shutil.copytree(
            ROOT / "exercises" / topic,
            folder / "exercises" / topic,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return folder


def without_seconds(text: str) -> str:
    """The text without pytest's timing, which differs each time; rules of `=` get the length of 80 columns back."""
    lines = [_SECONDS.sub("", line) for line in text.splitlines()]
    return "\n".join(_ruled(line).rstrip() for line in lines)


def _ruled(line: str) -> str:
    found = re.fullmatch(r"=+ (.*) =+", line)
    return f" {found[1]} ".center(80, "=") if found else line


def serve() -> None:
    """Runs the commands that come on standard input, each in a child."""
    import hypothesis
    import pytest
    import scipy.stats
    import torch

    from grader import cli, load_optimizers
    from grader.checks import check, gradients, strategies

    load_optimizers()
    assert all(
        (hypothesis, scipy.stats, torch, check, gradients, strategies)
    )  # loaded for the children
    quiet = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    for line in sys.stdin:
        command, folder, output = json.loads(line)
        program, *words = command.split()
        child = os.fork()
        if child == 0:
            descriptor = os.open(output, os.O_WRONLY)
            for stream in (1, 2):
                os.dup2(descriptor, stream)
            os.chdir(folder)
            code = pytest.main([*quiet, *words]) if program == "pytest" else cli.run(words)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(code))
        os.waitpid(child, 0)
        print("done", flush=True)


if __name__ == "__main__":
    serve()
