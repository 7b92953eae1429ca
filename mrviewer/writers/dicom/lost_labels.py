"""Labels that a DICOM series has no room for: a segmentation that lost them would be taken for the whole of it."""

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer.geometry import Geometry
from mrviewer.writers.dicom.dicom_source import DicomSource, lies_on

__all__ = ["count_outside", "require_inside", "require_kept"]


def count_outside(labels: NDArray[np.generic], geometry: Geometry, source: DicomSource) -> int:
    """Labelled voxels whose centres lie outside of the slices of a series.

    Parameters
    ----------
    labels : (z, y, x)
        0 is background.
    geometry
        Their grid.
    source
        The series.
    """
    if lies_on(source, geometry):
        return 0
    to_source = np.linalg.inv(source.geometry.affine) @ geometry.as_filed.affine
    index = apply_affine(to_source, np.argwhere(np.asarray(labels)))
    inside = np.all((index >= -0.5) & (index < np.asarray(source.geometry.shape) - 0.5), axis=-1)
    return int(np.count_nonzero(~inside))


def require_inside(labels: NDArray[np.generic], geometry: Geometry, source: DicomSource) -> None:
    """Refuse labels of which a part lies outside of a series.

    Raises
    ------
    ShapeError
        If there is such a part.
    """
    n_lost = count_outside(labels, geometry, source)
    if n_lost:
        n_all = int(np.count_nonzero(labels))
        before, lost = (count * geometry.voxel_volume_ml for count in (n_all, n_lost))
        raise ShapeError(
            f"{n_lost:,} of {n_all:,} labelled voxels ({lost:.2f} of {before:.2f} ml) lie outside of the slices of "
            f"{source.description} and would be lost; export onto the whole series that was segmented"
        )


def require_kept(before: NDArray[np.generic], after: NDArray[np.generic], source: DicomSource) -> None:
    """Refuse labels of which some fall between the voxels of a series.

    Raises
    ------
    ShapeError
        If a value of `before` is not in `after`.
    """
    lost = np.setdiff1d(before[np.greater(before, 0)], after)
    if lost.size:
        raise ShapeError(
            f"{lost.size} labels (first {lost[0]}) are too small for a voxel of {source.description} and would be "
            "lost; export onto the series that was segmented, or leave small lesions out"
        )
