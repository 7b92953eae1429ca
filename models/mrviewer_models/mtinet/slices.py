"""Training slices of four-phase studies, prepared once and kept on disk."""

import csv
import hashlib
import json
import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
import platformdirs
import torch
from numpy.typing import NDArray

from mrviewer.database import SIMULATED_LIVER, Subject
from mrviewer.dynamic import PHASES
from mrviewer.errors import InputError
from mrviewer.phantom.liver import liver_study, simulate_liver_patient
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.writers.whole import whole_file
from mrviewer_models.mtinet.preparation import grid_size, phase_stack, resized

__all__ = ["SubjectSlices", "prepare_subjects", "read_diagnoses"]

Scalar = TypeVar("Scalar", bound=np.generic)

_logger = logging.getLogger(__name__)
_VERSION = 1
_FIELD_MM = (264.0, 352.0)
"""Size along y and x that slices are cropped or padded to: a body is wider than it is deep."""


@dataclass(frozen=True, eq=False)
class SubjectSlices:
    """Slices of one subject, in the units of `PhaseStack`.

    Parameters
    ----------
    raw : float16, (slice, phase, y, x)
        Signal.
    label, liver : uint8, (slice, y, x)
        Tumour; liver without tumour, all zero where it is not known.
    spread
        See `PhaseStack`.
    diagnosis
        Kind of the tumours; empty where nobody said so.
    """

    raw: NDArray[np.float16]
    label: NDArray[np.uint8]
    liver: NDArray[np.uint8]
    spread: float
    diagnosis: str

    @property
    def with_tumour(self) -> NDArray[np.intp]:
        """Numbers of the slices with at least four pixels of tumour."""
        return np.flatnonzero(np.count_nonzero(self.label, axis=(1, 2)) > 3)


def read_diagnoses(path: str) -> dict[str, str]:
    """Diagnosis by subject from a CSV file with the columns ``subject`` and ``diagnosis``; none for an empty path.

    Raises
    ------
    InputError
        If the file is not there or lacks a column.
    """
    if not path:
        return {}
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            return {row["subject"]: row["diagnosis"].strip() for row in csv.DictReader(file)}
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        name = Path(path).name
        raise InputError(f"{name} is no table of diagnoses ({error}); give a CSV file: subject,diagnosis") from error


def prepare_subjects(
    subjects: Sequence[Subject], pixel_mm: float, diagnoses: Mapping[str, str]
) -> Generator[Progress, None, list[SubjectSlices]]:
    """Turn subjects with labels into slices, one after the other; those without labels are left out.

    Parameters
    ----------
    subjects
        Simulated (``simulated-liver``) or real.
    pixel_mm
        Pixel size of the slices.
    diagnoses
        Of real subjects, by name.

    Raises
    ------
    InputError
        If a subject has not all four phases on one grid.
    """
    prepared = []
    for number, subject in enumerate(subjects):
        made = (
            _cached(subject, pixel_mm) if subject.database == SIMULATED_LIVER else _real(subject, pixel_mm, diagnoses)
        )
        prepared += [made] if made is not None and len(made.with_tumour) else []
        yield Progress(number + 1, len(subjects), f"prepared {subject.name}")
    return prepared


def _real(subject: Subject, pixel_mm: float, diagnoses: Mapping[str, str]) -> SubjectSlices | None:
    study = subject.load()
    if study.labels is None:
        return None
    missing = [name for name in PHASES if name not in study.images]
    if missing:
        raise InputError(
            f"subject {subject.name!r} has no {missing[0]} image; mtinet learns from {', '.join(PHASES)}: "
            "leave the subject out"
        )
    label = (np.asarray(study.labels.volume(), np.float32) > 0).astype(np.uint8)
    return _slices(study, label, np.zeros_like(label), pixel_mm, diagnoses.get(subject.name, study.diagnosis))


def _simulated(seed: int, pixel_mm: float) -> SubjectSlices:
    patient = simulate_liver_patient(seed=seed)
    return _slices(liver_study(patient), patient.tumours, patient.liver, pixel_mm, patient.kind)


def _slices(
    study: Study, label: NDArray[np.uint8], liver: NDArray[np.uint8], pixel_mm: float, diagnosis: str
) -> SubjectSlices:
    geometry = study.images[PHASES[0]].geometry
    axis = geometry.slice_axis
    stack = phase_stack({name: np.moveaxis(study.images[name].volume(), axis, 0) for name in PHASES})
    in_plane = [size for other, size in enumerate(geometry.voxel_size_mm) if other != axis]
    field = grid_size(_FIELD_MM, (1.0, 1.0), pixel_mm)
    rows, columns = stack.raw.shape[-2:]
    size = grid_size((rows, columns), (in_plane[0], in_plane[1]), pixel_mm)
    masks = np.stack([np.moveaxis(mask, axis, 0) for mask in (label, liver)], axis=1).astype(np.float32)
    raw = resized(torch.from_numpy(stack.raw), size).numpy()
    coarse = resized(torch.from_numpy(masks), size).numpy() >= 0.5
    fitted = _fit(coarse.astype(np.uint8), field)
    return SubjectSlices(
        _fit(np.minimum(raw, 60).astype(np.float16), field), fitted[:, 0], fitted[:, 1], stack.spread, diagnosis
    )


def _fit(stack: NDArray[Scalar], field: tuple[int, int]) -> NDArray[Scalar]:
    """Crop or pad the last two axes with zeros around the middle."""
    for axis, edge in zip((-2, -1), field, strict=True):
        extra = stack.shape[axis] - edge
        if extra > 0:
            stack = stack.take(np.arange(extra // 2, extra // 2 + edge), axis)
        elif extra < 0:
            widths = [(0, 0)] * stack.ndim
            widths[axis] = (-extra // 2, -extra - (-extra // 2))
            stack = np.pad(stack, widths)
    return stack


def _cached(subject: Subject, pixel_mm: float) -> SubjectSlices:
    assert subject.seed is not None
    key = hashlib.sha256(json.dumps([_VERSION, subject.name, pixel_mm]).encode()).hexdigest()[:12]
    folder = Path(platformdirs.user_cache_dir("mrviewer")) / "training"
    path = folder / f"{subject.name}-{key}.npz"
    if path.is_file():
        try:
            # Opened here, because numpy leaves a damaged archive open.
            with path.open("rb") as kept, np.load(kept, allow_pickle=False) as stored:
                return SubjectSlices(
                    stored["raw"], stored["label"], stored["liver"], float(stored["spread"]), str(stored["diagnosis"])
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            _logger.warning("the cached slices of %s cannot be read (%s); they are made again", subject.name, error)
    made = _simulated(subject.seed, pixel_mm)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file, allow_pickle=False, raw=made.raw, label=made.label, liver=made.liver, spread=made.spread,
            diagnosis=made.diagnosis,
        )  # fmt: skip
    return made
