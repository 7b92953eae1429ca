"""Pixels that stay in their files until somebody looks at them."""

import math
from abc import ABC, abstractmethod
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.system.memory import total_bytes

__all__ = ["PixelArray"]


class PixelArray(ABC):
    """Pixels in internal order, read once and when needed.

    Several threads may ask at once; the array is read-only. It travels to another process without lock and pixels,
    which are read again there.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: NDArray[np.generic] | None = None

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Sizes ``(z, y, x)`` or ``(frame, z, y, x)``."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""

    @property
    def n_bytes(self) -> int:
        """Memory that the values take."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_read(self) -> bool:
        """Whether the pixels are in memory."""
        return self._values is not None

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        with self._lock:
            if self._values is None:
                self._values = self._read()
        return np.array(self._values, dtype=dtype, copy=copy)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_values")}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _lock=Lock(), _values=None)

    def require_ever_fits(self, what: str, advice: str) -> None:
        """Refuse what this process could never hold.

        Parameters
        ----------
        what
            Holds the pixels; begins the sentence.
        advice
            What to do instead; ends it.

        Raises
        ------
        FileFormatError
            If the machine has less memory than the values need.
        """
        installed = total_bytes()
        if self.n_bytes > installed:
            raise FileFormatError(
                f"{what} needs {self.n_bytes / 1e9:.0f} GB of memory and this machine has {installed / 1e9:.0f} GB; "
                f"{advice}"
            )

    @abstractmethod
    def _read(self) -> NDArray[np.generic]:
        """Decode everything; the array is read-only."""
