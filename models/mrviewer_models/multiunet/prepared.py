"""Training volumes: studies turned once into the network's channels and kept on disk, read crop by crop."""

import hashlib
import json
import logging
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.readers import read_image
from mrviewer.study import Study
from mrviewer.writers.whole import whole_file
from mrviewer_models.multiunet.grid import CubicGrid
from mrviewer_models.multiunet.painted import paint_lesions
from mrviewer_models.multiunet.shape import MultiUNetShape
from mrviewer_models.multiunet.simulated import is_simulated_brain, simulated_study
from mrviewer_models.multiunet.volumes import brain_box, channels_of

__all__ = ["PreparedVolume", "prepare_volumes"]

_logger = logging.getLogger(__name__)

_VERSION = 2
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
    points : int, (point, 3)
        Some of the lesions' voxels, to cut crops around.
    """

    path: Path
    database: str
    shape: tuple[int, int, int]
    present: NDArray[np.bool_]
    air: NDArray[np.float32]
    points: NDArray[np.int32]

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
    volumes: list[PreparedVolume] = []
    for number, subject in enumerate(subjects):
        study = _Once(subject, shape, masks)
        plain = _cached(study, None)
        if plain is None:
            _logger.warning("%s has no labels or no %s; it is left out", subject.name, " or ".join(shape.modalities))
        else:
            volumes.append(plain)
        # Where the background is 0 nothing tells how bright the tissue was, and lesions cannot be painted.
        real = plain is not None and subject.seed is None and not shape.background_zero
        for mask in masks[:: max(len(masks) // _MOST_PAINTED, 1)] if real else ():
            yield Progress(number, len(subjects), f"prepared {subject.name}")
            painted = _cached(study, mask)
            volumes += [painted] if painted is not None else []
        yield Progress(number + 1, len(subjects), f"prepared {subject.name}")
    return volumes


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

    def file(self, mask: Path | None) -> Path:
        """Where it is kept, with the lesions of a mask or without."""
        subject, shape = self.subject, asdict(self.shape)
        seen = [shape[name] for name in ("channels", "voxel_mm", "background_zero")]
        masks = [path.name for path in self.masks] if subject.seed is not None else mask and mask.name
        key = json.dumps([_VERSION, subject.name, subject.database, subject.seed, masks, seen])
        folder = Path(platformdirs.user_cache_dir("mrviewer")) / "training"
        return folder / f"{subject.name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.safetensors"


def _cached(once: _Once, mask: Path | None) -> PreparedVolume | None:
    path = once.file(mask)
    if path.is_file():
        try:
            return _opened(path, once.subject.database)
        except (OSError, SafetensorError, KeyError) as error:
            _logger.warning("the cached volume of %s cannot be read (%s); it is made again", once.subject.name, error)
    tensors = _prepared(once.study, once.shape, mask)
    if tensors is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        save_file(tensors, temporary)
    return _opened(path, once.subject.database)


def _prepared(study: Study, shape: MultiUNetShape, mask: Path | None) -> dict[str, NDArray[np.generic]] | None:
    """Channels and label of a study; `None` without label or modality, or where the mask lies on another grid."""
    names = [name for name in shape.modalities if name in study.images]
    if study.labels is None or not names:
        return None
    geometry = study.images[names[0]].geometry
    fitting = [name for name in names if study.images[name].geometry.matches(geometry)]
    foreign = None if mask is None else read_image(mask)
    if not all(each.geometry.matches(geometry, 0.5) for each in (study.labels, foreign) if each is not None):
        return None
    grid = CubicGrid(geometry.shape, geometry.voxel_size_mm, shape.voxel_mm)
    channels = channels_of({name: study.images[name].volume() for name in fitting}, grid, shape)
    if not channels.present.any():
        return None
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


def _opened(path: Path, database: str) -> PreparedVolume:
    with safe_open(path, framework="numpy") as file:
        depth, height, width = file.get_slice("label").get_shape()
        small = {name: file.get_tensor(name) for name in ("present", "air", "points")}
    return PreparedVolume(path, database, (depth, height, width), small["present"], small["air"], small["points"])
