"""Training volumes: studies turned once into the network's channels and kept on disk, read crop by crop."""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.progress import Progress
from mrviewer.readers import read_image
from mrviewer.study import Study
from mrviewer.training.data.prepared_subjects import keep_prepared, prepare_each
from mrviewer_models.multiunet.grid import CubicGrid
from mrviewer_models.multiunet.painted import paint_lesions
from mrviewer_models.multiunet.shape import MultiUNetShape
from mrviewer_models.multiunet.simulated import is_simulated_brain, simulated_study
from mrviewer_models.multiunet.volumes import brain_box, channels_of

__all__ = ["PreparedVolume", "prepare_volumes"]

_VERSION = 3
_MOST_POINTS = 2000
_MOST_PAINTED = 9


@dataclass(frozen=True, eq=False)
class PreparedVolume:
    """One labelled study as the network's channels, on disk.

    Parameters
    ----------
    path
        The file: ``volume`` float16 (present channel, z, y, x) and ``label`` uint8 (z, y, x) of the brain's box.
    database
        What it is balanced by.
    shape : (z, y, x)
        Of the box.
    present : bool, (channel,)
        Which channels are in the file.
    air : float32, (channel,)
        Value outside the head.
    n_points
        How many of the lesions' voxels are kept in the file, to cut crops around.
    """

    path: Path
    database: str
    shape: tuple[int, int, int]
    present: NDArray[np.bool_]
    air: NDArray[np.float32]
    n_points: int

    def point(self, number: int) -> NDArray[np.int32]:
        """One of the lesions' voxels ``(3,)``."""
        with safe_open(self.path, framework="numpy") as file:
            point: NDArray[np.int32] = file.get_slice("points")[number : number + 1][0]
        return point

    def crop(self, start: Sequence[int], edge: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Cube ``(channel, edge, edge, edge)`` and its label; what lies outside the box is air."""
        volume = np.broadcast_to(self.air[:, None, None, None], (len(self.air), edge, edge, edge)).copy()
        label = np.zeros((edge, edge, edge), np.uint8)
        low = [max(first, 0) for first in start]
        high = [min(first + edge, size) for first, size in zip(start, self.shape, strict=True)]
        read = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        put = tuple(slice(a - first, b - first) for a, b, first in zip(low, high, start, strict=True))
        with safe_open(self.path, framework="numpy") as file:
            stored = file.get_slice("volume")[(slice(None), *read)]
            label[put] = file.get_slice("label")[read]
        for channel, values in zip(np.flatnonzero(self.present), stored, strict=True):
            volume[channel][put] = values
        return volume, label


def prepare_volumes(
    subjects: Sequence[Subject], shape: MultiUNetShape, masks_folder: Path | None
) -> Generator[Progress, None, list[PreparedVolume]]:
    """Prepare the labelled ones of some subjects, one after the other; none is made twice.

    Parameters
    ----------
    subjects
        Real or simulated.
    shape
        Channels and voxels of the network.
    masks_folder
        Lesion masks in MNI space (``*.nii.gz``), which every other simulated patient with multiple sclerosis gets. Real
        subjects on the grid of the masks are repeated with the lesions of some of them painted in.
    """
    masks = sorted(masks_folder.glob("*.nii*")) if masks_folder is not None else []
    made = yield from prepare_each(subjects, lambda subject: _volumes_of(subject, shape, masks))
    return [volume for volumes in made for volume in volumes]


def _volumes_of(subject: Subject, shape: MultiUNetShape, masks: Sequence[Path]) -> list[PreparedVolume]:
    """One subject, and if it is real its repetitions with the lesions of others."""
    once = _Once(subject, shape, masks)
    plain = _kept(once, None)
    if plain is None:
        wanted = ", ".join(shape.modalities)
        raise InputError(f"{subject.name} has no labels on the grid of an image of these: {wanted}; leave it out")
    # Where the background is 0 nothing tells how bright the tissue was, and lesions cannot be painted.
    if subject.seed is not None or shape.background_zero:
        return [plain]
    painted = [_kept(once, mask) for mask in masks[:: max(len(masks) // _MOST_PAINTED, 1)]]
    return [plain, *(volume for volume in painted if volume is not None)]


@dataclass(frozen=True, eq=False)
class _Once:
    """A subject that is loaded when it is first looked at, and not again."""

    subject: Subject
    shape: MultiUNetShape
    masks: Sequence[Path]

    @cached_property
    def study(self) -> Study:
        if is_simulated_brain(self.subject):
            return simulated_study(self.subject, self.shape.voxel_mm, self.masks)
        return self.subject.load()


def _kept(once: _Once, mask: Path | None) -> PreparedVolume | None:
    """One study on disk, with the lesions of a mask or without; `None` if there is nothing to learn from."""
    subject, shape = once.subject, asdict(once.shape)
    seen = [shape[name] for name in ("channels", "voxel_mm", "background_zero")]
    masks = [path.name for path in once.masks] if subject.seed is not None else mask and mask.name
    path = keep_prepared(subject, [_VERSION, "volumes", masks, seen], lambda: _prepared(once.study, once.shape, mask))
    return _opened(path, subject.database)


def _prepared(study: Study, shape: MultiUNetShape, mask: Path | None) -> dict[str, NDArray[np.generic]]:
    """Channels and label of a study; nothing without label or modality, or where the mask lies on another grid."""
    names = [name for name in shape.modalities if name in study.images]
    if study.labels is None or not names:
        return {}
    geometry = study.images[names[0]].geometry
    fitting = [name for name in names if study.images[name].geometry.matches(geometry)]
    foreign = None if mask is None else read_image(mask)
    if not all(each.geometry.matches(geometry, 0.5) for each in (study.labels, foreign) if each is not None):
        return {}
    grid = CubicGrid(geometry.shape, geometry.voxel_size_mm, shape.voxel_mm)
    channels = channels_of({name: study.images[name].volume() for name in fitting}, grid, shape)
    if not channels.present.any():
        return {}
    label = grid.to_cubes(study.labels.volume().astype(bool)) > 0.5
    if foreign is not None and mask is not None:
        rng = np.random.default_rng(list(mask.name.encode()))
        label |= paint_lesions(channels, grid.to_cubes(foreign.volume().astype(bool)), shape, rng)
    box = brain_box(channels)
    points = np.argwhere(label[box])
    chosen = np.random.default_rng(0).permutation(len(points))[:_MOST_POINTS]
    return {
        "volume": np.ascontiguousarray(channels.volume[(channels.present, *box)], np.float16),
        "label": np.ascontiguousarray(label[box], np.uint8),
        "present": channels.present,
        "air": channels.air,
        "points": points[chosen].astype(np.int32),
    }


def _opened(path: Path, database: str) -> PreparedVolume | None:
    with safe_open(path, framework="numpy") as file:
        if "label" not in file.keys():  # noqa: SIM118 - not a mapping
            return None
        depth, height, width = file.get_slice("label").get_shape()
        n_points = file.get_slice("points").get_shape()[0]
        small = {name: file.get_tensor(name) for name in ("present", "air")}
    return PreparedVolume(path, database, (depth, height, width), small["present"], small["air"], n_points)
