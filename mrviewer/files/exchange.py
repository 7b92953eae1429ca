"""Two folders that take each other's place in one step, where the system can do that."""

import ctypes
import os
import platform
from pathlib import Path

__all__ = ["exchange"]

_HERE = -100
"""``AT_FDCWD``: paths are taken as they are."""
_SWAP = 2
"""``RENAME_EXCHANGE`` of Linux and ``RENAME_SWAP`` of macOS."""


def exchange(first: Path, second: Path) -> bool:
    """Let two folders of one file system take each other's place, so that nobody ever sees one of them missing.

    Returns
    -------
    Whether that was done. Windows and some network drives cannot, and nothing is changed there.
    """
    paths = os.fsencode(first), os.fsencode(second)
    system = platform.system()
    try:
        libc = ctypes.CDLL(None)
        if system == "Linux":
            return bool(libc.renameat2(_HERE, paths[0], _HERE, paths[1], _SWAP) == 0)
        if system == "Darwin":
            return bool(libc.renamex_np(*paths, _SWAP) == 0)
    except (AttributeError, OSError, TypeError):
        # Older systems lack the call; Windows takes no library without a name.
        return False
    return False
