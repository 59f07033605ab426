"""Starts another program.

Outcome: raised PermissionError
"""

import subprocess
import sys


def answer(x):
    return subprocess.run([sys.executable, "-c", "while True: pass"])
