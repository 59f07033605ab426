"""Reads from address 0.

Outcome: ended segmentation fault
"""

import ctypes


def answer(x):
    return ctypes.string_at(0)
