"""Where a class is graded, by name: a dask cluster, and what other installed packages add.

A package adds a place in its pyproject.toml:

    [project.entry-points."grader.executors"]
    slurm = "my_package:slurm"

where `slurm(argument)` takes what stands behind `--executor slurm=` ("" without it) and returns a context manager of
`(executor, cores)`: a `concurrent.futures.Executor` and how many submissions it grades at once. What is submitted can be
pickled; where it runs, this package, a sandbox and the course at the same path are needed. Where the place cannot be used
it raises `grader.cluster.ClusterUnavailable`, with the reason in one line.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager

from grader.cluster import connected
from grader.extensions import function_named

Opened = AbstractContextManager[tuple[Executor, int]]

GROUP = "grader.executors"
BUILT_IN: dict[str, Callable[[str], Opened]] = {"dask": connected}


def opened(place: str) -> Opened:
    """The executor at a place, "NAME" or "NAME=ARGUMENT", to be entered.

    Raises:
        NoSuchExtension: there is no such place, or its package cannot be used.
    """
    name, _, argument = place.partition("=")
    context: Opened = function_named(name, GROUP, "executor", BUILT_IN)(argument)
    return context
