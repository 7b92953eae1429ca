"""One subject as a stack of slices: a simulated patient, or a study with its labels."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.phantom.patient import PatientOptions, simulate_patient
from mrviewer.readers import read_image
from mrviewer.study import Image, Study

__all__ = ["SLICE_SHAPE", "SliceStack", "real_stack", "simulated_stack"]

Scalar = TypeVar("Scalar", bound=np.generic)

_logger = logging.getLogger(__name__)

SLICE_SHAPE = (224, 192)
"""Rows and columns of simulated patients, on voxels of 1 mm."""

_SIMULATED_GRID = ((34, *SLICE_SHAPE), (4.5, 1.0, 1.0))
_LESION_PIXELS = 4
_BRIGHT_PIXELS, _BRIGHT_SHARE = 600, 0.02
"""A slice shows something if so many pixels are bright, or so large a part of a small slice."""


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Slices of one subject, or of several.

    Parameters
    ----------
    images : float16, (slice, y, x)
        Magnitudes, each volume scaled to a 99.9th percentile of 1.
    labels : uint8, (slice, y, x)
        Lesions; all zero where `labelled` is false.
    tissues : uint8, (slice, y, x)
        1 cerebrospinal fluid, 2 grey matter, 3 white matter; all zero where `tissues_known` is false.
    labelled, tissues_known, real : bool, (slice,)
        Whether lesions and tissues are known, and whether the subject is real.
    """

    images: NDArray[np.float16]
    labels: NDArray[np.uint8]
    tissues: NDArray[np.uint8]
    labelled: NDArray[np.bool_]
    tissues_known: NDArray[np.bool_]
    real: NDArray[np.bool_]

    @property
    def has_lesion(self) -> NDArray[np.bool_]:
        """Slices with at least four lesion pixels."""
        return np.asarray(np.count_nonzero(self.labels, axis=(1, 2)) >= _LESION_PIXELS)

    @property
    def codes(self) -> NDArray[np.uint8]:
        """Lesion plus twice the tissue, by pixel."""
        return np.asarray(self.labels + 2 * self.tissues, np.uint8)

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.images)

    def read(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """See `mrviewer.training.data.slices.SlicePool.read`."""
        return self.images[number], np.asarray(self.labels[number] + 2 * self.tissues[number], np.uint8)

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """Arrays as they are kept on disk."""
        names = ("images", "codes", "labelled", "tissues_known", "real", "has_lesion")
        return {name: getattr(self, name) for name in names}

    def coarser(self, pixels: int) -> "SliceStack":
        """Slices of `pixels` times larger pixels: images averaged, labels those of most of the pixels merged."""
        if pixels == 1:
            return self
        return replace(
            self,
            images=_block_mean(self.images, pixels).astype(np.float16),
            labels=(_block_mean(self.labels, pixels) >= 0.5).astype(np.uint8),
            tissues=_block_majority(self.tissues, pixels),
        )


def simulated_stack(seed: int, masks: Sequence[Path]) -> SliceStack:
    """FLAIR of one patient with lesions; T1 or T2 of the same one, whose lesions are not asked for."""
    rng = np.random.default_rng([seed, 7])
    shape, voxel = _SIMULATED_GRID
    geometry = Geometry.axial(shape, voxel)
    affine = geometry.affine.copy()
    affine[:3, 3] += (0.0, -18.0, 8.0 + rng.uniform(-2.2, 2.2))
    geometry = Geometry(shape, affine, geometry.to_stored)
    mask = None
    if masks and seed % 2:
        image = read_image(masks[(seed // 2) % len(masks)])
        mask = (image.volume().astype(np.float32) > 0, image.geometry.affine)
    second = "T1" if rng.uniform() < 0.5 else "T2"
    options = PatientOptions(load=None, lesion_mask=mask, modalities=("FLAIR", second), vary=True)
    patient = simulate_patient(geometry, seed, options)
    stacks = [_scaled(volume + 0.02 * rng.standard_normal(shape)) for volume in patient.images.values()]
    kept = [patient.images["FLAIR"][index].max() > 0.3 for index in range(shape[0])]
    images = np.concatenate([stack[kept] for stack in stacks])
    labels = np.concatenate([patient.lesions[kept], np.zeros_like(patient.lesions[kept])])
    tissues = np.concatenate([patient.tissues[kept]] * 2)
    labelled = np.repeat([True, False], np.count_nonzero(kept))
    known, real = np.ones(len(images), bool), np.zeros(len(images), bool)
    return SliceStack(np.abs(images).astype(np.float16), labels, tissues, labelled, known, real)


def real_stack(study: Study, masks: Sequence[Path], modality: str = "") -> SliceStack:
    """Slices of one image of a study, or of all of them; the labels belong to one.

    Parameters
    ----------
    study
        With images; labels on their grid, if there are any.
    masks
        Lesions of others, added to repetitions of the labelled slices; where a scan lies on another grid than a mask
        this one is not.
    modality
        Whose slices are taken, and have the labels. Empty for all; then `Study.choose_modality` has the labels.

    Raises
    ------
    InputError
        If the study has no such image, or nothing is to be seen.
    """
    labelled_one = modality or study.choose_modality()
    names = (modality,) if modality else study.modalities
    missing = next((name for name in names if name not in study.images), None)
    if missing is not None:
        raise InputError(f"subject {study.name!r} has no {missing} image; leave it out, or choose another modality")
    parts: list[_StudySlices] = []
    for name in names:
        image = study.images[name]
        volume = _scaled(np.clip(np.nan_to_num(image.volume().astype(np.float32)), 0, None))
        truth = _truth(study, name) if name == labelled_one else None
        axis = image.geometry.slice_axis
        parts.append(_shown(volume, truth, axis))
        if truth is None:
            continue
        for number, path in enumerate(masks):
            mixed = _with_lesions_of(volume, truth, path, image, seed=number)
            if mixed is not None:
                parts.append(_shown(*mixed, axis, every=(number % 3, 3)))
    return _joined([part for part in parts if len(part.images)], study.name)


def _truth(study: Study, modality: str) -> NDArray[np.uint8] | None:
    if study.labels is None:
        return None
    if not study.labels.geometry.matches(study.images[modality].geometry):
        raise InputError(
            f"the labels of subject {study.name!r} lie on another grid than its {modality} image; choose the modality "
            "that they belong to"
        )
    return study.labels.volume().astype(bool).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class _StudySlices:
    """Slices of one volume in which something is to be seen."""

    images: NDArray[np.float16]
    labels: NDArray[np.uint8]
    labelled: bool


def _shown(
    volume: NDArray[np.float32], truth: NDArray[np.uint8] | None, axis: int, every: tuple[int, int] = (0, 1)
) -> _StudySlices:
    planes = np.moveaxis(volume, axis, 0)[every[0] :: every[1]]
    enough = min(_BRIGHT_PIXELS, _BRIGHT_SHARE * planes[0].size) if len(planes) else 0
    shown = np.count_nonzero(planes > 0.1, axis=(1, 2)) >= max(enough, 1)
    labels = np.zeros(planes.shape, np.uint8) if truth is None else np.moveaxis(truth, axis, 0)[every[0] :: every[1]]
    return _StudySlices(planes[shown].astype(np.float16), labels[shown], truth is not None)


def _joined(parts: Sequence[_StudySlices], name: str) -> SliceStack:
    """Slices of several volumes as one stack, padded to the size of the largest."""
    if not parts:
        raise InputError(f"subject {name!r} has no slice on which anything is to be seen; leave it out")
    rows, columns = (max(part.images.shape[axis] for part in parts) for axis in (1, 2))
    images = np.concatenate([_padded(part.images, rows, columns) for part in parts])
    labels = np.concatenate([_padded(part.labels, rows, columns) for part in parts])
    labelled = np.concatenate([np.full(len(part.images), part.labelled) for part in parts])
    unknown, real = np.zeros(len(images), bool), np.ones(len(images), bool)
    return SliceStack(images, labels, np.zeros_like(labels), labelled, unknown, real)


def _padded(stack: NDArray[Scalar], rows: int, columns: int) -> NDArray[Scalar]:
    below, right = rows - stack.shape[1], columns - stack.shape[2]
    if not below and not right:
        return stack
    return np.pad(stack, ((0, 0), (below // 2, below - below // 2), (right // 2, right - right // 2)))


def _with_lesions_of(
    volume: NDArray[np.float32], truth: NDArray[np.uint8], path: Path, image: Image, *, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]] | None:
    """Add another patient's lesions to a real scan in the same space, brighter than the tissue around them."""
    mask = read_image(path)
    if not mask.geometry.matches(image.geometry, tolerance_mm=0.5):
        _logger.warning("%s lies on another grid than the scan; its lesions are not added", path.name)
        return None
    rng = np.random.default_rng([seed, 11])
    foreign = mask.volume().astype(bool) & (volume > 0.15)
    part = ndimage.gaussian_filter(foreign.astype(np.float32), 0.7)
    components, count = ndimage.label(foreign, np.ones((3, 3, 3)))
    gain = np.concatenate([[0.0], rng.uniform(0.15, 0.5, count)]).astype(np.float32)
    spread = ndimage.maximum_filter(gain[components], 3)
    tissue = ndimage.gaussian_filter(volume, 2.0)
    # Where the scan is already bright (its own lesions) nothing is added.
    added = part * spread * np.clip(tissue, 0.2, 1) * (volume < 1.25 * np.median(volume[volume > 0.2]))
    return volume + added.astype(np.float32), ((truth > 0) | foreign).astype(np.uint8)


def _scaled(volume: NDArray[np.floating]) -> NDArray[np.float32]:
    inside = volume[volume > 0.02 * volume.max()]
    level = np.percentile(inside, 99.9) if inside.size else 1.0
    return np.minimum(volume / level, 4).astype(np.float32)


def _blocks(stack: NDArray[np.generic], pixels: int) -> NDArray[np.generic]:
    n_slices, height, width = stack.shape
    rows, columns = height // pixels, width // pixels
    cut = stack[:, : rows * pixels, : columns * pixels].reshape(n_slices, rows, pixels, columns, pixels)
    return cut.swapaxes(2, 3).reshape(n_slices, rows, columns, pixels * pixels)


def _block_mean(stack: NDArray[np.generic], pixels: int) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = _blocks(stack, pixels).mean(axis=-1, dtype=np.float32)
    return mean


def _block_majority(stack: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    blocks = _blocks(stack, pixels)
    votes = np.stack([np.count_nonzero(blocks == value, axis=-1) for value in range(int(stack.max(initial=0)) + 1)])
    winner: NDArray[np.uint8] = votes.argmax(axis=0).astype(np.uint8)
    return winner
