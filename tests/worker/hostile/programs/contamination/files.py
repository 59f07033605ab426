"""Leaves a file for the next submission.

Outcome: honest
"""

import os

paths = [
    os.path.join(folder, "mark")
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/", "/proc", "/dev", "/usr/lib")
]
marked = any(os.path.exists(path) for path in paths)
for path in paths:
    try:
        with open(path, "w") as file:
            file.write("mark")
    except OSError:
        pass


def answer(x):
    return "marked" if marked else 2 * x
