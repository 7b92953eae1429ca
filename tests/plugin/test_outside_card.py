"""Rows and tiles say when an image is unlike those that a method was made for, in words and before the result."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from conftest import FakeMethod, Wait

from mrviewer.cards.seen import Seen
from mrviewer.method import Task
from mrviewer_napari.facts.tile_texts import OUTSIDE
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl


@pytest.fixture
def fakes() -> list[FakeMethod]:
    marker = FakeMethod("marker", (Task.SEGMENT,), seen=Seen(whole_heads=False), classes=("lesion",))
    return [FakeMethod("zero-filled"), marker]


def test_what_a_card_does_not_speak_of_is_said(docked: tuple[Any, MrPanel], tmp_path: Path, eventually: Wait) -> None:
    _, panel = docked
    panel.state.methods = ("zero-filled", "marker")
    noise = np.random.default_rng(0).random((32, 40, 6), np.float32)
    nibabel.Nifti1Image(noise, np.eye(4)).to_filename(tmp_path / "FLAIR.nii")
    usual = np.zeros((32, 40, 6), np.float32)
    usual[6:26, 8:32] = 1
    usual[10:14, 10:14] = 1.2
    nibabel.Nifti1Image(usual, np.eye(4)).to_filename(tmp_path / "T1.nii")
    rows = panel.methods.rows
    panel.open([str(tmp_path / "FLAIR.nii")])
    eventually(lambda: "it may be noise" in rows["marker"].text.toolTip())
    assert "it may be noise" in rows["marker"].text.text()
    assert rows["marker"].box.isEnabled(), "it may be run all the same"
    assert "noise" not in rows["zero-filled"].text.toolTip()
    eventually(lambda: OUTSIDE in panel.grid._canvas.texts["marker"])
    assert OUTSIDE not in panel.grid._canvas.texts["zero-filled"]
    panel.open([str(tmp_path / "T1.nii")])
    eventually(lambda: panel.session.scan is not None and panel.session.scan.modality == "T1")
    eventually(lambda: panel.session.value_notes.look is not None)
    assert "noise" not in rows["marker"].text.toolTip()
    assert OUTSIDE not in panel.grid._canvas.texts["marker"]
