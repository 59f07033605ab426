"""Returns a handle of its own making.

Outcome: wrong
"""

from grader.worker.program import Handle


def answer(x):
    return Handle(10**6, "ndarray")
