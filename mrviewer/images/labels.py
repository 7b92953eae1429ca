"""Reference labels: made whole numbers, and brought onto the grid of the images."""

from dataclasses import replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.errors import FileFormatError, PositionError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.images.alignment import lay_over, meant_grid, why_unknown
from mrviewer.notes import Note, NoteKind
from mrviewer.study import Image

__all__ = ["labels_on_grid"]

MOST_LABELS = 1000
"""A label map of more classes is an image that was given by mistake."""
WHOLE = 1e-3
"""Distance from a whole number that rounding in a file explains."""
MOST_TOLD = 10
"""Lost labels that are named one by one."""
_PERCENT, _BYTE = 100, 255
"""Highest values of maps whose steps are so many."""
_FEW_CLASSES = 20
"""Classes up to this number are no reason to ask."""
_MAP_VALUES = 8
"""Fewer different values above 0 are labels, however small they are."""
_MAP_PAIRS = 20
"""Fewer pairs of neighbours tell nothing."""
SAME_VOXEL = 0.1
"""Part of a voxel by which two programs may put one grid apart."""


def labels_on_grid(labels: Image, geometry: Geometry, *, voxel_for_voxel: bool = False) -> tuple[Image, Note]:
    """Labels as whole numbers on the grid of an image, and what was done to them.

    Parameters
    ----------
    labels : (z, y, x)
        Whole numbers, 0 is background; or probabilities, which are cut at 0.5. 0 and 255 are 0 and 1. Values below 0
        and values that are not finite become background.
    geometry
        The grid of the images. Labels on a part of it, as a DICOM SEG has them, go where they belong, voxel for voxel;
        labels on another grid are resampled by scanner coordinates to the nearest voxel. If one of the two is not
        placed they lie voxel for voxel where the matrices agree (see `mrviewer.images.alignment`).
    voxel_for_voxel
        Whether to disregard the position of the labels where the matrices agree.

    Returns
    -------
    The labels, uint8 where they fit, and a note that says what was changed; empty if nothing was.

    Raises
    ------
    FileFormatError
        If the values cannot be labels.
    ShapeError
        If the labels and the images lie nowhere together, or nobody knows how.
    """
    name = labels.path.name if labels.path is not None else "the label volume"
    if labels.n_frames > 1:
        raise FileFormatError(f"{name} is a series of {labels.n_frames} volumes; give one volume of labels")
    laid = lay_over(labels, geometry, voxel_for_voxel=voxel_for_voxel)
    target = meant_grid(labels, geometry)
    if laid is None and (reason := why_unknown(labels, target, "the image")):
        raise _refusal(reason, labels, target)
    labels, position_notes = laid or (labels, ())
    values, notes = _whole_numbers(labels.volume(), name)
    notes, drawn = [*position_notes, *notes], values
    if laid is None:
        start = _place_within(labels.geometry, target)
        if start is None:
            if not (covered := _covered(labels.geometry, target)):
                said = f"{name} and the image lie nowhere together in the scanner; give labels of the same scan"
                raise _refusal(said, labels, target)
            values, note = _resampled(values, labels.geometry, target, name, covered)
        else:
            values, note = _placed(values, start, target.shape, name)
        notes.append(note)
    if not values.any():
        notes.append(f"{name} labels no voxel of the image")
    elif laid is None and (lost := sorted({*np.unique(drawn).tolist()} - {*np.unique(values).tolist(), 0})):
        told = ", ".join(map(str, lost[:MOST_TOLD])) + (f" and {len(lost) - MOST_TOLD} more" * (len(lost) > MOST_TOLD))
        notes.append(f"labels of {name} that lie on no voxel of the image are lost: {told}")
    # A copy: the array may belong to somebody who goes on painting in it.
    values = np.array(values, order="C")
    values.setflags(write=False)
    return replace(labels, data=values, geometry=geometry, modality="labels"), Note("; ".join(notes), NoteKind.LABELS)


def _refusal(reason: str, labels: Image, target: Geometry) -> ShapeError:
    """What is raised for a position that does not fit; of another kind where the labels fit voxel for voxel."""
    agree = labels.geometry.stored_shape == target.stored_shape
    return PositionError(reason) if agree else ShapeError(reason)


def _whole_numbers(values: NDArray[np.generic], name: str) -> tuple[NDArray[np.generic], list[str]]:
    """Values as the smallest unsigned type that holds them."""
    notes: list[str] = []
    if values.dtype.kind == "b":
        return values.astype(np.uint8), notes
    if values.dtype.kind == "f":
        values, notes = _rounded(values.astype(np.float64), name)
    elif values.dtype.kind not in "iu":
        raise FileFormatError(f"{name} holds values of type {values.dtype}; labels are whole numbers")
    low, high = int(values.min()), int(values.max())
    if low < 0:
        if high <= 0:
            raise FileFormatError(f"{name} holds no label above 0 but values down to {low}; labels count from 1")
        negative = np.less(values, 0)
        notes.append(f"{np.count_nonzero(negative):,} voxels of {name} with values below 0 were taken as background")
        values = np.where(negative, 0, values)
    if high > np.iinfo(np.uint32).max:
        raise FileFormatError(f"{name} holds values up to {high:,}, which are no labels; give a segmentation")
    whole = values.astype(np.min_scalar_type(max(high, 0)), copy=False)
    if whole.dtype.itemsize > 1 and (count := np.unique(whole).size) > MOST_LABELS:
        raise FileFormatError(f"{name} holds {count:,} different values, as an image does; give a segmentation")
    if _is_map(whole):
        raise FileFormatError(
            f"{name} holds values up to {high} that change from voxel to voxel, as an image or a probability map in "
            f"{'percent' if high <= _PERCENT else '0 to 255'} does; give a segmentation, or the map cut to 0 and 1"
        )
    if high == 255 and np.isin(whole, (0, 255)).all():
        notes.append(f"the value 255 of {name} was taken as label 1")
        whole = np.greater(whole, 0).astype(np.uint8)
    return whole, notes


def _rounded(values: NDArray[np.float64], name: str) -> tuple[NDArray[np.generic], list[str]]:
    """Whole numbers from floating point: as they are, or probabilities cut at 0.5."""
    notes = []
    finite = np.isfinite(values)
    if not finite.all():
        notes.append(f"{np.count_nonzero(~finite):,} voxels of {name} that are not finite were taken as background")
        values = np.where(finite, values, 0)
    whole = np.rint(values)
    if np.abs(values - whole).max() <= WHOLE:
        if np.abs(whole).max() > np.iinfo(np.uint32).max:
            raise FileFormatError(
                f"{name} holds values up to {np.abs(whole).max():g}, which are no labels; give a segmentation"
            )
        if _FEW_CLASSES < whole.max() < _BYTE:
            notes.append(
                f"{name} holds floating-point numbers up to {whole.max():g}, taken as the numbers of classes; if they "
                "are probabilities in percent, give the map cut to 0 and 1"
            )
        return whole.astype(np.int64), notes
    low, high = float(values.min()), float(values.max())
    if low < -WHOLE or high > 1 + WHOLE:
        raise FileFormatError(
            f"{name} holds values from {low:g} to {high:g} that are not whole numbers; give a segmentation"
            + (
                ", or the map cut to 0 and 1 if these are probabilities (in percent?)"
                if low >= -WHOLE
                else ", not an image"
            )
        )
    is_label = values > 0.5
    between = (values > WHOLE) & (values < 1 - WHOLE)
    n_kept = int(np.count_nonzero(between & is_label))
    n_half = int(np.count_nonzero(np.abs(values - 0.5) <= WHOLE))
    notes.append(
        f"{name} holds probabilities and was cut at 0.5: of {np.count_nonzero(between):,} voxels between 0 and 1, "
        f"{n_kept:,} became label 1 and {np.count_nonzero(between) - n_kept:,} background"
        + (f" ({n_half:,} of them at 0.5)" if n_half else "")
    )
    return is_label.astype(np.uint8), notes


def _is_map(values: NDArray[np.generic]) -> bool:
    """Whether many different values change from voxel to voxel, which labels do at their borders only.

    Pairs of neighbours that both have the highest value are left out: a probability map may be saturated.
    """
    high = values.max()
    if high < _MAP_VALUES or high > _BYTE or np.unique(values).size <= _MAP_VALUES:
        return False
    n_pairs = n_equal = 0
    for axis in range(values.ndim):
        one, other = (np.take(values, range(start, values.shape[axis] - 1 + start), axis) for start in (0, 1))
        counts = (one > 0) & (other > 0) & ~((one == high) & (other == high))
        n_pairs += int(np.count_nonzero(counts))
        n_equal += int(np.count_nonzero(counts & (one == other)))
    return n_pairs >= _MAP_PAIRS and 2 * n_equal < n_pairs


def _place_within(source: Geometry, target: Geometry) -> tuple[int, int, int] | None:
    """First voxel of `target` that `source` covers, if it is cut out of it voxel for voxel; `None` if it is not."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in source.shape])).reshape(3, -1).T.astype(float)
    there = apply_affine(np.linalg.inv(target.affine), source.to_mm(corners))
    start = np.rint(there[0]).astype(int)
    inside = bool(np.all(start >= 0) and np.all(start + source.shape <= target.shape))
    fits = bool(np.abs(there - corners - start).max() <= SAME_VOXEL)
    return (int(start[0]), int(start[1]), int(start[2])) if inside and fits else None


def _placed(
    values: NDArray[np.generic], start: tuple[int, int, int], shape: tuple[int, int, int], name: str
) -> tuple[NDArray[np.generic], str]:
    """Values in the part of a grid that they cover; background outside."""
    whole = np.zeros(shape, values.dtype)
    whole[tuple(slice(first, first + n) for first, n in zip(start, values.shape, strict=True))] = values
    covered = values.size / whole.size
    return whole, f"{name} covers {covered:.0%} of the image, voxel for voxel; the rest counts as background"


def _resampled(
    values: NDArray[np.generic], source: Geometry, target: Geometry, name: str, covered: float
) -> tuple[NDArray[np.generic], str]:
    """Value of the nearest voxel at each voxel of `target`; background outside the labels."""
    matrix = np.linalg.inv(source.affine) @ target.affine
    moved = np.empty(target.shape, values.dtype)
    ndimage.affine_transform(
        values, matrix[:3, :3], matrix[:3, 3], output_shape=target.shape, output=moved, order=0, mode="grid-constant"
    )
    before_ml = np.count_nonzero(values) * source.voxel_volume_ml
    after_ml = np.count_nonzero(moved) * target.voxel_volume_ml
    return moved, (
        f"{name} lies on another grid and was resampled to the nearest voxel of the image by scanner coordinates: it "
        f"covers {covered:.0%} of the image, and {before_ml:.2f} ml of labels became {after_ml:.2f} ml"
    )


def _covered(source: Geometry, target: Geometry) -> float:
    """Part of the target's voxels whose centres lie in a voxel of the source."""
    matrix = np.linalg.inv(source.affine) @ target.affine
    inside = np.ones(target.shape, bool)
    z, y, x = np.ogrid[tuple(slice(n) for n in target.shape)]
    for axis, size in enumerate(source.shape):
        position = matrix[axis, 0] * z + matrix[axis, 1] * y + matrix[axis, 2] * x + matrix[axis, 3]
        inside &= (position >= -0.5) & (position < size - 0.5)
    return float(np.count_nonzero(inside) / inside.size)
