"""Starts a worker's process: in bubblewrap, else under Landlock, or bare where that is asked for by name.

A worker sees the standard library, numpy and an empty /tmp: what is absent need not be forbidden. Its own
source arrives over the pipe, as the submission does.
"""

import contextlib
import fcntl
import functools
import marshal
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from grader.worker import bubblewrap, confine, seccomp, visible

SandboxName = Literal["bubblewrap", "landlock", "none"]

_SHIPPED = ("confine", "program", "protocol", "serve")
_PIPE_SIZE = 1 << 20
_END_S = 1.0
_START = """
import marshal, os, site, sys, types
requests, replies, run, *paths = sys.argv[1:]
sys.argv = ['']
sys.path += paths
site.setquit(), site.sethelper(), site.setcopyright()
def read(length):
    data = b''
    while len(data) < length:
        data += os.read(int(requests), length - len(data))
    return data
for name, code in marshal.loads(read(int.from_bytes(read(4), 'little'))):
    module = sys.modules[name] = types.ModuleType(name)
    exec(code, module.__dict__)
room = {name.rpartition('.')[2]: sys.modules[name] for name in list(sys.modules) if name.startswith('grader.worker.')}
exec(run, {**room, 'requests': int(requests), 'replies': int(replies)})
"""
_FLAGS = ("-s", "-S", "-P", "-B", "-u")  # not -I: it would ignore PYTHONHASHSEED


class Launched(NamedTuple):
    """A process and the judge's ends of its pipes."""

    process: subprocess.Popen[bytes]
    requests: int
    replies: int
    output: int


def launch(name: SandboxName, run: str = "serve.main(requests, replies)") -> Launched:
    """Starts a process that loads the worker's modules, sets its limits and executes `run`.

    The process ends with the judge. Under bubblewrap it ends with the *thread* that calls this, so call it from
    a thread that lives as long as the worker.
    """
    theirs_in, requests = os.pipe()
    replies, theirs_out = os.pipe()
    output, theirs_output = os.pipe()
    extra = bubblewrap.descriptors() if name == "bubblewrap" else ()
    try:
        process = subprocess.Popen(
            _command(name, extra, theirs_in, theirs_out, f"{_confinement(name)}; {run}"),
            stdin=subprocess.DEVNULL,
            stdout=theirs_output,
            stderr=theirs_output,
            pass_fds=(theirs_in, theirs_out, *extra),
            env={} if name == "bubblewrap" else confine.ENVIRONMENT,
            cwd="/",
        )
    except OSError:
        for descriptor in (requests, replies, output):
            os.close(descriptor)
        raise
    finally:
        for descriptor in (theirs_in, theirs_out, theirs_output, *extra):
            os.close(descriptor)
    for descriptor in (requests, replies):
        with contextlib.suppress(OSError):  # an ordinary user's pipes have a quota
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    with contextlib.suppress(BrokenPipeError):  # it ended already: its output will say why
        os.write(requests, _modules())
    for descriptor in (requests, replies, output):
        os.set_blocking(descriptor, False)
    return Launched(process, requests, replies, output)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills a process that `launch` started, with everything in its sandbox, and waits until it is gone."""
    if process.poll() is None:
        # First the init of bubblewrap's own process namespace, so that bubblewrap reaps it: where the machine's
        # init does not (in many containers), a killed bubblewrap would leave a zombie per worker.
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            for child in children.split():
                os.kill(int(child), signal.SIGKILL)
            if children:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_END_S)
        process.kill()
    process.wait()


def _command(
    name: SandboxName, extra: tuple[int, ...], requests: int, replies: int, run: str
) -> list[str]:
    if name == "bubblewrap":
        python, packages = [*bubblewrap.command(*extra), bubblewrap.PYTHON], bubblewrap.PACKAGES
    else:
        python, packages = [sys.executable], f"{visible.numpy_folders()[0].parent}"
    return [*python, *_FLAGS, "-c", _START, f"{requests}", f"{replies}", run, packages]


def _confinement(name: SandboxName) -> str:
    if name != "landlock":
        return "confine.limit()"
    paths = [visible.standard_library(), *visible.shared_libraries(), *visible.numpy_folders()]
    paths += [
        path
        for path in map(Path, ("/usr/lib", "/usr/lib64", "/dev/null", "/dev/urandom"))
        if path.exists()
    ]
    program = seccomp.bpf_program(shared_namespaces=True)
    return f"confine.restrict({[str(path) for path in paths]!r}, {program!r}); confine.limit()"


@functools.cache
def _modules() -> bytes:
    """The worker's modules, compiled once, with their length before them."""
    modules: list[tuple[str, object]] = [
        (name, compile("", name, "exec")) for name in ("grader", "grader.worker")
    ]
    for short in _SHIPPED:
        name = f"grader.worker.{short}"
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).read_text(encoding="utf-8")
        modules.append((name, compile(source, f"<{short}>", "exec", dont_inherit=True)))
    data = marshal.dumps(modules)
    return len(data).to_bytes(4, "little") + data
