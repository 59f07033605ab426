"""Fills the memory, and holds it.

Outcome: raised MemoryError
"""

kept = []


def answer(x):
    while True:
        kept.append(bytearray(1 << 24))
