"""Hold a result against what is known: every number, and the conventions it was computed by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer.geometry import Geometry
from mrviewer.lesions import CONVENTIONS as LESION_CONVENTIONS
from mrviewer.lesions import LesionTable, lesion_table
from mrviewer.overlap import CONVENTION as OVERLAP_CONVENTION
from mrviewer.overlap import overlap
from mrviewer.quality import CONVENTIONS as IMAGE_CONVENTIONS
from mrviewer.quality import ImageQuality, image_quality
from mrviewer.sliced import SlicedVolume, Volume, without_slices
from mrviewer.surface import CONVENTION as SURFACE_CONVENTION
from mrviewer.surface import hd95_mm

if TYPE_CHECKING:
    from mrviewer.reconstruct import Reconstruction

__all__ = ["Assessment", "SegmentationQuality", "assess", "assess_run"]

Array = NDArray[np.generic]
UNPLACED = (
    "Centroids: the file does not state how it lies in the scanner, so they are relative to an assumed "
    "grid, and left and right, front and back, or head and foot may be swapped."
)
_PLANES = ("axial", "coronal", "sagittal")
"""Slices cut along each axis of an internal array."""


@dataclass(frozen=True)
class SegmentationQuality:
    """Figures of a segmentation against its reference; what cannot be computed is `None`.

    Parameters
    ----------
    dice, precision, recall
        Voxel by voxel.
    hd95_mm
        95th percentile of the Hausdorff distance.
    lesion_f1
        Lesion by lesion.
    n_lesions, n_lesions_found
        Lesions of the reference, and those that were found.
    """

    dice: float
    precision: float | None
    recall: float | None
    hd95_mm: float | None
    lesion_f1: float
    n_lesions: int
    n_lesions_found: int


@dataclass(frozen=True, eq=False)
class Assessment:
    """What was measured, and how.

    Parameters
    ----------
    image
        `None` without an image or without its reference.
    segmentation, lesions
        `None` without a segmentation or without its reference.
    conventions
        A sentence for each kind of number, to be shown beside the numbers.
    """

    image: ImageQuality | None
    segmentation: SegmentationQuality | None
    lesions: LesionTable | None
    conventions: tuple[str, ...]

    def to_json(self) -> dict[str, dict[str, float | int | None] | list[str]]:
        """Return the keys of ``metrics.json`` that are measured: ``image``, ``segmentation`` and ``conventions``."""
        image, segmentation = self.image, self.segmentation
        return {
            "image": {
                "psnr": image.psnr if image else None,
                "ssim": image.ssim if image else None,
                "nmse": image.nmse if image else None,
                "hfen": image.hfen if image else None,
            },
            "segmentation": {
                "dice": segmentation.dice if segmentation else None,
                "precision": segmentation.precision if segmentation else None,
                "recall": segmentation.recall if segmentation else None,
                "hd95_mm": segmentation.hd95_mm if segmentation else None,
                "lesion_f1": segmentation.lesion_f1 if segmentation else None,
                "lesions_reference": segmentation.n_lesions if segmentation else None,
                "lesions_found": segmentation.n_lesions_found if segmentation else None,
            },
            "conventions": list(self.conventions),
        }


def assess(
    *,
    image: Volume | None = None,
    image_reference: Volume | None = None,
    segmentation: Array | None = None,
    reference: Array | None = None,
    geometry: Geometry,
    slice_axis: int = 0,
    min_lesion_ml: float = 0.0,
) -> Assessment:
    """Measure an image, a segmentation, or both. What has no reference is not measured, and the assessment says so.

    Parameters
    ----------
    image, image_reference : (z, y, x)
        Reconstruction and fully sampled image in the same units; complex and negative values are taken by magnitude, so
        that figures from files are those of the reconstruction.
    segmentation, reference : (z, y, x)
        What is greater than 0 belongs to the mask.
    geometry
        The grid of all four.
    slice_axis
        Axis along which images are cut into slices.
    min_lesion_ml
        Smaller lesions and predicted components are dropped from the lesion table; 0 drops none.

    Raises
    ------
    ShapeError
        If an array does not lie on the grid.
    """
    _require_on_grid(
        {
            "image": image,
            "reference image": image_reference,
            "segmentation": segmentation,
            "reference segmentation": reference,
        },
        geometry,
    )
    quality = table = agreement = None
    if image is not None and image_reference is not None:
        quality = image_quality(_magnitude(image), _magnitude(image_reference), slice_axis)
    if segmentation is not None and reference is not None:
        table = lesion_table(reference, segmentation, geometry, min_lesion_ml)
        agreement = _agreement(segmentation, reference, table, geometry)
    conventions = (
        *(() if image is None else _image_conventions(quality, slice_axis)),
        *(() if segmentation is None else _segmentation_conventions(table, min_lesion_ml)),
        *(() if table is None or geometry.is_placed else (UNPLACED,)),
    )
    return Assessment(quality, agreement, table, conventions)


def assess_run(run: "Reconstruction", labels: Array | None, min_lesion_ml: float = 0.0) -> Assessment:
    """Hold what a method gave for a study against what is known of it; the viewer and every command measure by this.

    Parameters
    ----------
    run
        From `mrviewer.reconstruct.reconstruct`.
    labels : (z, y, x)
        Reference segmentation; `None` if nobody drew one.
    min_lesion_ml
        See `assess`.
    """
    assessment = assess(
        image=run.image,
        image_reference=run.reference,
        segmentation=run.lesions,
        reference=labels,
        geometry=run.geometry,
        slice_axis=run.slice_axis,
        min_lesion_ml=min_lesion_ml,
    )
    return _without_missing(assessment, run) if run.missing else assessment


def _without_missing(assessment: Assessment, run: "Reconstruction") -> Assessment:
    """Leave slices that the files lack out of the image figures: both volumes are 0 there, and equal."""
    if assessment.image is None or run.image is None or run.reference is None:
        return assessment
    image, reference = (
        without_slices(_magnitude(volume), run.missing, run.slice_axis) for volume in (run.image, run.reference)
    )
    said = f"Slices {', '.join(map(str, run.missing))} are missing, and left out of the image figures."
    return replace(
        assessment,
        image=image_quality(image, reference, run.slice_axis),
        conventions=(*assessment.conventions, said),
    )


def _magnitude(volume: Volume) -> Volume:
    """Magnitude of a volume; the volume itself, without a copy, where it is that already."""
    if isinstance(volume, SlicedVolume) or (not np.iscomplexobj(volume) and bool(np.all(volume.min(initial=0) >= 0))):
        return volume
    return np.abs(volume)


def _agreement(segmentation: Array, reference: Array, table: LesionTable, geometry: Geometry) -> SegmentationQuality:
    voxels = overlap(reference, segmentation)
    return SegmentationQuality(
        voxels.dice,
        voxels.precision,
        voxels.recall,
        hd95_mm(reference, segmentation, geometry.voxel_size_mm),
        table.lesion_f1,
        table.n_reference,
        table.n_found,
    )


def _image_conventions(quality: ImageQuality | None, slice_axis: int) -> tuple[str, ...]:
    if quality is None:
        return ("Image: not measured, because there is no fully sampled image to hold it against.",)
    return (*IMAGE_CONVENTIONS, f"Slices are {_PLANES[slice_axis]}.")


def _segmentation_conventions(table: LesionTable | None, min_lesion_ml: float) -> tuple[str, ...]:
    if table is None:
        return ("Segmentation: not measured, because there is no reference segmentation to hold it against.",)
    dropped = f"Components smaller than {min_lesion_ml:g} ml are dropped." if min_lesion_ml > 0 else "None is dropped."
    return (OVERLAP_CONVENTION, SURFACE_CONVENTION, *LESION_CONVENTIONS, f"Size of lesions: {dropped}")


def _require_on_grid(arrays: Mapping[str, Volume | None], geometry: Geometry) -> None:
    for name, array in arrays.items():
        if array is not None and array.shape != geometry.shape:
            raise ShapeError(
                f"the {name} is {array.shape} but its grid is {geometry.shape} (z, y, x); resample it to the grid first"
            )
