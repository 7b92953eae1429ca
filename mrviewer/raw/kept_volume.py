"""An array of a whole scan, made when it is first asked for."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeptVolume", "slices_along"]

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


def slices_along(kspace: NDArray[np.complexfloating], axis: int) -> NDArray[np.complex64]:
    """Transform k-space along one axis that is fully sampled, DC in its middle, and make that the first axis."""
    hybrid = np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(kspace, axes=axis), axis=axis, norm="ortho"), axes=axis)
    return np.ascontiguousarray(np.moveaxis(hybrid, axis, 0), dtype=np.complex64)
