"""What the values of the shown image tell, read in a thread once it is on the screen: notes, and what it looks like."""

from collections.abc import Generator

from qtpy.QtCore import QObject, Signal

from mrviewer.images.image_look import ImageLook, look_at
from mrviewer.images.image_values import notes_on_values
from mrviewer.notes import Note
from mrviewer.progress import Progress
from mrviewer.study import RawData
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.widgets.jobs import Slot

__all__ = ["ValueNotes"]


class ValueNotes(QObject):
    """What the values of one image give away; the whole image is read for it, so never in the GUI thread.

    Signals
    -------
    changed
        An image was read.
    failed : Exception
    busy_changed
    """

    changed = Signal()
    failed = Signal(object)
    busy_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._examined: RawData | None = None
        self._notes: tuple[Note, ...] = ()
        self._look: ImageLook | None = None
        self._slot = Slot(self)
        self._slot.returned.connect(self._on_read)
        self._slot.failed.connect(self.failed)
        self._slot.idle.connect(self.busy_changed)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was found; empty until then, and for a usual image."""
        return self._notes

    @property
    def look(self) -> ImageLook | None:
        """What the image looks like; `None` until then, and for k-space."""
        return self._look

    @property
    def busy(self) -> bool:
        """Whether an image is being read."""
        return self._slot.busy

    def forget(self) -> None:
        """Drop the notes: another image is about to be shown."""
        self.cancel()
        self._notes, self._look = (), None

    def examine(self, scan: Scan) -> None:
        """Read the image of a scan, once; k-space has no values that anybody looks at."""
        if scan.raw is self._examined:
            return  # other labels are no other image
        self._examined = scan.raw
        if scan.modality in scan.study.images and scan.modality not in scan.study.raw:
            self._slot.request(lambda: _examine(scan))
            self.busy_changed.emit()

    def cancel(self) -> None:
        """Stop reading."""
        self._slot.cancel()
        self._examined = None

    def close(self, wait_s: float) -> bool:
        """Stop for good; says whether the thread has ended."""
        return self._slot.close(wait_s)

    def _on_read(self, read: tuple[tuple[Note, ...], ImageLook]) -> None:
        self._notes, self._look = read
        self.changed.emit()


def _examine(scan: Scan) -> Generator[Progress, None, tuple[tuple[Note, ...], ImageLook]]:
    yield Progress(0, 2, f"examining {scan.modality}")
    notes = notes_on_values(
        scan.study.images[scan.modality],
        scan.modality,
        lost="they are taken for 0",
        negative="their absolute values are shown and measured",
    )
    yield Progress(1, 2, f"examining {scan.modality}")
    return notes, look_at(scan.study.images[scan.modality])
