"""The scan that is open, and when it becomes another one; what a section is handed that shows nothing else."""

from qtpy.QtCore import QObject, Signal

from mrviewer_napari.facts.scan import Scan

__all__ = ["ShownScan"]


class ShownScan(QObject):
    """Holds the open scan.

    Signals
    -------
    changed
        Another study, modality, or other labels.
    corrected : Scan, Scan
        The scan as it was, and with another modality or voxel size; comes before `changed`.

    Attributes
    ----------
    scan
        `None` while nothing is open.
    """

    changed = Signal()
    corrected = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scan: Scan | None = None
