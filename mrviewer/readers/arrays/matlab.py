"""MATLAB files: a real-valued dynamic series ``(time, y, x)``, or complex k-space or coil images.

The files have neither voxel size nor position. Which array is the series is told by the vector of its times; what the
axes of complex values are is guessed, or named by a person (`mrviewer.readers.arrays.numpy_array`).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.hdf5_file import is_hdf5
from mrviewer.array_files.matlab_elements import load_array
from mrviewer.array_files.stored_arrays import (
    DAMAGED_MATLAB,
    damaged_matlab,
    is_matlab_hdf5,
    list_classic_arrays,
    require_plausible,
)
from mrviewer.errors import FileFormatError, MrviewerError
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import SERIES
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.arrays.array_layout import can_be_image
from mrviewer.raw.arrays.axis_evidence import likeness
from mrviewer.readers.arrays.array_names import choose_array, times_among
from mrviewer.readers.arrays.array_pairs import with_pairs
from mrviewer.readers.arrays.numpy_array import read_numpy
from mrviewer.readers.contents import FileContents, series_note
from mrviewer.readers.scans.raw_contents import POSITION_NOTE
from mrviewer.study import Image

__all__ = ["read_matlab"]

SAME_EDGES = 0.9
"""Of volumes in time; slices of one head have 0.6 to 0.87."""


def read_matlab(path: Path, modality: str) -> FileContents:
    """Open the dynamic series of a MATLAB file, or its complex array, or its stack of slices.

    Its pixels are read at once: such a file holds a few slices, and only they tell whether the values are complex.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If it is damaged, or holds no real-valued series, or several that its times do not tell apart.
    """
    if is_matlab_hdf5(path):
        if not is_hdf5(path):
            raise FileFormatError(f"{path.name} is a damaged MATLAB file of version 7.3; save it with -v7, or as NIfTI")
        return read_numpy(path, modality)
    try:
        shapes = list_classic_arrays(path)
        times = times_among(shapes)
        if times is None and with_pairs(shapes, path.name) != shapes:
            return read_numpy(path, modality)
        if _scan_is_complex(path, shapes) or (times is None and _is_volume(shapes)):
            return read_numpy(path, modality)
        name, axis = _choose_series(path, shapes, times)
        stored = load_array(path, name)
    except MrviewerError:
        raise
    except DAMAGED_MATLAB as error:
        raise damaged_matlab(path, error) from error
    if np.iscomplexobj(stored):
        raise FileFormatError(
            f"the array {name} in {path.name} is complex and a real-valued series was expected; save its magnitude"
        )
    if times is None and can_be_image(stored.shape) and _are_slices(stored, axis):
        return read_numpy(path, modality)
    frames = _frames(stored, axis)
    geometry = Geometry.axial((1, *frames.shape[2:]), (1.0, 1.0, 1.0), is_placed=False)
    image = Image(frames, geometry, SERIES if modality == "unknown" else modality, path)
    notes = (
        series_note(len(frames)),
        Note("the file tells neither voxel size nor position: voxels of 1 mm are taken", NoteKind.VOXEL_SIZE),
        POSITION_NOTE,
    )
    return FileContents((image,), notes=notes)


def _scan_is_complex(path: Path, shapes: dict[str, tuple[int, ...]]) -> bool:
    """Whether the array that is the scan, by its name and size, is complex."""
    name = choose_array(shapes).name
    if not name:
        return False
    require_plausible(path, shapes[name])
    return bool(np.iscomplexobj(load_array(path, name)))


def _is_volume(shapes: dict[str, tuple[int, ...]]) -> bool:
    """Whether the only array of three axes is rather a stack of slices, as it does not begin with its shortest axis."""
    volumes = [shape for shape in shapes.values() if len(shape) == 3]
    return len(volumes) == 1 and can_be_image(volumes[0]) and volumes[0][0] > min(volumes[0])


def _are_slices(stored: NDArray[np.generic], axis: int) -> bool:
    """Whether the pictures along an axis are of different places: their edges are not the same."""
    found = likeness(np.moveaxis(stored, axis, 0).astype(np.complex64), is_kspace=False)
    return found is not None and found.local < SAME_EDGES


def _choose_series(path: Path, shapes: dict[str, tuple[int, ...]], times: str | None) -> tuple[str, int]:
    """Name of the series and its axis of time: as long as the vector of times, else the only array of three axes."""
    volumes = {name: shape for name, shape in shapes.items() if len(shape) == 3 and min(shape) > 0}
    if times is not None:
        count = int(np.prod(shapes[times]))
        volumes = {name: shape for name, shape in volumes.items() if count in shape}
        if len(volumes) == 1:
            [(name, shape)] = volumes.items()
            return name, shape.index(count)
    if len(volumes) == 1:
        return next(iter(volumes)), 0
    found = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "no number"
    raise FileFormatError(
        f"{path.name} holds {found} and one series (time, y, x) was expected; "
        "save the series alone, or with its times in a vector t"
    )


def _frames(stored: NDArray[np.generic], axis: int) -> NDArray[np.float32]:
    """The series as ``(frame, 1, y, x)``, read-only."""
    frames = np.ascontiguousarray(np.moveaxis(stored, axis, 0)[:, None], dtype=np.float32)
    frames.setflags(write=False)
    return frames
