"""Crops of volumes, as many from each database, with modalities dropped. Step `n` of a seed is always the same.

References
----------
Xu W et al. (2024), arXiv:2405.18511: modality drop and the balance of databases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrviewer.training.examples import example_rngs, examples_of_piece
from mrviewer.training.options import TrainingOptions
from mrviewer_models.multiunet.options import MultiUNetOptions
from mrviewer_models.multiunet.prepared import PreparedVolume

__all__ = ["VolumeBatch", "VolumeSource", "drop_modalities"]


@dataclass(frozen=True)
class VolumeBatch:
    """Crops of several databases.

    Parameters
    ----------
    volume : float32, (batch, channel, z, y, x)
        Zeros where a modality is absent or was dropped.
    label : float32, (batch, 1, z, y, x)
        1 in a lesion.
    present : bool, (batch, channel)
    """

    volume: Tensor
    label: Tensor
    present: Tensor

    def to(self, device: str) -> "VolumeBatch":
        """Copy to a device."""
        return VolumeBatch(self.volume.to(device), self.label.to(device), self.present.to(device))


class VolumeSource:
    """Draws `batch_size` crops from every database in each step, in turn from all of its cases.

    So small databases come round more often, up to the size of the largest.

    Parameters
    ----------
    volumes
        From `prepare_volumes`.
    training, options
        Of the recipe.
    """

    def __init__(self, volumes: Sequence[PreparedVolume], training: TrainingOptions, options: MultiUNetOptions) -> None:
        self._training, self._options = training, options
        names = sorted({volume.database for volume in volumes})
        self._databases = [[each for each in volumes if each.database == name] for name in names]

    def __len__(self) -> int:
        """Cases of the largest database, which make an epoch."""
        return max((len(database) for database in self._databases), default=0)

    def cases(self, step: int) -> list[PreparedVolume]:
        """Whose crops make up a step: each database shuffled anew whenever it has been gone through."""
        chosen = []
        for number, database in enumerate(self._databases):
            for each in range(self._training.batch_size):
                epoch, place = divmod(step * self._training.batch_size + each, len(database))
                order = np.random.default_rng([self._training.seed, number, epoch]).permutation(len(database))
                chosen.append(database[order[place]])
        return chosen

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> VolumeBatch:
        """Crop, turn and thin out the volumes of one step, or a piece of them."""
        cases = self.cases(step)
        numbers = examples_of_piece(len(cases), piece, pieces)
        rngs = example_rngs(self._training.seed, step, numbers or range(1))
        crops = [self._crop(cases[number], rng) for number, rng in zip(numbers or range(1), rngs, strict=True)]
        volume, label, present = (np.stack(parts)[: len(numbers)] for parts in zip(*crops, strict=True))
        return VolumeBatch(
            torch.from_numpy(volume),
            torch.from_numpy(label[:, None].astype(np.float32)),
            torch.from_numpy(present),
        )

    def _crop(
        self, case: PreparedVolume, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.bool_]]:
        edge, options = self._training.crop, self._options
        volume, label = case.crop(_start(case, edge, self._training.lesion_share, rng), edge)
        turns = int(rng.integers(1, 4)) if rng.uniform() < options.rotate_share else 0
        volume, label = np.rot90(volume, turns, (-2, -1)), np.rot90(label, turns, (-2, -1))
        if rng.uniform() < options.flip_share:
            volume, label = volume[..., ::-1], label[..., ::-1]
        gain, shift = rng.normal(0, self._training.contrast_spread, (2, len(volume), 1, 1, 1)).astype(np.float32)
        volume = volume * (1 + gain) + shift * (volume != 0)
        present = drop_modalities(case.present, rng) if options.drop_modalities else case.present
        volume[~present] = 0
        return volume, np.ascontiguousarray(label), present


def drop_modalities(present: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Take away n of the modalities that are there, n drawn evenly from 0 to all but one."""
    there = np.flatnonzero(present)
    kept = present.copy()
    kept[rng.choice(there, int(rng.integers(len(there))), replace=False)] = False
    return kept


def _start(case: PreparedVolume, edge: int, lesion_share: float, rng: np.random.Generator) -> list[int]:
    """First voxel of a crop: anywhere, or such that it holds a lesion; volumes that are too small lie in its middle."""
    wants_lesion = case.n_points > 0 and rng.uniform() < lesion_share
    around = case.point(int(rng.integers(case.n_points))) if wants_lesion else None
    start = []
    for axis, size in enumerate(case.shape):
        spare = size - edge
        if spare <= 0:
            start.append(spare // 2)
        elif around is None:
            start.append(int(rng.integers(spare + 1)))
        else:
            start.append(int(np.clip(around[axis] - rng.integers(edge), 0, spare)))
    return start
