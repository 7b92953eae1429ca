"""Run a method on a study under a condition, and hold what it gives against what is known."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrviewer.evaluation.assessment import Assessment, assess_run
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.evaluation.findings import Finding, describe_findings, finding_of
from mrviewer.method import Method, require_fit
from mrviewer.progress import Progress
from mrviewer.reconstruction.acquisition import raw_data
from mrviewer.reconstruction.reconstruct import Reconstruction, reconstruct
from mrviewer.study import Study

__all__ = ["Figures", "Measured", "mean_figures", "mean_groups", "measure_study", "measured_modality"]

Figures = dict[str, float | None]
"""Figures by their keys in `mrviewer.metrics.metric_list.METRICS`; `None` where one cannot be computed."""

_GROUPS = ("image", "image_in_object", "segmentation")


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of one study.

    Parameters
    ----------
    run
        What the method gave.
    assessment
        Held against what is known.
    finding
        What it says of the study as a whole, beside the truth.
    """

    run: Reconstruction
    assessment: Assessment
    finding: Finding

    def to_json(self) -> dict[str, object]:
        """Return the keys of ``metrics.json`` that are measured, and ``seconds``."""
        return {**self.assessment.to_json(), **describe_findings(self.run), "seconds": self.run.seconds}

    @property
    def groups(self) -> dict[str, Any]:
        """The parts of ``metrics.json`` that hold figures, as they stand there."""
        document = self.assessment.to_json()
        return {group: document[group] for group in _GROUPS}

    @property
    def figures(self) -> Figures:
        """Every figure of one study by its key.

        ``enhancement_mae`` is the mean absolute difference of the regressed enhancement from the one measured in the
        reference, ``enhancement_gap`` from the one measured in the predicted region; ``accuracy`` is 1 if the most
        probable class is the diagnosis, 0 if it is another one or there is no answer.
        """
        figures: Figures = self.assessment.figures()
        if self.run.regression_names:
            figures["enhancement_mae"] = _mean_difference(self.finding.predicted, self.finding.true)
            figures["enhancement_gap"] = _mean_difference(self.run.regression, self.run.measured)
        if self.finding.diagnosis is not None:
            shares = self.finding.probabilities
            named = None if shares is None else int(shares.argmax())
            figures["accuracy"] = float(named == self.finding.diagnosis)
        return figures


def measure_study(
    method: Method,
    study: Study,
    sampling: SamplingCondition,
    *,
    modality: str = "",
    device: str = "auto",
    min_lesion_ml: float = 0.0,
) -> Generator[Progress, None, Measured]:
    """Run a method on a study and hold what it gives against what is known.

    Parameters
    ----------
    method
        With the weights that are to be measured.
    study
        With labels where segmentation is to be measured.
    sampling
        How k-space is sampled.
    modality
        Image to measure; empty for `measured_modality`.
    device
        See `mrviewer.device.resolve_device`.
    min_lesion_ml
        See `mrviewer.evaluation.assessment.assess`.

    Raises
    ------
    DoesNotFitError
        If the method cannot be run on this study, with its reason.
    MaskError
        If there is no such mask.
    """
    chosen = measured_modality(method, study, modality)
    require_fit(method, study, chosen)
    _, _, height, width = raw_data(study, chosen).shape
    mask = sampling.mask((height, width), method)
    run = yield from reconstruct(study, method, mask, modality=chosen, device=device, keep_reference=False)
    labels = None if study.labels is None else study.labels.volume()
    return Measured(run, assess_run(run, labels, min_lesion_ml), finding_of(run, study))


def measured_modality(method: Method, study: Study, modality: str = "") -> str:
    """Image that a method is measured on: the one that is named, else the study's choice, else the first that fits."""
    chosen = study.choose_modality(modality or None)
    if modality or method.fits(study, chosen):
        return chosen
    return next((name for name in study.modalities if method.fits(study, name)), chosen)


def mean_figures(each: Iterable[Mapping[str, float | None]]) -> Figures:
    """Mean of every figure over the studies that have it; `None` where none has."""
    every = list(each)
    names = dict.fromkeys(name for figures in every for name in figures)
    return {name: _mean([figures.get(name) for figures in every]) for name in names}


def mean_groups(each: Iterable[Mapping[str, Any]]) -> dict[str, Figures]:
    """The same for studies whose figures stand in the parts of ``metrics.json``; a part may be missing."""
    every = list(each)
    return {group: mean_figures(figures.get(group, {}) for figures in every) for group in _GROUPS}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _mean_difference(first: NDArray[np.float32] | None, second: NDArray[np.float32] | None) -> float | None:
    return None if first is None or second is None else float(np.abs(first - second).mean())
