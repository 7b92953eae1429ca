"""Volumes as NIfTI-1, lying exactly over the file they came from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import nibabel
import numpy as np
from isal import igzip
from nibabel.affines import voxel_sizes
from nibabel.orientations import apply_orientation
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.files.whole_file import whole_file
from mrviewer.geometry import Geometry
from mrviewer.sliced import SlicedVolume, Volume, block_of

__all__ = ["write_volume"]

ALIGNED = 2
"""NIfTI's code for "in the coordinates of something else", true for whatever the input was."""
UNKNOWN = 0
DESCRIPTION_BYTES = 79
DATA_OFFSET = 352
BLOCK_BYTES = 16_000_000
MOST_PASSES = 4
"""How often a volume that is computed along one axis is gone through to be written along another one."""


def write_volume(path: str | Path, volume: Volume, geometry: Geometry, *, description: str = "") -> Path:
    """Write a volume in the order and orientation of the file that its geometry comes from, a few slices at a time.

    Parameters
    ----------
    path
        Ends in ``.nii`` or ``.nii.gz``. An existing file is replaced, whole or not at all.
    volume : (z, y, x) or (frame, z, y, x)
        Internal order. Integers keep their type, truth values become uint8, all other real values float32.
    geometry
        Its grid. A sheared one is written as sform alone, since a qform cannot say it; of one that is not placed the
        voxel sizes alone are written, with the codes 0.
    description
        Up to 79 letters for the header, e.g. the method. No patient's name.

    Returns
    -------
    The path.

    Raises
    ------
    InputError
        If the ending is another one, the folder does not exist, or the values are complex.
    ShapeError
        If volume and geometry differ in size.
    """
    path = Path(path)
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise InputError(f"{path.name} does not end in .nii or .nii.gz; give it such a name")
    dtype = _storable(volume.dtype)
    header = nibabel.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(_stored_shape(volume, geometry))
    header.set_xyzt_units("mm", "sec")
    header["descrip"] = description.encode("ascii", "replace")[:DESCRIPTION_BYTES]
    _set_position(header, geometry)
    header.set_slope_inter(1, 0)
    with whole_file(path) as temporary, _opened(temporary) as file:
        header["magic"] = header.single_magic
        header["vox_offset"] = DATA_OFFSET
        file.write(header.binaryblock.ljust(DATA_OFFSET, b"\0"))
        for block in _stored_blocks(volume, geometry):
            file.write(block.astype(dtype, copy=False).tobytes(order="F"))
    return path


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if not path.name.lower().endswith(".gz"):
        with path.open("wb") as file:
            yield file
        return
    # The same content gives the same file: neither its time nor its name stands in it.
    with path.open("wb") as stored, igzip.IGzipFile("", "wb", fileobj=stored, mtime=0) as file:
        yield file


def _set_position(header: nibabel.Nifti1Header, geometry: Geometry) -> None:
    """State where the volume lies, or that nobody knows."""
    if not geometry.is_placed:
        header.set_sform(None, UNKNOWN)
        header.set_qform(None, UNKNOWN)
        header["pixdim"][1:4] = voxel_sizes(geometry.stored_affine)
        return
    header.set_qform(geometry.stored_affine, UNKNOWN if geometry.is_sheared else ALIGNED)
    header.set_sform(geometry.stored_affine, ALIGNED)


def _storable(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """A type that every reader of NIfTI knows."""
    if dtype.kind in "iu":
        return dtype.newbyteorder("=")
    if dtype.kind in "bf":
        return np.dtype(np.uint8 if dtype.kind == "b" else np.float32)
    raise InputError(f"values of type {dtype} cannot be written; give real values, such as the magnitude")


def _stored_shape(volume: Volume, geometry: Geometry) -> tuple[int, ...]:
    """Sizes in the order of the file, frames last."""
    if volume.ndim not in (3, 4):
        raise ShapeError(f"the volume has {volume.ndim} axes; give (z, y, x) or (frame, z, y, x)")
    if tuple(volume.shape[-3:]) != geometry.shape:
        raise ShapeError(f"the volume is {tuple(volume.shape[-3:])} but its geometry is {geometry.shape} (z, y, x)")
    spatial = [geometry.shape[axis] for axis in np.argsort(geometry.to_stored[:, 0])]
    return (*spatial, *volume.shape[:-3])


def _stored_blocks(volume: Volume, geometry: Geometry) -> Iterator[NDArray[np.generic]]:
    """Parts of a volume in the order of the file, one behind the other."""
    if not isinstance(volume, SlicedVolume) and volume.ndim == 4:
        for frame in volume:
            yield from _stored_blocks(frame, geometry)
        return
    # The axis that the file counts slowest.
    axis = int(np.argmax(geometry.to_stored[:, 0]))
    is_reversed = geometry.to_stored[axis, 1] < 0
    n_planes = geometry.shape[axis]
    n_bytes = volume.dtype.itemsize * volume.size
    if isinstance(volume, SlicedVolume) and volume.axis != axis:
        at_once = max(n_bytes // MOST_PASSES, BLOCK_BYTES)
    else:
        at_once = BLOCK_BYTES
    step = max(at_once * n_planes // max(n_bytes, 1), 1)
    for start in range(0, n_planes, step):
        stop = min(start + step, n_planes)
        first, last = (n_planes - stop, n_planes - start) if is_reversed else (start, stop)
        block = np.moveaxis(block_of(volume, axis, first, last), 0, axis)
        yield apply_orientation(block, geometry.to_stored)
