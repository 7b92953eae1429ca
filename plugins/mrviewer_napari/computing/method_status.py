"""How far a method is, for its row in the panel. No Qt."""

from dataclasses import dataclass
from enum import Enum

__all__ = ["MethodStatus", "Phase"]


class Phase(Enum):
    """What a method is doing."""

    OFF = "off"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class MethodStatus:
    """How far a method is on the present mask.

    Parameters
    ----------
    phase
        What it is doing.
    done, total
        Slices.
    text
        The numbers of a finished volume, or why it failed, in few words.
    details
        The same at length.
    """

    phase: Phase = Phase.OFF
    done: int = 0
    total: int = 0
    text: str = ""
    details: str = ""
