"""Returns a number of a hundred million digits.

Outcome: error bits
"""


def answer(x):
    return 1 << 300_000_000
