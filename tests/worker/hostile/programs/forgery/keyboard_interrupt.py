"""Raises what would stop the judge if it came from the keyboard.

Outcome: raised KeyboardInterrupt
"""


def answer(x):
    raise KeyboardInterrupt
