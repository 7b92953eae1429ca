"""Results refer to the series that is open, however its files lie; where it is not clear which, a person is asked."""

from collections.abc import Callable
from pathlib import Path
from shutil import copy, make_archive
from typing import Any

import highdicom
import numpy as np
import pytest
from conftest import FakeMethod
from pydicom import dcmread
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QDialogButtonBox, QFileDialog
from series_files import write_series

from mrviewer.method import Task
from mrviewer.readers import open_study
from mrviewer.writers import write_volume
from mrviewer_napari.exporting.export_items import Item
from mrviewer_napari.exporting.export_window import ExportWindow
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl
Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton
SERIES = {11: "t1 post gad", 36468: "t2_flair", 37870: "t2_tse"}
N_SLICES = 6


@pytest.fixture
def fakes() -> list[FakeMethod]:
    return [FakeMethod("joint", (Task.RECONSTRUCT, Task.SEGMENT))]


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """Three series of one study on one grid, two files a folder, without ending, as a disc holds them."""
    for number, words in SERIES.items():
        flat = write_series(tmp_path / "flat" / str(number), words, number)
        for index, path in enumerate(sorted(flat.iterdir())):
            folder = tmp_path / "nested" / "DISC1" / f"IMG{number % 7:04d}" / str(index // 2)
            folder.mkdir(parents=True, exist_ok=True)
            copy(path, folder / f"IM{(index * 37 + number) % 9973:07d}")
    return tmp_path / "nested"


def open_flair(panel: MrPanel, path: Path, qtbot: QtBot, eventually: Wait) -> ExportWindow:
    """Open what is proposed, and the window of exports."""
    panel.open([str(path)])
    eventually(
        lambda: panel.session.scan is not None or (panel.questions is not None and panel.questions.dialog is not None)
    )
    if panel.session.scan is None:
        qtbot.mouseClick(panel.questions.dialog.buttons.button(QDialogButtonBox.StandardButton.Open), Click)
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan.modality == "FLAIR"
    qtbot.mouseClick(panel.save.results, Click)
    window = panel.save.window_
    eventually(lambda: not panel.save.exporter.looking)
    return window


def name_folder(window: ExportWindow, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    qtbot.mouseClick(window.series.named, Click)


def save(window: ExportWindow, items: set[Item], folder: Path, qtbot: QtBot, eventually: Wait) -> Path:
    for item, row in window.rows.items():
        if row.box.isChecked() != (item in items):
            qtbot.mouseClick(row.box, Click, pos=QPoint(8, row.box.height() // 2))
    assert {item for item, row in window.rows.items() if row.is_on} == items
    done: list[Any] = []
    window._exporter.exported.connect(done.append)
    window.form["parent"].show(str(folder))
    qtbot.mouseClick(window.save, Click)
    eventually(lambda: bool(done))
    path: Path = done[0].folder
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_an_open_series_is_found_again_by_its_files(
    packed: bool, docked: tuple[Any, MrPanel], nested: Path, qtbot: QtBot, eventually: Wait, tmp_path: Path
) -> None:
    _, panel = docked
    path = Path(make_archive(str(tmp_path / "packed"), "zip", nested)) if packed else nested
    window = open_flair(panel, path, qtbot, eventually)
    assert window.series.words.text() == f"series 36468, {N_SLICES} slices, FLAIR"
    assert not window.series.which.isVisible()
    folder = save(window, {Item.SEG, Item.IMAGE_SERIES, Item.ERROR_SERIES}, tmp_path / "out", qtbot, eventually)
    made = panel.session.computation.outcome("joint").reconstruction
    flair = dcmread(tmp_path / "flat" / "36468" / "36468_0.dcm").SeriesInstanceUID
    seg = highdicom.seg.segread(folder / "dicom" / "segmentation.dcm")
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == flair
    assert sorted(path.name for path in (folder / "dicom").glob("rec*"))[-1] == f"reconstruction-{N_SLICES:04d}.dcm"
    image = dcmread(folder / "dicom" / "reconstruction-0001.dcm")
    assert image.RelatedSeriesSequence[0].SeriesInstanceUID == flair
    assert str(image.SeriesDescription).startswith("FLAIR reconstruction")
    study = open_study(tmp_path / "flat" / "36468", labels=folder / "dicom" / "segmentation.dcm")
    np.testing.assert_array_equal(study.labels.volume() > 0, made.lesions > 0)


def test_a_folder_of_several_series_gives_that_of_the_image_or_asks(
    docked: tuple[Any, MrPanel],
    nested: Path,
    qtbot: QtBot,
    eventually: Wait,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, panel = docked
    flair = open_study(tmp_path / "flat" / "36468").images["FLAIR"]
    path = write_volume(tmp_path / "FLAIR.nii.gz", flair.volume(), flair.geometry)
    window = open_flair(panel, path, qtbot, eventually)
    name_folder(window, nested, qtbot, monkeypatch)
    eventually(lambda: not panel.save.exporter.looking)
    assert window.series.words.text() == f"series 36468, {N_SLICES} slices, FLAIR"
    assert window.series.which.isVisible()
    assert window.rows[Item.SEG].box.isEnabled()
    name_folder(window, tmp_path / "flat" / "11", qtbot, monkeypatch)
    eventually(lambda: not panel.save.exporter.looking)
    assert "The series there may not be the FLAIR image that is open" in window.series.words.text()
    assert not window.rows[Item.SEG].box.isEnabled()
    words = window.series.words
    assert words.height() >= words.heightForWidth(words.width()), "no line is cut"
    qtbot.keyClick(window.series.which, Qt.Key.Key_Down)
    eventually(lambda: not panel.save.exporter.looking)
    assert window.rows[Item.SEG].box.isEnabled()
    assert panel.save.exporter.found.source.number == 11


def test_a_seg_that_would_lose_labels_is_greyed(
    docked: tuple[Any, MrPanel],
    nested: Path,
    qtbot: QtBot,
    eventually: Wait,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, panel = docked
    window = open_flair(panel, tmp_path / "flat" / "36468", qtbot, eventually)
    (tmp_path / "part").mkdir()
    copy(tmp_path / "flat" / "36468" / "36468_2.dcm", tmp_path / "part")
    name_folder(window, tmp_path / "part", qtbot, monkeypatch)
    eventually(lambda: not panel.save.exporter.looking)
    lesions = panel.session.computation.outcome("joint").reconstruction.lesions
    lost = np.count_nonzero(lesions) - np.count_nonzero(lesions[2])
    assert window.rows[Item.SEG].reason.text() == f"{lost:,} voxels lie outside of series 36468"
    assert not window.rows[Item.SEG].box.isEnabled()
    assert not window.rows[Item.IMAGE_SERIES].box.isEnabled()
