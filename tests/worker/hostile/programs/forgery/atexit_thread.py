"""Leaves a thread behind that would answer later.

Outcome: raised RuntimeError
"""

import atexit
import threading
import time

atexit.register(print, "passed")


def answer(x):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return 2 * x
