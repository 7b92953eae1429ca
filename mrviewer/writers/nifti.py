"""Volumes as NIfTI-1, lying exactly over the file they came from."""

from pathlib import Path

import nibabel
import numpy as np
from isal import igzip
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.writers.whole import whole_file

__all__ = ["write_volume"]

ALIGNED = 2
"""NIfTI's code for "in the coordinates of something else", true for whatever the input was."""
UNKNOWN = 0
DESCRIPTION_BYTES = 79


def write_volume(path: str | Path, volume: NDArray[np.generic], geometry: Geometry, *, description: str = "") -> Path:
    """Write a volume in the order and orientation of the file that its geometry comes from.

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
    stored = np.asfortranarray(_stored_order(_storable(volume), geometry))
    header = nibabel.Nifti1Header()
    header.set_data_dtype(stored.dtype)
    header.set_data_shape(stored.shape)
    header.set_xyzt_units("mm", "sec")
    header["descrip"] = description.encode("ascii", "replace")[:DESCRIPTION_BYTES]
    image = nibabel.Nifti1Image(stored, None, header)
    _set_position(image.header, geometry)
    content = image.to_bytes()
    with whole_file(path) as temporary:
        temporary.write_bytes(igzip.compress(content, mtime=0) if path.name.lower().endswith(".gz") else content)
    return path


def _set_position(header: nibabel.Nifti1Header, geometry: Geometry) -> None:
    """State where the volume lies, or that nobody knows."""
    if not geometry.is_placed:
        header.set_sform(None, UNKNOWN)
        header.set_qform(None, UNKNOWN)
        header["pixdim"][1:4] = voxel_sizes(geometry.stored_affine)
        return
    header.set_qform(geometry.stored_affine, UNKNOWN if geometry.is_sheared else ALIGNED)
    header.set_sform(geometry.stored_affine, ALIGNED)


def _storable(volume: NDArray[np.generic]) -> NDArray[np.generic]:
    """Values in a type that every reader of NIfTI knows."""
    if volume.dtype.kind == "b":
        return volume.astype(np.uint8)
    if volume.dtype.kind in "iu":
        return volume
    if volume.dtype.kind == "f":
        return volume.astype(np.float32, copy=False)
    raise InputError(f"values of type {volume.dtype} cannot be written; give real values, such as the magnitude")


def _stored_order(volume: NDArray[np.generic], geometry: Geometry) -> NDArray[np.generic]:
    """Array in the order of the file, frames last."""
    if volume.ndim not in (3, 4):
        raise ShapeError(f"the volume has {volume.ndim} axes; give (z, y, x) or (frame, z, y, x)")
    if volume.ndim == 4:
        volume = np.moveaxis(volume, 0, -1)
    return geometry.to_stored_order(volume)
