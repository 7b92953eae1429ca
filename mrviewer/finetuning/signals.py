"""A run that the system asks to end: it stops at its next step, with a checkpoint."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["caught_signals"]


@contextlib.contextmanager
def caught_signals() -> Iterator[Callable[[], bool]]:
    """Take note of SIGTERM and SIGINT instead of ending at once; a second one ends at once.

    Yields
    ------
    Whether one came. Outside of the main thread, which alone gets signals, none ever does.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return

    def note(number: int, frame: FrameType | None) -> None:
        del number, frame
        if came.is_set():
            raise KeyboardInterrupt
        came.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield came.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
