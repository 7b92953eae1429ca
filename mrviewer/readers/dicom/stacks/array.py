"""Pixels of a series in internal order, read when somebody looks at them."""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.pixel_array import PixelArray
from mrviewer.progress import Progress, finish
from mrviewer.readers.dicom.frames.decoding import decode, value_type
from mrviewer.readers.dicom.frames.frame import Frame
from mrviewer.readers.dicom.stacks.stack import Stack
from mrviewer.system.memory import require_memory

__all__ = ["DicomArray"]

_ADVICE = "open a part of it"


class DicomArray(PixelArray):
    """Values ``(z, y, x)`` or ``(frame, z, y, x)`` of one stack, read once and when needed.

    Integers stay as stored; scaled values become float32, each slice with its own scaling.

    Parameters
    ----------
    stack
        Where the planes lie.

    Raises
    ------
    FileFormatError
        If the machine has less memory than the values need.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack
        self._type = value_type(list(stack.planes))
        self.require_ever_fits(self._name, _ADVICE)

    @property
    def stack(self) -> Stack:
        """Where the planes lie."""
        return self._stack

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        repetitions = len(self._stack.frames)
        return self._stack.geometry.shape if repetitions == 1 else (repetitions, *self._stack.geometry.shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""
        return self._type

    def load(self) -> Generator[Progress, None, None]:
        """Read the pixels slice by slice; closing the generator stops it, and nothing is kept then.

        Raises
        ------
        FileFormatError
            If a file is damaged.
        """
        if not self.is_read:
            values = yield from self._filled()
            with self._lock:
                self._values = values

    def plane(self, index: int, repetition: int = 0) -> NDArray[np.generic]:
        """One plane ``(row, column)`` as it is stored, read alone; zeros where it is missing.

        Parameters
        ----------
        index
            Its number along the normal.
        repetition
            Which of the volumes.
        """
        frame = self._stack.frames[repetition][index]
        if frame is None:
            shape = next(self._stack.planes).shape
            return np.zeros(shape, self.dtype)
        return next(decode([frame], self.dtype))

    @property
    def _name(self) -> str:
        return f"the series of {next(self._stack.planes).file.name}"

    def _read(self) -> NDArray[np.generic]:
        return finish(self._filled())

    def _filled(self) -> Generator[Progress, None, NDArray[np.generic]]:
        """Decode plane by plane into the final array: no second copy of the volume."""
        stack = self._stack
        require_memory(self.n_bytes, self._name, _ADVICE)
        values = np.zeros(self.shape, self.dtype)
        volumes = values if values.ndim == 4 else values[None]
        stored = [stack.geometry.to_stored_order(volume) for volume in volumes]
        planes = sorted(_numbered(stack), key=lambda plane: (plane[2].file, plane[2].number))
        pixels = decode([frame for _, _, frame in planes], self.dtype)
        for done, ((repetition, index, _), plane) in enumerate(zip(planes, pixels, strict=True), 1):
            stored[repetition][..., index] = plane.T
            yield Progress(done, len(planes), "read")
        values.setflags(write=False)
        return values


def _numbered(stack: Stack) -> list[tuple[int, int, Frame]]:
    """Repetition, slice and plane of all that are there."""
    return [
        (repetition, index, frame)
        for repetition, volume in enumerate(stack.frames)
        for index, frame in enumerate(volume)
        if frame is not None
    ]
