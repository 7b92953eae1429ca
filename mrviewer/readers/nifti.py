"""NIfTI-1 and NIfTI-2: ``.nii``, ``.nii.gz``, ``.hdr`` with ``.img``.

The header is read and checked when a file is opened, the pixels when somebody looks at them.
"""

from pathlib import Path

import numpy as np
from nibabel.orientations import apply_orientation
from numpy.typing import NDArray

from mrviewer.array_files.pixel_array import PixelArray
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.readers.contents import FileContents, series_note
from mrviewer.readers.nifti_header import NiftiHeader, read_nifti_header
from mrviewer.study import Image
from mrviewer.system.memory import require_memory

__all__ = ["NiftiArray", "read_nifti"]

OBLIQUE_DEGREES = 0.5
"""A volume turned by less is upright for a person."""
_ADVICE = "cut it into smaller files"


class NiftiArray(PixelArray):
    """Pixels of a NIfTI file in internal order, read once and when needed.

    Integers stay as stored. Scaled and floating-point values become float32, complex ones their magnitude.

    Parameters
    ----------
    header
        Where and how the pixels are stored.
    geometry
        Their grid.
    """

    def __init__(self, header: NiftiHeader, geometry: Geometry) -> None:
        super().__init__()
        self._header = header
        self._geometry = geometry

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes ``(z, y, x)`` or ``(frame, z, y, x)``."""
        return (*self._header.shape[3:], *self._geometry.shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""
        stored = self._header.dtype
        return np.dtype(np.float32) if self._header.is_scaled or stored.kind in "fc" else stored.newbyteorder("=")

    def plane(self, index: int, axis: int = 0) -> NDArray[np.generic]:
        """Return one slice of the first volume; of a file that was not read yet no more than needed is decoded.

        Parameters
        ----------
        index, axis
            Number of the slice along an axis of ``(z, y, x)``. Along the axis that the file stores slowest, which is z
            of axial scans, decoding stops at the slice; along others the whole file is read.
        """
        slowest, flip = self._geometry.to_stored[axis]
        if self.is_read or slowest != 2 or len(self._header.shape) < 3:
            volume = np.asarray(self)
            slices: NDArray[np.generic] = np.moveaxis(volume[0] if volume.ndim == 4 else volume, axis, 0)[index]
            return slices
        header = self._header
        number = index if flip > 0 else header.shape[2] - 1 - index
        raw, stored = self._plane_buffer()
        for _ in header.pixels.fill(raw.data, header.offset, number + 1, to_end=False):
            pass
        values = np.empty([n for place, n in enumerate(self._geometry.shape) if place != axis], self.dtype)
        volume = np.expand_dims(values, axis)
        self._as_stored(volume)[..., 0] = self._convert(stored)
        return values

    def _read(self) -> NDArray[np.generic]:
        """Decode the whole file; the array is read-only."""
        require_memory(self.n_bytes, self._header.pixels.path.name, _ADVICE)
        values = self._read_at_once()
        if values is None:
            values = self._read_by_planes()
        values.setflags(write=False)
        return values

    def _read_at_once(self) -> NDArray[np.generic] | None:
        """Decompress at once and turn the planes in place; `None` where values or their order must be changed."""
        header, to_stored = self._header, self._geometry.to_stored
        if header.dtype != self.dtype or header.is_scaled or header.offset % header.dtype.itemsize:
            return None
        if list(to_stored[:, 0]) != [2, 1, 0]:
            return None
        content = header.pixels.whole(header.offset + header.n_bytes)
        if content is None:
            return None
        values = np.frombuffer(content, self.dtype, offset=header.offset).reshape(self.shape)
        steps = tuple(slice(None, None, int(flip)) for flip in to_stored[1:, 1])
        for frame in values if values.ndim == 4 else values[None]:
            _turn_planes(frame, steps, reverse=to_stored[0, 1] < 0)
        return values

    def _read_by_planes(self) -> NDArray[np.generic]:
        """Decode plane by plane into the final array: no second copy of the volume, and a plane fits the cache."""
        header = self._header
        values = np.empty(self.shape, self.dtype)
        frames = values if values.ndim == 4 else values[None]
        stored = [self._geometry.to_stored_order(frame) for frame in frames]
        n_planes = header.shape[2]
        raw, plane = self._plane_buffer()
        pieces = header.pixels.fill(raw.data, header.offset, n_planes * len(stored))
        for _, (frame, index) in zip(pieces, np.ndindex(len(stored), n_planes), strict=True):
            stored[frame][..., index] = self._convert(plane)
        return values

    def _plane_buffer(self) -> tuple[NDArray[np.uint8], NDArray[np.generic]]:
        """Memory for the bytes of one stored plane, and a view of it as values ``(i, j)``."""
        header = self._header
        raw = np.empty(header.shape[0] * header.shape[1] * header.dtype.itemsize, np.uint8)
        return raw, raw.view(header.dtype).reshape(header.shape[:2], order="F")

    def _as_stored(self, volume: NDArray[np.generic]) -> NDArray[np.generic]:
        """View of a volume or a part of it in the order of the file."""
        view: NDArray[np.generic] = apply_orientation(volume, self._geometry.to_stored)
        return view

    def _convert(self, stored: NDArray[np.generic]) -> NDArray[np.generic]:
        """Values of one plane; computed in double precision where float32 would round large integers."""
        header = self._header
        if header.is_scaled:
            wide = np.complex128 if header.dtype.kind == "c" else np.float64
            stored = stored.astype(wide) * header.slope + header.intercept
        if header.dtype.kind == "c":
            stored = np.abs(stored)
        with np.errstate(over="ignore"):
            return stored.astype(self.dtype, copy=False)


def _turn_planes(volume: NDArray[np.generic], steps: tuple[slice, ...], *, reverse: bool) -> None:
    """Reverse the order of the planes of a volume, and axes within them, in place."""
    last = len(volume) - 1
    turned = np.empty_like(volume[0])
    for number in range((last + 2) // 2 if reverse else last + 1):
        other = last - number if reverse else number
        turned[...] = volume[other][steps]
        if other != number:
            volume[other] = volume[number][steps]
        volume[number] = turned


def read_nifti(path: Path, modality: str) -> FileContents:
    """Open a NIfTI file; the pixels stay in it until the array is looked at.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If it is damaged, cut short, no NIfTI, holds colours or vectors, or is larger than the memory of this machine.
    """
    header = read_nifti_header(path)
    i, j, k = header.shape[:3]
    geometry = Geometry.from_stored((i, j, k), header.affine, is_placed=header.is_placed)
    array = NiftiArray(header, geometry)
    array.require_ever_fits(path.name, _ADVICE)
    image = Image(array, geometry, modality, path, frame_names=_frame_names(header))
    return FileContents((image,), notes=(*header.notes, *_notes(header, geometry)))


def _frame_names(header: NiftiHeader) -> tuple[str, ...]:
    """Number and time of each volume of a series, where the header states its step in time."""
    if len(header.shape) < 4 or not header.frame_step_s:
        return ()
    return tuple(f"volume {n + 1}, at {n * header.frame_step_s:g} s" for n in range(header.shape[3]))


def _notes(header: NiftiHeader, geometry: Geometry) -> list[Note]:
    notes = []
    if geometry.is_sheared:
        said = "the grid is sheared: its axes do not meet at right angles; it is shown by its nearest axes"
        notes.append(Note(said, NoteKind.POSITION))
    elif geometry.obliquity_degrees > OBLIQUE_DEGREES:
        said = f"the volume lies oblique in the scanner, by {geometry.obliquity_degrees:.1f} degrees"
        notes.append(Note(f"{said}; it is shown along its own axes", NoteKind.POSITION))
    if header.dtype.kind == "c":
        notes.append(Note("the values are complex; their magnitude is used", NoteKind.VALUES))
    if len(header.shape) == 4:
        notes.append(series_note(header.shape[3]))
    return notes
