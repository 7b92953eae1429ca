"""Batches of four-phase slices: drawn, turned and scaled, all phases alike."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mrviewer.training.options import TrainingOptions
from mrviewer_models.mtinet.slices import SubjectSlices

__all__ = ["LiverBatch", "LiverBatches"]

TURN_DEGREES, SCALE, GAIN = 15.0, 0.1, 0.1


@dataclass(frozen=True, eq=False)
class LiverBatch:
    """Slices and the truth about them.

    Parameters
    ----------
    phases : float32, (batch, phase, y, x)
        Normalised; see `PhaseStack.normalised`.
    raw : float32, (batch, phase, y, x)
        Signal in one unit for all phases.
    label, liver : float32, (batch, 1, y, x)
        Tumour; liver without tumour, all zero where it is not known.
    diagnosis : int64, (batch,)
        Number of the class; -1 where it is not known.
    """

    phases: Tensor
    raw: Tensor
    label: Tensor
    liver: Tensor
    diagnosis: Tensor

    @property
    def has_tumour(self) -> Tensor:
        """Slices ``(batch,)`` with at least four pixels of tumour: the others have no enhancement to tell."""
        return self.label.sum(dim=(1, 2, 3)) > 3

    def to(self, device: str) -> "LiverBatch":
        """Copy to a device."""
        return LiverBatch(*(getattr(self, item.name).to(device) for item in fields(self)))

    def chosen(self, which: Tensor) -> "LiverBatch":
        """Some of the slices."""
        return LiverBatch(*(getattr(self, item.name)[which] for item in fields(self)))


class LiverBatches:
    """Makes batch number `step`, from nothing but the slices, the options and the number.

    A subject is drawn first, then one of its slices, so that large tumours do not count more than others.

    Parameters
    ----------
    subjects
        From `prepare_subjects`; each has a slice with tumour.
    options
        Shares and seed.
    classes
        Names of the classes, or several names a class.
    """

    def __init__(
        self, subjects: Sequence[SubjectSlices], options: TrainingOptions, classes: Sequence[Sequence[str]]
    ) -> None:
        self._subjects = list(subjects)
        self._options = options
        self._numbers = {name: number for number, names in enumerate(classes) for name in names}

    def __len__(self) -> int:
        """Number of slices that can be drawn."""
        return sum(len(subject.label) for subject in self._subjects)

    def batch(self, step: int) -> LiverBatch:
        """Draw and augment the slices of one step."""
        rng = np.random.default_rng([self._options.seed, step])
        drawn = [self._draw(rng) for _ in range(self._options.batch_size)]
        raw = torch.from_numpy(np.stack([subject.raw[index] for subject, index in drawn]).astype(np.float32))
        masks = np.stack([np.stack([subject.label[index], subject.liver[index]]) for subject, index in drawn])
        grid = _sampling_grid(len(drawn), (raw.shape[-2], raw.shape[-1]), rng)
        raw = F.grid_sample(raw, grid, mode="bilinear", align_corners=False)
        truth = F.grid_sample(torch.from_numpy(masks.astype(np.float32)), grid, mode="nearest", align_corners=False)
        gain = torch.from_numpy(rng.uniform(1 - GAIN, 1 + GAIN, (len(drawn), 1, 1, 1)).astype(np.float32))
        spread = torch.tensor([subject.spread for subject, _ in drawn])[:, None, None, None]
        numbers = [self._numbers.get(subject.diagnosis, -1) for subject, _ in drawn]
        return LiverBatch((raw * gain - 1) / spread, raw * gain, truth[:, :1], truth[:, 1:], torch.tensor(numbers))

    def _draw(self, rng: np.random.Generator) -> tuple[SubjectSlices, int]:
        subject = self._subjects[int(rng.integers(len(self._subjects)))]
        if rng.uniform() < self._options.lesion_share:
            return subject, int(rng.choice(subject.with_tumour))
        return subject, int(rng.integers(len(subject.label)))


def _sampling_grid(count: int, shape: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """Mirror left and right, turn and scale; every slice in its own way, its phases alike."""
    angles = np.radians(rng.uniform(-TURN_DEGREES, TURN_DEGREES, count))
    scales = rng.uniform(1 - SCALE, 1 + SCALE, count)
    mirrors = np.where(rng.uniform(size=count) < 0.5, -1.0, 1.0)
    cosine, sine, zero = np.cos(angles) * scales, np.sin(angles) * scales, np.zeros(count)
    matrices = np.stack(
        [np.stack([cosine * mirrors, -sine, zero], axis=1), np.stack([sine * mirrors, cosine, zero], axis=1)], axis=1
    )
    return F.affine_grid(torch.from_numpy(matrices.astype(np.float32)), [count, 1, *shape], align_corners=False)
