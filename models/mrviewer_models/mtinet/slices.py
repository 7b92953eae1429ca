"""Training slices of four-phase studies, prepared once and kept on disk."""

import csv
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from mrviewer.database import SIMULATED_LIVER, Subject
from mrviewer.errors import InputError
from mrviewer.images.dynamic import PHASES
from mrviewer.phantom.liver import liver_study, simulate_liver_patient
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.system.reasons import reason_of
from mrviewer.training.data.prepared_subjects import keep_prepared, prepare_each
from mrviewer_models.mtinet.preparation import grid_size, phase_stack, resized

__all__ = ["SubjectSlices", "prepare_subjects", "read_diagnoses"]

Scalar = TypeVar("Scalar", bound=np.generic)

_VERSION = 2
_FIELD_MM = (264.0, 352.0)
"""Size along y and x that slices are cropped or padded to: a body is wider than it is deep."""


@dataclass(frozen=True, eq=False)
class SubjectSlices:
    """Slices of one subject on disk, in the units of `PhaseStack`.

    Parameters
    ----------
    path
        The file: ``raw`` float16 (slice, phase, y, x), the signal; ``masks`` uint8 (slice, 2, y, x), tumour and liver
        without tumour, which is all zero where it is not known.
    with_tumour : int, (slice,)
        Numbers of the slices with at least four pixels of tumour.
    n_slices
        Number of all slices.
    spread
        See `PhaseStack`.
    diagnosis
        Kind of the tumours; empty where nobody said so.
    has_liver
        Whether the liver is known.
    """

    path: Path
    with_tumour: NDArray[np.intp]
    n_slices: int
    spread: float
    diagnosis: str
    has_liver: bool

    def read(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """Signal ``(phase, y, x)`` and masks ``(2, y, x)`` of one slice."""
        with safe_open(self.path, framework="numpy") as file:
            place = slice(number, number + 1)
            return file.get_slice("raw")[place][0], file.get_slice("masks")[place][0]


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
        raise InputError(
            f"{name} is no table of diagnoses ({reason_of(error)}); give a CSV file: subject,diagnosis"
        ) from error


def prepare_subjects(
    subjects: Sequence[Subject], pixel_mm: float, diagnoses: Mapping[str, str]
) -> Generator[Progress, None, list[SubjectSlices]]:
    """Turn subjects with labels into slices, one after the other; those that cannot be used are left out, and told.

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
        If none can be used, such as for want of a phase.
    """
    return (yield from prepare_each(subjects, lambda subject: _kept(subject, pixel_mm, diagnoses)))


def _kept(subject: Subject, pixel_mm: float, diagnoses: Mapping[str, str]) -> SubjectSlices:
    named = diagnoses.get(subject.name, "")

    def make() -> Mapping[str, NDArray[np.generic]]:
        if subject.seed is not None and subject.database == SIMULATED_LIVER:
            return _simulated(subject.seed, pixel_mm)
        return _real(subject, pixel_mm, named)

    path = keep_prepared(subject, [_VERSION, "phases", pixel_mm, named], make)
    with safe_open(path, framework="numpy") as file:
        small = {name: file.get_tensor(name) for name in ("with_tumour", "spread", "diagnosis", "has_liver")}
        n_slices = file.get_slice("raw").get_shape()[0]
    if not small["with_tumour"].size:
        raise InputError(f"subject {subject.name!r} has no slice with a labelled tumour; leave it out")
    diagnosis = small["diagnosis"].tobytes().decode()
    has_liver = bool(small["has_liver"][0])
    return SubjectSlices(path, small["with_tumour"], n_slices, float(small["spread"][0]), diagnosis, has_liver)


def _real(subject: Subject, pixel_mm: float, diagnosis: str) -> Mapping[str, NDArray[np.generic]]:
    study = subject.load()
    missing = [name for name in PHASES if name not in study.images]
    if missing:
        raise InputError(
            f"subject {subject.name!r} has no {missing[0]} image; mtinet learns from {', '.join(PHASES)}: "
            "leave the subject out"
        )
    if study.labels is None:
        raise InputError(f"subject {subject.name!r} has no labels of its tumour; leave it out")
    label = (np.asarray(study.labels.volume(), np.float32) > 0).astype(np.uint8)
    return _slices(study, label, np.zeros_like(label), pixel_mm, diagnosis or study.diagnosis)


def _simulated(seed: int, pixel_mm: float) -> Mapping[str, NDArray[np.generic]]:
    patient = simulate_liver_patient(seed=seed)
    return _slices(liver_study(patient), patient.tumours, patient.liver, pixel_mm, patient.kind)


def _slices(
    study: Study, label: NDArray[np.uint8], liver: NDArray[np.uint8], pixel_mm: float, diagnosis: str
) -> Mapping[str, NDArray[np.generic]]:
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
    return {
        "raw": _fit(np.minimum(raw, 60).astype(np.float16), field),
        "masks": fitted,
        "with_tumour": np.flatnonzero(np.count_nonzero(fitted[:, 0], axis=(1, 2)) > 3),
        "spread": np.asarray([stack.spread]),
        "diagnosis": np.frombuffer(diagnosis.encode(), np.uint8),
        "has_liver": np.asarray([fitted[:, 1].any()]),
    }


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
