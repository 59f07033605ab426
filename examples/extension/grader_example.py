"""What a package of your own may add to the grader: a report format, an executor, a helper for checks."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from grader import Failure
from grader.cluster import ClusterUnavailable
from grader.grading import Report


def one_line(report: Report) -> str:
    """The points in one line: `grader check FILE --format one-line=points.txt`."""
    return f"{report.topic}\t{report.points:g}\t{report.max_points:g}\n"


@contextlib.contextmanager
def threads(argument: str) -> Iterator[tuple[Executor, int]]:
    """Threads of this process: `grader grade FOLDER --out DIR --executor threads=4`.

    They share one judge, which grades one submission at a time; a place worth its name has machines behind it.
    """
    if not argument.isdecimal() or int(argument) == 0:
        raise ClusterUnavailable(f"threads={argument}: give a number of threads, such as threads=4")
    with ThreadPoolExecutor(int(argument)) as executor:
        yield executor, int(argument)


def assert_bounded(
    actual: np.ndarray, low: float, high: float, *, what: str = "the answer"
) -> None:
    """Every element lies between two bounds.

    Raises:
        Failure: one does not.
    """
    outside = np.argwhere(~((actual >= low) & (actual <= high)))  # nan lies nowhere
    if len(outside):
        where = tuple(int(index) for index in outside[0])
        raise Failure(
            f"{what} is {actual[where]:g} at {list(where)}, but should lie between {low:g} and {high:g}."
        )
