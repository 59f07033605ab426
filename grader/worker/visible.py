"""What a worker may read: the interpreter, the standard library and numpy, wherever they are installed."""

import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path


def interpreter() -> Path:
    """The interpreter itself, not a virtual environment's link to it."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def standard_library() -> Path:
    """The folder of the standard library; it may hold site-packages too."""
    return Path(sysconfig.get_path("stdlib")).resolve()


def shared_libraries() -> list[Path]:
    """The interpreter's own shared libraries, where they are not the system's (pyenv, a build from source)."""
    prefix = Path(sys.base_prefix).resolve()
    return [] if prefix == Path("/usr") else sorted((prefix / "lib").glob("lib*.so*"))


def numpy_folders() -> list[Path]:
    """The package numpy and, beside it, the libraries that its wheel brings."""
    spec = find_spec("numpy")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("numpy is not installed")
    package = Path(spec.submodule_search_locations[0]).resolve()
    libraries = package.with_name("numpy.libs")
    return [package, libraries] if libraries.is_dir() else [package]
