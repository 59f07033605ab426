"""Hides memory in files that belong to no limit.

Outcome: raised PermissionError
"""

import os


def answer(x):
    return os.memfd_create("bomb")
