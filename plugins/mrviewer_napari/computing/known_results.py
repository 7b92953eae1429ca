"""What is known of every method on the wished mask: how far it is, its slices, its volume. No Qt."""

from dataclasses import dataclass, replace

from psygnal import Signal

from mrviewer.method import Method
from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer.sampling import Mask
from mrviewer.study import Study
from mrviewer_napari.computing.method_status import MethodStatus, Phase
from mrviewer_napari.computing.outcomes import Outcome, OutcomeStore, PartialResult, Request, SliceAnswer
from mrviewer_napari.facts.method_facts import long_numbers, short_numbers, used_images
from mrviewer_napari.facts.scan import Scan

__all__ = ["ComputationTarget", "KnownResults"]


@dataclass(frozen=True, eq=False)
class ComputationTarget:
    """What is wished.

    Parameters
    ----------
    scan, mask, methods
        What to run on what.
    device
        Where.
    min_lesion_ml
        Smallest lesion that is counted.
    """

    scan: Scan
    mask: Mask
    methods: tuple[Method, ...]
    device: str
    min_lesion_ml: float = 0.0

    def request(self, method: str) -> Request:
        """What an outcome of `method` is stored under."""
        return Request.of(self.scan, method, self.mask)


class KnownResults:
    """Statuses, slices and outcomes by method.

    Signals
    -------
    status_changed : name of a method
    """

    status_changed = Signal(str)

    def __init__(self) -> None:
        self._patient: Study | None = None
        self._partials: dict[str, PartialResult] = {}
        self._store = OutcomeStore()
        self._status: dict[str, MethodStatus] = {}

    def status(self, method: str) -> MethodStatus:
        """How far a method is."""
        return self._status.get(method, MethodStatus())

    def set_status(self, method: str, status: MethodStatus) -> None:
        """Note how far a method is, and tell if that is news."""
        if self._status.get(method) != status:
            self._status[method] = status
            self.status_changed.emit(method)

    def in_phase(self, *phases: Phase) -> list[str]:
        """Methods in one of these phases."""
        return [method for method, status in self._status.items() if status.phase in phases]

    def outcome(self, method: str) -> Outcome | None:
        """Finished volume of a method."""
        return self._partials[method].outcome if method in self._partials else None

    def slice_of(self, method: str, index: int) -> SliceResult | None:
        """One slice of a method if it is known."""
        partial = self._partials.get(method)
        return None if partial is None else partial.get(index)

    def slices_of(self, method: str) -> tuple[SliceResult, ...]:
        """Slices of a method whose volume is not finished."""
        return self._partials[method].slices if method in self._partials else ()

    def is_taken_up(self, method: str) -> bool:
        """Whether a method is wished at all."""
        return method in self._partials

    def put_slice(self, method: str, result: SliceResult) -> None:
        """Keep a slice of a method that is taken up."""
        self._partials[method].put(result)

    def follow(self, target: ComputationTarget) -> None:
        """Forget what belongs to another patient, and methods that are no longer wished."""
        if self._patient is not target.scan.patient:
            self._store.clear()
            self._patient = target.scan.patient
        for method in set(self._status) - {method.card.name for method in target.methods}:
            self._partials.pop(method, None)
            self.set_status(method, MethodStatus())

    def take_up(self, method: str, target: ComputationTarget, *, filling: bool) -> None:
        """Begin from what is known of a method; `filling` says that its volume is on its way."""
        request = target.request(method)
        partial = self._partials.get(method)
        fresh = partial is None or partial.request != request
        if partial is None or fresh:
            partial = self._partials[method] = PartialResult(request, self._store.get(request))
        failed = self.status(method).phase is Phase.FAILED and not fresh
        if partial.outcome is not None:
            self._set_done(partial.outcome)
        elif not failed and not filling:
            self.set_status(method, MethodStatus(Phase.WAITING, 0, target.scan.n_slices, "waiting"))

    def forget(self) -> None:
        """Drop what is shown; finished volumes are kept while the study stays the same."""
        self._partials.clear()

    def accept(self, answer: SliceAnswer) -> bool:
        """Take a slice if it is wished; says whether it is news."""
        partial = self._partials.get(answer.request.method)
        if partial is None or partial.request != answer.request or partial.outcome is not None:
            return False
        known = partial.get(answer.result.index) is not None
        partial.put(replace(answer.result, steps=None, step_names=()))
        return not known

    def finish(self, outcome: Outcome) -> bool:
        """Keep a volume; says whether it is wished now."""
        self._store.put(outcome)
        partial = self._partials.get(outcome.request.method)
        if partial is None or partial.request != outcome.request:
            return False
        partial.finish(outcome)
        self._set_done(outcome)
        return True

    def _set_done(self, outcome: Outcome) -> None:
        made = outcome.reconstruction
        n_slices = made.geometry.shape[made.slice_axis]
        lines = (short_numbers(outcome.assessment), used_images(made))
        status = MethodStatus(
            Phase.DONE, n_slices, n_slices, "\n".join(filter(None, lines)), long_numbers(outcome.assessment, made)
        )
        self.set_status(outcome.request.method, status)
