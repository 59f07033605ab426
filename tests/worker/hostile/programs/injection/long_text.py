"""Raises an exception of a hundred million characters.

Outcome: raised ValueError
"""


def answer(x):
    raise ValueError("x" * 100_000_000)
