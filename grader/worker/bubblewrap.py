"""The command line of bubblewrap for a worker: new namespaces, a root of a few read-only folders, no capabilities."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from grader.worker import confine, seccomp, visible

HOME = "/worker"
PYTHON = f"{HOME}/python/bin/python3"
PACKAGES = f"{HOME}/packages"
TMP_MIB = 16

_NOBODY = "65534"
_MIB = 1 << 20
_SETPRIV = f"{HOME}/setpriv"


def missing() -> str | None:
    """What has to be installed, or None."""
    if _program("bwrap") is None:
        return "bubblewrap is not installed"
    if os.geteuid() == 0 and _program("setpriv") is None:
        return "setpriv (Debian package util-linux) is not installed"
    return None


def descriptors() -> tuple[int, int]:
    """Two files in memory for one start: the options (so that no path is in a command line) and the filter."""
    return _in_memory("options", _options()), _in_memory("filter", seccomp.bpf_program())


def command(options: int, seccomp_filter: int) -> list[str]:
    """The command line up to the program to run in the sandbox."""
    start = [f"{_program('bwrap')}", "--args", f"{options}", "--seccomp", f"{seccomp_filter}"]
    if os.geteuid() != 0:
        return start
    drop = ["--reuid", _NOBODY, "--regid", _NOBODY, "--clear-groups", "--no-new-privs"]
    capabilities = ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"]
    return [*start, _SETPRIV, *drop, *capabilities]


@functools.cache
def _options() -> bytes:
    parts = [*_namespaces(), *_folders(), *_devices(), "--chdir", "/tmp", "--clearenv"]
    for name, value in {**confine.ENVIRONMENT, "LD_LIBRARY_PATH": f"{HOME}/python/lib"}.items():
        parts += ["--setenv", name, value]
    return b"".join(os.fsencode(part) + b"\0" for part in parts)


def _namespaces() -> Iterator[str]:
    yield from ("--die-with-parent", "--new-session", "--cap-drop", "ALL")
    if os.geteuid() == 0:
        # root's own user namespace would be subject to neither RLIMIT_NPROC nor /proc/sys's permissions
        for name in ("ipc", "pid", "net", "uts"):
            yield f"--unshare-{name}"
        yield "--unshare-cgroup-try"
        for name in ("SETUID", "SETGID", "SETPCAP"):
            yield from ("--cap-add", f"CAP_{name}")
    else:
        yield from ("--unshare-user", "--unshare-all", "--uid", _NOBODY, "--gid", _NOBODY)
        if "--disable-userns" in _help():
            yield "--disable-userns"
    yield from ("--hostname", "worker")


def _folders() -> Iterator[str]:
    python = f"{HOME}/python"
    for path in (
        "/usr",
        "/etc",
        HOME,
        python,
        f"{python}/bin",
        f"{python}/{sys.platlibdir}",
        PACKAGES,
    ):
        yield from (
            "--perms",
            "0755",
            "--dir",
            path,
        )  # a bind's missing parents would be root's alone
    for name in ("lib", "lib64"):
        folder = Path("/usr", name)
        if folder.is_dir():
            yield from ("--ro-bind", f"{folder}", f"{folder}")
            for packages in folder.glob("python*"):
                yield from _hidden(packages)
        if Path("/", name).is_symlink():
            yield from ("--symlink", f"usr/{name}", f"/{name}")
        elif Path("/", name).is_dir():
            yield from ("--ro-bind", f"/{name}", f"/{name}")
    for path in (
        "/etc/ld.so.cache",
        "/etc/alternatives",
    ):  # a distribution's numpy finds its BLAS so
        yield from ("--ro-bind-try", path, path)
    if os.geteuid() == 0:
        yield from ("--ro-bind", f"{_program('setpriv')}", _SETPRIV)
    yield from _python()


def _python() -> Iterator[str]:
    library = visible.standard_library()
    inside = f"{HOME}/python/{sys.platlibdir}/{library.name}"
    yield from ("--ro-bind", f"{visible.interpreter()}", PYTHON)
    yield from ("--ro-bind", f"{library}", inside)
    for name in ("site-packages", "dist-packages"):
        if (library / name).is_dir():
            yield from _hidden(Path(inside, name))
    for path in visible.shared_libraries():
        yield from ("--ro-bind", f"{path}", f"{HOME}/python/lib/{path.name}")
    for path in visible.numpy_folders():
        yield from ("--ro-bind", f"{path}", f"{PACKAGES}/{path.name}")


def _devices() -> Iterator[str]:
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--perms", "1777", "--size", f"{TMP_MIB * _MIB}", "--tmpfs", "/tmp")
    yield from ("--perms", "1777", "--size", f"{_MIB}", "--tmpfs", "/dev/shm")
    for path in ("/dev", "/proc", "/"):
        yield from ("--remount-ro", path)


def _hidden(path: Path) -> Iterator[str]:
    yield from ("--size", "4096", "--tmpfs", f"{path}", "--remount-ro", f"{path}")


def _in_memory(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


@functools.cache
def _program(name: str) -> str | None:
    return shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")


@functools.cache
def _help() -> str:
    return subprocess.run(
        [f"{_program('bwrap')}", "--help"], capture_output=True, text=True, check=False
    ).stdout
