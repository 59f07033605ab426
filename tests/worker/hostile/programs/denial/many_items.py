"""Returns a tuple of very many arrays.

Outcome: error too many parts
"""


def answer(x):
    return tuple(x.copy() for _ in range(100_000))
