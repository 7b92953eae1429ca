"""Opening studies in a thread: files, simulated patients, another modality or frame of what is open, labels."""

from collections.abc import Generator, Sequence

from qtpy.QtCore import QObject, Signal

from mrviewer.errors import PositionError
from mrviewer.notes import n_left_out
from mrviewer.progress import Progress
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.study_facts import VOXEL_FOR_VOXEL
from mrviewer_napari.opening.first_picture import FirstPicture
from mrviewer_napari.opening.load_scan import open_labels, open_part, open_sample
from mrviewer_napari.opening.new_labels import NewLabels
from mrviewer_napari.tiles.napari_layers import load_layers
from mrviewer_napari.widgets.jobs import Slot, gathered

__all__ = ["StudyOpener"]


class StudyOpener(QObject):
    """Reads one study at a time; a later wish replaces an earlier one, and what is open stays until it is there.

    Signals
    -------
    opened : Scan
        To be shown in the place of what is open.
    labelled : Scan
        What is open, with other labels.
    asked : mrviewer_napari.opening.questions.Question
        What has to be answered before something opens.
    stepped : Progress
        How far it is.
    pictured : FirstPicture
        A slice of what is on its way.
    message : text
    failed : Exception
    busy_changed
    """

    opened = Signal(object)
    labelled = Signal(object)
    asked = Signal(object)
    stepped = Signal(object)
    pictured = Signal(object)
    message = Signal(str)
    failed = Signal(object)
    busy_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot = Slot(self)
        self._for_labels = False
        self._slot.yielded.connect(self._on_steps)
        self._slot.returned.connect(self._on_answer)
        self._slot.failed.connect(self._on_failed)
        self._slot.idle.connect(self.busy_changed)

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._slot.busy

    def files(self, paths: Sequence[str], scan: Scan | None = None) -> None:
        """Open a study from files or folders; a segmentation that comes alone becomes the labels of `scan`."""
        self.read(_open_files(list(paths), scan))

    def sample(self, kind: str, seed: int) -> None:
        """Simulate a patient of a kind of `mrviewer.database.SIMULATED_KINDS`."""
        self.read(open_sample(kind, seed))

    def part(self, scan: Scan, modality: str, frame: int = 0) -> None:
        """Open another modality, or another frame of a series, of the patient who is open."""
        self.read(open_part(scan, modality, frame))

    def labels(self, scan: Scan, path: str, *, voxel_for_voxel: bool = False) -> None:
        """Take reference labels for what is open from a file, perhaps whatever it says of their position."""
        self.read(open_labels(scan, path, voxel_for_voxel=voxel_for_voxel), for_labels=True)

    def read(self, work: Generator[Progress, None, object], *, for_labels: bool = False) -> None:
        """Run what makes a scan, or a question."""
        self._for_labels = for_labels
        self._slot.request(lambda: gathered(_with_layers_ready(work)))
        self.busy_changed.emit()

    def cancel(self) -> None:
        """Stop reading."""
        self._slot.cancel()

    def close(self, wait_s: float) -> bool:
        """Stop for good; says whether the thread has ended."""
        return self._slot.close(wait_s)

    def _on_steps(self, records: list[Progress]) -> None:
        for record in records:
            if isinstance(record.detail, FirstPicture):
                self.pictured.emit(record.detail)
        self.stepped.emit(records[-1])
        self.message.emit(f"{records[-1].message} ...")

    def _on_failed(self, error: Exception) -> None:
        """Tell of a failure; where labels came with images, what a command offers as an option is a step here."""
        if isinstance(error, PositionError) and error.labels is None:
            steps = f'open the images alone, then the labels, and press "{VOXEL_FOR_VOXEL}" under Study'
            error = PositionError(error.reason, steps)
        self.failed.emit(error)

    def _on_answer(self, answer: object) -> None:
        self.message.emit("")
        if isinstance(answer, NewLabels):
            self.labelled.emit(answer.scan)
        elif not isinstance(answer, Scan):
            self.asked.emit(answer)
        elif self._for_labels:
            self.labelled.emit(answer)
        else:
            self.opened.emit(answer)
            self.message.emit(_left_out(answer))


def _open_files(paths: Sequence[str], scan: Scan | None) -> Generator[Progress, None, object]:
    """Open a study, or find out what has to be asked first; `scan` is what is open."""
    # What reads DICOM takes a while to load, which nobody at the screen should wait for.
    from mrviewer_napari.opening.examining import examine

    return (yield from examine(paths, scan))


def _left_out(scan: Scan) -> str:
    """How many things did not open; the notes under Study say which, and why."""
    count = n_left_out(scan.study.notes)
    return f"Opened; {count} left out, the notes under Study say why" if count else ""


def _with_layers_ready(work: Generator[Progress, None, object]) -> Generator[Progress, None, object]:
    """Load layers in the thread first."""
    try:
        yield Progress(0, 0, "opening")
        load_layers()
        return (yield from work)
    finally:
        work.close()
