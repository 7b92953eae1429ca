"""Arrays of slices, computed when they are asked for, and the latest ones kept."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import numpy as np
from numpy.typing import NDArray

__all__ = ["SliceCache"]

MOST_BYTES = 256 << 20


class SliceCache:
    """The latest slices, as many as fit into `most_bytes`, the last one in any case.

    Threads that ask for the same slice wait for one another, so that nothing is computed twice. It travels to another
    process empty.

    Parameters
    ----------
    most_bytes
        Memory that all kept arrays may take together.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[int, NDArray[np.complex64]] = OrderedDict()
        self._lock = Lock()

    def get(self, index: int, compute: Callable[[int], NDArray[np.complex64]]) -> NDArray[np.complex64]:
        """Return the read-only array of a slice, computed if it is not kept."""
        with self._lock:
            if index not in self._kept:
                array = compute(index)
                array.setflags(write=False)
                self._kept[index] = array
                self._drop_oldest()
            self._kept.move_to_end(index)
            return self._kept[index]

    def __getstate__(self) -> dict[str, object]:
        """Leave lock and arrays behind."""
        return {"_most_bytes": self._most_bytes}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _kept=OrderedDict(), _lock=Lock())

    def _drop_oldest(self) -> None:
        while len(self._kept) > 1 and sum(array.nbytes for array in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)
