"""What a method says of studies as a whole, held against what is known of them: enhancement and class."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrviewer.images.dynamic import ENHANCED_PHASES, measured_enhancement
from mrviewer.metrics.regression import classification_quality, regression_quality

if TYPE_CHECKING:
    from mrviewer.reconstruction.reconstruct import Reconstruction
    from mrviewer.study import Study

__all__ = ["Finding", "describe_findings", "finding_of", "summarise"]


@dataclass(frozen=True, eq=False)
class Finding:
    """Answers of one run and the truth; what was not found or is not known is `None`.

    Parameters
    ----------
    predicted, true : float32, (value,)
        Regressed values, and the same measured through the reference labels.
    probabilities : float32, (class,)
        Of the classes.
    diagnosis
        Number of the true class.
    """

    predicted: NDArray[np.float32] | None
    true: NDArray[np.float32] | None
    probabilities: NDArray[np.float32] | None
    diagnosis: int | None


def finding_of(run: "Reconstruction", study: "Study") -> Finding:
    """Put the answers of a run beside what its study knows."""
    true = None
    if run.regression_names == ENHANCED_PHASES and study.labels is not None:
        true = measured_enhancement(study, study.labels.volume())
    names = run.classification_names
    return Finding(
        run.regression, true, run.classes, names.index(study.diagnosis) if study.diagnosis in names else None
    )


def describe_findings(run: "Reconstruction") -> dict[str, object]:
    """The keys ``regression`` and ``classes`` of ``metrics.json``, for a method that regresses or classifies.

    ``{"regression": {name: {"predicted", "measured"}}, "classes": {name: probability}}``; what there is nothing to say
    of, such as the enhancement of no tumour, is `None`.
    """
    found: dict[str, object] = {}
    if run.regression_names:
        predicted, measured = (_by_name(run.regression_names, values) for values in (run.regression, run.measured))
        found["regression"] = {
            name: {"predicted": predicted[name], "measured": measured.get(name)} for name in predicted
        }
    if run.classification_names:
        found["classes"] = _by_name(run.classification_names, run.classes)
    return found


def summarise(
    findings: Sequence[Finding], regression_names: Sequence[str], classification_names: Sequence[str]
) -> dict[str, object]:
    """Figures over several studies: of every regressed value, and of the classes.

    Returns
    -------
    dict
        ``regression`` by name (see `mrviewer.metrics.regression.RegressionQuality`), ``classification`` with
        ``accuracy`` and ``classes`` by name, and ``without_answer``: studies in which nothing was found,
        which the figures leave out.
    """
    pairs = [(one.predicted, one.true) for one in findings if one.predicted is not None and one.true is not None]
    summary: dict[str, object] = {"without_answer": sum(one.predicted is None for one in findings)}
    if pairs and regression_names:
        predicted, true = (np.stack(side) for side in zip(*pairs, strict=True))
        summary["regression"] = {
            name: asdict(regression_quality(predicted[:, column], true[:, column]))
            for column, name in enumerate(regression_names)
        }
    known = [
        (one.probabilities, one.diagnosis)
        for one in findings
        if one.probabilities is not None and len(one.probabilities) == len(classification_names)
        if one.diagnosis is not None
    ]
    if known:
        quality = classification_quality(np.stack([shares for shares, _ in known]), [number for _, number in known])
        summary["classification"] = {
            "accuracy": quality.accuracy,
            "classes": {name: asdict(one) for name, one in zip(classification_names, quality.classes, strict=True)},
        }
    return summary


def _by_name(names: Sequence[str], values: NDArray[np.float32] | None) -> dict[str, float | None]:
    """Values under their names; under numbers where weights of one's own give other values than the card says."""
    if values is None:
        return dict.fromkeys(names)
    if len(values) != len(names):
        names = [str(number) for number in range(1, len(values) + 1)]
    return {name: float(value) for name, value in zip(names, values, strict=True)}
