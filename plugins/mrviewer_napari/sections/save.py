"""Save: what came out, in the files and with the numbers of ``mrviewer reconstruct``; and the picture."""

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from mrviewer_napari.sections.parts import quiet_label
from mrviewer_napari.session import Session

__all__ = ["SaveSection"]


class SaveSection(QWidget):
    """Two buttons."""

    def __init__(self, session: Session, viewer: Any, parent: QWidget | None = None) -> None:  # noqa: ANN401
        super().__init__(parent)
        self._session, self._viewer = session, viewer
        self.results = QPushButton("Save results...")
        self.results.setToolTip("Images, error maps and segmentations as NIfTI, mask, numbers and lesion tables")
        self.picture = QPushButton("Save picture...")
        self.picture.setToolTip("The tiles as they stand, as PNG")
        self.text = quiet_label()
        buttons = QHBoxLayout()
        buttons.addWidget(self.results)
        buttons.addWidget(self.picture)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.text)
        self.results.clicked.connect(self._ask_folder)
        self.picture.clicked.connect(self._ask_picture)
        session.outcomes_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Offer what is finished."""
        names = [outcome.request.method for outcome in self._session.outcomes]
        self.results.setEnabled(bool(names))
        self.text.setText(f"Finished: {', '.join(names)}" if names else "Nothing is finished yet")

    def save_results(self, folder: Path) -> None:
        """Write every finished method into a folder, each in its own if there are several."""
        self._session.save(folder)

    def save_picture(self, path: Path) -> None:
        """Write the canvas as PNG."""
        from mrviewer_napari.screenshot import save_canvas

        save_canvas(self._viewer, path)
        self._session.message.emit(f"Saved {path.name}")

    def _ask_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Save results to a folder"):
            self.save_results(Path(folder))

    def _ask_picture(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the picture", "mrviewer.png", "PNG (*.png)")
        if path:
            self.save_picture(Path(path))
