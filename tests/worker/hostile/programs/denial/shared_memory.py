"""Fills the machine's shared memory.

Outcome: raised OSError
"""


def answer(x):
    for number in range(100):
        with open(f"/dev/shm/{number}", "wb") as file:
            file.write(bytes(1 << 20))
