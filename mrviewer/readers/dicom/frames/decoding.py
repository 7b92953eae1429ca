"""From stored bytes to the values of planes."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import pixel_array

from mrviewer.errors import FileFormatError
from mrviewer.readers.dicom.files.header import read_dataset
from mrviewer.readers.dicom.files.library_faults import told_as
from mrviewer.readers.dicom.files.stored_file import StoredFile
from mrviewer.readers.dicom.frames.frame import Frame, PixelStore

__all__ = ["decode", "value_type"]


def value_type(frames: Sequence[Frame]) -> np.dtype[np.generic]:
    """Type that holds the values of all planes: as stored if all are alike and none is scaled, else float32."""
    stored = {np.dtype(frame.pixels.type).newbyteorder("=") for frame in frames}
    if len(stored) > 1 or any(frame.is_scaled for frame in frames):
        return np.dtype(np.float32)
    [only] = stored
    return np.dtype(np.float32) if only.kind == "f" else only


def decode(frames: Sequence[Frame], result: np.dtype[np.generic]) -> Iterator[NDArray[np.generic]]:
    """Values of planes ``(row, column)``, in their order; a file with several is read once where they are in sequence.

    Parameters
    ----------
    frames
        The planes.
    result
        Type of the values, see `value_type`.

    Raises
    ------
    FileFormatError
        If a file has changed, is damaged, or is compressed in a way that no decoder here knows.
    """
    for _, group in groupby(frames, key=_stored_together):
        same_file = list(group)
        if same_file[0].pixels.start is not None:
            plane = _native(same_file[0])
            yield from (_values(frame, plane, result) for frame in same_file)
        else:
            yield from _encoded(same_file, result)


def _stored_together(frame: Frame) -> tuple[StoredFile, int]:
    """What is read at once: a plane that is stored as it is, a whole compressed file."""
    return frame.file, -1 if frame.pixels.start is None else frame.number


def _native(frame: Frame) -> NDArray[np.generic]:
    """A plane that is stored as it is."""
    pixels = frame.pixels
    data = frame.file.read((pixels.start or 0) + frame.number * pixels.n_bytes, pixels.n_bytes)
    if len(data) < pixels.n_bytes:
        raise FileFormatError(f"{frame.file.name} has become shorter since it was opened; open it again")
    plane: NDArray[np.generic] = np.frombuffer(data, pixels.type).reshape(pixels.rows, pixels.columns)
    return _used_bits(plane, pixels)


def _encoded(frames: Sequence[Frame], result: np.dtype[np.generic]) -> Iterator[NDArray[np.generic]]:
    """Planes of one compressed file."""
    dataset = read_dataset(frames[0].file, pixels=True)
    for _, group in groupby(frames, key=lambda frame: frame.number):
        tiles = list(group)
        plane = _decompressed(dataset, tiles[0])
        yield from (_values(frame, plane, result) for frame in tiles)


def _decompressed(dataset: pydicom.Dataset, frame: Frame) -> NDArray[np.generic]:
    pixels = frame.pixels
    syntax = dataset.file_meta.get("TransferSyntaxUID", pydicom.uid.UID(""))
    with told_as(f"{frame.file.name} is damaged, or compressed ({syntax.name}) in a way that does not open here"):
        plane: NDArray[np.generic] = pixel_array(dataset, index=frame.number, raw=True)
        if plane.shape != (pixels.rows, pixels.columns):
            raise ValueError(plane.shape)
        return _used_bits(plane, pixels)


def _used_bits(plane: NDArray[np.generic], pixels: PixelStore) -> NDArray[np.generic]:
    """Clear the bits above those that count, where old files keep overlays; the sign is extended into them."""
    unused = plane.dtype.itemsize * 8 - pixels.bits_stored
    if plane.dtype.kind == "f" or unused <= 0 or pixels.bits_stored <= 0:
        return plane
    native = plane.astype(plane.dtype.newbyteorder("="), copy=False)
    cleared: NDArray[np.generic]
    if native.dtype.kind == "u":
        cleared = np.bitwise_and(native, native.dtype.type((1 << pixels.bits_stored) - 1))
    else:
        cleared = np.right_shift(np.left_shift(native, unused), unused)
    return cleared


def _values(frame: Frame, plane: NDArray[np.generic], result: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Cut a slice out of a plane, turn it bright side up, and scale it."""
    (top, left), (rows, columns) = frame.corner, frame.shape
    values = plane[top : top + rows, left : left + columns]
    if frame.pixels.is_inverted:
        values = np.subtract(_brightest(frame.pixels, values.dtype), values)
    if frame.is_scaled:
        values = values.astype(np.float64) * frame.slope + frame.intercept
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(result, copy=False)


def _brightest(pixels: PixelStore, kind: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Largest stored value plus the smallest one, so that subtracting from it reverses the scale."""
    total = {"i": -1, "u": (1 << pixels.bits_stored) - 1}.get(kind.kind, 0)
    return np.array(total, kind)
