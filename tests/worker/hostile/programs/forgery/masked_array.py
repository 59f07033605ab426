"""Returns a masked array: masked elements compare as equal.

Outcome: wrong
"""

import numpy as np


def answer(x):
    return np.ma.masked_all(x.shape)
