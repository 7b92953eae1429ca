"""What methods gave: slices as they come, finished volumes with their numbers, and a store of both. No Qt."""

from collections import OrderedDict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mrviewer.device import resolve_device
from mrviewer.evaluation.assessment import Assessment, assess_run
from mrviewer.method import Method
from mrviewer.progress import Progress, retold
from mrviewer.reconstruction.reconstruct import Reconstruction, SliceResult, reconstruct, reconstruct_slice
from mrviewer.sampling import Mask
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.signal_curves import enhancement_of_labels

__all__ = [
    "Outcome",
    "OutcomeStore",
    "PartialResult",
    "Request",
    "SliceAnswer",
    "measure_again",
    "measured",
    "outdated",
    "run_slice",
    "run_volume",
]


@dataclass(frozen=True)
class Request:
    """One method on one modality, or on one frame of it, on one mask; what an outcome is stored under."""

    method: str
    modality: str
    mask: Mask
    frame: int = 0

    @classmethod
    def of(cls, scan: Scan, method: str, mask: Mask) -> "Request":
        """What a method is asked for on a scan."""
        return cls(method, scan.modality, mask, scan.frame)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished volume with its numbers.

    Parameters
    ----------
    request, reconstruction, assessment
        What was asked for, what came, and how good it is.
    enhancement_of_labels
        Measured in the reference labels, for a method that predicts enhancement; see
        `mrviewer.images.dynamic.ENHANCED_PHASES`.
    """

    request: Request
    reconstruction: Reconstruction
    assessment: Assessment
    enhancement_of_labels: tuple[float, ...] | None = None

    @property
    def n_bytes(self) -> int:
        """Memory of the volumes that belong to this outcome alone."""
        volumes = (self.reconstruction.image, self.reconstruction.segmentation)
        return sum(volume.nbytes for volume in volumes if volume is not None)


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """One finished slice, and the request that it answers."""

    request: Request
    result: SliceResult


class PartialResult:
    """Slices of one request while they come in, and the finished outcome once there is one."""

    def __init__(self, request: Request, outcome: Outcome | None = None) -> None:
        self.request = request
        self.outcome = outcome
        self._slices: dict[int, SliceResult] = {}

    @property
    def slices(self) -> tuple[SliceResult, ...]:
        """Slices that have come, until the volume is finished."""
        return tuple(self._slices.values())

    def put(self, result: SliceResult) -> None:
        """Take one slice."""
        self._slices[result.index] = result

    def finish(self, outcome: Outcome) -> None:
        """Take the whole volume."""
        self.outcome = outcome
        self._slices.clear()

    def get(self, index: int) -> SliceResult | None:
        """Return a slice; `None` while it is not known."""
        if self.outcome is None:
            return self._slices.get(index)
        made = self.outcome.reconstruction
        return SliceResult(
            index=index,
            image=None if made.image is None else np.moveaxis(made.image, made.slice_axis, 0)[index],
            segmentation=None
            if made.segmentation is None
            else np.moveaxis(made.segmentation, made.slice_axis, 0)[index],
            probabilities=None,
        )


class OutcomeStore:
    """Finished outcomes, so that going back to a mask is instant; the least recently used are dropped first."""

    def __init__(self, max_bytes: int = 1 << 30) -> None:
        self._max_bytes = max_bytes
        self._outcomes: OrderedDict[Request, Outcome] = OrderedDict()

    def put(self, outcome: Outcome) -> None:
        """Keep an outcome."""
        self._outcomes[outcome.request] = outcome
        self._outcomes.move_to_end(outcome.request)
        while len(self._outcomes) > 1 and sum(kept.n_bytes for kept in self._outcomes.values()) > self._max_bytes:
            self._outcomes.popitem(last=False)

    def get(self, request: Request) -> Outcome | None:
        """Find an outcome."""
        if request in self._outcomes:
            self._outcomes.move_to_end(request)
        return self._outcomes.get(request)

    def clear(self) -> None:
        """Forget everything."""
        self._outcomes.clear()


def outdated(outcomes: tuple[Outcome, ...], min_lesion_ml: float) -> tuple[Outcome, ...]:
    """Outcomes whose lesions were counted from another smallest volume on."""
    tables = ((outcome, outcome.assessment.lesions) for outcome in outcomes)
    return tuple(outcome for outcome, table in tables if table is not None and table.min_lesion_ml != min_lesion_ml)


def run_slice(
    scan: Scan, method: Method, mask: Mask, index: int, device: str
) -> Generator[Progress, None, SliceAnswer]:
    """Run a method on one slice."""
    result = yield from reconstruct_slice(scan.study, scan.raw, method, mask, index, resolve_device(device))
    return SliceAnswer(Request.of(scan, method.card.name, mask), replace(result, probabilities=None))


def run_volume(
    scan: Scan, method: Method, mask: Mask, *, start: int, device: str, min_lesion_ml: float = 0.0
) -> Generator[Progress, None, Outcome]:
    """Run a method on all slices and measure the result; the detail of a record is a `SliceAnswer` or `None`."""
    request = Request.of(scan, method.card.name, mask)

    def answering(step: Progress) -> Progress:
        if not isinstance(step.detail, SliceResult):
            return step
        return replace(step, detail=SliceAnswer(request, replace(step.detail, probabilities=None)))

    job = reconstruct(scan.study, method, mask, modality=scan.modality, device=device, start=start)
    reconstruction = yield from retold(job, answering)
    yield Progress(scan.n_slices, scan.n_slices, "measuring")
    kept = replace(reconstruction, reference=scan.reference, probabilities=None)
    return measured(scan, request, kept, min_lesion_ml)


def measured(scan: Scan, request: Request, made: Reconstruction, min_lesion_ml: float) -> Outcome:
    """Hold a reconstruction against what is known of the scan."""
    assessment = assess_run(made, scan.labels, min_lesion_ml)
    return Outcome(request, made, assessment, enhancement_of_labels(scan, made))


def measure_again(
    scan: Scan, outcomes: Sequence[Outcome], min_lesion_ml: float
) -> Generator[Progress, None, tuple[Outcome, ...]]:
    """Measure finished outcomes once more, with other labels or another smallest lesion."""
    again = []
    for place, outcome in enumerate(outcomes):
        yield Progress(place, len(outcomes), f"measuring {outcome.request.method}")
        again.append(measured(scan, outcome.request, outcome.reconstruction, min_lesion_ml))
    return tuple(again)
