"""Raises an exception that cannot be printed.

Outcome: raised Broken
"""


class Broken(Exception):
    def __str__(self):
        raise RuntimeError

    __repr__ = __str__


def answer(x):
    raise Broken
