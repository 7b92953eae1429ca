"""From an array whose axes are named to raw data or to an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.arrays.array_kspace import ArrayKspace, StoredArray, VolumeArrayKspace, part_of
from mrviewer.raw.arrays.array_layout import ArrayLayout, Domain
from mrviewer.raw.lost_samples import lost_among
from mrviewer.raw.pattern import Sampling, acquired_pattern, interpret
from mrviewer.readers.contents import FileContents, series_note
from mrviewer.readers.scans.raw_contents import POSITION_NOTE, raw_contents, require_sizes
from mrviewer.study import Image

__all__ = ["array_contents"]

MOST_FRAMES = 16


@dataclass(frozen=True)
class ArrayVolume:
    """Image ``(z, y, x)`` or ``(frame, z, y, x)`` in a file, read when it is looked at; complex values by magnitude."""

    stored: StoredArray
    layout: ArrayLayout

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        sizes = dict(zip(self.layout.axes, self.stored.shape, strict=True))
        volume = (sizes.get("slice", sizes.get("z", 1)), sizes["y"], sizes["x"])
        return (sizes["frame"], *volume) if sizes.get("frame", 1) > 1 else volume

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """As stored, or single precision."""
        stored = self.stored.dtype
        return np.dtype(np.float32) if stored.kind in "fc" else stored.newbyteorder("=")

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        """Return the whole image in memory."""
        values = part_of(self.stored, self.layout, {})[:, :, 0]
        if self.layout.corner:
            values = np.fft.fftshift(values, axes=(-2, -1))
        return np.array(values.reshape(self.shape), dtype=self.dtype if dtype is None else dtype)


def array_contents(stored: StoredArray, layout: ArrayLayout, modality: str, notes: Sequence[str] = ()) -> FileContents:
    """Raw data of complex values, or the image of real ones.

    Parameters
    ----------
    stored
        The array.
    layout
        What its axes are.
    modality
        Of the image; further frames of k-space are numbered: ``T2 frame 2``.
    notes
        What else a person should know.

    Raises
    ------
    FileFormatError
        If the array has other axes than the layout names, or real values where complex ones are needed.
    """
    name = stored.file_name
    if len(layout.axes) != len(stored.shape):
        raise FileFormatError(
            f"{name} has {len(stored.shape)} axes {tuple(stored.shape)} and {len(layout.axes)} were named "
            f"({','.join(layout.axes)}); name each axis"
        )
    is_complex = stored.dtype.kind == "c"
    if stored.dtype.kind not in "fciu":
        raise FileFormatError(f"{name} holds {stored.dtype} values and numbers were expected; a mask goes to --mask")
    if not is_complex and (layout.domain is Domain.KSPACE or "coil" in layout.axes):
        raise FileFormatError(
            f"{name} is real-valued ({stored.dtype}) and k-space and coil images are complex; save real and imaginary "
            "part, or name it an image without coils"
        )
    if not is_complex:
        return _image(stored, layout, modality, notes)
    sizes = dict(zip(layout.axes, stored.shape, strict=True))
    require_sizes(name, (sizes.get("slice", sizes.get("z", 1)), sizes.get("coil", 1), sizes["y"], sizes["x"]))
    n_frames = sizes.get("frame", 1)
    said = list(notes)
    if n_frames > MOST_FRAMES:
        cut = f"of {n_frames} frames the first {MOST_FRAMES} are opened"
        said.append(Note(cut, NoteKind.LEFT_OUT, n_frames - MOST_FRAMES))
    parts = [
        _frame(stored, layout, modality if frame == 0 else f"{modality} frame {frame + 1}", frame, said)
        for frame in range(min(n_frames, MOST_FRAMES))
    ]
    return FileContents(
        tuple(image for part in parts for image in part.images),
        tuple(raw for part in parts for raw in part.raw),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _frame(stored: StoredArray, layout: ArrayLayout, modality: str, frame: int, notes: Sequence[str]) -> FileContents:
    voxels = layout.voxel_size_mm
    if "z" in layout.axes and layout.domain is Domain.KSPACE:
        axis, sampling, said = _axis_without_gaps(VolumeArrayKspace(stored, layout, frame))
        cut = VolumeArrayKspace(stored, layout, frame, axis)
        return raw_contents(stored.file_name, modality, cut, sampling, voxels, [*notes, *said], slice_axis=axis)
    source = ArrayKspace(stored, layout, frame)
    middle = source.read(source.shape[0] // 2)
    sampling = interpret(acquired_pattern(middle)) if layout.domain is Domain.KSPACE else Sampling()
    return raw_contents(stored.file_name, modality, source, sampling, voxels, notes)


def _axis_without_gaps(volume: VolumeArrayKspace) -> tuple[int, Sampling, list[Note]]:
    """Axis along which the scan is sampled without gaps (z, else x, else y), the sampling of the others, and notes."""
    samples, name = volume.samples(), volume.stored.file_name
    lost = lost_among(samples)
    if lost.n_lost == lost.n_samples:
        raise FileFormatError(f"{name} holds no k-space: {lost.sentence}; export it again")
    notes = [Note(lost.sentence, NoteKind.VALUES)] if lost.n_lost else []
    pattern = acquired_pattern(samples)
    if interpret(pattern.reshape(pattern.shape[0], -1)).acquired is None:
        return 0, Sampling(), notes
    for axis in (0, 2, 1):
        plane = np.logical_or.reduce(pattern, axis=axis)
        if np.count_nonzero(pattern) >= 0.9 * np.count_nonzero(plane) * pattern.shape[axis]:
            return axis, interpret(plane), notes
    raise FileFormatError(
        f"{name} was undersampled along all three axes of k-space, and scans open that are complete along one; check "
        "the names of the axes"
    )


def _image(stored: StoredArray, layout: ArrayLayout, modality: str, notes: Sequence[str]) -> FileContents:
    volume = ArrayVolume(stored, layout)
    z, y, x = volume.shape[-3:]
    image = Image(volume, Geometry.axial((z, y, x), layout.voxel_size_mm, is_placed=False), modality)
    said = [series_note(volume.shape[0])] if len(volume.shape) == 4 else []
    return FileContents((image,), notes=(*notes, *said, POSITION_NOTE))
