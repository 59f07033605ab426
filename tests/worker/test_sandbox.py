"""The sandbox: it is tried before it is used, and refused when it leaks."""

import errno
import os
import re
import struct

import pytest

from grader.worker import bubblewrap, confine, seccomp, selftest
from grader.worker.client import Isolated
from grader.worker.pool import Pool
from grader.worker.selftest import SandboxUnavailable, flaws, usable_sandbox


@pytest.fixture
def untested():
    selftest.flaws.cache_clear()
    yield
    selftest.flaws.cache_clear()


def test_bubblewrap_is_sound():
    """Where bubblewrap is installed, as the project's set-up does, it passes every point of the self-test."""
    assert flaws("bubblewrap") == []


def test_landlock_is_sound_or_refused():
    """Landlock passes as well, or is refused with a reason: root's interpreter may be root's alone."""
    assert all(flaws("landlock")) or flaws("landlock") == []


def test_nothing_is_not_sound():
    """The self-test bites: without a sandbox it names every leak that matters."""
    leaks = flaws("none")
    assert "a file of the judge is readable" in leaks
    assert "the local network is reached" in leaks


def test_preference(untested, monkeypatch):
    """Bubblewrap first, then Landlock."""
    monkeypatch.setattr(selftest, "flaws", lambda name: [] if name == "landlock" else ["leak"])
    assert usable_sandbox() == "landlock"


def test_refusal(untested, monkeypatch):
    """With neither there is no grading; the message says why, what to install, and how to insist."""
    monkeypatch.setattr(bubblewrap, "missing", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(confine, "landlock_version", lambda: 0)
    with pytest.raises(SandboxUnavailable) as caught:
        Isolated(Pool())
    text = str(caught.value)
    assert "bubblewrap: bubblewrap is not installed" in text
    assert "landlock: the kernel has no Landlock" in text
    assert "apt install bubblewrap" in text
    assert "--no-sandbox" in text


def test_none_by_name():
    """Without a sandbox a worker runs all the same, when that is asked for by name."""
    pool = Pool("none", size=0)
    backend = Isolated(pool)
    backend.load([("answer.py", "def f(): return 1")], name="answer", stop_at_error=True)
    assert backend.sandbox == "none"
    assert backend.call("f", None, [], {}).value == 1
    backend.close()


def test_no_host_path_in_the_command_line():
    """Paths of this machine are in the options' file, not in a command line that a student can read."""
    options, steps = bubblewrap.descriptors()
    try:
        words = bubblewrap.command(options, steps)
        assert not any(re.search(r"site-packages|home|numpy", word) for word in words)
        assert b"numpy\0" in os.read(options, 1 << 20)
    finally:
        os.close(options)
        os.close(steps)


def run_filter(program, architecture, number, arguments=(0, 0)):
    """What a BPF program returns for a system call."""
    data = struct.pack("=IIQQQ", number, architecture, 0, *arguments)
    steps = list(struct.iter_unpack("=HBBI", program))
    position, accumulator = 0, 0
    while True:
        operation, if_true, if_false, operand = steps[position]
        position += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("=I", data, operand)[0]
        elif operation == 0x06:
            return operand
        else:
            holds = accumulator == operand if operation == 0x15 else accumulator >= operand
            position += if_true if holds else if_false


ALLOW, KILL, EPERM = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
NAMES = ("read", "write", "mmap", "execve", "futex", "kill", "clone", "ptrace", "socket", "fcntl")
MACHINES = {
    "x86_64": (0xC000003E, dict(zip(NAMES, (0, 1, 9, 59, 202, 62, 56, 101, 41, 72), strict=True))),
    "aarch64": (
        0xC00000B7,
        dict(zip(NAMES, (63, 64, 222, 221, 98, 129, 220, 117, 198, 25), strict=True)),
    ),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_filter(machine, monkeypatch):
    """Each system call has its answer, on every machine that the filter knows."""
    monkeypatch.setattr("platform.machine", lambda: machine)
    architecture, numbers = MACHINES[machine]
    program = seccomp.bpf_program()
    shared = seccomp.bpf_program(shared_namespaces=True)
    for name in ("read", "write", "mmap", "execve", "futex", "kill"):
        assert run_filter(program, architecture, numbers[name]) == ALLOW
    for name in ("clone", "ptrace"):
        assert run_filter(program, architecture, numbers[name]) == EPERM
    assert run_filter(program, architecture, 435) == 0x00050000 | errno.ENOSYS
    assert run_filter(program, architecture, 425) == EPERM
    assert run_filter(program, architecture, numbers["socket"], (1, 0)) == ALLOW
    assert run_filter(program, architecture, numbers["socket"], (2, 0)) == EPERM
    assert run_filter(program, architecture, numbers["fcntl"], (0, 4)) == ALLOW
    for command in (5, 6, 7, 36, 37, 38, 1024, 1026):
        assert run_filter(program, architecture, numbers["fcntl"], (0, command)) == EPERM
    assert run_filter(program, 0x40000003, numbers["read"]) == KILL
    assert run_filter(shared, architecture, numbers["socket"], (1, 0)) == EPERM
    assert run_filter(shared, architecture, numbers["kill"]) == EPERM
    assert run_filter(shared, architecture, numbers["read"]) == ALLOW


def test_foreign_numbers(monkeypatch):
    """The x32 calls of a 64-bit kernel, a second set of numbers for the same calls, end the process."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert run_filter(seccomp.bpf_program(), 0xC000003E, 0x40000000 + 57) == KILL
