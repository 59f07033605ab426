"""Reads the memory of another process.

Outcome: honest
"""

import ctypes
import os


def answer(x):
    libc = ctypes.CDLL(None, use_errno=True)
    for process in (1, os.getppid()):
        if libc.ptrace(16, process, 0, 0) == 0:
            return "attached"
        try:
            with open(f"/proc/{process}/mem", "rb") as memory:
                return memory.read(1)
        except OSError:
            pass
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    if libc.process_vm_readv(1, vector, 1, vector, 1, 0) >= 0 or ctypes.get_errno() != 1:
        return "process_vm_readv"
    return 2 * x
