"""Opening studies in a thread: files, simulated patients, another modality or frame of what is open, labels."""

from collections.abc import Generator, Sequence

from qtpy.QtCore import QObject, Signal

from mrviewer.progress import Progress
from mrviewer_napari.jobs import Slot, gathered
from mrviewer_napari.scan import Scan
from mrviewer_napari.work import open_files, open_labels, open_part, open_sample

__all__ = ["Opening"]


class Opening(QObject):
    """Reads one study at a time; a later wish replaces an earlier one, and what is open stays until it is there.

    Signals
    -------
    opened : Scan
        To be shown in the place of what is open.
    labelled : Scan
        What is open, with other labels.
    message : text
    failed : Exception
    busy_changed
    """

    opened = Signal(object)
    labelled = Signal(object)
    message = Signal(str)
    failed = Signal(object)
    busy_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot = Slot(self)
        self._for_labels = False
        self._slot.yielded.connect(self._on_steps)
        self._slot.returned.connect(self._on_scan)
        self._slot.failed.connect(self.failed)
        self._slot.idle.connect(self.busy_changed)

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._slot.busy

    def files(self, paths: Sequence[str]) -> None:
        """Open a study from files or folders."""
        self.read(open_files(list(paths)))

    def sample(self, kind: str, seed: int) -> None:
        """Simulate a patient of a kind of `mrviewer.database.SIMULATED_KINDS`."""
        self.read(open_sample(kind, seed))

    def part(self, scan: Scan, modality: str, frame: int = 0) -> None:
        """Open another modality, or another frame of a series, of the patient who is open."""
        self.read(open_part(scan, modality, frame))

    def labels(self, scan: Scan, path: str) -> None:
        """Take reference labels for what is open from a file."""
        self.read(open_labels(scan, path), for_labels=True)

    def read(self, work: Generator[Progress, None, Scan], *, for_labels: bool = False) -> None:
        """Run what makes a scan."""
        self._for_labels = for_labels
        self._slot.request(lambda: gathered(work))
        self.busy_changed.emit()

    def cancel(self) -> None:
        """Stop reading."""
        self._slot.cancel()

    def close(self, wait_s: float) -> bool:
        """Stop for good; says whether the thread has ended."""
        return self._slot.close(wait_s)

    def _on_steps(self, records: list[Progress]) -> None:
        self.message.emit(f"{records[-1].message} ...")

    def _on_scan(self, scan: Scan) -> None:
        self.message.emit("")
        (self.labelled if self._for_labels else self.opened).emit(scan)
