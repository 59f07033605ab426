"""Python's garbage collector, which is in the way where libraries are loaded."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """No garbage is collected in the block, and never what is there at its end.

    torch makes more than a million objects while it is imported. Python looks through them several times meanwhile (a third
    of the import's time), and again whenever later objects have grown to a quarter of them; none ever is garbage.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was:
            gc.enable()
