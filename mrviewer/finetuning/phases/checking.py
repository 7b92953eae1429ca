"""A quick look at the validation cases while a run trains: a few of them, a few slices each."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mrviewer.database import Subject
from mrviewer.errors import MrviewerError
from mrviewer.evaluation.assessment import assess
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.evaluation.measuring import mean_figures, measured_modality
from mrviewer.geometry import Geometry
from mrviewer.method import Card, Measurement, Method, Result, require_fit
from mrviewer.physics import adjoint
from mrviewer.progress import Progress, retold
from mrviewer.reconstruction.acquisition import measure, raw_data, reference_slice
from mrviewer.reconstruction.reconstruct import lesions_of
from mrviewer.study import Study

__all__ = ["CasePicture", "Check", "check_cases", "chosen_cases", "means_of", "score_of"]

T = TypeVar("T")

_CASES = 6
_SLICES = 6
_FIGURES = ("dice", "psnr", "ssim")


@dataclass(frozen=True, eq=False)
class CasePicture:
    """One slice of a validation case.

    Parameters
    ----------
    image : float32, (y, x)
        Fully sampled where labels are compared, else what the method was given.
    truth, prediction : (y, x)
        uint8 segmentations, or float32 images of a method that does not segment.
    """

    image: NDArray[np.float32]
    truth: NDArray[np.generic]
    prediction: NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Check:
    """Figures of a quick look.

    Parameters
    ----------
    cases
        Of each case those of ``dice``, ``psnr`` and ``ssim`` that the method has, as `mrviewer.evaluation`
        measures them.
    picture
        Of the first case.
    failures
        Cases that could not be looked at, and why.
    """

    cases: tuple[Mapping[str, float], ...]
    picture: CasePicture | None
    failures: Mapping[str, str]


def chosen_cases(subjects: Sequence[Subject]) -> list[Subject]:
    """At most six of the validation cases, evenly chosen; always the same ones."""
    return _evenly(subjects, _CASES)


def check_cases(
    method: Method, subjects: Sequence[Subject], sampling: SamplingCondition, modality: str, device: str
) -> Generator[Progress, None, Check]:
    """Look at validation cases.

    Parameters
    ----------
    method
        With the weights of now; it must fit.
    subjects
        Of `chosen_cases`.
    sampling, modality
        See `mrviewer.evaluation.measuring.measure_study`; the same slices are looked at each time.
    device
        What computes.
    """
    cases: list[dict[str, float]] = []
    picture: CasePicture | None = None
    failures: dict[str, str] = {}
    for number, subject in enumerate(subjects):
        yield Progress(number, len(subjects), f"validating {subject.name}")
        try:
            figures, shown = yield from _check(method, subject.load(), sampling, modality, device)
        except (MrviewerError, OSError) as error:
            failures[subject.name] = str(error)
            continue
        cases.append(figures)
        picture = picture or shown
    return Check(tuple(cases), picture, failures)


def means_of(cases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each figure over the cases that have it."""
    return {name: mean for name, mean in mean_figures(cases).items() if mean is not None}


def score_of(means: Mapping[str, float]) -> float | None:
    """What weights are chosen by: Dice and SSIM added, as far as the method has them; `None` if it has neither."""
    parts = [means[name] for name in ("dice", "ssim") if name in means]
    return sum(parts) if parts else None


def _check(
    method: Method, study: Study, sampling: SamplingCondition, modality: str, device: str
) -> Generator[Progress, None, tuple[dict[str, float], CasePicture | None]]:
    require_fit(method, study, modality := measured_modality(method, study, modality))
    raw = raw_data(study, modality)
    mask = sampling.mask(raw.shape[2:], method)
    labels = None if study.labels is None else np.moveaxis(study.labels.volume().astype(bool), raw.slice_axis, 0)
    slices = range(raw.shape[0]) if method.card.needs.whole_volume else _slices(labels, raw.shape[0])
    measurement = measure(study, raw, mask, list(slices), method.card.needs)
    result = yield from retold(
        method.run(measurement, device), lambda step: Progress(step.done, step.total, step.message)
    )
    truth = None if labels is None else labels[list(slices)]
    references = [reference_slice(raw, index) for index in slices] if result.image is not None else []
    known = [plane for plane in references if plane is not None]
    reference = np.stack(known) if known else None
    return _figures(method.card, result, truth, reference), _picture(method.card, measurement, result, truth, reference)


def _figures(
    card: Card, result: Result, truth: NDArray[np.bool_] | None, reference: NDArray[np.float32] | None
) -> dict[str, float]:
    """The figures that a quick look tells, of the slices as a stack of their own."""
    shapes = [stack.shape for stack in (truth, reference) if stack is not None]
    if not shapes:
        return {}
    held = assess(
        image=None if result.image is None else np.abs(result.image),
        image_reference=reference,
        segmentation=None if result.segmentation is None else lesions_of(result.segmentation, card.lesion_value),
        reference=truth,
        geometry=Geometry.axial(shapes[0], (1.0, 1.0, 1.0)),
    ).figures()
    known = {name: held.get(name) for name in _FIGURES}
    return {name: value for name, value in known.items() if value is not None}


def _picture(
    card: Card,
    measurement: Measurement,
    result: Result,
    truth: NDArray[np.bool_] | None,
    reference: NDArray[np.float32] | None,
) -> CasePicture | None:
    image = measurement.images.get(measurement.modality)
    if truth is not None and result.segmentation is not None and image is not None:
        place = int(np.argmax(truth.sum(axis=(1, 2))))
        prediction = lesions_of(result.segmentation, card.lesion_value)[place]
        return CasePicture(image[place].astype(np.float32), truth[place].astype(np.uint8), prediction.astype(np.uint8))
    if reference is not None and result.image is not None:
        place = len(reference) // 2
        given = np.abs(adjoint(measurement.kspace[place], measurement.coil_maps[place])).astype(np.float32)
        return CasePicture(given, reference[place], np.abs(result.image[place]).astype(np.float32))
    return None


def _slices(labels: NDArray[np.bool_] | None, count: int) -> list[int]:
    """Slices to look at: among those with labels where there are any, else among the middle half."""
    labelled = [] if labels is None else [int(index) for index in np.flatnonzero(labels.any(axis=(1, 2)))]
    return _evenly(labelled or list(range(count // 4, max(count - count // 4, count // 4 + 1))), _SLICES)


def _evenly(items: Sequence[T], most: int) -> list[T]:
    if len(items) <= most:
        return list(items)
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, most)]
