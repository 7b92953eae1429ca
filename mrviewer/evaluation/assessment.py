"""Hold a result against what is known: every number, and the conventions it was computed by."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.images.voxel_size import size_doubt, size_text
from mrviewer.metrics.lesion_errors import with_local_errors
from mrviewer.metrics.lesions import CONVENTIONS as LESION_CONVENTIONS
from mrviewer.metrics.lesions import LesionTable, lesion_table
from mrviewer.metrics.metric_list import by_group, flat
from mrviewer.metrics.object_region import CONVENTION as OBJECT_CONVENTION
from mrviewer.metrics.object_region import object_region
from mrviewer.metrics.overlap import CONVENTION as OVERLAP_CONVENTION
from mrviewer.metrics.overlap import overlap
from mrviewer.metrics.quality import CONVENTIONS as IMAGE_CONVENTIONS
from mrviewer.metrics.quality import REGION_CONVENTION, ImageQuality, image_quality, image_quality_in
from mrviewer.metrics.surface import CONVENTION as SURFACE_CONVENTION
from mrviewer.metrics.surface import hd95_mm
from mrviewer.sliced import SlicedVolume, Volume, without_slices

if TYPE_CHECKING:
    from mrviewer.reconstruction.reconstruct import Reconstruction

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
    lesion_f1, lesion_f1_iou10
        Lesion by lesion, where one voxel in common is enough, and where intersection over union must be 0.1.
    lesions_reference, lesions_found, false_regions
        Lesions of the reference, those that were found, and predicted components that touch none.
    """

    dice: float
    precision: float | None
    recall: float | None
    hd95_mm: float | None
    lesion_f1: float
    lesion_f1_iou10: float
    lesions_reference: int
    lesions_found: int
    false_regions: int


@dataclass(frozen=True, eq=False)
class Assessment:
    """What was measured, and how.

    Parameters
    ----------
    image, image_in_object
        Of the whole volume, and of the object in it; `None` without an image or without its reference.
    segmentation, lesions
        `None` without a segmentation or without its reference.
    conventions
        A sentence for each kind of number, to be shown beside the numbers.
    missing
        Slices that were left out of every number.
    """

    image: ImageQuality | None
    image_in_object: ImageQuality | None
    segmentation: SegmentationQuality | None
    lesions: LesionTable | None
    conventions: tuple[str, ...]
    missing: tuple[int, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the keys of ``metrics.json`` that are measured."""
        return {
            **self._parts(),
            "lesions": None if self.lesions is None else [row.to_json() for row in self.lesions.rows],
            "missing_slices": list(self.missing),
            "conventions": list(self.conventions),
        }

    def figures(self) -> dict[str, float | None]:
        """Every figure by its key in `mrviewer.metrics.metric_list.METRICS`."""
        return flat(self._parts())

    def _parts(self) -> dict[str, dict[str, float | None]]:
        return {
            "image": _part(self.image, "image"),
            "image_in_object": _part(self.image_in_object, "image_in_object"),
            "segmentation": _part(self.segmentation, "segmentation"),
        }


def _part(quality: ImageQuality | SegmentationQuality | None, group: str) -> dict[str, float | None]:
    """A part of ``metrics.json``; `None` everywhere where nothing was measured."""
    return dict.fromkeys(metric.name for metric in by_group(group)) if quality is None else asdict(quality)


def assess(
    *,
    image: Volume | None = None,
    image_reference: Volume | None = None,
    segmentation: Array | None = None,
    reference: Array | None = None,
    geometry: Geometry,
    slice_axis: int = 0,
    min_lesion_ml: float = 0.0,
    missing: Sequence[int] = (),
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
    missing
        Slices along `slice_axis` that the files lack; they are left out of every figure.

    Raises
    ------
    ShapeError
        If an array does not lie on the grid.
    InputError
        If there is no such slice, or no other.
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
    missing = _checked(missing, geometry.shape[slice_axis])
    whole = inside = table = agreement = None
    if image is not None and image_reference is not None:
        shown, truth = (_present(volume, missing, slice_axis) for volume in (image, image_reference))
        whole = image_quality(shown, truth, slice_axis)
        inside = image_quality_in(object_region(truth, slice_axis), shown, truth, slice_axis)
    if segmentation is not None and reference is not None:
        table = lesion_table(reference, segmentation, geometry, min_lesion_ml, missing, slice_axis)
        if image is not None and image_reference is not None:
            table = with_local_errors(table, image, image_reference)
        judged, known = (_emptied(volume, missing, slice_axis) for volume in (segmentation, reference))
        agreement = _agreement(judged, known, table, geometry)
    conventions = (
        *(() if image is None else _image_conventions(whole, slice_axis, geometry)),
        *(() if segmentation is None else _segmentation_conventions(table, min_lesion_ml)),
        *(() if table is None else _grid_conventions(geometry)),
        *_missing_conventions(missing),
    )
    return Assessment(whole, inside, agreement, table, conventions, missing)


def assess_run(run: "Reconstruction", labels: Array | None, min_lesion_ml: float = 0.0) -> Assessment:
    """Hold what a method gave for a study against what is known of it; the viewer and every command measure by this.

    Parameters
    ----------
    run
        From `mrviewer.reconstruction.reconstruct.reconstruct`.
    labels : (z, y, x)
        Reference segmentation; `None` if nobody drew one.
    min_lesion_ml
        See `assess`.
    """
    return assess(
        image=run.image,
        image_reference=run.reference,
        segmentation=run.lesions,
        reference=labels,
        geometry=run.geometry,
        slice_axis=run.slice_axis,
        min_lesion_ml=min_lesion_ml,
        missing=run.missing,
    )


def _checked(missing: Sequence[int], n_slices: int) -> tuple[int, ...]:
    """Missing slices in order, each once."""
    slices = tuple(sorted(set(missing)))
    if slices and not 0 <= slices[0] <= slices[-1] < n_slices:
        raise InputError(
            f"slices {', '.join(map(str, slices))} were to be left out of {n_slices} slices; count them from 0"
        )
    if len(slices) == n_slices:
        raise InputError(f"all {n_slices} slices were to be left out; there is nothing to measure")
    return slices


def _emptied(labels: Array, missing: Sequence[int], slice_axis: int) -> Array:
    """Labels with nothing in the slices that do not count."""
    if not missing:
        return labels
    emptied = labels.copy()
    np.moveaxis(emptied, slice_axis, 0)[list(missing)] = 0
    return emptied


def _missing_conventions(missing: Sequence[int]) -> tuple[str, ...]:
    if not missing:
        return ()
    return (f"Slices {', '.join(map(str, missing))} (counted from 0) are missing, and left out of every figure.",)


def _present(volume: Volume, missing: Sequence[int], slice_axis: int) -> Volume:
    """Magnitude of a volume without the slices that do not count."""
    return without_slices(_magnitude(volume), missing, slice_axis) if missing else _magnitude(volume)


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
        table.lesion_f1_iou10,
        table.n_reference,
        table.n_found,
        table.n_false,
    )


def _image_conventions(quality: ImageQuality | None, slice_axis: int, geometry: Geometry) -> tuple[str, ...]:
    if quality is None:
        return ("Image: not measured, because there is no fully sampled image to hold it against.",)
    plane = _PLANES[slice_axis] if geometry.is_placed else f"cut along {'zyx'[slice_axis]}"
    return (*IMAGE_CONVENTIONS, OBJECT_CONVENTION, REGION_CONVENTION, f"Slices are {plane}.")


def _segmentation_conventions(table: LesionTable | None, min_lesion_ml: float) -> tuple[str, ...]:
    if table is None:
        return ("Segmentation: not measured, because there is no reference segmentation to hold it against.",)
    dropped = f"Components smaller than {min_lesion_ml:g} ml are dropped." if min_lesion_ml > 0 else "None is dropped."
    return (OVERLAP_CONVENTION, SURFACE_CONVENTION, *LESION_CONVENTIONS, f"Size of lesions: {dropped}")


def _grid_conventions(geometry: Geometry) -> tuple[str, ...]:
    """What makes figures in millimetres doubtful."""
    doubt = size_doubt(geometry)
    sizes = (
        f"Millimetres and millilitres: of voxels of {size_text(geometry.voxel_size_mm)}, which can hardly be true "
        f"({doubt})."
    )
    return (*((sizes,) if doubt else ()), *(() if geometry.is_placed else (UNPLACED,)))


def _require_on_grid(arrays: Mapping[str, Volume | None], geometry: Geometry) -> None:
    for name, array in arrays.items():
        if array is not None and array.shape != geometry.shape:
            raise ShapeError(
                f"the {name} is {array.shape} but its grid is {geometry.shape} (z, y, x); resample it to the grid first"
            )
