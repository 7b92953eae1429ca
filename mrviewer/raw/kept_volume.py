"""An array of a whole scan, made when it is first asked for, and k-space cut from one."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeptVolume", "VolumeCutIntoSlices", "slices_along"]

Scalar = TypeVar("Scalar", bound=np.generic)


class KeptVolume(Generic[Scalar]):
    """A read-only array, made once; threads that ask for it wait. It travels to another process without the array."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._array: NDArray[Scalar] | None = None

    def get(self, make: Callable[[], NDArray[Scalar]]) -> NDArray[Scalar]:
        """Return the array, made if nobody has asked before."""
        with self._lock:
            if self._array is None:
                array = make()
                array.setflags(write=False)
                self._array = array
            return self._array

    def __reduce__(self) -> tuple[type["KeptVolume[Scalar]"], tuple[()]]:
        """Leave lock and array behind."""
        return type(self), ()


@dataclass(eq=False)
class VolumeCutIntoSlices(ABC):
    """K-space that is transformed along one axis as a whole, for a scan without a calibration scan of its own."""

    _volume: KeptVolume[np.complex64] = field(default_factory=KeptVolume, init=False, repr=False)

    def read(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice; the whole scan is read at the first one and kept."""
        kspace: NDArray[np.complex64] = self._volume.get(self._transformed)[index]
        return kspace

    def calibration(self, index: int) -> None:
        """The centre of the scan itself."""
        del index

    @abstractmethod
    def _transformed(self) -> NDArray[np.complex64]:
        """K-space ``(slice, coil, y, x)`` of the whole scan."""


def slices_along(kspace: NDArray[np.complexfloating], axis: int) -> NDArray[np.complex64]:
    """Transform k-space along one axis that is fully sampled, DC in its middle, and make that the first axis."""
    hybrid = np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(kspace, axes=axis), axis=axis, norm="ortho"), axes=axis)
    return np.ascontiguousarray(np.moveaxis(hybrid, axis, 0), dtype=np.complex64)
