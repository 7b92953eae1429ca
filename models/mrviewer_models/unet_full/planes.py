"""Slices with their neighbours, cut in three directions out of whole volumes. Step `n` of a seed is always the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrviewer.phantom.scan import smooth_phase
from mrviewer.training.examples import example_rngs, examples_of_piece
from mrviewer.training.options import TrainingOptions
from mrviewer_models.blocks.painting import paint_lesions_into
from mrviewer_models.unet_full.prepared import Box, PreparedVolume

__all__ = ["PlaneBatch", "PlaneSource", "normals"]

_THICK_MM = 1.6
_THICKNESSES = (1, 1, 1, 2, 3, 4)
"""Slices of 1 mm merged into one, in training: many scanners give thick ones."""
_SHADING, _LEVEL_SPREAD, _NOISE = 0.15, 0.06, 0.06


@dataclass(frozen=True)
class PlaneBatch:
    """Slices, each with its neighbours.

    Parameters
    ----------
    image : float32, (batch, neighbour, y, x)
        White matter at 1; the slice itself lies in the middle.
    label : int64, (batch, y, x)
        1 in a lesion of the middle slice.
    """

    image: Tensor
    label: Tensor

    def to(self, device: str) -> "PlaneBatch":
        """Copy to a device."""
        return PlaneBatch(self.image.to(device), self.label.to(device))


def normals(spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Axes across which slices have fine pixels; the one of the thickest voxels where no slice has."""
    fine = [size <= _THICK_MM for size in spacing]
    found = tuple(axis for axis in range(3) if all(fine[other] for other in range(3) if other != axis))
    return found or (int(np.argmax(spacing)),)


class PlaneSource:
    """Draws slices of some volumes, around lesions and elsewhere, with lesions of others painted into a part of them.

    Parameters
    ----------
    volumes
        From `prepare_volumes`.
    training
        Of the recipe: `crop` (0 for whole slices), `lesion_share`, `real_share`, `contrast_spread`, `noise_share`.
    neighbours
        Slices on each side of the one that is segmented.
    paint_share
        Share of slices with painted lesions, where a volume has masks on its grid.
    """

    def __init__(
        self, volumes: Sequence[PreparedVolume], training: TrainingOptions, neighbours: int, paint_share: float
    ) -> None:
        self._volumes = volumes
        self._edge = training.crop or max(max(volume.shape) for volume in volumes)
        self._real = [volume for volume in volumes if volume.is_real] or volumes
        self._synthetic = [volume for volume in volumes if not volume.is_real] or volumes
        self._training, self._neighbours, self._paint_share = training, neighbours, paint_share

    def __len__(self) -> int:
        """Slices along all axes, which make an epoch."""
        return sum(sum(volume.shape[axis] for axis in normals(volume.spacing)) for volume in self._volumes)

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> PlaneBatch:
        """Draw the slices of one step, or a piece of them."""
        numbers = examples_of_piece(self._training.batch_size, piece, pieces)
        rngs = example_rngs(self._training.seed, step, numbers or range(1))
        pairs = [self._example(rng) for rng in rngs]
        images, labels = (np.stack(parts)[: len(numbers)] for parts in zip(*pairs, strict=True))
        return PlaneBatch(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)))

    def _example(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        some = self._real if rng.uniform() < self._training.real_share else self._synthetic
        volume = some[int(rng.integers(len(some)))]
        axis = int(rng.choice(normals(volume.spacing)))
        thickness = int(rng.choice(_THICKNESSES)) if volume.spacing[axis] <= _THICK_MM else 1
        paints = volume.n_foreign_points > 0 and rng.uniform() < self._paint_share
        number, centre = self._place(volume, rng, paints=paints)
        box = self._box(volume, centre, axis, thickness, rng)
        image, label = volume.read(box)
        if paints:
            foreign = volume.foreign(number, box)
            image, painted = paint_lesions_into(image, foreign, rng)
            label = label | painted
        slab = self._padded(np.moveaxis(image, axis, 0), thickness)
        truth = self._padded(np.moveaxis(label.astype(np.float32), axis, 0), thickness)
        planes = slab.reshape(-1, thickness, *slab.shape[1:]).mean(axis=1)
        middle = truth.reshape(-1, thickness, *truth.shape[1:]).mean(axis=1)[self._neighbours] >= 0.5
        return self._augmented(planes, middle.astype(np.uint8), rng)

    def _place(
        self, volume: PreparedVolume, rng: np.random.Generator, *, paints: bool
    ) -> tuple[int, NDArray[np.int64]]:
        """Whose lesions are painted, if any are, and a voxel that is looked at: in a lesion or anywhere in tissue."""
        number, painted = volume.foreign_place(rng) if paints else (0, np.zeros(3, np.int64))
        in_lesion = bool(rng.uniform() < self._training.lesion_share)
        if in_lesion and paints and (not volume.n_points or rng.uniform() < 0.5):
            return number, painted
        return number, volume.place(rng, in_lesion=in_lesion)

    def _box(
        self, volume: PreparedVolume, centre: NDArray[np.int64], axis: int, thickness: int, rng: np.random.Generator
    ) -> Box:
        """What is read: a square around a voxel, and so many slices of it."""
        edge, depth = self._edge, (2 * self._neighbours + 1) * thickness
        sides = []
        for other, size in enumerate(volume.shape):
            length = depth if other == axis else edge
            reach = thickness // 2 if other == axis else edge // 3
            first = int(centre[other]) - length // 2 + int(rng.integers(-reach, reach + 1))
            first = int(np.clip(first, 0, max(size - length, 0)))
            sides.append(slice(first, min(first + length, size)))
        return sides[0], sides[1], sides[2]

    def _padded(self, slab: NDArray[np.float32], thickness: int) -> NDArray[np.float32]:
        """Slices of the full size and number; beyond the volume there is air, and the last slice again."""
        wanted = ((2 * self._neighbours + 1) * thickness, self._edge, self._edge)
        widths = [(0, size - there) for size, there in zip(wanted, slab.shape, strict=True)]
        if any(after for _, after in widths[1:]):
            slab = np.pad(slab, [(0, 0), *widths[1:]])
        return np.pad(slab, [widths[0], (0, 0), (0, 0)], mode="edge") if widths[0][1] else slab

    def _augmented(
        self, planes: NDArray[np.float32], label: NDArray[np.uint8], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        for axis in (1, 2):
            if rng.uniform() < 0.5:
                planes, label = np.flip(planes, axis), np.flip(label, axis - 1)
        if rng.uniform() < 0.5:
            planes, label = planes.swapaxes(1, 2), label.swapaxes(0, 1)
        if rng.uniform() < 0.5:
            planes = planes[::-1]
        spread = self._training.contrast_spread
        # Around white matter, which stays at 1 but for a little: the scale of another scan is found a little off.
        planes = np.maximum(planes, 0) ** np.float32(np.exp(rng.normal(0, spread)))
        planes = planes * np.float32(np.exp(rng.normal(0, _LEVEL_SPREAD)))
        if rng.uniform() < 0.5:
            shading = smooth_phase((planes.shape[1], planes.shape[2]), rng, degree=2) / np.float32(np.pi)
            planes = planes * (1 + np.float32(_SHADING) * shading)
        if rng.uniform() < self._training.noise_share:
            level = np.float32(rng.uniform(0.01, _NOISE))
            planes = np.abs(planes + level * rng.standard_normal(planes.shape, dtype=np.float32))
        return np.ascontiguousarray(planes, np.float32), np.ascontiguousarray(label)
