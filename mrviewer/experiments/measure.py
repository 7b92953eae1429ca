"""All figures of one trained method on one study: those of every command, and those of regression and classes."""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from mrviewer.acquisition import raw_data
from mrviewer.assess import assess_run
from mrviewer.errors import MaskError
from mrviewer.experiments.tables import Condition
from mrviewer.findings import finding_of
from mrviewer.method import Method, require_fit
from mrviewer.progress import Progress
from mrviewer.reconstruct import Reconstruction, reconstruct
from mrviewer.sampling import make_mask
from mrviewer.sampling.learned import OffersPatterns, mask_of_patterns
from mrviewer.sampling.mask import Mask
from mrviewer.sampling.request import MaskRequest
from mrviewer.study import Study

__all__ = ["Figures", "figures_of", "measure_study"]

Figures = dict[str, float | None]

_OWN_DIMENSIONS = {"own": 1, "own-2d": 2}


def measure_study(
    method: Method, study: Study, modality: str, condition: Condition, *, seed: int, device: str = "cpu"
) -> Generator[Progress, None, Figures]:
    """Run a method under a condition, and hold what it gives against what is known.

    Parameters
    ----------
    method
        With the weights of the run.
    study
        As the method may see it.
    modality
        Image that is measured.
    condition
        Mask, acceleration and centre.
    seed
        Of the run, for a mask that is drawn by it.
    device
        See `mrviewer.device.resolve_device`.
    """
    require_fit(method, study, modality)
    _, _, height, width = raw_data(study, modality).shape
    mask = _mask(method, condition, (height, width), seed)
    run = yield from reconstruct(study, method, mask, modality=modality, device=device)
    return figures_of(run, study)


def figures_of(run: Reconstruction, study: Study) -> Figures:
    """Figures by the names of `mrviewer.experiments.metrics.METRICS`, and others of ``metrics.json``.

    ``enhancement_mae`` is the mean absolute difference of the regressed enhancement from the one measured in the
    reference, ``enhancement_gap`` from the one measured in the predicted region; ``accuracy`` is 1 if the most probable
    class is the diagnosis, 0 if it is another one or there is no answer. A figure that cannot be computed is `None`.
    """
    labels = None if study.labels is None else study.labels.volume()
    figures: Figures = assess_run(run, labels).figures()
    finding = finding_of(run, study)
    if run.regression_names:
        figures["enhancement_mae"] = _mean_difference(finding.predicted, finding.true)
        figures["enhancement_gap"] = _mean_difference(run.regression, run.measured)
    if finding.diagnosis is not None:
        named = None if finding.probabilities is None else int(finding.probabilities.argmax())
        figures["accuracy"] = float(named == finding.diagnosis)
    return figures


def _mask(method: Method, condition: Condition, shape: tuple[int, int], seed: int) -> Mask:
    """Mask of a condition: drawn by its family, or the one that the method learned."""
    if condition.mask in _OWN_DIMENSIONS:
        patterns = method.learned_patterns() if isinstance(method, OffersPatterns) else ()
        own = [pattern for pattern in patterns if pattern.dimensions == _OWN_DIMENSIONS[condition.mask]]
        if not own:
            raise MaskError(f"{method.card.name} was to be measured on a mask of its own and learned none; name a mask")
        return mask_of_patterns(own, condition.mask, MaskRequest(*shape, condition.acceleration))
    center = min(condition.center_fraction, 0.5 / condition.acceleration)
    return make_mask(condition.mask, shape, condition.acceleration, center, seed if condition.seed_of_run else 0)


def _mean_difference(first: NDArray[np.float32] | None, second: NDArray[np.float32] | None) -> float | None:
    return None if first is None or second is None else float(np.abs(first - second).mean())
