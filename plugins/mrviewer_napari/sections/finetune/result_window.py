"""Before and after."""

from qtpy.QtWidgets import QDialog, QWidget

from mrviewer_napari.finetuning.verdict import RunResult

__all__ = ["ResultWindow"]


class ResultWindow(QDialog):
    """Table."""

    def __init__(self, result: RunResult, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.result_ = result
