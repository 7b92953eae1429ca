"""A job that the system asks to end: it stops at its next step, with a checkpoint."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["Interrupted", "caught_signals", "was_interrupted"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK", "SIGXCPU", "SIGUSR1", "SIGUSR2")
"""What terminals, systems and the queues of clusters send before they end a process; not every system has all."""


_listening: list[threading.Event] = []
"""Of those who take note now; signals are of a whole process."""


class Interrupted(Exception):  # noqa: N818 - it is not an error
    """A job ended because the system asked for it; what it had done is kept."""


def was_interrupted() -> bool:
    """Whether a signal came to those who take note now, see `caught_signals`; never where nobody does."""
    return any(came.is_set() for came in _listening)


@contextlib.contextmanager
def caught_signals() -> Iterator[Callable[[], bool]]:
    """Take note of signals that ask a process to end, instead of ending at once; a second Ctrl-C ends at once.

    A signal that is ignored already stays so: ``nohup`` asks for that.

    Yields
    ------
    Whether one came. Outside of the main thread, which alone gets signals, none ever does.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        # Clusters send the others several times, to the process and through its parent.
        if came.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.set()

    known = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]
    before = {number: signal.getsignal(number) for number in known}
    caught = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for number in caught:
        signal.signal(number, note)
    _listening.append(came)
    try:
        yield came.is_set
    finally:
        _listening.remove(came)
        for number in caught:
            signal.signal(number, before[number])
