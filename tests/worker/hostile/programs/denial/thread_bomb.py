"""Starts threads without end.

Outcome: raised RuntimeError
"""

import threading
import time


def answer(x):
    while True:
        threading.Thread(target=time.sleep, args=(60,)).start()
