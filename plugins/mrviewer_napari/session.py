"""The controller: wishes come in through the state, studies through `open`, and answers go to tiles and sections."""

from collections.abc import Callable, Sequence

from qtpy.QtCore import QObject, Signal

from mrviewer.database import SIMULATED_MS
from mrviewer.errors import MrviewerError
from mrviewer.method import Method
from mrviewer.sampling import FILE, Mask
from mrviewer.system.faults import explained
from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.finished_outcomes import FinishedOutcomes
from mrviewer_napari.computing.known_results import ComputationTarget
from mrviewer_napari.computing.mask_choice import MaskChoice
from mrviewer_napari.computing.method_choice import MethodChoice
from mrviewer_napari.computing.outcomes import Outcome, measure_again, outdated
from mrviewer_napari.computing.shown_steps import ShownSteps
from mrviewer_napari.computing.value_notes import ValueNotes
from mrviewer_napari.facts.scan import Scan, with_modality, with_true_size
from mrviewer_napari.facts.study_facts import first_slice
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.opening.study_opener import StudyOpener
from mrviewer_napari.panel_state import PanelState, StepChoice
from mrviewer_napari.presenter import Presenter
from mrviewer_napari.tiles.tile_grid import TileGrid
from mrviewer_napari.widgets.jobs import Slot, gathered

__all__ = ["Session"]


class Session(QObject):
    """What is open and what is shown of it.

    Parameters
    ----------
    state
        The wishes; the session follows them.
    grid
        The tiles; the session fills them.
    methods
        What can be run; the installed methods if `None`.
    """

    mask_changed = Signal()
    """Another mask, or a wish that no mask can meet."""
    message = Signal(str)
    failed = Signal(object)
    busy_changed = Signal()

    def __init__(
        self,
        state: PanelState,
        grid: TileGrid,
        methods: Sequence[Method] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.state, self.grid = state, grid
        self.method_choice = MethodChoice(state, methods, self)
        self.shown_scan = ShownScan(self)
        self.mask_choice = MaskChoice()
        self.computation = Computation(self)
        self.finished = FinishedOutcomes(self.computation, self.method_choice, self)
        self.steps = ShownSteps(self.computation, self.method_choice, grid.current_slice, self)
        self._presenter = Presenter(grid, state, self.computation)
        self.opening = StudyOpener(self)
        self.value_notes = ValueNotes(self)
        self._measure = Slot(self)
        self._connect()

    def _connect(self) -> None:
        self.opening.opened.connect(self._on_opened)
        self.opening.labelled.connect(self._install_labels)
        self.opening.message.connect(self.message)
        self.opening.failed.connect(self.report)
        self.opening.busy_changed.connect(self.busy_changed)
        self.method_choice.failed.connect(self.report)
        self.shown_scan.changed.connect(self.steps.changed)
        self._measure.returned.connect(self.computation.replace_outcomes)
        self._measure.failed.connect(self.report)
        self._measure.idle.connect(self.busy_changed)
        self.value_notes.changed.connect(self._on_examined)
        self.value_notes.failed.connect(self.report)
        self.value_notes.busy_changed.connect(self.busy_changed)
        self.computation.slice_ready.connect(self._presenter.show_answer)
        self.computation.steps_ready.connect(self._on_steps_ready)
        self.computation.outcome_ready.connect(self._on_outcome)
        self.computation.prepared.connect(self._on_prepared)
        self.computation.failed.connect(self.report)
        self.computation.settled.connect(self.busy_changed)
        wishes = self.state.events
        wishes.mask.connect(self._follow_mask)
        wishes.methods.connect(self._follow_methods)
        wishes.step.connect(self._follow_step)
        wishes.min_lesion_ml.connect(self._aim)
        wishes.device.connect(self._follow_device)
        self.grid.slice_changed.connect(self._on_slice)

    # What is shown -------------------------------------------------------------------------------------------------

    @property
    def scan(self) -> Scan | None:
        """What is open."""
        return self.shown_scan.scan

    @property
    def mask(self) -> Mask | None:
        """The mask that is used."""
        return self.mask_choice.mask

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Finished volumes on the present mask, in the order of the methods."""
        return self.finished.outcomes

    @property
    def is_settled(self) -> bool:
        """Whether nothing runs, waits or is due."""
        return self.computation.is_settled and not any(work.busy for work in self._works)

    @property
    def _works(self) -> tuple[StudyOpener, Slot, ValueNotes]:
        return self.opening, self._measure, self.value_notes

    # What a person does --------------------------------------------------------------------------------------------

    def open(self, paths: Sequence[str]) -> None:
        """Open a study from files or folders; what is open stays if they are refused."""
        self.opening.files(paths, self.scan)

    def open_sample(self, seed: int = 0, kind: str = SIMULATED_MS) -> None:
        """Open a simulated patient of a kind of `mrviewer.database.SIMULATED_KINDS`."""
        self.opening.sample(kind, seed)

    def open_labels(self, path: str, *, voxel_for_voxel: bool = False) -> None:
        """Take reference labels for the open study from a file, perhaps whatever it says of their position."""
        if self.scan is not None:
            self.opening.labels(self.scan, path, voxel_for_voxel=voxel_for_voxel)

    def choose_modality(self, modality: str) -> None:
        """Look at another modality of the open study."""
        if self.scan is not None and modality != self.scan.modality:
            self.opening.part(self.scan, modality)

    def correct_modality(self, modality: str) -> None:
        """Call what is shown by another modality; methods are asked, and run, anew."""
        if self.scan is not None and modality != self.scan.modality:
            self._correct(self.scan, lambda scan: with_modality(scan, modality))

    def correct_voxel_size(self, voxel_mm: tuple[float, float, float]) -> None:
        """Take another voxel size ``(z, y, x)`` for that of the files; methods are asked, and run, anew."""
        if self.scan is not None:
            self._correct(self.scan, lambda scan: with_true_size(scan, voxel_mm))

    def _correct(self, before: Scan, correction: Callable[[Scan], Scan]) -> None:
        try:
            scan = correction(before)
        except MrviewerError as error:
            self.report(error)
            return
        self.opening.cancel()
        self.shown_scan.corrected.emit(before, scan)
        self._install(scan, is_same_patient=scan.slice_axis == before.slice_axis)

    def choose_frame(self, frame: int) -> None:
        """Look at another frame of the open series, also while one is on its way."""
        if self.scan is not None and (frame != self.scan.frame or self.opening.busy):
            self.opening.part(self.scan, self.scan.modality, frame)

    def report(self, error: Exception) -> None:
        """Tell of a failure in one sentence, whatever it is."""
        told = explained(error, "viewer")
        self.message.emit(str(told))
        self.failed.emit(told)

    def stop(self) -> None:
        """Stop whatever runs."""
        for work in self._works:
            work.cancel()
        self.computation.stop()
        self.message.emit("Stopped")

    def close(self, wait_s: float = 10.0) -> bool:
        """Stop everything and wait for the threads; says whether all have ended."""
        for work in self._works:
            work.cancel()
        ended = [self.computation.close(wait_s), *(work.close(wait_s) for work in self._works)]
        self.grid.close()
        return all(ended)

    # What has come ---------------------------------------------------------------------------------------------------

    def _on_opened(self, scan: Scan) -> None:
        self._install(scan, is_same_patient=self.scan is not None and self.scan.patient is scan.patient)

    def _install(self, scan: Scan, *, is_same_patient: bool) -> None:
        self.computation.forget()
        self.value_notes.forget()
        self.state.step = None
        self.shown_scan.scan = scan
        self.mask_choice.forget()
        self.method_choice.catalogue.look_at(scan.study, scan.modality)
        self._make_mask()
        self._presenter.arrange(scan, self.method_choice.shown)
        if not is_same_patient:
            self.grid.show_slice(first_slice(scan))
        self.shown_scan.changed.emit()
        self._aim()

    def _install_labels(self, scan: Scan) -> None:
        if self.scan is None or scan.raw is not self.scan.raw:
            return
        self.shown_scan.scan = scan
        outcomes = self.outcomes
        self._presenter.arrange(scan, self.method_choice.shown)
        self.shown_scan.changed.emit()
        self._aim()
        self._measure_again(outcomes)

    # Following the wishes ------------------------------------------------------------------------------------------

    def _follow_mask(self) -> None:
        if self._make_mask():
            self._aim()

    def _make_mask(self) -> bool:
        """Make the wished mask; an impossible one is reported."""
        if self.scan is None:
            return False
        changed = self.mask_choice.follow(self.state.mask, self.scan.plane_shape, self.scan.raw)
        error = self.mask_choice.error
        if error is not None and FILE.matches(self.state.mask.family):
            self.failed.emit(error)
        self.message.emit(self.mask_choice.problem)
        self.mask_changed.emit()
        return changed

    def _follow_methods(self, names: tuple[str, ...]) -> None:
        if self.state.step is not None and self.state.step.method not in names:
            self.state.step = None
        if self.scan is not None:
            self._presenter.arrange(self.scan, self.method_choice.shown)
            self._aim()

    def _follow_step(self, wish: StepChoice | None) -> None:
        self.computation.want_steps("" if wish is None else wish.method)
        self._presenter.show_slice()

    def _follow_device(self, device: str) -> None:
        self.message.emit(f"Methods run on {device} from now on")

    def _measure_again(self, outcomes: tuple[Outcome, ...]) -> None:
        scan, smallest = self.scan, self.state.min_lesion_ml
        if scan is not None and outcomes:
            self._measure.request(lambda: gathered(measure_again(scan, outcomes, smallest)))
            self.busy_changed.emit()

    # Showing -------------------------------------------------------------------------------------------------------

    def _aim(self) -> None:
        """Have the wished methods run on the wished mask."""
        if self.scan is None:
            return
        if self.mask is None:
            self.value_notes.examine(self.scan)  # no picture is going to come
            return
        self.computation.aim(
            ComputationTarget(
                self.scan, self.mask, self.method_choice.shown, self.state.device, self.state.min_lesion_ml
            )
        )
        self.computation.look_at(self.grid.current_slice())
        self._presenter.cautioned = self.method_choice.catalogue.cautioned
        self._presenter.show_all()
        self._measure_again(outdated(self.outcomes, self.state.min_lesion_ml))
        self.finished.changed.emit()
        self.steps.changed.emit()
        self.busy_changed.emit()

    def _on_prepared(self) -> None:
        self._presenter.show_slice()
        if self.scan is not None:
            self.value_notes.examine(self.scan)

    def _on_examined(self) -> None:
        """Say of every method whether its card speaks of images that look like this one."""
        self.method_choice.see(self.value_notes.look)
        self._presenter.cautioned = self.method_choice.catalogue.cautioned
        self._presenter.show_slice()

    def _on_slice(self, index: int) -> None:
        if self.scan is not None:
            self.computation.look_at(index)
            self.state.step = None
            self._presenter.show_slice()
            self.steps.changed.emit()

    def _on_steps_ready(self, method: str) -> None:
        if self.state.step is not None and self.state.step.method == method:
            self._presenter.show_slice()
        self.steps.changed.emit()

    def _on_outcome(self, outcome: Outcome) -> None:
        self._presenter.show_outcome(outcome)
        self._measure_again(outdated((outcome,), self.state.min_lesion_ml))
        self.finished.changed.emit()
