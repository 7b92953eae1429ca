"""Dropping DICOM and arrays onto the window: the series chooser, the array form, Cancel, and files that are wrong."""

from collections.abc import Callable, Generator
from pathlib import Path
from shutil import make_archive
from threading import Event
from typing import Any

import numpy as np
import pytest
from conftest import FakeMethod, make_study
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QComboBox, QDialogButtonBox, QWidget
from series_files import PATIENT, write_disk, write_series

from mrviewer.coils import ring_coil_maps
from mrviewer.physics import fft2c
from mrviewer.progress import Progress
from mrviewer_napari import panel_registry
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.opening.dialogs.array_form import ArrayForm
from mrviewer_napari.opening.dialogs.series_chooser import SeriesChooser
from mrviewer_napari.opening.first_picture import FirstPicture
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.opening.napari_reader import is_for_others
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl
Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton
Open, Cancel = QDialogButtonBox.StandardButton.Open, QDialogButtonBox.StandardButton.Cancel


@pytest.fixture
def fakes() -> list[FakeMethod]:
    return [FakeMethod("zero-filled")]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """FLAIR and T2 on one grid, T1 on another."""
    write_series(tmp_path / "disk" / "a", "t2_flair", 1)
    write_series(tmp_path / "disk" / "b", "t2_tse", 2)
    return write_series(tmp_path / "disk" / "c", "t1_mprage", 3, shape=(4, 44, 36)).parent


def drop(panel: MrPanel, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    target = next(widget for widget in panel.window().findChildren(QWidget) if widget.acceptDrops())
    event = QDropEvent(
        QPointF(10, 10), Qt.DropAction.CopyAction, data, Click, Qt.KeyboardModifier.NoModifier, QDropEvent.Type.Drop
    )
    enter = QDragEnterEvent(QPoint(10, 10), Qt.DropAction.CopyAction, data, Click, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(target, enter)
    QApplication.sendEvent(target, event)
    assert event.isAccepted()


def asked(panel: MrPanel, eventually: Wait) -> Any:  # noqa: ANN401
    eventually(lambda: panel.questions is not None and panel.questions.dialog is not None)
    assert panel.questions is not None
    return panel.questions.dialog


def press(dialog: Any, button: QDialogButtonBox.StandardButton, qtbot: QtBot) -> None:  # noqa: ANN401
    qtbot.mouseClick(dialog.buttons.button(button), Click)


def rest(panel: MrPanel, eventually: Wait) -> Scan:
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan is not None
    return panel.session.scan


def choose(box: QComboBox, value: str | None) -> None:
    """Take the entry of a value, or the one without, as the user does."""
    row = next(row for row in range(box.count()) if box.itemData(row) == value)
    box.setCurrentIndex(row)
    box.activated.emit(row)


def test_a_dropped_folder_asks_which_series_and_opens_what_was_ticked(
    docked: tuple[Any, MrPanel], disk: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    drop(panel, disk)
    chooser = asked(panel, eventually)
    assert isinstance(chooser, SeriesChooser)
    shown = [row.text(column) for row in chooser.rows.values() for column in range(5)]
    assert PATIENT.split("^", maxsplit=1)[0] not in " ".join(shown)
    assert {number for number, row in chooser.rows.items() if row.checkState(0) is Qt.CheckState.Checked} == {0, 1}
    eventually(lambda: chooser.rows[2].icon(0).pixmap(64).toImage().pixelColor(32, 32).value() > 60)
    choose(chooser.modalities[1], "PD")
    press(chooser, Open, qtbot)
    assert rest(panel, eventually).study.modalities == ("FLAIR", "PD")
    assert panel.grid.keys[0] == "reference"


def test_ticking_another_grid_unticks_the_others_and_says_so(
    docked: tuple[Any, MrPanel], disk: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    panel.open([str(disk)])
    chooser = asked(panel, eventually)
    chooser.rows[2].setCheckState(0, Qt.CheckState.Checked)
    assert [entry.modality for entry in chooser.chosen] == ["T1"]
    assert "Unticked 1: t2_flair, 2: t2_tse" in chooser.remark.text()
    choose(chooser.modalities[2], None)
    assert chooser.modalities[2].currentText() == "leave out"
    assert not chooser.buttons.button(Open).isEnabled()
    chooser.tree.itemDoubleClicked.emit(chooser.rows[0], 0)
    assert rest(panel, eventually).study.modalities == ("FLAIR",)


def test_napari_s_own_way_docks_the_panel_for_dicom(bare_viewer: Viewer, tmp_path: Path, eventually: Wait) -> None:
    bare_viewer.open(str(write_series(tmp_path / "one", "t2_flair", 1)), plugin="mrviewer")
    panel = panel_registry.panel_of(bare_viewer)
    assert panel is not None
    assert rest(panel, eventually).modality == "FLAIR"


def test_cancelling_the_choice_leaves_what_is_open(
    docked: tuple[Any, MrPanel], disk: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    panel.session.opening.read(load_scan(make_study()))
    before = rest(panel, eventually)
    panel.open([str(disk)])
    press(asked(panel, eventually), Cancel, qtbot)
    assert panel.questions is not None
    assert panel.questions.dialog is None
    assert panel.session.scan is before
    assert panel.session.is_settled


def test_nobody_is_asked_where_nobody_is(docked: tuple[Any, MrPanel], disk: Path, eventually: Wait) -> None:
    _, panel = docked
    panel.asks = False
    panel.open([str(disk)])
    assert rest(panel, eventually).study.modalities == ("FLAIR", "T2")


def test_the_form_shows_a_preview_and_opens_the_array_with_the_axes_that_were_told(
    docked: tuple[Any, MrPanel], tmp_path: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    rng = np.random.default_rng(0)
    image = 0.01 * rng.standard_normal((4, 40, 32)).astype(np.complex64)
    image[:, 10:30, 8:24] += ring_coil_maps((40, 32), 4)[:, 10:30, 8:24]
    np.save(tmp_path / "scan.npy", fft2c(image))
    drop(panel, tmp_path / "scan.npy")
    form = asked(panel, eventually)
    assert isinstance(form, ArrayForm)
    open_button = form.buttons.button(Open)
    eventually(open_button.isEnabled)
    assert "4 coils" in form.caption.text()
    assert not form.picture.pixmap().isNull()
    choose(form.axes[0], "y")
    assert "no axis twice" in form.warning.text()
    assert not open_button.isEnabled()
    choose(form.axes[0], "slice")
    form.voxel[0].setValue(5.0)
    choose(form.modality, "T2")
    eventually(open_button.isEnabled)
    assert "4 slices" in form.caption.text()
    press(form, Open, qtbot)
    scan = rest(panel, eventually)
    assert scan.raw.shape == (4, 1, 40, 32)
    assert scan.modality == "T2"
    assert scan.geometry.voxel_size_mm == (5, 1, 1)


def test_the_values_of_an_image_are_not_taken_for_k_space(
    docked: tuple[Any, MrPanel], tmp_path: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    image = np.zeros((40, 32), np.float32)
    image[10:30, 8:24] = 3
    np.save(tmp_path / "T1.npy", image)
    panel.open([str(tmp_path / "T1.npy")])
    form = asked(panel, eventually)
    eventually(form.buttons.button(Open).isEnabled)
    press(form, Open, qtbot)
    scan = rest(panel, eventually)
    assert scan.reference is not None
    np.testing.assert_array_equal(scan.reference[0], image)


def test_cancel_on_the_card_stops_reading_and_leaves_what_is_open(
    docked: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    panel.session.opening.read(load_scan(make_study()))
    before = rest(panel, eventually)
    closed = Event()
    panel.session.opening.read(slow(closed))
    card = panel.opening_card
    eventually(card.isVisible)
    eventually(card.picture.isVisible)
    assert "slice" in card.title.text()
    assert card.bar.maximum() == 1000
    qtbot.mouseClick(card.button, Click)
    eventually(lambda: panel.session.is_settled)
    assert closed.is_set()
    assert not card.isVisible()
    assert panel.session.scan is before
    assert "cancelled" in panel.status.text()


def slow(closed: Event) -> Generator[Progress, None, Scan]:
    """A study that takes ten seconds, its first picture at once."""
    picture = FirstPicture(np.full((8, 6), 128, np.uint8), (2.0, 1.0), "3: t2_flair, slice 4")
    try:
        for step in range(1000):
            yield Progress(step, 1000, "reading FLAIR", picture if step == 0 else None)
            Event().wait(0.01)
    finally:
        closed.set()
    raise AssertionError("nobody stopped it")


def test_a_bad_file_among_good_ones_is_counted(docked: tuple[Any, MrPanel], tmp_path: Path, eventually: Wait) -> None:
    _, panel = docked
    folder = write_series(tmp_path / "one", "t2_flair", 1)
    whole = (folder / "1_5.dcm").read_bytes()
    (folder / "1_5.dcm").write_bytes(whole[: len(whole) // 2])
    panel.open([str(folder)])
    assert rest(panel, eventually).n_slices == 5
    assert "1 left out" in panel.status.text()
    assert "1_5.dcm" in panel.study.notes.text()


def test_a_dicom_file_without_an_image_is_refused_in_one_sentence(
    docked: tuple[Any, MrPanel], tmp_path: Path, eventually: Wait
) -> None:
    _, panel = docked
    (tmp_path / "text.dcm").write_text("no image")
    drop(panel, tmp_path / "text.dcm")
    eventually(lambda: "text.dcm" in panel.status.text())
    assert panel.session.scan is None


@pytest.mark.parametrize(
    ("name", "words"), [("empty.zip", "empty file"), ("report.pdf", "PDF document"), ("nothing", "no file that opens")]
)
def test_what_nobody_opens_is_answered_in_the_panel(
    docked: tuple[Any, MrPanel], tmp_path: Path, name: str, words: str, eventually: Wait
) -> None:
    _, panel = docked
    panel.session.message.emit("an older refusal")
    if "." in name:
        (tmp_path / name).write_bytes(b"%PDF-1.4" if name.endswith("pdf") else b"")
    else:
        (tmp_path / name).mkdir()
    drop(panel, tmp_path / name)
    eventually(lambda: name in panel.status.text())
    assert words in panel.status.text()
    assert panel.session.scan is None


def test_pictures_of_others_are_left_to_napari(tmp_path: Path) -> None:
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "a.png").touch()
    assert is_for_others("a.tif")
    assert is_for_others(str(tmp_path / "shots"))
    assert not is_for_others("T1.npy")
    assert not is_for_others(str(tmp_path))


@pytest.mark.parametrize("kind", ["DICOMDIR", "zip"])
def test_a_dropped_disk_offers_its_series_and_opens_them(
    docked: tuple[Any, MrPanel], disk: Path, tmp_path: Path, kind: str, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    if kind == "zip":
        dropped = Path(make_archive(str(tmp_path / "packed"), "zip", disk))
    else:
        dropped = write_disk(sorted(disk.rglob("*.dcm")), tmp_path / "burned")
    drop(panel, dropped)
    chooser = asked(panel, eventually)
    assert [chooser.modalities[number].currentText() for number in range(3)] == ["FLAIR", "T2", "T1"]
    press(chooser, Open, qtbot)
    scan = rest(panel, eventually)
    assert scan.study.modalities == ("FLAIR", "T2")
    assert scan.reference is not None
    assert scan.reference.max() == 1000


def test_two_dropped_arrays_are_asked_about_in_turn(
    docked: tuple[Any, MrPanel], tmp_path: Path, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = docked
    for name in ("T1", "T2"):
        np.save(tmp_path / f"{name}.npy", np.arange(4 * 40 * 32.0, dtype=np.float32).reshape(4, 40, 32))
    drop(panel, tmp_path / "T1.npy", tmp_path / "T2.npy")
    first = asked(panel, eventually)
    assert "1 more" in first.windowTitle()
    eventually(first.buttons.button(Open).isEnabled)
    press(first, Open, qtbot)
    eventually(lambda: panel.questions.dialog not in (None, first))
    second = panel.questions.dialog
    assert "T2.npy" in second.windowTitle()
    assert second.modality.findData("T1") == -1
    eventually(second.buttons.button(Open).isEnabled)
    press(second, Open, qtbot)
    assert rest(panel, eventually).study.modalities == ("T1", "T2")
