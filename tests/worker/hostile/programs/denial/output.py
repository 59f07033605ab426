"""Prints without end.

Outcome: timeout
"""


def answer(x):
    while True:
        print("x" * 10_000)
