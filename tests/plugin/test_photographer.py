"""The picture of the window that `mrviewer demo --screenshot` writes, where it cannot be written."""

import errno
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from qtpy.QtWidgets import QApplication, QWidget

from mrviewer.errors import WriteError
from mrviewer_napari import app, screenshot
from mrviewer_napari.app import Photographer


class Panel(QWidget):
    """A panel whose work is done."""

    def __init__(self) -> None:
        super().__init__()
        self.session = SimpleNamespace(is_settled=True, scan=object())
        self.ended: list[str] = []

    def shut_down(self) -> None:
        self.ended.append("panel")


def wait_for(condition: Callable[[], bool], qapp: QApplication, most: int = 500) -> None:
    for _ in range(most):
        if condition():
            return
        qapp.processEvents()
        time.sleep(0.01)


def test_a_picture_that_cannot_be_written_ends_the_window_all_the_same(
    tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise WriteError("window.png cannot be written, the disk is full", errno.ENOSPC)

    monkeypatch.setattr(app, "save_window", full)
    panel = Panel()
    viewer = SimpleNamespace(close=lambda: panel.ended.append("viewer"))
    photographer = Photographer(viewer, panel, tmp_path / "window.png")  # type: ignore[arg-type]
    wait_for(lambda: len(panel.ended) == 2, qapp)
    assert panel.ended == ["panel", "viewer"]
    assert not photographer.done
    assert isinstance(photographer.failure, WriteError)


def test_a_full_disk_leaves_no_half_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_image: object, path: Path, _format: str) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(screenshot.Image.Image, "save", full)
    with pytest.raises(WriteError, match="the disk is full"):
        screenshot._write(screenshot.Image.new("RGB", (4, 4)), tmp_path / "window.png")
    assert not list(tmp_path.iterdir())
