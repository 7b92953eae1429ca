"""Training slices: studies turned once into stacks of axial slices of one size."""

import hashlib
import json
import logging
from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import platformdirs
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.database import SIMULATED_MS, Subject
from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.phantom.patient import PatientOptions, simulate_patient
from mrviewer.progress import Progress
from mrviewer.readers import read_image
from mrviewer.study import Image, Study
from mrviewer.writers.whole import whole_file

__all__ = ["SLICE_SHAPE", "SliceSet", "prepare_slices"]

_logger = logging.getLogger(__name__)

SLICE_SHAPE = (224, 192)
_SIMULATED_GRID = ((34, 224, 192), (4.5, 1.0, 1.0))
_VERSION = 5


@dataclass(frozen=True, eq=False)
class SliceSet:
    """Slices of many subjects.

    Parameters
    ----------
    images : float16, (slice, y, x)
        Magnitudes, each volume scaled to a 99.9th percentile of 1.
    labels : uint8, (slice, y, x)
        Lesions; all zero where `labelled` is false.
    tissues : uint8, (slice, y, x)
        1 cerebrospinal fluid, 2 grey matter, 3 white matter; all zero where `tissues_known` is false.
    labelled, tissues_known, real, has_lesion : bool, (slice,)
        Whether lesions and tissues are known, whether the subject is real, whether the slice holds any lesion.
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
        return np.asarray(np.count_nonzero(self.labels, axis=(1, 2)) > 3)

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.images)

    def coarser(self, pixels: int) -> "SliceSet":
        """Slices of `pixels` times larger pixels: images averaged, labels those of most of the pixels merged."""
        if pixels == 1:
            return self
        return replace(
            self,
            images=_block_mean(self.images, pixels).astype(np.float16),
            labels=(_block_mean(self.labels, pixels) >= 0.5).astype(np.uint8),
            tissues=_block_majority(self.tissues, pixels),
        )


_FIELDS = tuple(item.name for item in fields(SliceSet))


def prepare_slices(subjects: Sequence[Subject], masks_folder: Path | None) -> Generator[Progress, None, SliceSet]:
    """Turn subjects into slices, one after the other; each is kept on disk and not made twice.

    Parameters
    ----------
    subjects
        Real or simulated.
    masks_folder
        Lesion masks in MNI space (``*.nii.gz``): every other simulated patient gets one of them, and real subjects with
        labels are repeated with lesions of others added.
    """
    masks = sorted(masks_folder.glob("*.nii*")) if masks_folder is not None else []
    parts = []
    for number, subject in enumerate(subjects):
        parts.append(_cached(subject, masks))
        yield Progress(number + 1, len(subjects), f"prepared {subject.name}")
    return SliceSet(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS})


def _cached(subject: Subject, masks: Sequence[Path]) -> SliceSet:
    key = json.dumps([_VERSION, subject.name, subject.seed, [path.name for path in masks]])
    folder = Path(platformdirs.user_cache_dir("mrviewer")) / "training"
    path = folder / f"{subject.name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
    if path.is_file():
        try:
            # Opened here, because numpy leaves a damaged archive open.
            with path.open("rb") as cached, np.load(cached, allow_pickle=False) as stored:
                return SliceSet(**{name: stored[name] for name in _FIELDS})
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            _logger.warning("the cached slices of %s cannot be read (%s); they are made again", subject.name, error)
    if subject.seed is not None and subject.database == SIMULATED_MS:
        made = _simulated_slices(subject.seed, masks)
    else:
        made = _real_slices(subject.load(), masks)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **{name: getattr(made, name) for name in _FIELDS})
    return made


def _simulated_slices(seed: int, masks: Sequence[Path]) -> SliceSet:
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
    return SliceSet(np.abs(images).astype(np.float16), labels, tissues, labelled, known, real)


def _real_slices(study: Study, masks: Sequence[Path]) -> SliceSet:
    images, labels, labelled = [], [], []

    def add(volume: NDArray[np.float32], truth: NDArray[np.uint8] | None) -> None:
        for index in range(volume.shape[0]):
            if np.count_nonzero(volume[index] > 0.1) < 600:
                continue
            images.append(_fit(volume[index]).astype(np.float16))
            labels.append(_fit(truth[index] if truth is not None else np.zeros(volume.shape[1:], np.uint8)))
            labelled.append(truth is not None)

    for modality in study.modalities:
        volume = _scaled(np.clip(np.nan_to_num(study.images[modality].volume().astype(np.float32)), 0, None))
        truth = None
        if modality == "FLAIR" and study.labels is not None:
            truth = study.labels.volume().astype(bool).astype(np.uint8)
        add(volume, truth)
        if truth is not None:
            for number, path in enumerate(masks):
                mixed = _with_lesions_of(volume, truth, path, study.images[modality], seed=number)
                if mixed is not None:
                    add(mixed[0][number % 3 :: 3], mixed[1][number % 3 :: 3])
    if not images:
        raise InputError(f"subject {study.name!r} has no slice with 600 bright pixels to train on; leave it out")
    truth_stack = np.stack(labels).astype(np.uint8)
    unknown, real = np.zeros(len(images), bool), np.ones(len(images), bool)
    return SliceSet(np.stack(images), truth_stack, np.zeros_like(truth_stack), np.asarray(labelled), unknown, real)


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


def _fit(plane: NDArray[np.generic]) -> NDArray[np.generic]:
    """Crop or pad with zeros around the centre to `SLICE_SHAPE`."""
    for axis, size in enumerate(SLICE_SHAPE):
        extra = plane.shape[axis] - size
        if extra > 0:
            plane = plane.take(np.arange(extra // 2, extra // 2 + size), axis)
        elif extra < 0:
            widths = [(0, 0), (0, 0)]
            widths[axis] = (-extra // 2, -extra - (-extra // 2))
            plane = np.pad(plane, widths)
    return plane


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
