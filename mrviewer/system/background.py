"""Processes that work in the background, by the means of each system."""

import subprocess
import sys
from typing import TypedDict

import psutil

__all__ = ["ProcessOptions", "detached", "give_way", "without_window"]


class ProcessOptions(TypedDict, total=False):
    """Arguments of `subprocess.Popen`.

    Parameters
    ----------
    creationflags
        Of Windows.
    start_new_session
        Of every other system.
    """

    creationflags: int
    start_new_session: bool


def detached() -> ProcessOptions:
    """A process that outlives the one that starts it, and gets none of the signals of its terminal."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}


def without_window() -> ProcessOptions:
    """A short helper process; Windows would open a terminal for it where the viewer itself has none."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {}


def give_way() -> None:
    """Let other processes go first from now on."""
    psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 10)
