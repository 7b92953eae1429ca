"""Batches of four-phase slices: drawn, turned and scaled, all phases alike."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mrviewer.training.examples import example_rngs, examples_of_piece
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
        return sum(subject.n_slices for subject in self._subjects)

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> LiverBatch:
        """Draw and augment the slices of one step, or a piece of them."""
        numbers = examples_of_piece(self._options.batch_size, piece, pieces)
        made = self._made(example_rngs(self._options.seed, step, numbers or range(1)))
        return made if numbers else made.chosen(torch.zeros(1, dtype=torch.bool))

    def _made(self, rngs: Sequence[np.random.Generator]) -> LiverBatch:
        drawn = [self._draw(rng) for rng in rngs]
        pairs = [subject.read(index) for subject, index in drawn]
        raw = torch.from_numpy(np.stack([signal for signal, _ in pairs]).astype(np.float32))
        masks = torch.from_numpy(np.stack([mask for _, mask in pairs]).astype(np.float32))
        matrices = torch.from_numpy(np.stack([_drawn_matrix(rng) for rng in rngs]))
        grid = F.affine_grid(matrices, [len(drawn), 1, *raw.shape[-2:]], align_corners=False)
        raw = F.grid_sample(raw, grid, mode="bilinear", align_corners=False)
        truth = F.grid_sample(masks, grid, mode="nearest", align_corners=False)
        gain = torch.tensor([rng.uniform(1 - GAIN, 1 + GAIN) for rng in rngs])[:, None, None, None]
        spread = torch.tensor([subject.spread for subject, _ in drawn])[:, None, None, None]
        diagnoses = [self._numbers.get(subject.diagnosis, -1) for subject, _ in drawn]
        return LiverBatch((raw * gain - 1) / spread, raw * gain, truth[:, :1], truth[:, 1:], torch.tensor(diagnoses))

    def _draw(self, rng: np.random.Generator) -> tuple[SubjectSlices, int]:
        subject = self._subjects[int(rng.integers(len(self._subjects)))]
        if rng.uniform() < self._options.lesion_share:
            return subject, int(rng.choice(subject.with_tumour))
        return subject, int(rng.integers(subject.n_slices))


def _drawn_matrix(rng: np.random.Generator) -> NDArray[np.float32]:
    """Mirror left and right, turn and scale ``(2, 3)``, in a way of each slice's own, its phases alike."""
    angle = np.radians(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    scale = rng.uniform(1 - SCALE, 1 + SCALE)
    mirror = -1.0 if rng.uniform() < 0.5 else 1.0
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    return np.asarray([[cosine * mirror, -sine, 0], [sine * mirror, cosine, 0]], np.float32)
