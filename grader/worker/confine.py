"""What a worker does to itself before it meets the student's code: limits and, without bubblewrap, Landlock.

Runs inside the worker, so it imports the standard library only.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Sequence

MEMORY_MIB = 1024
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}

_MIB = 1 << 20
_LIMITS = {
    "NPROC": 0,
    "AS": MEMORY_MIB * _MIB,
    "FSIZE": 8 * _MIB,
    "NOFILE": 64,
    "CPU": 1800,
    "CORE": 0,
    "MEMLOCK": 0,
    "MSGQUEUE": 0,
}
_NOBODY = 65534
_SIGNAL_AT_PARENTS_END, _NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 1, 38, 22, 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_ACCESS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many kinds of access each version of Landlock knows; all are refused but for reading what is listed."""


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _BeneathPath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("folder", ctypes.c_int32))


def limit() -> None:
    """Sets the process's limits, for good: no processes or threads, little memory, small files; it ends with its parent."""
    _checked(_libc().prctl(_SIGNAL_AT_PARENTS_END, signal.SIGKILL, 0, 0, 0))
    for name, amount in _LIMITS.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (amount, amount))


def landlock_version() -> int:
    """The kernel's version of Landlock, 0 where there is none."""
    version = int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    return max(version, 0)


def restrict(readable: Sequence[str], bpf_program: bytes) -> None:
    """Leaves reading `readable` as the only access to files, then filters system calls; for good.

    Raises:
        OSError: the kernel refuses.
    """
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    _checked(_libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    version = landlock_version()
    bits = _ACCESS_BITS.get(version, 16)
    handled = _Ruleset((1 << bits) - 1, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _checked(
        _libc().syscall(_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(size), 0)
    )
    for path in readable:
        folder = os.open(path, os.O_PATH)
        access = _READ_FILE | (_READ_FOLDER if os.path.isdir(path) else 0)  # noqa: PTH112
        rule = _BeneathPath(access, folder)
        _checked(_libc().syscall(_ADD_RULE, rules, 1, ctypes.byref(rule), 0))
        os.close(folder)
    _checked(_libc().syscall(_RESTRICT_SELF, rules, 0))
    os.close(rules)
    steps = ctypes.create_string_buffer(bpf_program, len(bpf_program))
    program = _Filter(len(bpf_program) // 8, ctypes.cast(steps, ctypes.c_void_p))
    _checked(_libc().prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
