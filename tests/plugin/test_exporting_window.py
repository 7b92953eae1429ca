"""Saving results, driven as a person would: open the window, tick, save, and look at what was written."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from conftest import FakeMethod
from dicom_study import PATIENT, write_dicom_study
from pydicom import dcmread
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QFileDialog, QPushButton

from mrviewer.method import Task
from mrviewer.readers import open_study, read_image
from mrviewer_napari.exporting.export_items import Item
from mrviewer_napari.exporting.export_window import ExportWindow
from mrviewer_napari.exporting.writing import export
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl
Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton


@pytest.fixture
def fakes() -> list[FakeMethod]:
    return [FakeMethod("zero-filled"), FakeMethod("joint", (Task.RECONSTRUCT, Task.SEGMENT))]


@pytest.fixture
def dicom(docked: tuple[Any, MrPanel], tmp_path: Path, eventually: Wait) -> tuple[MrPanel, Path]:
    """The panel with a DICOM series open, and its folder."""
    _, panel = docked
    folder = write_dicom_study(tmp_path / "scanner" / "study")
    panel.open([str(folder)])
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    return panel, folder


def window_of(panel: MrPanel, qtbot: QtBot, eventually: Wait) -> ExportWindow:
    """Open the window, and wait until the DICOM series has been looked for."""
    qtbot.mouseClick(panel.save.results, Click)
    window = panel.save.window_
    assert window is not None
    eventually(lambda: not panel.save.exporter.looking)
    return window


def tick(window: ExportWindow, qtbot: QtBot, *items: Item) -> None:
    """Have these items ticked, and no others."""
    for item, row in window.rows.items():
        if row.box.isChecked() != (item in items):
            qtbot.mouseClick(row.box, Click, pos=QPoint(8, row.box.height() // 2))
    assert {item for item, row in window.rows.items() if row.is_on} == set(items)


def save(window: ExportWindow, qtbot: QtBot, eventually: Wait, folder: Path) -> Path:
    """Type a folder, save, and wait."""
    window.form["parent"].show(str(folder))
    done: list[Any] = []
    window._exporter.exported.connect(done.append)
    qtbot.mouseClick(window.save, Click)
    eventually(lambda: bool(done))
    path: Path = done[0].folder
    return path


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", ["button", "escape", "cross"])
def test_the_window_closes_and_opens_again(
    way: str, opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = opened
    window = window_of(panel, qtbot, eventually)
    assert window.isVisible()
    if way == "button":
        [button] = [each for each in window.findChildren(QPushButton) if each.text() == "Close"]
        qtbot.mouseClick(button, Click)
    elif way == "escape":
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    else:
        window.close()
    assert not window.isVisible()
    assert window_of(panel, qtbot, eventually).isVisible()


def test_files_hold_the_numbers_that_the_panel_shows(
    opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait, tmp_path: Path
) -> None:
    _, panel = opened
    window = window_of(panel, qtbot, eventually)
    folder = save(window, qtbot, eventually, tmp_path / "out")
    each = ("reconstruction.nii.gz", "error.nii.gz", "mask.npy", "metrics.json", "metrics.csv", "lesions.csv")
    expected = {f"{method}/{name}" for method in ("zero-filled", "joint") for name in each}
    assert files_in(folder) == expected - {"zero-filled/lesions.csv"} | {"joint/segmentation.nii.gz"}
    metrics = json.loads((folder / "joint" / "metrics.json").read_text())
    assert f"PSNR {metrics['image']['psnr']:.2f} dB" in panel.methods.rows["joint"].text.text()
    rows = list(csv.reader((folder / "joint" / "metrics.csv").read_text().splitlines()))
    assert ["image psnr", str(metrics["image"]["psnr"]), "dB"] in rows
    outcome = panel.session.computation.outcome("joint")
    written = nibabel.load(folder / "joint" / "reconstruction.nii.gz")
    image = outcome.reconstruction.geometry.to_stored_order(outcome.reconstruction.image)
    np.testing.assert_array_equal(np.asarray(written.dataobj), image)
    assert metrics["notes"] == [], "notes may name files"
    assert window.told.text().startswith(f"Saved 12 files to {folder.name}: NIfTI, numbers")
    assert window.show_folder.isVisible()
    assert "Saved 12 files" in panel.save.text.text()


def test_what_cannot_be_is_greyed_with_its_reason(opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait) -> None:
    _, panel = opened
    window = window_of(panel, qtbot, eventually)
    seg, image = window.rows[Item.SEG], window.rows[Item.SEGMENTATION]
    assert not seg.box.isEnabled()
    assert "no DICOM series" in seg.reason.text()
    assert "no DICOM series" in seg.box.toolTip()
    qtbot.mouseClick(window.methods["joint"], Click, pos=QPoint(8, window.methods["joint"].height() // 2))
    assert window.chosen == ("zero-filled",)
    assert not image.box.isEnabled()
    assert image.reason.text() == "no method segments"
    assert window.form["name"].text == "mrviewer-zero-filled"
    qtbot.mouseClick(window.methods["zero-filled"], Click, pos=QPoint(8, 8))
    assert not window.save.isEnabled() or window._items == {Item.LABELS}


def test_nothing_that_is_there_is_touched(
    opened: tuple[Any, MrPanel], study_folder: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = opened
    before = {path: path.read_bytes() for path in study_folder.rglob("*") if path.is_file()}
    window = window_of(panel, qtbot, eventually)
    first = save(window, qtbot, eventually, study_folder)
    second = save(window, qtbot, eventually, study_folder)
    assert first.name == "mrviewer"
    assert second.name == "mrviewer-2"
    assert files_in(first) == files_in(second)
    assert {path: path.read_bytes() for path in before} == before


def test_a_figure_shows_the_tiles_and_bids_the_subject(
    opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait, tmp_path: Path
) -> None:
    _, panel = opened
    panel.session.grid.show_slice(4)
    window = window_of(panel, qtbot, eventually)
    tick(window, qtbot, Item.PNG, Item.SVG, Item.BIDS, Item.LABELS)
    window.form["subject"].show("07")
    folder = save(window, qtbot, eventually, tmp_path)
    drawing = (folder / "figure.svg").read_text()
    assert drawing.count("<image") == 5, "reference, two methods and their two errors"
    assert "joint: |error|" in drawing
    assert drawing.count("<polygon") >= 3, "the lesion of this slice on every image"
    assert (folder / "figure.png").stat().st_size > 5_000
    assert (folder / "bids" / "sub-07" / "anat" / "sub-07_space-orig_desc-joint_FLAIR.nii.gz").is_file()
    labels = read_image(folder / "labels.nii.gz", "labels")
    np.testing.assert_array_equal(labels.volume() > 0, panel.session.scan.labels)
    assert not list(folder.glob(".*"))


def test_stopping_leaves_nothing(opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait, tmp_path: Path) -> None:
    from mrviewer_napari.exporting.writing import Exportable, ExportRequest

    _, panel = opened
    wish = ExportRequest(frozenset({Item.IMAGE, Item.NUMBERS}), tmp_path / "out", "results")
    work = export(Exportable(panel.session.scan, panel.session.outcomes), wish)
    for _ in range(2):
        next(work)
    assert list((tmp_path / "out").iterdir())
    work.close()
    assert not (tmp_path / "out").exists()


def test_an_impossible_place_is_said_in_one_sentence(
    opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait, tmp_path: Path
) -> None:
    _, panel = opened
    (tmp_path / "file").write_text("")
    window = window_of(panel, qtbot, eventually)
    window.form["parent"].show(str(tmp_path / "file"))
    qtbot.mouseClick(window.save, Click)
    eventually(lambda: window.problem.isVisible() and window.save.isEnabled())
    assert "\n" not in window.problem.text()
    assert "choose another" in window.problem.text()


def test_dicom_goes_out_and_comes_back_where_it_lay(
    dicom: tuple[MrPanel, Path], qtbot: QtBot, eventually: Wait, tmp_path: Path
) -> None:
    panel, source = dicom
    window = window_of(panel, qtbot, eventually)
    tick(window, qtbot, Item.SEG, Item.IMAGE_SERIES, Item.ERROR_SERIES)
    folder = save(window, qtbot, eventually, tmp_path / "out")
    made = panel.session.computation.outcome("joint").reconstruction
    assert made.lesions.any()
    panel.session.open_labels(str(folder / "joint" / "dicom" / "segmentation.dcm"))
    eventually(lambda: panel.session.scan.labels is not None and panel.session.is_settled)
    np.testing.assert_array_equal(panel.session.scan.labels, made.lesions > 0)
    assert not any("resampled" in note for note in panel.session.scan.study.notes)
    again = open_study(str(folder / "joint" / "dicom"))
    assert panel.session.scan.modality == "T1Gd"
    assert set(again.images) == {"T1Gd", "T1Gd_2"}
    image = np.asarray(again.images["T1Gd"].volume())
    assert np.abs(image - made.image).max() <= np.abs(made.image).max() / 65000 * 1.01
    for path in folder.rglob("*"):
        assert not path.is_file() or PATIENT.encode()[:5] not in path.read_bytes()
    assert dcmread(folder / "zero-filled" / "dicom" / "error-0001.dcm").PatientName != PATIENT
    assert len(list(source.iterdir())) == 8


def test_identifiers_go_out_only_when_asked(
    dicom: tuple[MrPanel, Path], qtbot: QtBot, eventually: Wait, tmp_path: Path
) -> None:
    panel, _ = dicom
    window = window_of(panel, qtbot, eventually)
    anonymous = window.form["is_anonymous"]
    assert anonymous.value is True
    assert "pseudonym" in window.privacy.text()
    tick(window, qtbot, Item.SEG)
    qtbot.mouseClick(anonymous.native, Click, pos=QPoint(8, anonymous.native.height() // 2))
    assert not window.form["new_uids"].native.isEnabled()
    qtbot.mouseClick(window.methods["zero-filled"], Click, pos=QPoint(8, 8))
    folder = save(window, qtbot, eventually, tmp_path / "out")
    assert dcmread(folder / "dicom" / "segmentation.dcm").PatientName == PATIENT


def test_dicom_is_not_written_among_its_source(dicom: tuple[MrPanel, Path], qtbot: QtBot, eventually: Wait) -> None:
    panel, source = dicom
    window = window_of(panel, qtbot, eventually)
    window.form["parent"].show(str(source))
    tick(window, qtbot, Item.SEG)
    qtbot.mouseClick(window.save, Click)
    eventually(lambda: window.problem.isVisible())
    assert "holds the DICOM images that were opened" in window.problem.text()
    assert len(list(source.iterdir())) == 8


def test_a_person_can_point_at_the_series(
    opened: tuple[Any, MrPanel],
    qtbot: QtBot,
    eventually: Wait,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, panel = opened
    folder = write_dicom_study(tmp_path / "dicom")
    window = window_of(panel, qtbot, eventually)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    qtbot.mouseClick(window.series.named, Click)
    eventually(lambda: not panel.save.exporter.looking)
    assert "The series there may not be the FLAIR image that is open" in window.series.words.text()
    assert window.rows[Item.IMAGE_SERIES].reason.text() == "choose the series below"
    qtbot.keyClick(window.series.which, Qt.Key.Key_Down)
    eventually(lambda: not panel.save.exporter.looking)
    assert window.series.words.text() == "series 3, 8 slices, T1Gd"
    assert window.rows[Item.IMAGE_SERIES].reason.text() == "the series lies on another grid"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "labels"))
    qtbot.mouseClick(window.series.named, Click)
    eventually(lambda: not panel.save.exporter.looking)
    assert "no series can be used" in window.series.words.text()
