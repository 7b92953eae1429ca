"""Training batches: slices drawn, augmented, and sampled as a scanner would. Step `n` of a seed is always the same."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrviewer.coils import ring_coil_maps
from mrviewer.database import Subject
from mrviewer.phantom.scan import smooth_phase
from mrviewer.progress import Progress
from mrviewer.sampling import make_mask
from mrviewer.training.options import TrainingOptions
from mrviewer.training.slices import SliceSet, prepare_slices

__all__ = ["Batch", "BatchMaker", "slice_source"]

_FAMILIES = ("random", "equispaced", "gaussian-1d", "gaussian-2d", "poisson", "radial")
_FAMILY_SHARES = (0.66, 0.08, 0.08, 0.06, 0.06, 0.06)
_LINE_FAMILIES = frozenset({"random", "equispaced", "gaussian-1d"})


@dataclass(frozen=True)
class Batch:
    """Slices, and what a scanner would have measured of them.

    Parameters
    ----------
    image : complex64, (batch, y, x)
        Fully sampled image.
    kspace : complex64, (batch, coil, y, x)
        Zero where `pattern` is.
    pattern : float32, (1, 1, y | 1, x)
    maps : complex64, (batch, coil, y, x)
    label : int64, (batch, y, x)
        1 in a lesion.
    labelled : bool, (batch,)
        Whether `label` is known.
    tissues : int64, (batch, y, x)
        1 cerebrospinal fluid, 2 grey matter, 3 white matter, 0 elsewhere.
    tissues_known : bool, (batch,)
        Whether `tissues` are known.
    """

    image: Tensor
    kspace: Tensor
    pattern: Tensor
    maps: Tensor
    label: Tensor
    labelled: Tensor
    tissues: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    tissues_known: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))

    def __post_init__(self) -> None:
        """Without a word about tissues they are unknown."""
        if not self.tissues_known.numel():
            object.__setattr__(self, "tissues", torch.zeros_like(self.label))
            object.__setattr__(self, "tissues_known", torch.zeros_like(self.labelled))

    def to(self, device: str) -> "Batch":
        """Copy to a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


class BatchMaker:
    """Makes batch number `step`, from nothing but the slices, the options and the number.

    Parameters
    ----------
    slices
        From `prepare_slices`.
    options
        Shares, masks and seed.
    needs_kspace, needs_labels
        What the recipe looks at; what it does not is not made.
    """

    def __init__(
        self, slices: SliceSet, options: TrainingOptions, *, needs_kspace: bool = True, needs_labels: bool = True
    ) -> None:
        self._slices = slices
        self._options = options
        self._needs_kspace, self._needs_labels = needs_kspace, needs_labels
        usable = slices.labelled if needs_labels else np.ones(len(slices), bool)
        lesion = slices.has_lesion
        self._pools = {
            (real, sick): np.flatnonzero(usable & (slices.real == real) & (lesion | (not sick)))
            for real in (False, True)
            for sick in (False, True)
        }

    def __len__(self) -> int:
        """Number of slices that can be drawn."""
        return int(self._pools[False, False].size + self._pools[True, False].size)

    def batch(self, step: int) -> Batch:
        """Draw, augment and sample the slices of one step."""
        rng = np.random.default_rng([self._options.seed, step])
        chosen = [self._draw(rng) for _ in range(self._options.batch_size)]
        pairs = [
            _augment(self._slices.images[i].astype(np.float32), self._codes(i), self._options, rng) for i in chosen
        ]
        family, acceleration = self._family(rng)
        if self._options.crop_rows and family in _LINE_FAMILIES:
            rows, around_lesion = self._options.crop_rows, self._needs_labels
            pairs = [_crop_rows(*pair, rows, rng, around_lesion=around_lesion) for pair in pairs]
        if self._options.crop and not self._needs_kspace:
            pairs = [_crop_square(*pair, self._options.crop, rng) for pair in pairs]
        magnitude = np.stack([image for image, _ in pairs])
        truth = _truth(np.stack([codes for _, codes in pairs]), self._slices, chosen)
        if not self._needs_kspace:
            if rng.uniform() < self._options.noise_share:
                noise = rng.standard_normal(magnitude.shape, dtype=np.float32)
                magnitude = np.abs(magnitude + np.float32(rng.uniform(0.005, 0.04)) * noise)
            return replace(truth, image=torch.from_numpy(magnitude))
        return self._measure(magnitude, truth, self._pattern(magnitude.shape, family, acceleration, rng), rng)

    def _codes(self, number: int) -> NDArray[np.uint8]:
        """Lesion and tissue of a slice in one array, so that they are turned and cut as one."""
        codes: NDArray[np.uint8] = self._slices.labels[number] + 2 * self._slices.tissues[number]
        return codes

    def _draw(self, rng: np.random.Generator) -> int:
        real = bool(rng.uniform() < self._options.real_share)
        sick = self._needs_labels and bool(rng.uniform() < self._options.lesion_share)
        for key in ((real, sick), (real, False), (not real, sick), (not real, False)):
            if self._pools[key].size:
                return int(rng.choice(self._pools[key]))
        raise AssertionError("a slice set without slices")

    def _measure(
        self, magnitude: NDArray[np.float32], truth: Batch, pattern: Tensor, rng: np.random.Generator
    ) -> Batch:
        shape = (magnitude.shape[1], magnitude.shape[2])
        if rng.uniform() < self._options.phase_share:
            phase = np.stack([smooth_phase(shape, rng) for _ in magnitude])
            image = torch.from_numpy((magnitude * np.exp(1j * phase)).astype(np.complex64))
        else:
            image = torch.from_numpy(magnitude.astype(np.complex64))
        n_coils = int(rng.choice((4, 8))) if rng.uniform() < self._options.coil_share else 1
        maps = np.ones((1, *shape), np.complex64) if n_coils == 1 else ring_coil_maps(shape, n_coils)
        coil_maps = torch.from_numpy(maps)[None].expand(len(magnitude), -1, -1, -1)
        kspace = _fft2c(image[:, None] * coil_maps)
        if rng.uniform() < self._options.noise_share:
            level = float(rng.uniform(0.002, 0.03))
            noise = rng.standard_normal((2, *kspace.shape), dtype=np.float32) * np.float32(level)
            kspace = kspace + torch.complex(torch.from_numpy(noise[0]), torch.from_numpy(noise[1]))
        return replace(truth, image=image, kspace=kspace * pattern, pattern=pattern, maps=coil_maps)

    def _family(self, rng: np.random.Generator) -> tuple[str, float]:
        """Mask family and acceleration of a step."""
        if rng.uniform() < self._options.main_share:
            return self._options.main_family, self._options.main_acceleration
        return str(rng.choice(_FAMILIES, p=_FAMILY_SHARES)), float(rng.uniform(*self._options.accelerations))

    def _pattern(self, shape: tuple[int, ...], family: str, acceleration: float, rng: np.random.Generator) -> Tensor:
        fraction = min(self._options.center_fraction, 0.5 / acceleration)
        mask = make_mask(family, (shape[-2], shape[-1]), acceleration, fraction, int(rng.integers(1 << 31)))
        return torch.from_numpy(mask.pattern.astype(np.float32))[None, None]


def slice_source(
    options: TrainingOptions, subjects: Sequence[Subject], *, needs_kspace: bool = True, needs_labels: bool = True
) -> Generator[Progress, None, BatchMaker]:
    """Prepare the slices of subjects and draw batches from them: where the batches of most recipes come from."""
    masks = Path(options.lesion_masks) if options.lesion_masks else None
    slices = yield from prepare_slices(subjects, masks)
    return BatchMaker(slices.coarser(options.coarsen), options, needs_kspace=needs_kspace, needs_labels=needs_labels)


def _truth(codes: NDArray[np.uint8], slices: SliceSet, chosen: Sequence[int]) -> Batch:
    """What is known of the chosen slices, without anything measured."""
    empty = torch.zeros(0)
    return Batch(
        image=empty, kspace=empty, pattern=empty, maps=empty,
        label=torch.from_numpy((codes & 1).astype(np.int64)),
        labelled=torch.from_numpy(slices.labelled[chosen]),
        tissues=torch.from_numpy((codes >> 1).astype(np.int64)),
        tissues_known=torch.from_numpy(slices.tissues_known[chosen]),
    )  # fmt: skip


def _augment(
    image: NDArray[np.float32], label: NDArray[np.uint8], options: TrainingOptions, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Mirror left and right, shift, bend the grey scale a little, shade."""
    if rng.uniform() < 0.5:
        image, label = image[:, ::-1], label[:, ::-1]
    shift = tuple(int(value) for value in rng.integers(-8, 9, 2))
    image, label = np.roll(image, shift, (0, 1)), np.roll(label, shift, (0, 1))
    gamma = float(np.exp(rng.normal(0, options.contrast_spread)))
    image = np.maximum(image, 0) ** np.float32(gamma)
    if rng.uniform() < 0.5:
        shading = smooth_phase((image.shape[0], image.shape[1]), rng, degree=2)
        image = image * (1 + np.float32(0.12 / np.pi) * shading)
    return np.ascontiguousarray(image, np.float32), np.ascontiguousarray(label)


def _crop_rows(
    image: NDArray[np.float32], label: NDArray[np.uint8], rows: int, rng: np.random.Generator, *, around_lesion: bool
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut a band of rows out of the object, near a lesion if there is one and it is asked for."""
    rows = min(rows, image.shape[0])
    lesion = np.flatnonzero((label & 1).any(axis=1))
    if around_lesion and lesion.size:
        near = rng.choice(lesion) - rows // 2 + rng.integers(-rows // 3, rows // 3 + 1)
        first = int(np.clip(near, 0, image.shape[0] - rows))
        return image[first : first + rows], label[first : first + rows]
    filled = np.flatnonzero((image > 0.1).any(axis=1))
    low, high = (int(filled[0]), int(filled[-1]) + 1) if filled.size else (0, image.shape[0])
    first = int(np.clip(rng.integers(low, max(high - rows, low) + 1), 0, image.shape[0] - rows))
    return image[first : first + rows], label[first : first + rows]


def _crop_square(
    image: NDArray[np.float32], label: NDArray[np.uint8], edge: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut a square near a lesion, or anywhere in the object if there is none."""
    lesion = label & 1
    edge = min(edge, *image.shape)
    inside = np.argwhere(lesion if lesion.any() else image > 0.1)
    centre = inside[rng.integers(len(inside))] if len(inside) else np.asarray(image.shape) // 2
    first = centre - edge // 2 + rng.integers(-edge // 3, edge // 3 + 1, 2)
    y, x = np.clip(first, 0, np.asarray(image.shape) - edge)
    return image[y : y + edge, x : x + edge], label[y : y + edge, x : x + edge]


def _fft2c(image: Tensor) -> Tensor:
    axes = (-2, -1)
    shifted = torch.fft.ifftshift(image, dim=axes)
    kspace: Tensor = torch.fft.fftshift(torch.fft.fft2(shifted, norm="ortho"), dim=axes)
    return kspace
