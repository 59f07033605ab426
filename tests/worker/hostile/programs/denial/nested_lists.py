"""Returns lists in lists in lists.

Outcome: wrong
"""


def answer(x):
    value = []
    for _ in range(100_000):
        value = [value]
    return value
