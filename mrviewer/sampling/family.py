"""A mask family: how to draw a pattern, and what to tell a person about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.request import MaskRequest

__all__ = ["MaskFamily"]


@dataclass(frozen=True)
class MaskFamily:
    """One way of choosing samples.

    Parameters
    ----------
    name, title
        Name on the command line, and in words.
    dimensions
        1 when whole lines are chosen along x, 2 when single samples are.
    description
        What it acquires, in one sentence.
    citation
        Paper with DOI.
    draw
        Gives the pattern ``(1, x)`` or ``(y, x)`` of a request, DC at index ``N // 2``; raises `MaskError` for a
        request that it cannot meet.
    """

    name: str
    title: str
    dimensions: Literal[1, 2]
    description: str
    citation: str
    draw: Callable[[MaskRequest], NDArray[np.bool_]] = field(repr=False)
