"""Ends its process with the status of success.

Outcome: ended exit status 0
"""

import os


def answer(x):
    os._exit(0)
