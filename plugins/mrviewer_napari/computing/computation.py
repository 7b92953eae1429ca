"""Fills what is wished: the shown slice at once, the volumes when the sliders rest.

What to do next is never queued but derived from what is wished and what is missing, so an answer to an old wish can
only be dropped. One slot each transforms the shown slice, reconstructs it, and fills volumes method by method.
"""

from dataclasses import replace

from qtpy.QtCore import QObject, QTimer, Signal

from mrviewer.method import Method
from mrviewer.progress import Progress
from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer_napari.computing.intermediate_steps import IntermediateSteps
from mrviewer_napari.computing.known_results import ComputationTarget, KnownResults
from mrviewer_napari.computing.method_status import MethodStatus, Phase
from mrviewer_napari.computing.outcomes import Outcome, SliceAnswer, run_slice, run_volume
from mrviewer_napari.computing.prepared_slice import PreparedSlice, prepare_slice
from mrviewer_napari.widgets.jobs import Slot, gathered, with_spare_core

__all__ = ["Computation"]

_REST_MS = 250
"""The volume follows when the sliders have rested this long."""


class Computation(QObject):
    """Works towards a target, and says what it has reached.

    Signals
    -------
    slice_ready : SliceAnswer
    steps_ready : name of a method
    outcome_ready : Outcome
    status_changed : name of a method
    failed : Exception
    settled
        Nothing runs, waits or is due.
    """

    slice_ready = Signal(object)
    steps_ready = Signal(str)
    outcome_ready = Signal(object)
    prepared = Signal()
    status_changed = Signal(str)
    failed = Signal(object)
    settled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target: ComputationTarget | None = None
        self._index = 0
        self._results, self._steps = KnownResults(), IntermediateSteps()
        self._wants_steps = ""
        self._live_method = self._volume_method = ""
        self._stopped = False
        self._prepared: PreparedSlice | None = None
        self._prepare, self._live, self._volume = (Slot(self) for _ in range(3))
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._connect()

    def _connect(self) -> None:
        self._results.status_changed.connect(self._tell_status)
        self._rest.timeout.connect(self._pump)
        self._prepare.returned.connect(self._on_prepared)
        self._prepare.failed.connect(self.failed)
        self._live.returned.connect(self._on_live)
        self._live.failed.connect(self._on_live_failed)
        self._volume.yielded.connect(self._on_volume_steps)
        self._volume.returned.connect(self._finish)
        self._volume.failed.connect(self._on_volume_failed)
        for slot in self._slots:
            slot.idle.connect(self._pump)

    # What is reached -----------------------------------------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """Whether nothing runs, waits or is due."""
        return not self._rest.isActive() and not any(slot.busy for slot in self._slots)

    @property
    def target(self) -> ComputationTarget | None:
        """What is wished; `None` while nothing is open."""
        return self._target

    def status(self, method: str) -> MethodStatus:
        """How far a method is on the wished mask."""
        return self._results.status(method)

    def outcome(self, method: str) -> Outcome | None:
        """Finished volume of a method on the wished mask."""
        return self._results.outcome(method)

    def slice_of(self, method: str, index: int) -> SliceResult | None:
        """One slice of a method on the wished mask if it is known; zero filling is done on the spot."""
        result = self._results.slice_of(method, index)
        spot = self._is_adjoint(method) and self._results.is_taken_up(method) and self._is_prepared(index)
        if result is None and spot:
            assert self._prepared is not None
            assert self._target is not None
            result = SliceResult(index, self._prepared.live.zero_filled(self._target.mask), None, None)
            self._results.put_slice(method, result)
        return result

    def slices_of(self, method: str) -> tuple[SliceResult, ...]:
        """Slices of a method that are known while its volume is not finished."""
        return self._results.slices_of(method)

    def step_names(self, method: str) -> tuple[str, ...]:
        """Names of the steps that a method gave when it last ran on one slice; empty for a method that gives none."""
        return self._steps.names(method)

    def step_of(self, method: str, index: int, number: int) -> SliceResult | None:
        """Slice with a step in the place of its image if it is known; `want_steps` makes it known."""
        return None if self._target is None else self._steps.step(self._target.request(method), index, number)

    # What is wished ------------------------------------------------------------------------------------------------

    def aim(self, target: ComputationTarget) -> None:
        """Work towards another target; answers to the old one are dropped."""
        old, self._target, self._stopped = self._target, target, False
        if old is None or old.scan is not target.scan or old.mask != target.mask:
            self._live.cancel()
            self._volume.cancel()
        wished = {method.card.name for method in target.methods}
        if self._volume.busy and self._volume_method not in wished:
            self._volume.cancel()
        if self._live.busy and self._live_method not in wished:
            self._live.cancel()
        self._results.follow(target)
        for method in wished:
            filling = self._volume.working and self._volume_method == method
            self._results.take_up(method, target, filling=filling)
        self._rest.start()
        self._pump()

    def forget(self) -> None:
        """Drop the target and what is shown of it; finished volumes are kept while the study stays the same."""
        self._target = None
        self._results.forget()
        self._steps.forget_slices()
        self._live.cancel()
        self._volume.cancel()

    def look_at(self, index: int) -> None:
        """Have this slice of every method before all others."""
        if index != self._index:
            self._steps.forget_slices()
        self._index = index
        self._pump()

    def want_steps(self, method: str) -> None:
        """Have the steps of the shown slice of this method, running it once more if need be; empty for no method."""
        self._wants_steps = method
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
        for method in self._results.in_phase(Phase.WAITING, Phase.RUNNING):
            total = self.status(method).total
            self._results.set_status(method, MethodStatus(Phase.STOPPED, 0, total, "stopped"))

    def resume(self) -> None:
        """Go on after `stop`, and try again what failed."""
        if self._target is None:
            return
        for method in self._results.in_phase(Phase.STOPPED, Phase.FAILED):
            self._results.set_status(method, MethodStatus())
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

    def _pump_prepare(self, target: ComputationTarget) -> None:
        index = self._index
        if not self._is_prepared(index) and not self._prepare.busy and index < target.scan.n_slices:
            self._prepare.request(lambda: prepare_slice(target.scan, index))

    def _is_prepared(self, index: int) -> bool:
        made = self._prepared
        return made is not None and self._target is not None and made.scan is self._target.scan and made.index == index

    def _is_adjoint(self, name: str) -> bool:
        """Whether a method that is wished can be done on the spot."""
        methods = () if self._target is None else self._target.methods
        return any(method.card.is_adjoint for method in methods if method.card.name == name)

    def _pump_live(self, target: ComputationTarget) -> None:
        index = self._index
        missing = [method for method in target.methods if self._lacks_slice(method, index)]
        missing += [method for method in target.methods if self._lacks_steps(method, target)]
        if missing and not self._live.busy:
            method = missing[0]
            self._live_method = method.card.name
            self._live.request(
                lambda: with_spare_core(run_slice(target.scan, method, target.mask, index, target.device))
            )

    def _lacks_slice(self, method: Method, index: int) -> bool:
        name = method.card.name
        live = not (method.card.is_adjoint or method.card.needs.whole_volume)
        failed = self.status(name).phase is Phase.FAILED
        taken_up = self._results.is_taken_up(name)
        return live and not failed and taken_up and self._results.slice_of(name, index) is None

    def _lacks_steps(self, method: Method, target: ComputationTarget) -> bool:
        name = method.card.name
        wished = name == self._wants_steps and bool(self._steps.names(name))
        failed = self.status(name).phase is Phase.FAILED
        return wished and not failed and not self._steps.has(target.request(name), self._index)

    def _pump_volume(self, target: ComputationTarget) -> None:
        if self._volume.busy or self._live.busy or self._rest.isActive():
            return
        waiting = [method for method in target.methods if self.status(method.card.name).phase is Phase.WAITING]
        if not waiting:
            return
        method, start = waiting[0], self._index
        self._volume_method = method.card.name
        self._results.set_status(self._volume_method, MethodStatus(Phase.RUNNING, 0, target.scan.n_slices))
        work = run_volume(
            target.scan, method, target.mask, start=start, device=target.device, min_lesion_ml=target.min_lesion_ml
        )
        self._volume.request(lambda: gathered(with_spare_core(work)))

    # Answers -------------------------------------------------------------------------------------------------------

    def _tell_status(self, method: str) -> None:
        self.status_changed.emit(method)

    def _on_prepared(self, prepared: PreparedSlice) -> None:
        self._prepared = prepared
        self.prepared.emit()

    def _on_live(self, answer: SliceAnswer) -> None:
        method, target = answer.request.method, self._target
        wished = target is not None and answer.request == target.request(method)
        self._accept(answer)
        if wished and answer.result.index == self._index:
            self._steps.take(answer)
            self.steps_ready.emit(method)

    def _accept(self, answer: SliceAnswer) -> None:
        if self._results.accept(answer):
            self.slice_ready.emit(replace(answer, result=replace(answer.result, steps=None, step_names=())))

    def _on_volume_steps(self, records: list[Progress]) -> None:
        for record in records:
            if isinstance(record.detail, SliceAnswer):
                self._accept(record.detail)
        last = records[-1]
        self._results.set_status(self._volume_method, MethodStatus(Phase.RUNNING, last.done, last.total, last.message))

    def _finish(self, outcome: Outcome) -> None:
        if self._results.finish(outcome):
            self.outcome_ready.emit(outcome)

    def _on_live_failed(self, error: Exception) -> None:
        self._fail(self._live_method, error)

    def _on_volume_failed(self, error: Exception) -> None:
        self._fail(self._volume_method, error)

    def _fail(self, method: str, error: Exception) -> None:
        self._results.set_status(method, MethodStatus(Phase.FAILED, text=str(error)))
        self.failed.emit(error)
