"""Aborts its process.

Outcome: ended abort
"""

import os


def answer(x):
    os.abort()
