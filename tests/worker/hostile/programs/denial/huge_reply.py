"""Returns more than travels.

Outcome: error more than 64 MiB
"""

import numpy as np


def answer(x):
    return np.zeros(9 << 20)
