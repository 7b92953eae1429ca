"""From a study to a measurement: which k-space a scanner would have given on a mask.

A modality with raw data uses them; a modality with a magnitude image only is simulated from it with one coil and zero
phase, and labelled so (`Origin.MAGNITUDE`): its k-space is conjugate-symmetric, which is easier than a real scan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import MaskError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.mask import Mask
from mrviewer.method import Measurement, Needs
from mrviewer.physics import adjoint, fft2c
from mrviewer.study import Image, Origin, RawData, Study

Scalar = TypeVar("Scalar", bound=np.generic)

_ANY_METHOD = Needs()

__all__ = [
    "MagnitudeRawData",
    "measure",
    "raw_data",
    "reference_slice",
    "volume_from_slices",
    "within_acquired",
]


@dataclass(frozen=True, eq=False)
class MagnitudeRawData:
    """Single-coil k-space simulated from a magnitude image with zero phase and no noise."""

    image: Image

    @property
    def modality(self) -> str:
        """Modality of the image."""
        return self.image.modality

    @property
    def origin(self) -> Origin:
        """Always `Origin.MAGNITUDE`."""
        return Origin.MAGNITUDE

    @property
    def geometry(self) -> Geometry:
        """Grid of the image."""
        return self.image.geometry

    @property
    def slice_axis(self) -> int:
        """Axis with the thickest voxels, else axial."""
        return self.image.geometry.slice_axis

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, 1, y, x)``."""
        sizes = list(self.image.geometry.shape)
        n_slices = sizes.pop(self.slice_axis)
        return n_slices, 1, sizes[0], sizes[1]

    @property
    def acquired(self) -> None:
        """Nothing is missing."""
        return

    def kspace(self, index: int) -> NDArray[np.complex64]:
        """Transform of one slice, ``(1, y, x)``; values that are not finite are 0."""
        plane = np.nan_to_num(self._slices[index].astype(np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        return fft2c(plane[None].astype(np.complex64)).astype(np.complex64, copy=False)

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        """One coil that sees everything alike."""
        del index
        return np.ones((1, *self.shape[2:]), np.complex64)

    @cached_property
    def _slices(self) -> NDArray[np.generic]:
        """The volume as it is stored: a copy of a large one in single precision takes a second and much memory."""
        return np.moveaxis(self.image.volume(), self.slice_axis, 0)


def raw_data(study: Study, modality: str | None = None) -> RawData:
    """Raw data of one modality: the study's own, or simulated from its magnitude image."""
    chosen = study.choose_modality(modality)
    return study.raw[chosen] if chosen in study.raw else MagnitudeRawData(study.images[chosen])


def reference_slice(raw: RawData, index: int) -> NDArray[np.float32] | None:
    """Magnitude ``(y, x)`` of the fully sampled slice; `None` if the scan was acquired undersampled."""
    if raw.acquired is not None:
        return None
    magnitude: NDArray[np.float32] = np.abs(adjoint(raw.kspace(index), raw.coil_maps(index))).astype(np.float32)
    return magnitude


def within_acquired(mask: Mask, raw: RawData) -> Mask:
    """Mask as a scan can meet it: without the samples that it never acquired.

    Parameters
    ----------
    mask
        Must fit the ``(y, x)`` of `raw`.
    raw
        A fully sampled scan leaves the mask as it is.

    Raises
    ------
    MaskError
        If the scan acquired nothing of what the mask asks for.
    """
    if raw.acquired is None:
        return mask
    pattern = mask.pattern & raw.acquired
    if np.array_equal(pattern, np.broadcast_to(mask.pattern, pattern.shape)):
        return mask
    if not pattern.any():
        raise MaskError(
            f"the mask {mask.name} asks for samples of which this scan acquired none; take the mask full, which is all "
            "that was acquired"
        )
    said = "the scan was acquired undersampled: what it lacks is left out of the mask"
    return replace(mask, pattern=pattern, note=f"{mask.note}; {said}" if mask.note else said)


def measure(study: Study, raw: RawData, mask: Mask, slices: Sequence[int], needs: Needs = _ANY_METHOD) -> Measurement:
    """Sample some slices of raw data on a mask.

    Parameters
    ----------
    study
        The study that `raw` belongs to.
    raw
        From `raw_data`.
    mask
        Its pattern must fit the ``(y, x)`` of `raw`.
    slices
        Indices along the slice axis.
    needs
        Of the method that it is for. Its companions go along where the study has them on the grid of `raw`; k-space and
        coil maps of a method that works on images alone are not computed, and hold zeros that take no memory.

    Raises
    ------
    ShapeError
        If mask and slices differ in size.
    MaskError
        If the scan was acquired undersampled and has nothing of what the mask asks for.
    """
    n_slices, _, height, width = raw.shape
    if mask.pattern.shape[0] not in (1, height) or mask.pattern.shape[1] != width:
        raise ShapeError(
            f"the mask is {mask.pattern.shape} but slices are {(height, width)} (y, x); make a mask to fit"
        )
    if any(not 0 <= index < n_slices for index in slices):
        raise ShapeError(f"slices {min(slices)} to {max(slices)} were asked for, but there are {n_slices}")
    mask = within_acquired(mask, raw)
    sizes = study.geometry(raw.modality).voxel_size_mm
    in_plane = [size for axis, size in enumerate(sizes) if axis != raw.slice_axis]
    not_measured = np.broadcast_to(np.complex64(0), (len(slices), *raw.shape[1:]))
    kspace, coil_maps = not_measured, not_measured
    if needs.kspace:
        kspace = _stacked(len(slices), raw, (raw.kspace(index) * mask.pattern for index in slices))
        coil_maps = _stacked(len(slices), raw, (raw.coil_maps(index) for index in slices))
    return Measurement(
        kspace=kspace,
        mask=mask,
        coil_maps=coil_maps,
        modality=raw.modality,
        origin=raw.origin,
        images=_image_slices(study, raw, slices, needs.companions),
        voxel_size_mm=(sizes[raw.slice_axis], in_plane[0], in_plane[1]),
        slice_axis=raw.slice_axis,
    )


def _stacked(count: int, raw: RawData, slices: Iterable[NDArray[np.complexfloating]]) -> NDArray[np.complex64]:
    """Slices in one array, of which no second copy is made."""
    stack = np.empty((count, *raw.shape[1:]), np.complex64)
    for place, values in enumerate(slices):
        stack[place] = values
    return stack


def volume_from_slices(slices: NDArray[Scalar], slice_axis: int) -> NDArray[Scalar]:
    """Put the slice axis of a stack ``(slice, y, x)`` back to where it lies in the volume ``(z, y, x)``."""
    return np.moveaxis(slices, 0, slice_axis)


def _image_slices(
    study: Study, raw: RawData, slices: Sequence[int], companions: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Fully sampled slices: of the measured modality if it was fully sampled, and of its companions on its grid."""
    measured = () if raw.acquired is not None else (raw.modality,)
    images = {}
    for name in dict.fromkeys((*measured, *companions)):
        if name not in study.images or (name == raw.modality and not measured):
            continue
        if name != raw.modality and not _on_grid_of(study, raw.modality, name):
            continue
        if name == raw.modality and raw.origin is Origin.SCANNER:
            # The image of a scan is computed from its k-space; the other slices need not be for these.
            chosen = np.stack([np.abs(adjoint(raw.kspace(index), raw.coil_maps(index))) for index in slices])
        else:
            stack = np.moveaxis(study.images[name].volume(), raw.slice_axis, 0)
            chosen = stack[list(slices)].astype(np.float32)
        images[name] = np.nan_to_num(chosen, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return images


def _on_grid_of(study: Study, modality: str, other: str) -> bool:
    return study.images[other].geometry.matches(study.geometry(modality))
