"""Leaves a changed module for the next submission.

Outcome: honest
"""

import sys

import numpy as np


def answer(x):
    if hasattr(np, "mark") or "mark" in sys.modules:
        return "marked"
    np.mark = sys.modules["mark"] = np
    return 2 * x
