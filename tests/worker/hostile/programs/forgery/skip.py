"""Raises an exception by the name of pytest's own for skipping.

Outcome: raised Skipped
"""


class Skipped(BaseException):
    allow_module_level = True


def answer(x):
    raise Skipped("not today")
