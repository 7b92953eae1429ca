"""``python -m mrviewer``, and the program ``mrviewer``."""

import os
import signal
import sys
import threading

from mrviewer.system.search_path import forget_current_folder

__all__ = ["main"]

INTERRUPTED = 130


def main() -> int:
    """Run the program; an interruption while it loads, or ends, is one that nothing has been done before or is left to.

    Returns
    -------
    int
        See `mrviewer.cli.main`.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main:
        # Libraries that are half loaded turn an interruption into errors of their own, or swallow it.
        signal.signal(signal.SIGINT, _leave)
    forget_current_folder()
    from mrviewer.cli import main as run

    if is_main:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = run()
    if is_main:
        signal.signal(signal.SIGINT, _leave)
    return code


def _leave(number: int, frame: object) -> None:
    del number, frame
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
