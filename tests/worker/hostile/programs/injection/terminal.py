"""Clears the screen and renames the window.

Outcome: raised ValueError
"""

print("\x1b[2J\x1b]0;owned\x07")


def answer(x):
    raise ValueError("\x1b[2J\x1b]0;owned\x07\x1b[31m")
