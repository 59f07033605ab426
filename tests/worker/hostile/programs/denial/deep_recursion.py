"""Recurses without end, with Python's own limit removed.

Outcome: lost
"""

import sys

sys.setrecursionlimit(2**31 - 1)


class Deep:
    def __repr__(self):
        return repr(self)


def answer(x):
    return repr(Deep())
