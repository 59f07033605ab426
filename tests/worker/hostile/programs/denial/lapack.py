"""Spends its time in a single call of LAPACK, where Python cannot interrupt it.

Outcome: timeout
"""

import numpy as np


def answer(x):
    return np.linalg.svd(np.random.default_rng(0).normal(size=(3000, 3000)))
