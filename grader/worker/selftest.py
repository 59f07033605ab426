"""Which sandbox works here: each is tried on a probe before the first submission runs in it."""

import contextlib
import functools
import json
import os
import select
import socket
import tempfile
import time
from collections.abc import Iterator

from grader.worker import bubblewrap, confine, seccomp
from grader.worker.sandbox import SandboxName, end, launch

_TIMEOUT_S = 20.0
_PROBE = """
import _thread, json, os, socket
def fails(action, *arguments):
    try:
        action(*arguments)
    except BaseException:
        return True
    return False
def connect(family, address):
    with socket.socket(family) as client:
        client.connect(address)
def environment():
    assert open('/proc/1/environ', 'rb').read()
def fork():
    if os.fork() == 0:
        os._exit(0)
def torch():
    import torch
canary, port, name = {targets!r}
os.write(replies, json.dumps({{
    'a file of the judge is readable': fails(open, canary),
    'the folder of a file of the judge can be listed': fails(os.listdir, os.path.dirname(canary)) or not os.path.exists(canary),
    'the local network is reached': fails(connect, socket.AF_INET, ('127.0.0.1', port)),
    'a socket of the judge is reached': fails(connect, socket.AF_UNIX, name),
    'processes can be started': fails(fork),
    'threads can be started': fails(_thread.start_new_thread, int, ()),
    'torch can be imported': fails(torch),
    'the environment of the judge is readable': fails(environment),
    'files can be written': fails(open, '/written', 'w') and fails(open, '/usr/lib/written', 'w'),
}}).encode())
"""


class SandboxUnavailable(Exception):
    """No sandbox works on this machine; the text says what to install."""


def usable_sandbox(wanted: SandboxName | None = None) -> SandboxName:
    """The best sandbox that passes its self-test: bubblewrap, else Landlock.

    Args:
        wanted: only this one; "none", which protects from nothing, is not tested.

    Raises:
        SandboxUnavailable: neither does, or the wanted one does not.
    """
    if wanted == "none":
        return wanted
    problems: list[str] = []
    names: tuple[SandboxName, ...] = (wanted,) if wanted else ("bubblewrap", "landlock")
    for name in names:
        leaks = flaws(name)
        if not leaks:
            return name
        problems.append(f"{name}: {'; '.join(leaks)}")
    raise SandboxUnavailable(
        "No sandbox for student code works here.\n"
        + "".join(f"  {problem}\n" for problem in problems)
        + "Install bubblewrap (Debian and Ubuntu: apt install bubblewrap) and allow user namespaces, "
        "or use a kernel with Landlock (5.13 or later).\n"
        "To run student code without protection, ask for it by name: --no-sandbox."
    )


@functools.cache
def flaws(name: SandboxName) -> list[str]:
    """What a probe in this sandbox could do but must not, or why it cannot be used; nothing when it is sound.

    Each sandbox is tried once per process.
    """
    if not seccomp.supported():
        return ["the system-call filter is not known for this machine"]
    if name == "bubblewrap" and (lacking := bubblewrap.missing()):
        return [lacking]
    if name == "landlock" and confine.landlock_version() == 0:
        return ["the kernel has no Landlock"]
    with _targets() as targets:
        refused, text = _probe(name, _PROBE.format(targets=targets))
    try:
        refusals = json.loads(refused)
    except ValueError:
        return [text.strip().rpartition("\n")[2] or "the probe did not start"]
    return [flaw for flaw, refused in refusals.items() if refused is not True]


@contextlib.contextmanager
def _targets() -> Iterator[tuple[str, int, str]]:
    """A file, a port and an abstract socket's name, none of which a worker may reach."""
    with (
        tempfile.NamedTemporaryFile(prefix="canary") as canary,
        socket.create_server(("127.0.0.1", 0)) as port,
        socket.socket(socket.AF_UNIX) as local,
    ):
        os.chmod(canary.name, 0o644)  # noqa: PTH101  # readable by everyone: the sandbox must hide it
        local.bind("")  # the kernel picks an abstract name
        local.listen()
        yield canary.name, port.getsockname()[1], local.getsockname().decode("latin-1")


def _probe(name: SandboxName, run: str) -> tuple[bytes, str]:
    probe = launch(name, run)
    reply, text = bytearray(), bytearray()
    poll = select.poll()
    for descriptor in (probe.replies, probe.output):
        poll.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + _TIMEOUT_S
    waiting = {probe.replies: reply, probe.output: text}
    try:
        while waiting and (left := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left * 1000):
                part = os.read(descriptor, 65536)
                waiting[descriptor] += part
                if not part:
                    poll.unregister(descriptor)
                    del waiting[descriptor]
    finally:
        end(probe.process)
        for descriptor in (probe.requests, probe.replies, probe.output):
            os.close(descriptor)
    return bytes(reply), text.decode(errors="replace")
