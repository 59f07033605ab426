"""Stops its own process.

Outcome: timeout
"""

import os
import signal


def answer(x):
    os.kill(os.getpid(), signal.SIGSTOP)
    return 2 * x
