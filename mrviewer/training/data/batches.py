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
from mrviewer.sampling import family_of, make_mask, mask_families
from mrviewer.torch_fft import fft2c
from mrviewer.training.data.augmenting import augmented, cropped_rows, cropped_square
from mrviewer.training.data.slices import SliceOptions, SlicePool, prepare_slices
from mrviewer.training.examples import example_rngs, examples_of_piece, step_rng
from mrviewer.training.options import TrainingOptions

__all__ = ["Batch", "BatchMaker", "slice_source"]

_COILS = (4, 8)


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
    numbers : int64, (batch,)
        Place of each example in the whole batch of its step.
    """

    image: Tensor
    kspace: Tensor
    pattern: Tensor
    maps: Tensor
    label: Tensor
    labelled: Tensor
    tissues: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    tissues_known: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))
    numbers: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))

    def __post_init__(self) -> None:
        """Without a word about tissues they are unknown; without numbers it is a whole batch."""
        if not self.tissues_known.numel():
            object.__setattr__(self, "tissues", torch.zeros_like(self.label))
            object.__setattr__(self, "tissues_known", torch.zeros_like(self.labelled))
        if not self.numbers.numel():
            object.__setattr__(self, "numbers", torch.arange(len(self.label)))

    def to(self, device: str) -> "Batch":
        """Copy to a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def emptied(self) -> "Batch":
        """The same without any example."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Batch(**{name: one if name == "pattern" else one[:0] for name, one in kept.items()})


@dataclass(frozen=True)
class _Terms:
    """What all examples of a step share.

    Parameters
    ----------
    family, acceleration, mask_seed
        Of the mask.
    has_phase
        Whether images have a smooth phase.
    n_coils
        Coils.
    noise
        Standard deviation of the noise, 0 for none.
    """

    family: str
    acceleration: float
    mask_seed: int
    has_phase: bool
    n_coils: int
    noise: float


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
    max_coils
        Most coils that the network takes.
    """

    def __init__(
        self,
        slices: SlicePool,
        options: TrainingOptions,
        *,
        needs_kspace: bool = True,
        needs_labels: bool = True,
        max_coils: int = max(_COILS),
    ) -> None:
        self._slices = slices
        self._coils = [count for count in _COILS if count <= max_coils] or [1]
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

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> Batch:
        """Draw, augment and sample the slices of one step, or a piece of them."""
        numbers = examples_of_piece(self._options.batch_size, piece, pieces)
        if not numbers:
            # Of the right sizes, but for the number of its examples.
            return self._made(step, range(1)).emptied()
        return self._made(step, numbers)

    def _made(self, step: int, numbers: range) -> Batch:
        terms = self._terms(step_rng(self._options.seed, step))
        rngs = example_rngs(self._options.seed, step, numbers)
        chosen = [self._draw(rng) for rng in rngs]
        pairs = [self._example(place, terms, rng) for place, rng in zip(chosen, rngs, strict=True)]
        magnitude = np.stack([image for image, _ in pairs])
        truth = self._truth(np.stack([codes for _, codes in pairs]), chosen, numbers)
        if self._needs_kspace:
            return self._measure(magnitude, truth, terms, rngs)
        if terms.noise:
            noise = np.stack([rng.standard_normal(magnitude.shape[1:], dtype=np.float32) for rng in rngs])
            magnitude = np.abs(magnitude + np.float32(terms.noise) * noise)
        return replace(truth, image=torch.from_numpy(magnitude))

    def _terms(self, rng: np.random.Generator) -> _Terms:
        options = self._options
        if rng.uniform() < options.main_share:
            family, acceleration = options.main_family, options.main_acceleration
        else:
            family = _varied_family(rng)
            acceleration = float(rng.uniform(*options.accelerations))
        mask_seed = int(rng.integers(1 << 31))
        has_phase = bool(rng.uniform() < options.phase_share)
        n_coils = int(rng.choice(self._coils)) if rng.uniform() < options.coil_share else 1
        levels = (0.002, 0.03) if self._needs_kspace else (0.005, 0.04)
        noise = float(rng.uniform(*levels)) if rng.uniform() < options.noise_share else 0.0
        return _Terms(family, acceleration, mask_seed, has_phase, n_coils, noise)

    def _draw(self, rng: np.random.Generator) -> int:
        real = bool(rng.uniform() < self._options.real_share)
        sick = self._needs_labels and bool(rng.uniform() < self._options.lesion_share)
        for key in ((real, sick), (real, False), (not real, sick), (not real, False)):
            if self._pools[key].size:
                return int(rng.choice(self._pools[key]))
        raise AssertionError("a slice set without slices")

    def _example(
        self, place: int, terms: _Terms, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """One slice as it is shown, and its lesions and tissues in one array, so that they are cut as one."""
        image, codes = self._slices.read(place)
        pair = augmented(image.astype(np.float32), codes, self._options.contrast_spread, rng)
        if self._options.crop_rows and _is_of_lines(terms.family):
            pair = cropped_rows(*pair, self._options.crop_rows, rng, around_lesion=self._needs_labels)
        if self._options.crop and not self._needs_kspace:
            pair = cropped_square(*pair, self._options.crop, rng)
        return pair

    def _truth(self, codes: NDArray[np.uint8], chosen: Sequence[int], numbers: range) -> Batch:
        """What is known of the chosen slices, without anything measured."""
        empty = torch.zeros(0)
        return Batch(
            image=empty, kspace=empty, pattern=empty, maps=empty,
            label=torch.from_numpy((codes & 1).astype(np.int64)),
            labelled=torch.from_numpy(self._slices.labelled[list(chosen)]),
            tissues=torch.from_numpy((codes >> 1).astype(np.int64)),
            tissues_known=torch.from_numpy(self._slices.tissues_known[list(chosen)]),
            numbers=torch.tensor(numbers),
        )  # fmt: skip

    def _measure(
        self, magnitude: NDArray[np.float32], truth: Batch, terms: _Terms, rngs: Sequence[np.random.Generator]
    ) -> Batch:
        shape = (magnitude.shape[1], magnitude.shape[2])
        image = torch.from_numpy(magnitude.astype(np.complex64))
        if terms.has_phase:
            phase = np.stack([smooth_phase(shape, rng) for rng in rngs])
            image = torch.from_numpy((magnitude * np.exp(1j * phase)).astype(np.complex64))
        maps = np.ones((1, *shape), np.complex64) if terms.n_coils == 1 else ring_coil_maps(shape, terms.n_coils)
        coil_maps = torch.from_numpy(maps)[None].expand(len(magnitude), -1, -1, -1)
        kspace = fft2c(image[:, None] * coil_maps)
        if terms.noise:
            drawn = np.stack([rng.standard_normal((2, *kspace.shape[1:]), dtype=np.float32) for rng in rngs], axis=1)
            noise = drawn * np.float32(terms.noise)
            kspace = kspace + torch.complex(torch.from_numpy(noise[0]), torch.from_numpy(noise[1]))
        pattern = self._pattern(shape, terms)
        return replace(truth, image=image, kspace=kspace * pattern, pattern=pattern, maps=coil_maps)

    def _pattern(self, shape: tuple[int, int], terms: _Terms) -> Tensor:
        fraction = min(self._options.center_fraction, 0.5 / terms.acceleration)
        mask = make_mask(terms.family, shape, terms.acceleration, fraction, terms.mask_seed)
        return torch.from_numpy(mask.pattern.astype(np.float32))[None, None]


def slice_source(
    options: TrainingOptions,
    subjects: Sequence[Subject],
    *,
    needs_kspace: bool = True,
    needs_labels: bool = True,
    max_coils: int = max(_COILS),
) -> Generator[Progress, None, BatchMaker]:
    """Prepare the slices of subjects and draw batches from them: where the batches of most recipes come from.

    Parameters
    ----------
    options
        Of the run.
    subjects
        Real or simulated.
    needs_kspace, needs_labels, max_coils
        See `BatchMaker`.
    """
    masks = Path(options.lesion_masks) if options.lesion_masks else None
    wanted = SliceOptions(options.modality, options.coarsen, options.slice_size)
    slices = yield from prepare_slices(subjects, masks, wanted)
    return BatchMaker(slices, options, needs_kspace=needs_kspace, needs_labels=needs_labels, max_coils=max_coils)


def _varied_family(rng: np.random.Generator) -> str:
    """Draw one of all families that are drawn, as often as each says."""
    families = [family for family in mask_families() if family.is_drawn]
    shares = np.array([family.training_share for family in families])
    return str(rng.choice([family.name for family in families], p=shares / shares.sum()))


def _is_of_lines(mask: str) -> bool:
    family = family_of(mask)
    return family.is_drawn and family.dimensions == 1
