"""Where the brain is in an image of any contrast, for whatever looks inside it alone.

The core knows no network: a method called ``brain-mask`` finds the brain, and here stands what its answer is worth.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.device import resolve_device
from mrviewer.method import Measurement
from mrviewer.methods.registry import get_method
from mrviewer.progress import Progress
from mrviewer.sampling import make_mask
from mrviewer.study import Image, Origin

__all__ = ["BRAIN_METHOD", "BrainMask", "agreement_of", "doubt", "find_brain"]

BRAIN_METHOD = "brain-mask"

_VOLUME_ML = (700.0, 2200.0)
"""Of the brains of children of a few months to the largest of adults, with ventricles."""
_LEAST_ML = 20.0
_LEAST_AGREEMENT = 0.8
"""Of synthetic images of heads that training did not see, those below are wrong for the most part."""
_HEAD_MM = (90.0, 400.0)
"""Of the longest edge of a field of view that shows a head."""


_THINNEST_MM, _MANY_SLICES = 60.0, 15
"""Nobody scans so little of a head in so many slices; headers that say so lack the distance of the slices."""


@dataclass(frozen=True, eq=False)
class BrainMask:
    """A brain, and whether to trust it.

    Parameters
    ----------
    mask : bool, (z, y, x)
        On the grid of the image; one piece without holes.
    volume_ml
        Of the mask.
    agreement
        0 to 1: how far the three orientations, in which the image was looked at, say the same; see `agreement_of`.
    warning
        Why the mask may be wrong, in one sentence for the user; empty if nothing speaks against it.
    """

    mask: NDArray[np.bool_]
    volume_ml: float
    agreement: float
    warning: str = ""


def find_brain(image: Image, device: str = "auto", frame: int = 0) -> Generator[Progress, None, BrainMask]:
    """Find the brain in one volume.

    Parameters
    ----------
    image
        Of a head, in any contrast; what is cut out already is kept as it is.
    device
        See `mrviewer.device.resolve_device`.
    frame
        Volume of a series.

    Raises
    ------
    UnknownNameError
        If no installed package finds brains.
    WeightsError
        If the weights are not there.
    """
    method = get_method(BRAIN_METHOD)
    result = yield from method.run(_measurement(image, frame), resolve_device(device))
    axis = image.geometry.slice_axis
    found, given = result.segmentation, result.probabilities
    if found is None or given is None:
        raise TypeError(f"method {BRAIN_METHOD} segments nothing, and a segmentation with probabilities was expected")
    mask = np.ascontiguousarray(np.moveaxis(found > 0, 0, axis))
    volume_ml = float(np.count_nonzero(mask) * np.prod(image.geometry.voxel_size_mm) / 1000)
    agreement = agreement_of(given[0])
    return BrainMask(mask, volume_ml, agreement, doubt(image, mask, volume_ml, agreement))


def agreement_of(probability: NDArray[np.floating]) -> float:
    """Dice that the mask above one half is expected to have if the probabilities are true; 1 where all is 0.

    Averaged over orientations, they are near 0 and 1 where these agree, and near a half where they do not.
    """
    above = probability > 0.5
    total = float(probability.sum(dtype=np.float64)) + np.count_nonzero(above)
    return float(2 * probability[above].sum(dtype=np.float64) / total) if total else 1.0


def doubt(image: Image, mask: NDArray[np.bool_], volume_ml: float, agreement: float) -> str:
    """Say why a brain mask may be wrong, in one sentence; nothing if it looks like one."""
    shape = image.geometry.shape
    extent = np.multiply(shape, image.geometry.voxel_size_mm)
    longest, thin = float(extent.max()), int(extent.argmin())
    if not _HEAD_MM[0] <= longest <= _HEAD_MM[1]:
        return (
            f"The image is {longest:.0f} mm long by its voxel size, which no head is; correct the voxel size before "
            "you trust the brain mask."
        )
    if extent[thin] < _THINNEST_MM and shape[thin] >= _MANY_SLICES:
        return (
            f"The {shape[thin]} slices are {extent[thin]:.0f} mm thick together by their voxel size; if they show a "
            "whole head, correct the voxel size before you trust the brain mask."
        )
    if volume_ml < _LEAST_ML:
        return f"Hardly any brain was found ({volume_ml:.0f} ml); is this the image of a head?"
    smallest, largest = _VOLUME_ML
    is_whole = not any(np.take(mask, (0, -1), axis).any() for axis in range(3))
    if volume_ml > largest or (is_whole and volume_ml < smallest):
        return (
            f"The brain mask holds {volume_ml:.0f} ml, and whole brains have {smallest:.0f} to {largest:.0f}; look at "
            "it before you trust it."
        )
    if agreement < _LEAST_AGREEMENT:
        return (
            f"Seen from three sides the brain mask differs (agreement {agreement:.2f}, usually above "
            f"{_LEAST_AGREEMENT:g}); look at it before you trust it."
        )
    return ""


def _measurement(image: Image, frame: int) -> Measurement:
    """What a method that looks at the image alone is given: no k-space, which would be as large as the image."""
    axis, modality = image.geometry.slice_axis, image.modality
    stack = np.ascontiguousarray(np.moveaxis(image.volume(frame), axis, 0), dtype=np.float32)
    n_slices, height, width = stack.shape
    nothing = np.broadcast_to(np.complex64(0), (n_slices, 1, height, width))
    sizes = list(image.geometry.voxel_size_mm)
    thickness = sizes.pop(axis)
    return Measurement(
        kspace=nothing,
        mask=make_mask("full", (max(height, 2), max(width, 2))),
        coil_maps=nothing,
        modality=modality,
        origin=Origin.MAGNITUDE,
        images={modality: stack},
        voxel_size_mm=(thickness, sizes[0], sizes[1]),
        slice_axis=axis,
    )
