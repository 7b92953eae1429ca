"""The panel in a window, driven as a person would: click, drag, type, drop, close."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FakeMethod, make_study
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QWidget

from mrviewer.method import Fit, Task
from mrviewer_napari import panel_registry
from mrviewer_napari.computing.method_status import Phase
from mrviewer_napari.facts.plane import ViewPlane
from mrviewer_napari.facts.tile_key import TileKey, TileKind
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl
Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton


@pytest.fixture
def fakes() -> list[FakeMethod]:
    return [
        FakeMethod("zero-filled"),
        FakeMethod("joint", (Task.RECONSTRUCT, Task.SEGMENT)),
        FakeMethod("unfit", fit=Fit(False, "unfit was trained on T1 and this image is FLAIR")),
    ]


def test_the_sections_show_what_is_known(opened: tuple[Any, MrPanel], qtbot: QtBot) -> None:
    _, panel = opened
    assert "subject" in panel.study.name.text()
    assert [panel.study.modality.itemText(place) for place in range(2)] == ["FLAIR", "T1"]
    assert panel.sections["Lesions"].isVisible()
    rows = panel.methods.rows
    assert set(rows) == {"zero-filled", "joint", "unfit"}
    assert "PSNR" in rows["joint"].text.text()
    assert not rows["unfit"].box.isEnabled()
    assert rows["unfit"].text.text() == "was trained on T1 and this image is FLAIR"
    assert "achieved acceleration" in panel.sampling.achieved.text()
    assert not panel.sampling.pattern.pixmap().isNull()


def test_nothing_open_hides_what_cannot_be_known(docked: tuple[Any, MrPanel]) -> None:
    _, panel = docked
    assert panel.sections["Study"].isVisible()
    assert not panel.sections["Lesions"].isVisible()
    assert not panel.sections["Save"].isVisible()


def test_no_text_is_clipped_sideways(opened: tuple[Any, MrPanel]) -> None:
    _, panel = opened
    content = panel.scroll.widget()
    assert content.width() <= panel.scroll.viewport().width()
    for widget in content.findChildren(QWidget):
        right = widget.mapTo(content, widget.rect().topRight()).x()
        assert not widget.isVisible() or right <= content.width(), widget


def test_ticking_a_method_adds_and_removes_its_tiles(
    opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = opened
    box = panel.methods.rows["joint"].box
    qtbot.mouseClick(box, Click, pos=QPoint(8, box.height() // 2))
    assert panel.state.methods == ("zero-filled",)
    assert panel.grid.keys == ("reference", "zero-filled", "zero-filled:error")
    qtbot.mouseClick(box, Click, pos=QPoint(8, box.height() // 2))
    assert panel.grid.keys == ("reference", "zero-filled", "joint", "zero-filled:error", "joint:error")
    eventually(lambda: panel.session.is_settled)


def test_dragging_the_slider_updates_the_shown_slice_and_then_the_volume(
    opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = opened
    slider, index = panel.sampling.slider, panel.grid.current_slice()
    shown = panel.grid._tile_list.pictures["zero-filled"].image
    seen = [np.array(shown.data[index])]
    for steps in range(45, 85, 10):
        slider.setSliderPosition(steps)  # what a drag of the handle does
        seen.append(np.array(shown.data[index]))
    assert all(np.any(before != after) for before, after in pairwise(seen))
    eventually(lambda: panel.session.is_settled)
    assert panel.session.computation.outcome("joint").request.mask.acceleration == 7.5
    assert panel.sampling.acceleration.value() == 7.5


def test_typing_a_seed_and_rolling_the_dice_change_the_mask(
    opened: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = opened
    before = panel.session.mask
    panel.sampling.seed.setFocus()
    panel.sampling.seed.selectAll()
    qtbot.keyClicks(panel.sampling.seed, "41")
    qtbot.keyClick(panel.sampling.seed, Qt.Key.Key_Return)
    assert panel.session.mask.seed == 41
    qtbot.mouseClick(panel.sampling.dice, Click)
    assert panel.session.mask.seed == 42
    assert panel.session.mask != before
    eventually(lambda: panel.session.is_settled)


def test_the_planes_and_the_error_gain_follow_the_buttons(opened: tuple[Any, MrPanel], qtbot: QtBot) -> None:
    _, panel = opened
    for plane in (ViewPlane.CORONAL, ViewPlane.SAGITTAL, ViewPlane.THREE_D, ViewPlane.AXIAL):
        qtbot.mouseClick(panel.view.planes[plane], Click)
        assert panel.grid.plane is plane
        assert panel.view.planes[plane].isChecked()
    panel.view.gain.setCurrentIndex(panel.view.gain.findData(10.0))
    panel.view.gain.activated.emit(panel.view.gain.currentIndex())
    limits = panel.grid._tile_list.pictures["joint:error"].image.contrast_limits
    assert limits[1] == pytest.approx(panel.session.scan.data_range / 10)


def test_a_click_on_a_row_moves_every_tile_to_the_lesion(opened: tuple[Any, MrPanel], qtbot: QtBot) -> None:
    viewer, panel = opened
    table, model = panel.lesions.table, panel.lesions.model
    small = next(place for place, row in enumerate(model.rows) if row.volume_ml < 0.05)
    index = panel.lesions.sorted.mapFromSource(model.index(small, 0))
    table.scrollTo(index)
    qtbot.mouseClick(table.viewport(), Click, pos=table.visualRect(index).center())
    assert panel.grid.current_slice() == 4
    assert viewer.scene.camera.zoom > 1


def test_a_click_on_a_lesion_selects_its_row(opened: tuple[Any, MrPanel]) -> None:
    _, panel = opened
    panel.grid.clicked.emit((4, 26, 19), TileKey("joint", TileKind.ERROR))
    rows = panel.lesions.table.selectionModel().selectedRows()
    chosen = panel.lesions.model.rows[panel.lesions.sorted.mapToSource(rows[0]).row()]
    assert chosen.volume_ml == pytest.approx(9 * 3e-3)


def test_lesions_sort_by_number_and_not_by_letter(opened: tuple[Any, MrPanel]) -> None:
    _, panel = opened
    panel.lesions.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    order = [panel.lesions.sorted.mapToSource(panel.lesions.sorted.index(row, 0)).row() for row in range(2)]
    volumes = [panel.lesions.model.rows[row].volume_ml for row in order]
    assert volumes == sorted(volumes)


def test_the_picture_is_saved_as_it_stands(opened: tuple[Any, MrPanel], tmp_path: Path) -> None:
    _, panel = opened
    panel.save.save_picture(tmp_path / "tiles.png")
    assert (tmp_path / "tiles.png").stat().st_size > 10_000


def test_dropping_a_folder_on_the_canvas_opens_it(
    docked: tuple[Any, MrPanel], study_folder: Path, eventually: Wait
) -> None:
    viewer, panel = docked
    target = next(widget for widget in panel.window().findChildren(QWidget) if widget.acceptDrops())
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(study_folder))])
    drop = QDropEvent(
        QPointF(10, 10), Qt.DropAction.CopyAction, mime, Click, Qt.KeyboardModifier.NoModifier, QDropEvent.Type.Drop
    )
    enter = QDragEnterEvent(QPoint(10, 10), Qt.DropAction.CopyAction, mime, Click, Qt.KeyboardModifier.NoModifier)
    assert QApplication.sendEvent(target, enter)
    assert QApplication.sendEvent(target, drop)
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan.study.name == "subject"
    assert panel.grid.keys[0] == "reference"
    assert len(viewer.layers) > 0


def test_a_wrong_file_gets_one_sentence(opened: tuple[Any, MrPanel], tmp_path: Path, eventually: Wait) -> None:
    _, panel = opened
    before = panel.session.scan
    (tmp_path / "page.nii.gz").write_text("<html></html>")
    panel.open([str(tmp_path / "page.nii.gz")])
    eventually(lambda: "page.nii.gz" in panel.status.text())
    assert str(tmp_path) not in panel.status.text()
    assert panel.session.scan is before


def test_napari_opens_paths_in_the_panel(docked: tuple[Any, MrPanel], study_folder: Path, eventually: Wait) -> None:
    viewer, panel = docked
    viewer.open(str(study_folder / "FLAIR.nii.gz"), plugin="mrviewer")
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan.modality == "FLAIR"


def test_a_panel_that_opens_later_takes_up_the_study(bare_viewer: Viewer, study_folder: Path, eventually: Wait) -> None:
    bare_viewer.open(str(study_folder), plugin="mrviewer")
    assert len(bare_viewer.layers) == 2
    panel = panel_registry.dock_panel(bare_viewer)
    bare_viewer.window._qt_window.resize(1700, 900)  # the layout of the tiles follows the shape of the canvas
    panel.state.device = "cpu"
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan.study.modalities == ("FLAIR", "T1")
    assert not [layer for layer in bare_viewer.layers if layer.name.startswith("subject")]


def test_the_sample_docks_the_panel_and_leaves_no_layer_of_its_own(
    bare_viewer: Viewer, monkeypatch: pytest.MonkeyPatch, eventually: Wait
) -> None:
    monkeypatch.setattr("mrviewer.phantom.sample_study", lambda seed: make_study(name=f"patient {seed}"))
    bare_viewer.open_sample("mrviewer", "simulated-ms-patient")
    panel = panel_registry.panel_of(bare_viewer)
    assert panel is not None
    panel.state.device = "cpu"
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan.study.name == "patient 0"
    eventually(lambda: panel_registry.PLACEHOLDER not in [layer.name for layer in bare_viewer.layers])


def test_closing_the_window_in_the_middle_of_work_ends_cleanly(
    bare_viewer: Viewer, fakes: list[FakeMethod], study_folder: Path, eventually: Wait
) -> None:
    panel = panel_registry.dock_panel(bare_viewer)
    panel.state.methods = tuple(fake.name for fake in fakes)
    fakes[1].steps, fakes[1].wait_s = 1000, 0.01
    panel.open([str(study_folder)])
    eventually(lambda: fakes[1].runs > 0)
    begun = time.monotonic()
    bare_viewer.window.close()
    assert time.monotonic() - begun < 5
    assert fakes[1].closed.is_set()
    assert panel_registry.panel_of(bare_viewer) is None


def test_cancel_stops_within_a_second_and_go_on_finishes(
    docked: tuple[Any, MrPanel], fakes: list[FakeMethod], study_folder: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    fakes[1].steps, fakes[1].wait_s = 10, 0.01
    panel.open([str(study_folder)])
    eventually(lambda: panel.session.computation.status("joint").phase is Phase.RUNNING)
    assert panel.methods.button.text() == "Cancel"
    begun = time.monotonic()
    qtbot.mouseClick(panel.methods.button, Click)
    eventually(lambda: panel.session.is_settled)
    assert time.monotonic() - begun < 1
    assert panel.methods.button.text() == "Go on"
    qtbot.mouseClick(panel.methods.button, Click)
    eventually(lambda: panel.session.computation.status("joint").phase is Phase.DONE)
    assert not panel.methods.button.isVisible()
