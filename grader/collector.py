"""Python's garbage collector, which is in the way where libraries are loaded."""

import contextlib
import gc
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """No garbage is collected in the block, and what torch made there is never looked at again.

    torch makes more than a million objects while it is imported. Python looks through them several times meanwhile (a third
    of the import's time), and again whenever later objects have grown to a quarter of them; none ever is garbage.
    """
    was, there = gc.isenabled(), "torch" in sys.modules
    gc.disable()
    try:
        yield
    finally:
        if "torch" in sys.modules and not there:
            gc.freeze()
        if was:
            gc.enable()
