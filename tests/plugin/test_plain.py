"""A study whose every text is hostile: no widget of the panel and of its windows takes any of it for markup."""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from conftest import SHAPE, FakeMethod, make_study
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QGroupBox,
    QHeaderView,
    QLabel,
    QMenu,
    QTabWidget,
    QWidget,
)

import mrviewer_napari
from mrviewer.errors import InputError
from mrviewer.finetuning import FinetunePlan, write_plan
from mrviewer.finetuning.run_folder.record import StateFile
from mrviewer.method import Fit, Task
from mrviewer.plain_text import plain_name
from mrviewer_napari.opening.napari_reader import layers_of
from mrviewer_napari.panel import MrPanel
from mrviewer_napari.sections.finetune.result_window import verdict_html
from mrviewer_napari.widgets.plain_widgets import PlainLabel, RichLabel, key_text, plain_tip, set_tip

Wait = Callable[[Callable[[], bool]], None]
HOSTILE = "<b>x</b><img src=x>&amp;&x\x1b[31m"
IN_A_FILE = HOSTILE.replace("/", "")
MARKS = ("<b>x", "<img")


def texts_of(widget: QWidget) -> Iterator[tuple[str, str, bool]]:
    """What a widget shows: where, the text, and whether Qt takes it for markup."""
    if isinstance(widget, QLabel):
        rich = widget.textFormat() == Qt.TextFormat.RichText
        guessed = widget.textFormat() == Qt.TextFormat.AutoText and Qt.mightBeRichText(widget.text())
        yield "label", widget.text(), rich or guessed
    if widget.toolTip():
        yield "tool tip", widget.toolTip(), Qt.mightBeRichText(widget.toolTip())
    if isinstance(widget, QComboBox):
        yield from tips_of_model(widget.model())
    if isinstance(widget, QAbstractItemView) and not isinstance(widget, QHeaderView):
        yield from tips_of_model(widget.model())


def tips_of_model(
    model: QAbstractItemModel | None, parent: QModelIndex | None = None
) -> Iterator[tuple[str, str, bool]]:
    if model is None:
        return
    parent = QModelIndex() if parent is None else parent
    for row in range(model.rowCount(parent)):
        for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)):
            index = model.index(row, column, parent)
            tip = model.data(index, Qt.ItemDataRole.ToolTipRole)
            if tip:
                yield "tip of a cell", str(tip), Qt.mightBeRichText(str(tip))
            if column == 0 and not isinstance(model, QAbstractListModel) and model.hasChildren(index):
                yield from tips_of_model(model, index)


def keys_of(widget: QWidget) -> Iterator[str]:
    """Texts in which "&" would mark a key."""
    if isinstance(widget, QAbstractButton):
        yield widget.text()
    if isinstance(widget, QGroupBox):
        yield widget.title()
    if isinstance(widget, QMenu):
        yield from (action.text() for action in widget.actions())
    if isinstance(widget, QTabWidget):
        yield from (widget.tabText(place) for place in range(widget.count()))


def check(top: QWidget) -> str:
    """Fail on a widget that would render foreign markup; all that is shown, for a look whether it was there at all."""
    shown = []
    for widget in (top, *top.findChildren(QWidget)):
        for where, text, is_rich in texts_of(widget):
            shown.append(text)
            assert "\x1b" not in text, (where, type(widget), text)
            assert not (is_rich and any(mark in text for mark in MARKS)), (where, type(widget), text)
        for text in keys_of(widget):
            shown.append(text)
            assert "&x" not in text.replace("&&", ""), (type(widget), text)
    return "\n".join(shown)


class Hostile(FakeMethod):
    """A method of another package that says hostile things of itself."""

    def fits(self, study: object, modality: str) -> Fit:
        del study, modality
        return Fit(False, HOSTILE)


@pytest.fixture
def fakes() -> list[FakeMethod]:
    kinds = (Task.RECONSTRUCT, Task.SEGMENT)
    return [
        FakeMethod("zero-filled"),
        FakeMethod("joint" + HOSTILE, kinds, classes=(HOSTILE, "b"), estimates=2, used=(HOSTILE,)),
        Hostile("unfit" + HOSTILE),
    ]


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    study = make_study()
    folder = tmp_path / f"study{IN_A_FILE}"
    folder.mkdir()
    for name, image in study.images.items():
        stored = np.ascontiguousarray(image.geometry.to_stored_order(image.volume()))
        nibabel.save(nibabel.Nifti1Image(stored, image.geometry.stored_affine), folder / f"{IN_A_FILE}_{name}.nii.gz")
    (folder / f"broken{IN_A_FILE}.nii").write_bytes(b"nothing")
    return folder


@pytest.mark.gl
def test_a_hostile_study_is_shown_as_text(docked: tuple[Any, MrPanel], hostile_folder: Path, eventually: Wait) -> None:
    viewer, panel = docked
    panel.open([str(hostile_folder)])
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    shown = check(panel)
    assert "x" in shown
    assert "img src=x" in shown
    panel.session.report(InputError(HOSTILE))
    panel.session.message.emit(HOSTILE)
    check(panel)
    window = viewer.window._qt_window
    check(window.statusBar())
    for notification in window.findChildren(QWidget, "NapariQtNotification"):
        check(notification)
    panel.save.results.click()
    assert panel.save.window_ is not None
    check(panel.save.window_)


@pytest.mark.gl
def test_a_hostile_database_and_its_runs_are_shown_as_text(
    docked: tuple[Any, MrPanel], hostile_folder: Path, eventually: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, panel = docked
    section = panel.finetune
    run = section.manager.folder / f"run{IN_A_FILE}"
    write_plan(FinetunePlan("joint", (str(hostile_folder),), str(run), name="model"))
    StateFile(run).update(state="failed", message=HOSTILE)
    (run / "events.jsonl").write_text(
        json.dumps({"event": "note", "message": HOSTILE}) + "\n"
        + json.dumps({"event": "validation", "step": 1, "metrics": {HOSTILE: 0.5}, "score": 0.5}) + "\n"
    )  # fmt: skip
    section.open_database(str(hostile_folder.parent))
    eventually(lambda: section.is_settled)
    section.manager.refresh()
    eventually(lambda: bool(section.manager.runs))
    section.manager.select(run)
    shown = check(panel)
    assert "run" in shown
    if section.database.window_ is not None:
        check(section.database.window_)


def test_labels_are_plain_or_rich_by_name(qtbot: QtBot) -> None:
    plain, rich = PlainLabel(HOSTILE), RichLabel("<b>ours</b>")
    for widget in (plain, rich):
        qtbot.addWidget(widget)
    assert plain.textFormat() == Qt.TextFormat.PlainText
    assert plain.text() == HOSTILE.replace("\x1b", "\ufffd")
    assert rich.textFormat() == Qt.TextFormat.RichText
    set_tip(plain, f"{HOSTILE}\nline")
    assert "&lt;b&gt;x&lt;/b&gt;&lt;img src=x&gt;" in plain.toolTip()
    assert "<br>line" in plain.toolTip()
    assert plain_tip("a < b & c\nd") == "a < b & c\nd"
    assert key_text("a&b") == "a&&b"


def test_layers_and_messages_open_no_tag() -> None:
    assert [shown["name"] for _, shown, _ in layers_of(make_study(name=HOSTILE))] == [
        plain_name(f"{HOSTILE} {kind}") for kind in ("FLAIR", "T1", "labels")
    ]
    assert not Qt.mightBeRichText(plain_name(HOSTILE))


def test_a_verdict_is_escaped() -> None:
    class Result:
        sentence, verdict = f"{HOSTILE}. {HOSTILE}", "better"

    assert not any(mark in verdict_html(Result()) for mark in MARKS)  # type: ignore[arg-type]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def is_ours(node: ast.expr) -> bool:
    """A text that stands in the source."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and
                                              node.func.id in ("plain_tip", "key_text", "plain"))  # fmt: skip


def test_no_widget_is_made_that_guesses() -> None:
    """The kind, and not the widgets of today: whoever writes the next label finds out here."""
    wrong = []
    for path in sorted(Path(mrviewer_napari.__file__).parent.rglob("*.py")):
        if path.name == "plain_widgets.py":
            continue
        for call in calls(ast.parse(path.read_text(encoding="utf-8"))):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name in ("QLabel", "QMessageBox"):
                wrong.append(f"{path.name}:{call.lineno} {name}")
            if name == "setToolTip" and not all(
                is_ours(one) or isinstance(one, ast.IfExp | ast.Name) for one in call.args
            ):
                wrong.append(f"{path.name}:{call.lineno} setToolTip")
    assert wrong == []
    assert SHAPE
