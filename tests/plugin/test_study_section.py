"""Correcting the modality of what is open, as a person does it in the Study section."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from conftest import FakeMethod, make_study
from qtpy.QtWidgets import QComboBox, QFileDialog, QPushButton

from mrviewer.database import SIMULATED_MS
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.images.image_values import notes_on_values
from mrviewer.method import Fit
from mrviewer.notes import Note
from mrviewer.study import Image, Study
from mrviewer_napari.computing import value_notes
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl
Wait = Callable[[Callable[[], bool]], None]


class NeedsT2(FakeMethod):
    """Fits T2 alone."""

    def fits(self, study: Study, modality: str) -> Fit:
        del study
        return Fit(modality == "T2", "" if modality == "T2" else f"needs T2 and {modality} is open")


@pytest.fixture
def fakes() -> list[FakeMethod]:
    return [FakeMethod("zero-filled"), NeedsT2("particular")]


def choose(box: QComboBox, text: str) -> None:
    box.setCurrentText(text)
    box.textActivated.emit(text)


def settle(panel: MrPanel, eventually: Wait) -> None:
    eventually(lambda: panel.session.is_settled)


def press(panel: MrPanel, text: str) -> None:
    next(button for button in panel.study.findChildren(QPushButton) if button.text() == text).click()


def test_buttons_open_what_is_chosen(
    docked: tuple[Any, MrPanel], study_folder: Path, eventually: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, panel = docked
    labels = study_folder.parent / "labels" / "lesion_mask.nii.gz"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(study_folder))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(labels), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(study_folder / "T1.nii.gz")], ""))
    press(panel, "Open folder...")
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan.study.modalities == ("FLAIR", "T1")
    press(panel, "Open labels...")
    eventually(lambda: panel.session.scan.labels is not None and panel.session.is_settled)
    choose(panel.study.modality, "T1")
    eventually(lambda: panel.session.scan.modality == "T1" and panel.session.is_settled)
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(panel.session.opening, "files", lambda paths, _scan: asked.append(tuple(paths)))
    monkeypatch.setattr(panel.session.opening, "sample", lambda *given: asked.append(given))
    press(panel, "Open files...")
    press(panel, "Sample patient")
    assert asked == [(str(study_folder / "T1.nii.gz"),), (SIMULATED_MS, 0)]


def test_another_modality_keeps_all_but_what_methods_make_of_it(
    opened: tuple[Any, MrPanel], study_folder: Path, eventually: Wait
) -> None:
    _, panel = opened
    session = panel.session
    panel.state.mask = SamplingCondition("equispaced", 2.0, 0.1, 3)
    panel.grid.show_slice(1)
    settle(panel, eventually)
    before, mask = session.scan, session.mask
    assert [outcome.request.method for outcome in session.outcomes] == ["zero-filled"]
    for file in study_folder.iterdir():
        file.unlink()  # nothing is read again
    choose(panel.study.contrast, "T2")
    settle(panel, eventually)
    scan = session.scan
    assert scan.study.modalities == ("T2", "T1")
    assert scan.modality == panel.study.contrast.currentText() == panel.study.modality.currentText() == "T2"
    assert scan.labels is before.labels
    np.testing.assert_array_equal(scan.reference, before.reference)
    assert (session.mask, panel.grid.current_slice()) == (mask, 1)
    made = {outcome.request.method: outcome.request.modality for outcome in session.outcomes}
    assert made == {"zero-filled": "T2", "particular": "T2"}
    assert "what was opened as FLAIR is T2" in panel.study.notes.text()


def test_a_name_that_is_taken_is_refused_and_the_box_goes_back(opened: tuple[Any, MrPanel]) -> None:
    _, panel = opened
    before = panel.session.scan
    choose(panel.study.contrast, "T1")
    assert "has a T1 image already" in panel.status.text()
    assert panel.study.contrast.currentText() == "FLAIR"
    assert panel.session.scan is before


def test_what_somebody_paints_stays_while_the_modality_is_corrected(
    opened: tuple[Any, MrPanel], eventually: Wait
) -> None:
    _, panel = opened
    panel.corrections.begin.click()
    correcting = panel.corrections.correcting
    layer = correcting.layer
    choose(panel.study.contrast, "PD")
    assert correcting.layer is layer
    assert layer.visible
    assert correcting.scan is panel.session.scan
    correcting.discard()
    settle(panel, eventually)


def test_a_series_over_time_keeps_its_frame(docked: tuple[Any, MrPanel], eventually: Wait) -> None:
    _, panel = docked
    study = make_study(labels=False)
    flair = study.images["FLAIR"]
    frames = np.stack([flair.volume() * factor for factor in (1.0, 2.0, 3.0)])
    moving = Study("moving", {"unknown": type(flair)(frames, flair.geometry, "unknown")})
    panel.session.opening.read(load_scan(moving, frame=2))
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    choose(panel.study.contrast, "DCE")
    settle(panel, eventually)
    scan = panel.session.scan
    assert (scan.frame, scan.n_frames, scan.modality) == (2, 3, "DCE")
    panel.session.choose_frame(0)
    eventually(lambda: panel.session.scan.frame == 0 and panel.session.is_settled)
    assert panel.session.scan.modality == "DCE"
    assert panel.session.scan.patient.modalities == ("DCE",)
    np.testing.assert_array_equal(panel.session.scan.reference, frames[0])


def type_size(panel: MrPanel, text: str) -> None:
    panel.study.voxel_size.setText(text)
    panel.study.voxel_size.editingFinished.emit()


def test_a_voxel_size_that_is_typed_goes_everywhere(opened: tuple[Any, MrPanel], eventually: Wait) -> None:
    _, panel = opened
    settle(panel, eventually)
    before = panel.session.scan
    panel.corrections.begin.click()
    correcting = panel.corrections.correcting
    type_size(panel, "0.5, 0.6, 7")
    settle(panel, eventually)
    scan = panel.session.scan
    assert scan.geometry.voxel_size_mm == pytest.approx((7.0, 0.6, 0.5))
    assert scan.study.labels.geometry.matches(scan.geometry)
    assert panel.study.voxel_size.text() == "0.5, 0.6, 7"
    assert "the voxel size was given as 0.5 x 0.6 x 7 mm" in panel.study.notes.text()
    assert all(outcome.reconstruction.geometry.matches(scan.geometry) for outcome in panel.session.outcomes)
    assert correcting.scan is scan
    np.testing.assert_allclose(correcting.layer.scale, (7.0, 0.6, 0.5), atol=1e-5)
    np.testing.assert_array_equal(scan.reference, before.reference)
    correcting.discard()
    type_size(panel, "0.5, 0.6")
    assert "is not three lengths in mm" in panel.status.text()
    assert panel.study.voxel_size.text() == "0.5, 0.6, 7"
    assert panel.session.scan is scan
    settle(panel, eventually)


def test_a_voxel_size_that_can_hardly_be_true_is_said_until_the_true_one_is_typed(
    opened: tuple[Any, MrPanel], eventually: Wait
) -> None:
    _, panel = opened
    settle(panel, eventually)
    assert panel.study.size_doubt.isHidden()
    type_size(panel, "30, 30, 3")
    settle(panel, eventually)
    assert "can hardly be true" in panel.study.size_doubt.text()
    assert not panel.study.size_doubt.isHidden()
    type_size(panel, "1, 1, 3")
    settle(panel, eventually)
    assert panel.study.size_doubt.isHidden()


def test_labels_that_only_their_position_keeps_away_are_offered_voxel_for_voxel(
    docked: tuple[Any, MrPanel], study_folder: Path, tmp_path: Path, eventually: Wait
) -> None:
    _, panel = docked
    panel.open([str(study_folder)])
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    drawn = nibabel.load(study_folder.parent / "labels" / "lesion_mask.nii.gz")
    values = np.asarray(drawn.dataobj)
    elsewhere = drawn.affine.copy()
    elsewhere[:3, 3] += 5000
    nibabel.Nifti1Image(values, elsewhere).to_filename(tmp_path / "elsewhere.nii")
    nibabel.Nifti1Image(values[1:], elsewhere).to_filename(tmp_path / "smaller.nii")
    assert panel.study.voxel_for_voxel.isHidden()
    panel.session.open_labels(str(tmp_path / "smaller.nii"))
    eventually(lambda: "lie nowhere together" in panel.status.text())
    assert panel.study.voxel_for_voxel.isHidden()
    panel.session.open_labels(str(tmp_path / "elsewhere.nii"))
    eventually(lambda: not panel.study.voxel_for_voxel.isHidden())
    assert panel.session.scan.labels is None
    assert f'press "{panel.study.voxel_for_voxel.text()}" under Study' in panel.status.text()
    assert "--" not in panel.status.text(), "options are for commands"
    panel.study.voxel_for_voxel.click()
    eventually(lambda: panel.session.scan.labels is not None and panel.session.is_settled)
    assert np.count_nonzero(panel.session.scan.labels) == np.count_nonzero(values)
    assert "states another position" in panel.study.notes.text()
    assert panel.study.voxel_for_voxel.isHidden()


def test_labels_that_come_with_images_name_no_option_either(
    docked: tuple[Any, MrPanel], study_folder: Path, eventually: Wait, tmp_path: Path
) -> None:
    _, panel = docked
    drawn = nibabel.load(study_folder.parent / "labels" / "lesion_mask.nii.gz")
    elsewhere = drawn.affine.copy()
    elsewhere[:3, 3] += 5000
    nibabel.Nifti1Image(np.asarray(drawn.dataobj), elsewhere).to_filename(tmp_path / "far.nii")
    image = next(iter(sorted(study_folder.iterdir())))
    panel.open([f"FLAIR={image}", f"labels={tmp_path / 'far.nii'}"])
    eventually(lambda: "lie nowhere together" in panel.status.text())
    assert "open the images alone" in panel.status.text()
    assert "--" not in panel.status.text()
    assert panel.study.voxel_for_voxel.isHidden(), "there is nothing open to lay them on"


def test_the_values_of_an_image_are_told_once_it_is_shown(
    docked: tuple[Any, MrPanel], tmp_path: Path, eventually: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, panel = docked
    session = panel.session
    panel.state.methods = ("zero-filled",)
    seen = []

    def watched(image: Image, name: str, **ends: str) -> tuple[Note, ...]:
        is_shown = session.computation.slice_of("zero-filled", panel.grid.current_slice()) is not None
        seen.append((threading.current_thread() is threading.main_thread(), is_shown))
        return notes_on_values(image, name, **ends)

    monkeypatch.setattr(value_notes, "notes_on_values", watched)
    odd = np.random.default_rng(0).normal(10, 1, (12, 10, 4)).astype(np.float32)
    odd[0, 0, 0], odd[1, :2, 0] = np.nan, -3
    nibabel.Nifti1Image(odd, np.eye(4)).to_filename(tmp_path / "FLAIR.nii")
    classes = np.zeros((12, 10, 4), np.uint8)
    classes[3:6, 2:5] = 2
    nibabel.Nifti1Image(classes, np.eye(4)).to_filename(tmp_path / "T1.nii")
    panel.open([str(tmp_path / "FLAIR.nii")])
    eventually(lambda: "below 0" in panel.study.notes.text())
    assert "1 of 480 voxels of FLAIR are NaN or infinite: they are taken for 0" in panel.study.notes.text()
    assert "2 of 480 voxels of FLAIR are below 0" in panel.study.notes.text()
    assert seen == [(False, True)], "in a thread, when the first picture was there"
    panel.grid.show_slice(0)
    settle(panel, eventually)
    assert len(seen) == 1, "an image is read once"
    panel.open([str(tmp_path / "T1.nii")])
    eventually(lambda: "T1 holds the values 0, 2 alone" in panel.study.notes.text())
    assert "FLAIR" not in panel.study.notes.text()
    choose(panel.study.contrast, "T2")
    eventually(lambda: "T2 holds the values 0, 2 alone" in panel.study.notes.text())
