"""Returns an array of a structured dtype.

Outcome: wrong
"""

import numpy as np


def answer(x):
    return np.zeros(x.shape, dtype=[("value", "f8")])
