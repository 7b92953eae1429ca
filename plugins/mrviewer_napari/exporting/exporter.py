"""Exports of a session: what can leave, the DICOM series that it belongs to, and the job that writes."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from mrviewer.progress import Progress
from mrviewer.writers.dicom.dicom_source import DicomSource
from mrviewer_napari.computing.finished_outcomes import FinishedOutcomes
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.exporting.export_items import Item, SourceState, refusals
from mrviewer_napari.exporting.source_series import find_opened, find_series, use_series
from mrviewer_napari.exporting.tiles_figure import Shown, tiles_figure
from mrviewer_napari.exporting.writing import Exportable, Exported, ExportRequest, export
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.tile_key import TileKind
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.tiles.tile_grid import TileGrid
from mrviewer_napari.widgets.jobs import Slot, gathered

__all__ = ["Exporter"]


class Exporter(QObject):
    """Writes one export at a time.

    Signals
    -------
    changed
        Another scan, other outcomes, or another DICOM series.
    progressed : Progress
    exported : Exported
    message : text
    failed : Exception
    busy_changed
    """

    changed = Signal()
    progressed = Signal(object)
    exported = Signal(object)
    message = Signal(str)
    failed = Signal(object)
    busy_changed = Signal()

    def __init__(
        self,
        shown_scan: ShownScan,
        finished: FinishedOutcomes,
        state: PanelState,
        grid: TileGrid,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown_scan, self._finished, self._state, self._grid = shown_scan, finished, state, grid
        self.found = SourceState()
        self._looked_for: Scan | None = None
        self._look, self._write = Slot(self), Slot(self)
        self._look.returned.connect(self._on_found)
        self._look.failed.connect(self._on_not_found)
        self._write.yielded.connect(self._on_progress)
        self._write.returned.connect(self._on_exported)
        self._write.failed.connect(self.failed)
        self._write.idle.connect(self.busy_changed)
        shown_scan.changed.connect(self._on_scan)
        finished.changed.connect(self.changed)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._write.busy

    @property
    def looking(self) -> bool:
        """Whether the DICOM series is being looked for."""
        return self._look.busy

    @property
    def scan(self) -> Scan | None:
        """What is open."""
        return self._shown_scan.scan

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Finished volumes on the present mask."""
        return self._finished.outcomes

    def look_around(self) -> None:
        """Look for the DICOM series that the open image was read from, once for each image."""
        scan = self.scan
        if scan is not None and not self._is_same_image(scan):
            self._looked_for = scan
            self._search(lambda: find_opened(scan))

    def look_in(self, folder: Path) -> None:
        """Look for the DICOM series in a folder that a person chose."""
        scan = self.scan
        if scan is not None:
            self._looked_for = scan
            self._search(lambda: find_series(scan, folder))

    def choose(self, source: DicomSource) -> None:
        """Take the series that a person chose among those of the folder."""
        choices = self.found.choices
        self._search(lambda: use_series(source, choices), choices)

    def refusals(self, methods: Sequence[str]) -> dict[Item, str]:
        """Why each item cannot be exported for some methods; empty where it can."""
        return {} if self.scan is None else refusals(self.scan, self._chosen(methods), self.found)

    def export(self, methods: Sequence[str], wish: ExportRequest) -> None:
        """Write what is wished of some methods."""
        scan = self.scan
        if scan is None or self.busy:
            return
        outcomes = self._chosen(methods)
        figure = tiles_figure(scan, outcomes, self._shown(scan)) if wish.items & {Item.PNG, Item.SVG} else None
        given = Exportable(scan, outcomes, self._source, figure, self._state.min_lesion_ml)
        self._write.request(lambda: gathered(export(given, wish)))
        self.busy_changed.emit()

    def cancel(self) -> None:
        """Stop writing; nothing is left of what was written."""
        self._write.cancel()

    def close(self, wait_s: float) -> bool:
        """Stop for good; says whether the threads have ended."""
        return all([self._look.close(wait_s), self._write.close(wait_s)])

    @property
    def _source(self) -> DicomSource | None:
        return self.found.source

    def _chosen(self, methods: Sequence[str]) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.request.method in methods)

    def _is_same_image(self, scan: Scan) -> bool:
        known = self._looked_for
        return known is not None and known.geometry is scan.geometry and known.modality == scan.modality

    def _search(
        self, work: Callable[[], Generator[Progress, None, SourceState]], choices: tuple[DicomSource, ...] = ()
    ) -> None:
        self.found = SourceState(reason="looking for the DICOM series ...", choices=choices)
        self._look.request(work)
        self.changed.emit()

    def _shown(self, scan: Scan) -> Shown:
        state, grid = self._state, self._grid
        images = [key for key in grid.keys if key.kind is TileKind.IMAGE]
        return Shown(
            plane=grid.plane,
            voxel=grid.shown_voxel(),
            window=grid.window_of(images[0]) if images else scan.window,
            error_limit=scan.data_range / state.error_gain,
            signed_errors=state.signed_errors,
            contours=state.contours,
            radiological=state.radiological,
        )

    def _on_scan(self) -> None:
        """Forget the series of another image; new labels alone change nothing."""
        scan = self.scan
        if scan is None or not self._is_same_image(scan):
            self._look.cancel()
            self.found, self._looked_for = SourceState(), None
        self.changed.emit()

    def _on_found(self, found: SourceState) -> None:
        self.found = found
        self.changed.emit()

    def _on_not_found(self, error: Exception) -> None:
        self.found = SourceState(reason=f"no series can be used: {error}")
        self.changed.emit()

    def _on_progress(self, records: list[Progress]) -> None:
        self.progressed.emit(records[-1])

    def _on_exported(self, done: Exported) -> None:
        self.message.emit(done.sentence)
        self.exported.emit(done)
