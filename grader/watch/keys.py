"""Keys as they are pressed, without Enter, from a thread of its own."""

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

_LOOK_EVERY_S = 0.1


class Keys:
    """A context in which `pressed(key)` is called for each key; a pipe's characters count as keys.

    Args:
        pressed: called in another thread.
    """

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._end = threading.Event()
        self._before: Any = None
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        if sys.platform != "win32" and sys.stdin.isatty():
            import termios
            import tty

            self._before = termios.tcgetattr(0)
            tty.setcbreak(0, termios.TCSANOW)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join(1.0)
        if sys.platform != "win32" and self._before is not None:
            import termios

            termios.tcsetattr(0, termios.TCSANOW, self._before)

    def _read(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            while not self._end.is_set():
                if msvcrt.kbhit():
                    self._pressed(msvcrt.getwch())
                else:
                    time.sleep(_LOOK_EVERY_S)
        else:
            import select

            while not self._end.is_set():
                ready, _, _ = select.select([0], [], [], _LOOK_EVERY_S)
                if ready:
                    key = os.read(0, 1)
                    if not key:
                        return  # no terminal, and the pipe has ended
                    self._pressed(key.decode("ascii", "replace"))
