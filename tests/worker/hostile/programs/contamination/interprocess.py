"""Leaves shared memory, semaphores and queues of the kernel behind.

Outcome: honest
"""

import ctypes


def answer(x):
    libc = ctypes.CDLL(None, use_errno=True)
    if (
        libc.shmget(1234, 4096, 0o1666) >= 0
        or libc.semget(1234, 1, 0o1666) >= 0
        or libc.msgget(1234, 0o1666) >= 0
    ):
        return "left behind"
    return 2 * x
