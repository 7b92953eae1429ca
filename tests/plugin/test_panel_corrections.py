"""Labels corrected in the viewer: painted on a copy, saved beside the study, never over anything."""

from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
from conftest import FakeMethod
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from mrviewer.method import Task
from mrviewer.writers.corrections import list_corrections
from mrviewer_napari import closing_dialogs
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.corrections import corrections_section as section_module
from mrviewer_napari.sections.corrections.corrections_section import CorrectionsSection
from mrviewer_napari.session import Session
from mrviewer_napari.tiles.tile_grid import TileGrid

Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def session(viewer: ViewerModel) -> Session:
    """One method that segments, and nothing open."""
    state = PanelState(methods=("finder",), device="cpu")
    return Session(state, TileGrid(viewer), [FakeMethod("finder", (Task.RECONSTRUCT, Task.SEGMENT))])


@pytest.fixture
def section(
    qtbot: QtBot,
    viewer: ViewerModel,
    session: Session,
    study_folder: Path,
    eventually: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CorrectionsSection]:
    """The section with the small study and its labels open, and a finished segmentation."""
    monkeypatch.setattr(section_module, "author_from_preferences", lambda: "AB")
    section = CorrectionsSection(session.shown_scan, session.finished, viewer)
    section.failed.connect(session.report)
    qtbot.addWidget(section)
    session.open([str(study_folder)])
    eventually(lambda: session.scan is not None)
    session.open_labels(str(study_folder.parent / "labels" / "lesion_mask.nii.gz"))
    eventually(lambda: session.scan.labels is not None and session.is_settled)
    yield section
    eventually(lambda: not section.correcting.busy)
    assert section.correcting.close(10)
    assert session.close()


def begin(section: CorrectionsSection, qtbot: QtBot, title: str) -> None:
    section.template.setCurrentIndex(section.template.findText(title))
    qtbot.mouseClick(section.begin, Click)


def test_what_was_painted_is_saved_and_the_original_is_left(
    section: CorrectionsSection, viewer: ViewerModel, study_folder: Path, qtbot: QtBot, eventually: Wait
) -> None:
    labels = study_folder.parent / "labels" / "lesion_mask.nii.gz"
    before, layers = labels.read_bytes(), len(viewer.layers)
    begin(section, qtbot, "the reference labels")
    layer = section.correcting.layer
    assert layer is not None
    assert viewer.layers.selection.active is layer
    assert len(viewer.layers) == layers + 1
    np.testing.assert_array_equal(layer.data, section._shown_scan.scan.study.labels.volume())
    section.brush.setValue(3)
    assert layer.brush_size == 3
    section.value.setValue(2)
    layer.paint((1, 10, 10), layer.selected_label)
    assert layer.data[1, 10, 10] == 2
    assert section.correcting.is_touched
    qtbot.mouseClick(section.undo, Click)
    assert layer.data[1, 10, 10] == 0
    assert not section.correcting.is_touched
    qtbot.mouseClick(section.redo, Click)
    painted = np.array(layer.data)
    qtbot.mouseClick(section.save, Click)
    eventually(lambda: section.correcting.layer is None)
    saved = list_corrections(study_folder)
    assert [correction.author for correction in saved] == ["AB"]
    assert saved[0].source == {"method": "reference"}
    assert saved[0].path.name in section.text.text()
    stored = np.asarray(nibabel.load(saved[0].path).dataobj)
    assert np.count_nonzero(stored == 2) == np.count_nonzero(painted == 2)
    assert labels.read_bytes() == before
    assert len(viewer.layers) == layers


def test_a_result_can_be_corrected_and_what_was_painted_thrown_away(
    section: CorrectionsSection, viewer: ViewerModel, study_folder: Path, qtbot: QtBot
) -> None:
    begin(section, qtbot, "the result of finder")
    layer = section.correcting.layer
    made = section._finished.outcomes[0].reconstruction.segmentation
    kept = np.array(made)
    layer.paint((1, 5, 5), 1)
    qtbot.mouseClick(section.tools["erase"], Click)
    assert layer.mode == "erase"
    np.testing.assert_array_equal(made, kept)
    qtbot.mouseClick(section.discard, Click)
    assert section.correcting.layer is None
    assert layer not in viewer.layers
    assert list_corrections(study_folder) == []


def test_the_layer_hides_while_another_patient_is_shown(
    section: CorrectionsSection, session: Session, study_folder: Path, qtbot: QtBot, eventually: Wait
) -> None:
    begin(section, qtbot, "nothing")
    layer = section.correcting.layer
    layer.paint((1, 5, 5), 1)
    session.open([str(study_folder)])
    eventually(lambda: session.scan.labels is None and session.is_settled)
    assert not layer.visible
    assert layer.data[1, 5, 5] == 1


def test_strokes_that_are_not_saved_are_asked_for_when_the_window_closes(
    section: CorrectionsSection, study_folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def yes(parent: object, title: str, text: str) -> object:
        asked.append(text)
        return closing_dialogs.QMessageBox.StandardButton.Yes

    monkeypatch.setattr(closing_dialogs.QMessageBox, "question", yes)
    closing_dialogs.offer_to_save_strokes(section, section)
    begin(section, qtbot, "nothing")
    closing_dialogs.offer_to_save_strokes(section, section)
    assert not asked
    section.correcting.layer.paint((1, 5, 5), 1)
    closing_dialogs.offer_to_save_strokes(section, section)
    assert len(asked) == 1
    assert len(list_corrections(study_folder)) == 1, "it is written when the window goes"


def test_a_study_that_lies_in_no_folder_is_asked_for_one(
    section: CorrectionsSection,
    session: Session,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    eventually: Wait,
) -> None:
    from conftest import make_study

    from mrviewer_napari.opening.load_scan import load_scan

    session.opening.read(load_scan(make_study(name="made up")))
    eventually(lambda: session.scan.study.name == "made up" and session.is_settled)
    begin(section, qtbot, "the reference labels")
    chosen = iter(["", str(tmp_path)])
    monkeypatch.setattr(section_module.QFileDialog, "getExistingDirectory", lambda *words: next(chosen))
    qtbot.mouseClick(section.save, Click)
    assert section.correcting.layer is not None, "no folder, nothing lost"
    qtbot.mouseClick(section.save, Click)
    eventually(lambda: section.correcting.layer is None)
    assert len(list_corrections(tmp_path)) == 1
