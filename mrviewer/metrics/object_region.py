"""Where the object lies in an image: the head without the air around it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from mrviewer.sliced import Volume, block_of

__all__ = ["CONVENTION", "object_region"]

CONVENTION = (
    "Object: voxels of the reference above 10 % of the 99th percentile of those that are not 0 (above 1e-4 of the "
    "maximum), opened by 2 x 2 pixels and closed within slices; where at least 80 % of those that are not 0 lie above, "
    "as in a skull-stripped image, all that are not 0; of these the largest face-connected part, with the holes of "
    "each slice filled."
)

_BRIGHT = 0.1
"""Part of the robust maximum, as in BET (Smith SM 2002, Hum Brain Mapp 17:143-155, doi:10.1002/hbm.10062)."""
_NOTHING = 1e-4
"""Part of the maximum up to which a value counts as 0: a reference that went through k-space keeps none exactly."""
_PERCENTILE = 99
_NEARLY_ALL = 0.8
_MOST_LOOKED_AT = 1 << 22
"""Voxels that the percentile is computed from; of a larger volume every n-th slice is taken."""
_BRIDGED_PIXELS = 2
"""Half the width of a gap, such as dark bone, that closing bridges."""
_SPECK = np.ones((2, 2), bool)


def object_region(reference: Volume, slice_axis: int = 0) -> NDArray[np.bool_]:
    """Voxels of the object that an image shows; see `CONVENTION`.

    Parameters
    ----------
    reference : (z, y, x)
        Fully sampled image; complex and negative values are taken by magnitude, values that are not finite as 0. Slices
        are gone through one at a time.
    slice_axis
        Axis along which the volume is cut into slices.

    Returns
    -------
    bool, (z, y, x)
        All False if the image is empty.
    """
    largest = max((float(values.max(initial=0)) for _, values in _slices(reference, slice_axis)), default=0.0)
    floor = _NOTHING * largest
    level = max(_BRIGHT * _robust_maximum(reference, slice_axis, floor), floor)
    region = np.zeros(reference.shape, bool)
    planes = np.moveaxis(region, slice_axis, 0)
    n_present = n_bright = 0
    for index, values in _slices(reference, slice_axis):
        np.greater(values, level, out=planes[index])
        n_present += int(np.count_nonzero(values > floor))
        n_bright += int(np.count_nonzero(planes[index]))
    if n_bright >= _NEARLY_ALL * n_present:
        for index, values in _slices(reference, slice_axis):
            np.greater(values, floor, out=planes[index])
    else:
        for plane in planes:
            plane[...] = _cleaned(plane)
    _keep_largest(planes)
    for plane in planes:
        plane[...] = ndimage.binary_fill_holes(plane)
    return region


def _slices(volume: Volume, axis: int, step: int = 1) -> Iterator[tuple[int, NDArray[np.floating]]]:
    """Number and finite magnitude of slices."""
    for index in range(0, volume.shape[axis], step):
        yield index, np.nan_to_num(np.abs(block_of(volume, axis, index, index + 1)[0]), nan=0, posinf=0, neginf=0)


def _robust_maximum(volume: Volume, axis: int, floor: float) -> float:
    """Percentile of the values above a floor; 0 if none is."""
    step = max(1, volume.size // _MOST_LOOKED_AT)
    found = [values[values > floor] for _, values in _slices(volume, axis, step)]
    values = np.concatenate(found) if found else np.empty(0)
    return float(np.percentile(values, _PERCENTILE)) if values.size else 0.0


def _cleaned(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A slice without specks, and without gaps that are narrower than closing bridges."""
    opened: NDArray[np.bool_] = ndimage.binary_opening(plane, _SPECK)
    closed: NDArray[np.bool_] = ndimage.binary_closing(opened, iterations=_BRIDGED_PIXELS)
    return opened | closed


def _keep_largest(planes: NDArray[np.bool_]) -> None:
    """Keep the largest face-connected part, in place; labels of one slice at a time are in memory."""
    sizes, touching, before, total = [], [], np.zeros(planes.shape[1:], np.int64), 0
    for plane in planes:
        labels, count = _labelled(plane, total)
        sizes.append(np.bincount(labels.ravel())[total + 1 :])
        both = (before > 0) & (labels > 0)
        touching.append(np.unique(np.stack([before[both], labels[both]]), axis=1) - 1)
        before, total = labels, total + count
    if not total:
        return
    ones, others = np.concatenate(touching, axis=1)
    graph = sparse.coo_array((np.ones(len(ones), bool), (ones, others)), shape=(total, total))
    _, part_of = csgraph.connected_components(graph, directed=False)
    is_kept = np.append(False, part_of == np.argmax(np.bincount(part_of, weights=np.concatenate(sizes))))
    total = 0
    for plane in planes:
        labels, count = _labelled(plane, total)
        plane[...] = is_kept[labels]
        total += count


def _labelled(plane: NDArray[np.bool_], first: int) -> tuple[NDArray[np.int64], int]:
    """Numbers of the parts of a slice, above those of the slices before; 0 outside; and how many there are."""
    labels, count = ndimage.label(plane)
    return np.where(plane, labels.astype(np.int64) + first, 0), count
