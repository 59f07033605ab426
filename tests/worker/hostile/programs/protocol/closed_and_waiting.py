"""Closes every descriptor and stays alive.

Outcome: ended closed its connection
"""

import os
import time


def answer(x):
    os.closerange(0, 1024)
    time.sleep(600)
