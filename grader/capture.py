"""Keeps what a student's own code prints out of the way."""

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator

_KEPT_AT_MOST = 2**16


@contextlib.contextmanager
def captured() -> Iterator[io.StringIO]:
    """What is printed in the block, at most 64 Ki characters; nothing can be read there, and warnings are not shown."""
    kept = _Capped()
    stdin, sys.stdin = sys.stdin, io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(kept),
            contextlib.redirect_stderr(kept),
            warnings.catch_warnings(action="ignore"),
        ):
            yield kept
    finally:
        sys.stdin = stdin


class _Capped(io.StringIO):
    """Drops what is written beyond the limit: endless loops print endlessly."""

    def write(self, text: str, /) -> int:
        super().write(text[: max(0, _KEPT_AT_MOST - self.tell())])
        return len(text)
