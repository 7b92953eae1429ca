"""Models of one's own in the list of methods: their card, export, removal that can be undone, import."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from finetuning_cases import write_database
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog
from tiny_model import TINY, make_tiny_model

from mrviewer.methods.own import transfer
from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.method_choice import MethodChoice
from mrviewer_napari.facts.method_facts import MethodKind
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.methods_section import MethodsSection


@pytest.fixture
def state() -> PanelState:
    return PanelState(device="cpu", chains=(f"cs-wavelet+{TINY}",))


@pytest.fixture
def section(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: PanelState
) -> Iterator[MethodsSection]:
    monkeypatch.setenv("MRVIEWER_MODELS", str(tmp_path / "models"))
    make_tiny_model(write_database(tmp_path / "data", ("anna", "bert")), tmp_path / "parent")
    computation = Computation()
    section = MethodsSection(MethodChoice(state), ShownScan(), computation, state)
    qtbot.addWidget(section)
    yield section
    assert computation.close(10)


def test_a_model_is_exported_removed_restored_and_imported(
    section: MethodsSection, state: PanelState, tmp_path: Path
) -> None:
    row = section.rows[TINY]
    messages: list[str] = []
    section.message.connect(messages.append)
    assert section.headings[MethodKind.OWN].text() == "Your own models"
    assert [action.text() for action in row.menu.menu().actions()] == ["Card...", "Export...", "Remove"]
    assert section.rows["d5c5"].menu is None
    row.box.setChecked(True)
    assert state.methods == (TINY,)
    section.own_models.export(TINY, tmp_path / "mine.safetensors")
    assert messages[-1] == f"Exported {TINY} to mine.safetensors"
    row.menu.menu().remove()
    assert TINY not in section.rows
    assert MethodKind.OWN not in section.headings
    assert state.methods == ()
    assert state.chains == (), "a chain that lost a part goes too"
    menu = section.more.menu()
    menu.refresh()
    assert [action.text() for action in menu.restorable.actions()] == [TINY]
    menu.restorable.actions()[0].trigger()
    assert TINY in section.rows
    section.rows[TINY].menu.menu().remove()
    section.own_models.take(tmp_path / "mine.safetensors")
    assert TINY in section.rows
    assert state.methods == (), "it may be of another modality or anatomy than what is open"
    assert section.chooser.second.findText(TINY) >= 0


def test_an_old_file_survives_an_export_that_fails(
    section: MethodsSection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"another model")
    errors: list[Exception] = []
    section.failed.connect(errors.append)
    menu = section.rows[TINY].menu.menu()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))

    def full(path: Path, weights: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "save_weights", full)
        menu.actions()[1].trigger()
    assert len(errors) == 1
    assert file.read_bytes() == b"another model"
    menu.actions()[1].trigger()
    assert len(errors) == 1
    assert len(file.read_bytes()) > 1000


def test_a_file_that_is_no_model_is_refused_in_a_sentence(section: MethodsSection, tmp_path: Path) -> None:
    errors: list[Exception] = []
    section.failed.connect(errors.append)
    (tmp_path / "notes.safetensors").write_text("not a model")
    section.own_models.take(tmp_path / "notes.safetensors")
    assert len(errors) == 1
    assert "notes.safetensors" in str(errors[0])
    assert TINY in section.rows


def test_the_card_tells_where_a_model_comes_from(section: MethodsSection, qtbot: QtBot) -> None:
    menu = section.rows[TINY].menu.menu()
    menu.show_card()
    qtbot.addWidget(menu.card_window)
    assert "Comes from" in menu.card_window.text.text()
    assert "unet-full" in section.rows[TINY].box.toolTip()
