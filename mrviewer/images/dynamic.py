"""Contrast-enhanced series: the four phases of a liver study, and how much a region enhances in them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError, UnknownNameError

if TYPE_CHECKING:
    from mrviewer.study import Image, Study

__all__ = [
    "ENHANCED_PHASES",
    "PHASES",
    "SERIES",
    "enhancement_curve",
    "measured_enhancement",
    "relative_enhancement",
    "signal_curve",
]

PHASES = ("pre-contrast", "arterial", "portal-venous", "delayed")
"""Modalities of a four-phase study, in the order of time."""

ENHANCED_PHASES = PHASES[1:]
"""Phases that enhancement is told for, in the order of `enhancement_curve`."""

SERIES = "DCE"
"""Modality of a dynamic series: an image with one frame a time point."""

_SMALLEST = 1e-6
"""Added to the signal before contrast, so that a region of zeros divides nothing by zero."""


def relative_enhancement(means: NDArray[np.floating]) -> NDArray[np.float32]:
    """Enhancement against the first phase, ``e_p = (mu_p - mu_0) / (|mu_0| + 1e-6)``.

    Parameters
    ----------
    means : (phase, ...)
        Mean signal by phase, the one before contrast first.

    Returns
    -------
    float32, (phase - 1, ...)
        1 where the signal has doubled.
    """
    values = np.asarray(means, np.float64)
    enhancement: NDArray[np.float32] = ((values[1:] - values[0]) / (np.abs(values[0]) + _SMALLEST)).astype(np.float32)
    return enhancement


def enhancement_curve(phases: Mapping[str, NDArray[np.generic]], mask: NDArray[np.generic]) -> NDArray[np.float32]:
    """Relative enhancement of a region in the arterial, portal venous and delayed phase.

    Parameters
    ----------
    phases : (z, y, x) each
        The four volumes by their names in `PHASES`, in the units of the scanner. What is not finite counts as 0.
    mask : (z, y, x)
        The region: what is greater than 0.

    Returns
    -------
    float32, (3,)
        See `relative_enhancement`.

    Raises
    ------
    UnknownNameError
        If a phase is missing.
    ShapeError
        If a phase and the mask differ in shape.
    InputError
        If the mask is empty: nothing can be measured in it.
    """
    region = np.asarray(mask) > 0
    if not region.any():
        raise InputError("the enhancement of an empty region was asked for; give a mask with at least one voxel")
    means = []
    for name in PHASES:
        if name not in phases:
            raise UnknownNameError(f"the phases are {', '.join(phases)} and {name} is not among them; give all four")
        if phases[name].shape != region.shape:
            raise ShapeError(
                f"the {name} volume is {phases[name].shape} but the mask is {region.shape} (z, y, x); "
                "give a mask on its grid"
            )
        values = np.asarray(phases[name])[region].astype(np.float64)
        means.append(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).mean())
    return relative_enhancement(np.asarray(means))


def measured_enhancement(study: "Study", mask: NDArray[np.generic]) -> NDArray[np.float32] | None:
    """Enhancement of a region of a study, in the order of `ENHANCED_PHASES`.

    Parameters
    ----------
    study
        Any study.
    mask : (z, y, x)
        The region, on the grid of the phases.

    Returns
    -------
    float32, (3,), or None
        `None` if the study has not all four phases, or if the region is empty.
    """
    if any(name not in study.images for name in PHASES) or not np.any(np.asarray(mask) > 0):
        return None
    return enhancement_curve({name: study.images[name].volume() for name in PHASES}, mask)


def signal_curve(image: "Image", index: tuple[int, int, int]) -> NDArray[np.float32]:
    """Signal of one voxel in every frame of a series.

    Parameters
    ----------
    image
        A series; a single volume has one frame.
    index : (z, y, x)
        The voxel.

    Returns
    -------
    float32, (frame,)
        Arbitrary units; what is not finite becomes 0.

    Raises
    ------
    ShapeError
        If the voxel lies outside.
    """
    shape = image.geometry.shape
    if any(not 0 <= place < size for place, size in zip(index, shape, strict=True)):
        raise ShapeError(f"voxel {index} was asked for but the image is {shape} (z, y, x); choose one inside")
    array = np.asarray(image.data)
    values = array[(..., *index)] if array.ndim == 4 else array[index][None]
    return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
