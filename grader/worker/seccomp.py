"""The worker's system-call filter: a classic BPF program, assembled here without a library."""

import errno
import platform
import socket
import struct

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_ALLOW, _KILL = 0x7FFF_0000, 0x8000_0000
_X32_BIT = 0x4000_0000
_LOCKS = (5, 6, 7, 36, 37, 38, 1024, 1026)
"""fcntl's commands for record locks, leases and notifications: marks that another worker could see."""

_NEWEST = {  # one number on every architecture
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_open": 434, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "memfd_secret": 447,
}  # fmt: skip
_X86_64 = {
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "perf_event_open": 298,
    "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "userfaultfd": 323, "unshare": 272,
    "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "memfd_create": 319,
    "shmget": 29, "shmat": 30, "shmctl": 31, "shmdt": 67, "semget": 64, "semop": 65, "semctl": 66,
    "semtimedop": 220, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "mq_open": 240,
    "mq_unlink": 241, "mq_timedsend": 242, "mq_timedreceive": 243, "mq_notify": 244, "mq_getsetattr": 245,
    "flock": 73, "inotify_init": 253, "inotify_init1": 294, "inotify_add_watch": 254, "fanotify_init": 300,
    "fanotify_mark": 301, "fork": 57, "vfork": 58, "clone": 56, "kexec_load": 246, "kexec_file_load": 320,
    "init_module": 175, "finit_module": 313, "delete_module": 176, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "swapon": 167, "swapoff": 168, "reboot": 169, "acct": 163, "quotactl": 179,
    "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "clock_adjtime": 305, "personality": 135,
    "syslog": 103, "iopl": 172, "ioperm": 173,
}  # fmt: skip
_AARCH64 = {
    "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "perf_event_open": 241,
    "add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280, "userfaultfd": 282, "unshare": 97,
    "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "memfd_create": 279,
    "shmget": 194, "shmctl": 195, "shmat": 196, "shmdt": 197, "semget": 190, "semctl": 191, "semtimedop": 192,
    "semop": 193, "msgget": 186, "msgctl": 187, "msgrcv": 188, "msgsnd": 189, "mq_open": 180, "mq_unlink": 181,
    "mq_timedsend": 182, "mq_timedreceive": 183, "mq_notify": 184, "mq_getsetattr": 185, "flock": 32,
    "inotify_init1": 26, "inotify_add_watch": 27, "fanotify_init": 262, "fanotify_mark": 263, "clone": 220,
    "kexec_load": 104, "kexec_file_load": 294, "init_module": 105, "finit_module": 273, "delete_module": 106,
    "name_to_handle_at": 264, "open_by_handle_at": 265, "swapon": 224, "swapoff": 225, "reboot": 142,
    "acct": 89, "quotactl": 60, "settimeofday": 170, "clock_settime": 112, "adjtimex": 171,
    "clock_adjtime": 266, "personality": 92, "syslog": 116,
}  # fmt: skip
_MACHINES: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {
    "x86_64": (0xC000_003E, _X86_64, {"socket": 41, "socketpair": 53, "fcntl": 72, "clone3": 435}),
    "aarch64": (
        0xC000_00B7,
        _AARCH64,
        {"socket": 198, "socketpair": 199, "fcntl": 25, "clone3": 435},
    ),
}
_SIGNALS = {"x86_64": (62, 200, 234, 129, 297), "aarch64": (129, 130, 131, 138, 240)}


def supported() -> bool:
    """Whether the filter is known for this machine."""
    return platform.machine() in _MACHINES


def bpf_program(*, shared_namespaces: bool = False) -> bytes:
    """The filter, an array of `struct sock_filter`, in this machine's byte order.

    A refused call fails with EPERM. Other architectures' calls end the process.

    Args:
        shared_namespaces: the worker sees the machine's own processes and sockets (no bubblewrap):
            refuse signals and every kind of socket too.
    """
    architecture, denied, special = _MACHINES[platform.machine()]
    refuse = _step(_RETURN, 0x0005_0000 | errno.EPERM)
    code = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, architecture, 1, 0), _step(_RETURN, _KILL)]
    code += [_step(_LOAD, _NUMBER)]
    if platform.machine() == "x86_64":
        code += [_step(_AT_LEAST, _X32_BIT, 0, 1), _step(_RETURN, _KILL)]
    numbers = {**_NEWEST, **denied}.values()
    for number in (*numbers, *(_SIGNALS[platform.machine()] if shared_namespaces else ())):
        code += [_step(_EQUAL, number, 0, 1), refuse]
    # glibc falls back to clone, which is refused, only where clone3 does not exist
    code += [_step(_EQUAL, special["clone3"], 0, 1), _step(_RETURN, 0x0005_0000 | errno.ENOSYS)]
    for name in ("socket", "socketpair"):
        family = -1 if shared_namespaces else int(socket.AF_UNIX)
        code += [_step(_EQUAL, special[name], 0, 4), _step(_LOAD, _argument(0))]
        code += [_step(_EQUAL, family & 0xFFFF_FFFF, 1, 0), refuse, _step(_RETURN, _ALLOW)]
    locks = [_step(_EQUAL, command, len(_LOCKS) - index, 0) for index, command in enumerate(_LOCKS)]
    code += [_step(_EQUAL, special["fcntl"], 0, len(locks) + 3), _step(_LOAD, _argument(1)), *locks]
    code += [_step(_RETURN, _ALLOW), refuse, _step(_RETURN, _ALLOW)]
    return b"".join(code)


def _step(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, operand)


def _argument(position: int) -> int:
    return 16 + 8 * position
