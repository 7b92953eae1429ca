"""Training volumes of one modality on disk, white matter at 1, of which boxes are read."""

import zlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.metrics.boxes import bounding_box, with_margin
from mrviewer.progress import Progress
from mrviewer.readers import read_image
from mrviewer.study import Image, Study
from mrviewer.training.data.prepared_subjects import keep_prepared, prepare_each
from mrviewer_models.blocks.resampling import FineGrid
from mrviewer_models.blocks.scaling import white_matter_level
from mrviewer_models.brain_mask.anatomies import brain_of, groups_of
from mrviewer_models.unet_full.synthetic import WHITE_MATTER, lesions_of_others, synthetic_flair

__all__ = ["Box", "PreparedVolume", "prepare_volumes"]

_VERSION = 3
_LABEL_MAP = "anatomy"
"""Modality of a label map, as tables call its column."""
_MOST_MASKS = 8
"""Lesions of so many others are kept with a synthetic head."""
_POINTS_OF_A_MASK = 300
_MOST_POINTS = 4000
_TISSUE = 0.15
_MARGIN = 4

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class PreparedVolume:
    """One labelled study on disk, and the lesions of others on its grid.

    Parameters
    ----------
    path
        The file: ``volume`` float16 and ``label`` uint8 ``(z, y, x)`` of the head's box, ``points`` int16 ``(n, 3)`` of
        lesions, ``inside`` int16 ``(n, 3)`` of tissue, ``foreign`` uint8 ``(mask, z, y, x)``, ``foreign_points`` int16
        ``(n, 4)``, each a mask's number and a voxel in it.
    shape : (z, y, x)
        Of the box.
    spacing : (z, y, x)
        Millimetres.
    n_points, n_inside, n_foreign, n_foreign_points
        How many of each the file holds.
    is_real
        Whether a scanner took it.
    """

    path: Path
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    n_points: int
    n_inside: int
    n_foreign: int
    n_foreign_points: int
    is_real: bool

    def place(self, rng: np.random.Generator, *, in_lesion: bool) -> NDArray[np.int64]:
        """One voxel ``(3,)`` of a lesion, or of tissue."""
        name, count = ("points", self.n_points) if in_lesion and self.n_points else ("inside", self.n_inside)
        number = int(rng.integers(count))
        with safe_open(self.path, framework="numpy") as file:
            return np.asarray(file.get_slice(name)[number : number + 1][0], np.int64)

    def foreign_place(self, rng: np.random.Generator) -> tuple[int, NDArray[np.int64]]:
        """Number of a mask of another patient, and one voxel ``(3,)`` in it."""
        row = int(rng.integers(self.n_foreign_points))
        with safe_open(self.path, framework="numpy") as file:
            number, *voxel = file.get_slice("foreign_points")[row : row + 1][0]
        return int(number), np.asarray(voxel, np.int64)

    def read(self, box: Box) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Image and label ``(z, y, x)`` of a box that lies inside."""
        with safe_open(self.path, framework="numpy") as file:
            return file.get_slice("volume")[box].astype(np.float32), file.get_slice("label")[box]

    def foreign(self, number: int, box: Box) -> NDArray[np.bool_]:
        """Lesions of another patient in a box."""
        with safe_open(self.path, framework="numpy") as file:
            return np.asarray(file.get_slice("foreign")[(slice(number, number + 1), *box)][0] > 0)


def prepare_volumes(
    subjects: Sequence[Subject], modality: str, masks_folder: Path | None
) -> Generator[Progress, None, list[PreparedVolume]]:
    """Prepare some subjects with labels, one after the other; none is made twice.

    Parameters
    ----------
    subjects
        Real or simulated.
    modality
        Which image; empty for the study's choice.
    masks_folder
        Lesion masks (``*.nii.gz``); those on the grid of a subject are kept with it, to be painted into it.
    """
    masks = sorted(masks_folder.glob("*.nii*")) if masks_folder is not None else []
    made = yield from prepare_each(subjects, lambda subject: _kept(subject, modality, masks))
    return made


def _kept(subject: Subject, modality: str, masks: Sequence[Path]) -> PreparedVolume:
    kind = [_VERSION, "planes", modality, [path.name for path in masks]]
    path = keep_prepared(subject, kind, lambda: _prepared(subject, modality, masks))
    with safe_open(path, framework="numpy") as file:
        depth, height, width = file.get_slice("label").get_shape()
        points, inside, foreign, painted = (
            file.get_slice(name).get_shape()[0] for name in ("points", "inside", "foreign", "foreign_points")
        )
        z, y, x = (float(size) for size in file.get_tensor("spacing"))
        is_real = bool(file.get_tensor("is_real")[0])
    return PreparedVolume(path, (depth, height, width), (z, y, x), points, inside, foreign, painted, is_real)


def _prepared(subject: Subject, modality: str, masks: Sequence[Path]) -> dict[str, NDArray[np.generic]]:
    study = subject.load()
    if _LABEL_MAP in study.images:
        return _synthetic(study.images[_LABEL_MAP], subject.name, masks)
    return _labelled(study, modality, masks, is_real=subject.seed is None)


def _labelled(study: Study, modality: str, masks: Sequence[Path], *, is_real: bool) -> dict[str, NDArray[np.generic]]:
    """A labelled study, and lesions of others that lie on its grid."""
    chosen = study.choose_modality(modality or None)
    image = study.images.get(chosen)
    if image is None or study.labels is None or not study.labels.geometry.matches(image.geometry):
        raise InputError(f"subject {study.name!r} has no labels on the grid of its {chosen} image; leave it out")
    volume = np.clip(np.nan_to_num(image.volume().astype(np.float32), posinf=0.0, neginf=0.0), 0, None)
    volume /= white_matter_level(volume)
    grid = FineGrid(image.geometry.shape, image.geometry.voxel_size_mm)
    volume = grid.to_fine(volume)
    if not (volume > _TISSUE).any():
        raise InputError(f"the {chosen} image of subject {study.name!r} is empty; leave it out")
    label = grid.to_fine(np.asarray(study.labels.volume(), np.float32) > 0) > 0.5
    foreign = [grid.to_fine(mask) > 0.5 for mask in _masks_on(image, masks)]
    return _record(volume, label, foreign, grid.spacing, is_real=is_real)


def _synthetic(head: Image, name: str, masks: Sequence[Path]) -> dict[str, NDArray[np.generic]]:
    """A healthy head of a label map, and lesions of some others stretched into its white matter."""
    chance = np.random.default_rng(zlib.crc32(name.encode()))
    groups = groups_of(head.volume())
    brain = brain_of(groups)
    volume = synthetic_flair(groups, brain, chance)
    white = np.isin(groups, WHITE_MATTER)
    some = chance.permutation(len(masks))[:_MOST_MASKS]
    foreign = [lesions_of_others(read_image(masks[number]), head, brain) & white for number in some]
    return _record(volume, np.zeros(white.shape, bool), foreign, (1.0, 1.0, 1.0), is_real=False)


def _record(
    volume: NDArray[np.float32],
    label: NDArray[np.bool_],
    foreign: Sequence[NDArray[np.bool_]],
    spacing: tuple[float, float, float],
    *,
    is_real: bool,
) -> dict[str, NDArray[np.generic]]:
    """What is kept of the box of a head."""
    chance = np.random.default_rng(0)
    found = bounding_box(volume > _TISSUE)
    assert found is not None
    box = with_margin(found, _MARGIN, volume.shape)
    volume, label, foreign = volume[box], label[box], [mask[box] for mask in foreign]
    places = [_some(np.argwhere(mask), chance)[:_POINTS_OF_A_MASK] for mask in foreign]
    numbered = [np.insert(voxels, 0, number, axis=1) for number, voxels in enumerate(places)]
    return {
        "volume": volume.astype(np.float16),
        "label": label.astype(np.uint8),
        "points": _some(np.argwhere(label), chance),
        "inside": _some(np.argwhere(volume > _TISSUE), chance),
        "foreign": np.asarray(foreign, np.uint8).reshape(-1, *label.shape),
        "foreign_points": np.concatenate([np.zeros((0, 4), np.int16), *numbered]),
        "spacing": np.asarray(spacing, np.float32),
        "is_real": np.asarray([is_real], np.uint8),
    }


def _masks_on(image: Image, masks: Sequence[Path]) -> Generator[NDArray[np.bool_], None, None]:
    for path in masks:
        mask = read_image(path)
        if mask.geometry.matches(image.geometry, tolerance_mm=0.5):
            yield np.asarray(mask.volume(), np.float32) > 0


def _some(points: NDArray[np.intp], chance: np.random.Generator) -> NDArray[np.int16]:
    return points[chance.permutation(len(points))[:_MOST_POINTS]].astype(np.int16)
