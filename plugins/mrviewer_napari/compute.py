"""Fills what is wished: the shown slice at once, the volumes when the sliders rest.

What to do next is never queued but derived from what is wished and what is missing, so an answer to an old wish can
only be dropped. One slot each transforms the shown slice, reconstructs it, and fills volumes method by method.
"""

from dataclasses import dataclass

from qtpy.QtCore import QObject, QTimer, Signal

from mrviewer.method import Method
from mrviewer.progress import Progress
from mrviewer.reconstruct import SliceResult
from mrviewer.sampling import Mask
from mrviewer.study import Study
from mrviewer_napari.derived import ZERO_FILLED, method_numbers
from mrviewer_napari.jobs import Slot, gathered, with_spare_core
from mrviewer_napari.results import Outcome, OutcomeStore, PartialResult, Request, SliceAnswer, run_slice, run_volume
from mrviewer_napari.scan import Scan
from mrviewer_napari.status import MethodStatus, Phase
from mrviewer_napari.work import Prepared, prepare_slice

__all__ = ["Computation", "Target"]

_REST_MS = 250
"""The volume follows when the sliders have rested this long."""


@dataclass(frozen=True, eq=False)
class Target:
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
        return Request(method, self.scan.modality, self.mask)


class Computation(QObject):
    """Works towards a target, and says what it has reached.

    Signals
    -------
    slice_ready : SliceAnswer
    outcome_ready : Outcome
    status_changed : name of a method
    failed : Exception
    settled
        Nothing runs, waits or is due.
    """

    slice_ready = Signal(object)
    outcome_ready = Signal(object)
    prepared = Signal()
    status_changed = Signal(str)
    failed = Signal(object)
    settled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target: Target | None = None
        self._study: Study | None = None
        self._index = 0
        self._partials: dict[str, PartialResult] = {}
        self._store = OutcomeStore()
        self._status: dict[str, MethodStatus] = {}
        self._live_method = self._volume_method = ""
        self._stopped = False
        self._prepared: Prepared | None = None
        self._prepare, self._live, self._volume = (Slot(self) for _ in range(3))
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._pump)
        self._prepare.returned.connect(self._on_prepared)
        self._prepare.failed.connect(self.failed)
        self._live.returned.connect(self._accept)
        self._live.failed.connect(self._on_live_failed)
        self._volume.yielded.connect(self._on_volume_steps)
        self._volume.returned.connect(self._on_volume)
        self._volume.failed.connect(self._on_volume_failed)
        for slot in self._slots:
            slot.idle.connect(self._pump)

    # What is reached -----------------------------------------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """Whether nothing runs, waits or is due."""
        return not self._rest.isActive() and not any(slot.busy for slot in self._slots)

    @property
    def filling(self) -> bool:
        """Whether volumes are being filled or about to be."""
        return self._volume.busy or self._rest.isActive()

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it before the volumes were full."""
        return self._stopped

    def status(self, method: str) -> MethodStatus:
        """How far a method is on the wished mask."""
        return self._status.get(method, MethodStatus())

    def outcome(self, method: str) -> Outcome | None:
        """Finished volume of a method on the wished mask."""
        return self._partials[method].outcome if method in self._partials else None

    def slice_of(self, method: str, index: int) -> SliceResult | None:
        """One slice of a method on the wished mask if it is known; zero filling is done on the spot."""
        partial = self._partials.get(method)
        if partial is None:
            return None
        result = partial.get(index)
        if result is None and method == ZERO_FILLED and self._is_prepared(index):
            assert self._prepared is not None
            assert self._target is not None
            result = SliceResult(index, self._prepared.live.zero_filled(self._target.mask), None, None)
            partial.put(result)
        return result

    # What is wished ------------------------------------------------------------------------------------------------

    def aim(self, target: Target) -> None:
        """Work towards another target; answers to the old one are dropped."""
        old, self._target, self._stopped = self._target, target, False
        if old is None or old.scan is not target.scan or old.mask != target.mask:
            self._live.cancel()
            self._volume.cancel()
        if self._study is not target.scan.study:
            self._store.clear()
            self._study = target.scan.study
        wished = {method.card.name for method in target.methods}
        if self._volume.busy and self._volume_method not in wished:
            self._volume.cancel()
        if self._live.busy and self._live_method not in wished:
            self._live.cancel()
        for method in wished:
            self._take_up(method, target)
        for method in set(self._status) - wished:
            self._partials.pop(method, None)
            self._set_status(method, MethodStatus())
        self._rest.start()
        self._pump()

    def forget(self) -> None:
        """Drop the target and what is shown of it; finished volumes are kept while the study stays the same."""
        self._target = None
        self._partials.clear()
        self._live.cancel()
        self._volume.cancel()

    def look_at(self, index: int) -> None:
        """Have this slice of every method before all others."""
        self._index = index
        self._pump()

    def replace_outcomes(self, outcomes: tuple[Outcome, ...]) -> None:
        """Take outcomes that were measured again."""
        for outcome in outcomes:
            self._finish(outcome)

    def stop(self) -> None:
        """Stop; `resume` goes on."""
        self._stopped = True
        self._rest.stop()
        self._live.cancel()
        self._volume.cancel()
        for method, status in list(self._status.items()):
            if status.phase in (Phase.WAITING, Phase.RUNNING):
                self._set_status(method, MethodStatus(Phase.STOPPED, 0, status.total, "stopped"))

    def resume(self) -> None:
        """Go on after `stop`, and try again what failed."""
        if self._target is None:
            return
        for method, status in list(self._status.items()):
            if status.phase in (Phase.STOPPED, Phase.FAILED):
                self._set_status(method, MethodStatus())
        self.aim(self._target)

    def close(self, wait_s: float) -> bool:
        """Stop for good and wait for the threads; says whether all have ended."""
        self._rest.stop()
        for slot in self._slots:
            slot.cancel()
        ended = [slot.close(wait_s) for slot in self._slots]
        return all(ended)

    # Working -------------------------------------------------------------------------------------------------------

    @property
    def _slots(self) -> tuple[Slot, Slot, Slot]:
        return self._prepare, self._live, self._volume

    def _take_up(self, method: str, target: Target) -> None:
        """Begin from what is known of a method."""
        request = target.request(method)
        partial = self._partials.get(method)
        fresh = partial is None or partial.request != request
        if partial is None or fresh:
            partial = self._partials[method] = PartialResult(request, self._store.get(request))
        failed = self.status(method).phase is Phase.FAILED and not fresh
        if partial.outcome is not None:
            self._set_done(partial.outcome)
        elif not failed and not self._is_filling(method):
            self._set_status(method, MethodStatus(Phase.WAITING, 0, target.scan.n_slices, "waiting"))

    def _is_filling(self, method: str) -> bool:
        return self._volume.working and self._volume_method == method

    def _pump(self) -> None:
        """Start what is missing: first the shown slice, then the volumes once the sliders rest."""
        target = self._target
        if target is not None:
            self._pump_prepare(target)
            if not self._stopped:
                self._pump_live(target)
                self._pump_volume(target)
        if self.is_settled:
            self.settled.emit()

    def _pump_prepare(self, target: Target) -> None:
        index = self._index
        if not self._is_prepared(index) and not self._prepare.busy and index < target.scan.n_slices:
            self._prepare.request(lambda: prepare_slice(target.scan, index))

    def _is_prepared(self, index: int) -> bool:
        made = self._prepared
        return made is not None and self._target is not None and made.scan is self._target.scan and made.index == index

    def _pump_live(self, target: Target) -> None:
        index = self._index
        missing = [method for method in target.methods if self._lacks_slice(method, index)]
        if missing and not self._live.busy:
            method = missing[0]
            self._live_method = method.card.name
            self._live.request(
                lambda: with_spare_core(run_slice(target.scan, method, target.mask, index, target.device))
            )

    def _lacks_slice(self, method: Method, index: int) -> bool:
        card = method.card
        partial = self._partials.get(card.name)
        live = card.name != ZERO_FILLED and not card.needs.whole_volume
        failed = self.status(card.name).phase is Phase.FAILED
        return live and not failed and partial is not None and partial.get(index) is None

    def _pump_volume(self, target: Target) -> None:
        if self._volume.busy or self._live.busy or self._rest.isActive():
            return
        waiting = [method for method in target.methods if self.status(method.card.name).phase is Phase.WAITING]
        if not waiting:
            return
        method, start = waiting[0], self._index
        self._volume_method = method.card.name
        self._set_status(self._volume_method, MethodStatus(Phase.RUNNING, 0, target.scan.n_slices))
        work = run_volume(
            target.scan, method, target.mask, start=start, device=target.device, min_lesion_ml=target.min_lesion_ml
        )
        self._volume.request(lambda: gathered(with_spare_core(work)))

    # Answers -------------------------------------------------------------------------------------------------------

    def _on_prepared(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self.prepared.emit()

    def _accept(self, answer: SliceAnswer) -> None:
        partial = self._partials.get(answer.request.method)
        if partial is None or partial.request != answer.request or partial.outcome is not None:
            return
        known = partial.get(answer.result.index) is not None
        partial.put(answer.result)
        if not known:
            self.slice_ready.emit(answer)

    def _on_volume_steps(self, records: list[Progress]) -> None:
        for record in records:
            if isinstance(record.detail, SliceAnswer):
                self._accept(record.detail)
        last = records[-1]
        self._set_status(self._volume_method, MethodStatus(Phase.RUNNING, last.done, last.total, last.message))

    def _on_volume(self, outcome: Outcome) -> None:
        self._finish(outcome)

    def _finish(self, outcome: Outcome) -> None:
        self._store.put(outcome)
        partial = self._partials.get(outcome.request.method)
        if partial is not None and partial.request == outcome.request:
            partial.finish(outcome)
            self._set_done(outcome)
            self.outcome_ready.emit(outcome)

    def _on_live_failed(self, error: Exception) -> None:
        self._fail(self._live_method, error)

    def _on_volume_failed(self, error: Exception) -> None:
        self._fail(self._volume_method, error)

    def _fail(self, method: str, error: Exception) -> None:
        self._set_status(method, MethodStatus(Phase.FAILED, text=str(error)))
        self.failed.emit(error)

    def _set_done(self, outcome: Outcome) -> None:
        n_slices = outcome.reconstruction.geometry.shape[outcome.reconstruction.slice_axis]
        numbers = method_numbers(outcome.assessment)
        self._set_status(outcome.request.method, MethodStatus(Phase.DONE, n_slices, n_slices, numbers))

    def _set_status(self, method: str, status: MethodStatus) -> None:
        if self._status.get(method) != status:
            self._status[method] = status
            self.status_changed.emit(method)
