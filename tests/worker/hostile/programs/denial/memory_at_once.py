"""Asks for more memory than the machine has.

Outcome: raised MemoryError
"""


def answer(x):
    return bytearray(1 << 40)
