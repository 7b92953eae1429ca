"""The controller: wishes come in through the state, studies through `open`, and answers go to tiles and sections."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from mrviewer.errors import MrviewerError
from mrviewer.method import Method, list_methods
from mrviewer.progress import Progress
from mrviewer.sampling import Mask, make_mask
from mrviewer_napari.compute import Computation, Target
from mrviewer_napari.derived import MethodFacts, first_slice, in_order, mask_text, method_facts, runnable
from mrviewer_napari.jobs import Slot, gathered
from mrviewer_napari.picture import Picture
from mrviewer_napari.results import Outcome, SliceAnswer, outdated
from mrviewer_napari.scan import Scan
from mrviewer_napari.state import MaskWish, PanelState
from mrviewer_napari.tiles import TileGrid
from mrviewer_napari.views import Plane
from mrviewer_napari.work import measure_again, open_files, open_labels, open_modality, open_sample, save_outcomes

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

    scan_changed = Signal()
    """Another study, modality, or other labels."""
    mask_changed = Signal()
    outcomes_changed = Signal()
    """A volume is finished, or another set of volumes is shown."""
    clicked = Signal(object, str)
    """Voxel ``(z, y, x)`` and key of the tile under a click."""
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
        self.methods = {method.card.name: method for method in in_order(list_methods() if methods is None else methods)}
        self.scan: Scan | None = None
        self.mask: Mask | None = None
        self.computation = Computation(self)
        self._picture = Picture(grid, state)
        self._open, self._save, self._measure = (Slot(self) for _ in range(3))
        self._after_opening: Callable[[Scan], None] | None = None
        self._connect()

    def _connect(self) -> None:
        for slot in (self._open, self._save):
            slot.yielded.connect(self._on_steps)
        self._open.returned.connect(self._on_opened)
        self._save.returned.connect(self._on_saved)
        self._measure.returned.connect(self.computation.replace_outcomes)
        for slot in (self._open, self._save, self._measure):
            slot.failed.connect(self._report)
            slot.idle.connect(self.busy_changed)
        self.computation.slice_ready.connect(self._on_slice_ready)
        self.computation.outcome_ready.connect(self._on_outcome)
        self.computation.prepared.connect(self._show_slice)
        self.computation.failed.connect(self._report)
        self.computation.settled.connect(self.busy_changed)
        wishes = self.state.events
        wishes.mask.connect(self._follow_mask)
        wishes.methods.connect(self._follow_methods)
        wishes.error_gain.connect(self._follow_errors)
        wishes.signed_errors.connect(self._follow_errors)
        wishes.contours.connect(self._follow_contours)
        wishes.plane.connect(self._follow_plane)
        wishes.radiological.connect(self._follow_side)
        wishes.min_lesion_ml.connect(self._follow_smallest)
        wishes.device.connect(self._follow_device)
        self.grid.slice_changed.connect(self._on_slice)
        self.grid.clicked.connect(self._on_click)

    # What is shown -------------------------------------------------------------------------------------------------

    @property
    def facts(self) -> tuple[MethodFacts, ...]:
        """Every method, and whether it fits what is open."""
        study, modality = (None, "") if self.scan is None else (self.scan.study, self.scan.modality)
        return method_facts(self.methods.values(), study, modality)

    @property
    def shown(self) -> tuple[Method, ...]:
        """Methods that are ticked and fit, in their order."""
        return tuple(self.methods[fact.name] for fact in runnable(self.facts, self.state.methods))

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Finished volumes on the present mask, in the order of the methods."""
        found = (self.computation.outcome(method.card.name) for method in self.shown)
        return tuple(outcome for outcome in found if outcome is not None)

    @property
    def is_settled(self) -> bool:
        """Whether nothing runs, waits or is due."""
        return self.computation.is_settled and not any(slot.busy for slot in self._slots)

    # What a person does --------------------------------------------------------------------------------------------

    def open(self, paths: Sequence[str]) -> None:
        """Open a study from files or folders; what is open stays if they are refused."""
        self._start_opening(open_files(list(paths)), self._install)

    def open_sample(self, seed: int = 0) -> None:
        """Open a simulated patient."""
        self._start_opening(open_sample(seed), self._install)

    def open_labels(self, path: str) -> None:
        """Take reference labels for the open study from a file."""
        if self.scan is not None:
            self._start_opening(open_labels(self.scan, path), self._install_labels)

    def choose_modality(self, modality: str) -> None:
        """Look at another modality of the open study."""
        if self.scan is not None and modality != self.scan.modality:
            self._start_opening(open_modality(self.scan.study, modality), self._install)

    def save(self, folder: Path) -> None:
        """Write what is finished into a folder, as ``mrviewer reconstruct`` would."""
        scan, outcomes = self.scan, self.outcomes
        if scan is not None and outcomes:
            self._save.request(lambda: gathered(save_outcomes(scan, outcomes, folder)))
            self.busy_changed.emit()

    def stop(self) -> None:
        """Stop whatever runs."""
        for slot in self._slots:
            slot.cancel()
        self.computation.stop()
        self.message.emit("Stopped")

    def close(self, wait_s: float = 10.0) -> bool:
        """Stop everything and wait for the threads; says whether all have ended."""
        for slot in self._slots:
            slot.cancel()
        ended = [self.computation.close(wait_s), *(slot.close(wait_s) for slot in self._slots)]
        self.grid.close()
        return all(ended)

    # Opening -------------------------------------------------------------------------------------------------------

    @property
    def _slots(self) -> tuple[Slot, Slot, Slot]:
        return self._open, self._save, self._measure

    def _start_opening(self, work: Generator[Progress, None, Scan], then: Callable[[Scan], None]) -> None:
        self._after_opening = then
        self._open.request(lambda: gathered(work))
        self.busy_changed.emit()

    def _on_steps(self, records: list[Progress]) -> None:
        self.message.emit(f"{records[-1].message} ...")

    def _on_opened(self, scan: Scan) -> None:
        if self._after_opening is not None:
            self._after_opening(scan)

    def _on_saved(self, folder: Path) -> None:
        self.message.emit(f"Saved to {folder.name}")

    def _install(self, scan: Scan) -> None:
        self.message.emit("")
        same_patient = self.scan is not None and self.scan.study is scan.study
        self.computation.forget()
        self.scan, self.mask = scan, None
        self._make_mask()
        self._picture.arrange(scan, [method.card for method in self.shown])
        if not same_patient:
            self.grid.show_slice(first_slice(scan))
        self.scan_changed.emit()
        self._aim()

    def _install_labels(self, scan: Scan) -> None:
        if self.scan is None or scan.raw is not self.scan.raw:
            return
        self.message.emit("")
        self.scan = scan
        outcomes = self.outcomes
        self._picture.arrange(scan, [method.card for method in self.shown])
        self.scan_changed.emit()
        self._aim()
        self._measure_again(outcomes)

    # Following the wishes ------------------------------------------------------------------------------------------

    def _follow_mask(self, request: MaskWish) -> None:
        del request
        if self._make_mask():
            self._aim()

    def _make_mask(self) -> bool:
        """Make the wished mask; an impossible one is reported and the old one kept."""
        if self.scan is None:
            return False
        wish = self.state.mask
        try:
            mask = make_mask(wish.family, self.scan.plane_shape, wish.acceleration, wish.center_fraction, wish.seed)
        except MrviewerError as error:
            self._report(error) if wish.family.startswith("file:") else self.message.emit(str(error))
            return False
        changed, self.mask = mask != self.mask, mask
        self.message.emit(mask.note)
        self.mask_changed.emit()
        return changed

    def _follow_methods(self, names: tuple[str, ...]) -> None:
        del names
        if self.scan is not None:
            self._picture.arrange(self.scan, [method.card for method in self.shown])
            self._aim()

    def _follow_device(self, device: str) -> None:
        self.message.emit(f"Methods run on {device} from now on")

    def _follow_errors(self) -> None:
        self._picture.show_error_scale()
        for method in self.shown:
            self._show_method(method.card.name)

    def _follow_contours(self, on: bool) -> None:
        self.grid.show_contours(on)

    def _follow_plane(self, plane: Plane) -> None:
        self.grid.show_plane(plane)

    def _follow_side(self, radiological: bool) -> None:
        self.grid.set_radiological(radiological)

    def _follow_smallest(self, min_lesion_ml: float) -> None:
        del min_lesion_ml
        self._aim()

    def _measure_again(self, outcomes: tuple[Outcome, ...]) -> None:
        scan, smallest = self.scan, self.state.min_lesion_ml
        if scan is not None and outcomes:
            self._measure.request(lambda: gathered(measure_again(scan, outcomes, smallest)))
            self.busy_changed.emit()

    # Showing -------------------------------------------------------------------------------------------------------

    def _aim(self) -> None:
        """Have the wished methods run on the wished mask."""
        if self.scan is None or self.mask is None:
            return
        self.computation.aim(Target(self.scan, self.mask, self.shown, self.state.device, self.state.min_lesion_ml))
        for method in self.shown:
            self._show_method(method.card.name)
        self._on_slice(self.grid.current_slice())
        self._measure_again(outdated(self.outcomes, self.state.min_lesion_ml))
        self.outcomes_changed.emit()
        self.busy_changed.emit()

    def _show_method(self, name: str) -> None:
        """Show the finished volume of a method if there is one."""
        if (outcome := self.computation.outcome(name)) is not None:
            self._picture.show_volume(self.methods[name].card, outcome)

    def _on_slice(self, index: int) -> None:
        if self.scan is not None:
            self.computation.look_at(index)
            self._show_slice()

    def _show_slice(self) -> None:
        """Bring the shown slice of every method up to date."""
        if self.mask is None:
            return
        index = self.grid.current_slice()
        for method in self.shown:
            result = self.computation.slice_of(method.card.name, index)
            if result is not None and self.computation.outcome(method.card.name) is None:
                self._picture.show_slice(method.card, result)
            self._picture.write(method.card, result, mask_text(self.mask))

    def _on_slice_ready(self, answer: SliceAnswer) -> None:
        card = self.methods[answer.request.method].card
        self._picture.show_slice(card, answer.result)
        if answer.result.index == self.grid.current_slice():
            self._picture.write(card, answer.result, mask_text(answer.request.mask))

    def _on_outcome(self, outcome: Outcome) -> None:
        self._picture.show_volume(self.methods[outcome.request.method].card, outcome)
        self._show_slice()
        self._measure_again(outdated((outcome,), self.state.min_lesion_ml))
        self.outcomes_changed.emit()

    def _on_click(self, voxel: tuple[int, int, int], key: str) -> None:
        self.clicked.emit(voxel, key)

    def _report(self, error: Exception) -> None:
        self.message.emit(str(error))
        self.failed.emit(error)
