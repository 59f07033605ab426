"""Fills the disk.

Outcome: raised OSError
"""


def answer(x):
    for number in range(100):
        with open(f"/tmp/{number}", "wb") as file:
            file.write(bytes(7 << 20))
