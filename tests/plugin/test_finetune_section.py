"""The Fine-tune section, clicked and typed into: databases, mapping, split, models, options, runs."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from finetuning_cases import write_database
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit
from tiny_model import TINY, make_tiny_model

from mrviewer.finetuning import FinetunePlan, RunRecord, RunState, list_runs, read_run, remove_model, request_stop
from mrviewer_napari import closing_dialogs
from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.method_choice import MethodChoice
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.finetune.facts.run_manager import RunManager
from mrviewer_napari.sections.finetune.facts.subject_rows import Role
from mrviewer_napari.sections.finetune.finetune_section import FinetuneSection
from mrviewer_napari.sections.finetune.subject_table import COLUMNS
from mrviewer_napari.sections.methods_section import MethodsSection

Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton
PATIENTS = ("anna", "bert", "carl", "dora", "emil")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_database(tmp_path_factory.mktemp("data") / "hospital", (*PATIENTS, "frida"), unlabelled=("frida",))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Path:
    """A folder of own models with a tiny one, made once."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MRVIEWER_MODELS", str(folder))
        make_tiny_model(database, tmp_path_factory.mktemp("parent"))
    return folder


@pytest.fixture
def state() -> PanelState:
    return PanelState(device="cpu")


@pytest.fixture
def choice(qapp: object, models: Path, monkeypatch: pytest.MonkeyPatch, state: PanelState) -> MethodChoice:
    """The installed methods and the tiny model."""
    del qapp
    monkeypatch.setenv("MRVIEWER_MODELS", str(models))
    return MethodChoice(state)


@pytest.fixture
def section(
    qtbot: QtBot, eventually: Wait, choice: MethodChoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FinetuneSection:
    """The section in a window of its own, while nothing is open."""
    monkeypatch.setenv("MRVIEWER_RUNS", str(tmp_path / "runs"))
    section = FinetuneSection(choice, ShownScan(), "cpu")

    def settle(widget: object) -> None:
        """End its work while the section is still there: pytest-qt deletes it before fixtures are torn down."""
        del widget
        for run in list_runs(section.manager.folder):
            if run.state.is_active:
                request_stop(run.path)
        eventually(lambda: section.is_settled)
        assert section.close_jobs()

    qtbot.addWidget(section, before_close_func=settle)
    section.resize(380, 1000)
    section.show()
    return section


@pytest.fixture
def opened(section: FinetuneSection, database: Path, eventually: Wait) -> FinetuneSection:
    """The section with the small database, and the tiny model chosen."""
    section.open_database(str(database))
    eventually(lambda: section.databases.survey is not None)
    choose(section.model.model, TINY)
    eventually(lambda: section.models.form is not None and section.is_settled)
    return section


def choose(box: QComboBox, text: str) -> None:
    """What a person does with a box: the entry, and the signals that only a person causes."""
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())
    box.textActivated.emit(text)


def tick(qtbot: QtBot, section: FinetuneSection, name: str, column: str) -> None:
    """Click on the box of a subject."""
    window = section.database.window_
    assert window is not None
    row = next(place for place, row in enumerate(window.model.rows) if row.name == name)
    index = window.sorted.mapFromSource(window.model.index(row, COLUMNS.index(column)))
    window.table.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
    place = window.table.visualRect(index)
    qtbot.mouseClick(window.table.viewport(), Click, pos=QPoint(place.left() + 10, place.center().y()))


def roles(section: FinetuneSection) -> dict[str, Role]:
    return {row.name: row.role for row in section.databases.rows}


def type_option(qtbot: QtBot, section: FinetuneSection, name: str, text: str) -> None:
    line = section.model.options.editors[name].editor
    assert isinstance(line, QLineEdit | QAbstractSpinBox)
    line.selectAll()
    qtbot.keyClicks(line, text)


def test_a_database_is_looked_through_and_split(opened: FinetuneSection) -> None:
    assert opened.database.name.text() == "<b>hospital</b>"
    assert "6 subjects" in opened.database.summary.text()
    assert "5 with labels" in opened.database.summary.text()
    assert roles(opened)["frida"] is Role.UNUSABLE
    held_out = opened.databases.held_out
    assert 1 <= len(held_out) < len(PATIENTS)
    assert opened.start.isEnabled()
    plan = opened.plan()
    assert plan.validation == held_out
    assert plan.mapping is not None
    assert "frida" in plan.mapping["excluded"], "what cannot be used is not given to the run"
    assert plan.name == "tiny-hospital"


def test_reading_a_database_that_is_none_is_told_and_loses_nothing(
    opened: FinetuneSection, tmp_path: Path, eventually: Wait
) -> None:
    errors: list[Exception] = []
    opened.failed.connect(errors.append)
    opened.open_database(str(tmp_path / "nowhere"))
    eventually(lambda: bool(errors))
    assert "nowhere" in str(errors[0])
    assert opened.database.name.text() == "<b>hospital</b>"
    eventually(lambda: opened.is_settled)


def test_ticking_changes_the_split_and_what_is_used(opened: FinetuneSection, qtbot: QtBot) -> None:
    qtbot.mouseClick(opened.database.more, Click)
    window = opened.database.window_
    assert window is not None
    assert window.isVisible()
    qtbot.addWidget(window)
    for name in opened.databases.held_out:
        tick(qtbot, opened, name, "Validation")
    assert opened.databases.held_out == ()
    assert not opened.start.isEnabled()
    assert "held out" in opened.problem.text()
    tick(qtbot, opened, "carl", "Validation")
    assert opened.databases.held_out == ("carl",)
    assert opened.start.isEnabled()
    tick(qtbot, opened, "anna", "Use")
    assert roles(opened)["anna"] is Role.LEFT_OUT
    assert "3 patients to train on, 1 to validate on" in window.split.text()
    assert opened.databases.held_out == ("carl",), "a split made by hand stays"
    tick(qtbot, opened, "frida", "Use")
    assert roles(opened)["frida"] is Role.UNUSABLE
    qtbot.mouseClick(window.again, Click)
    assert opened.databases.held_out != ()


def test_another_mapping_changes_what_fits(opened: FinetuneSection, qtbot: QtBot, eventually: Wait) -> None:
    opened.database.open_window()
    window = opened.database.window_
    assert window is not None
    qtbot.addWidget(window)
    choose(window.mapping.label, "no labels")
    assert opened.databases.mapping.label is None
    assert not opened.start.isEnabled()
    assert "labels" in opened.model.reason.text()
    choose(window.mapping.label, "label")
    assert opened.databases.mapping.label_values == {0: 0, 1: 1}
    eventually(lambda: opened.is_settled)
    assert opened.start.isEnabled()
    channel = next(iter(window.mapping.channels.values()))
    channel.setCurrentText("leave out")
    channel.activated.emit(channel.currentIndex())
    assert "mapped" in opened.problem.text() or "mapped" in opened.model.reason.text()
    window.mapping.voxel.box.click()
    assert opened.databases.mapping.voxel_mm is not None
    eventually(lambda: opened.is_settled)


def test_a_model_that_does_not_fit_can_be_asked_why(opened: FinetuneSection, eventually: Wait) -> None:
    choose(opened.model.model, "mtinet")
    assert "needs pre-contrast" in opened.model.reason.text()
    assert opened.model.reason.isVisible()
    assert not opened.start.isEnabled()
    eventually(lambda: opened.is_settled)
    choose(opened.model.model, "cirim")
    assert opened.model.measured.isVisible()
    assert opened.model.measured.currentText() == "FLAIR"
    assert opened.plan().modality == "FLAIR"
    eventually(lambda: opened.models.form is not None and opened.is_settled)


def test_a_value_that_cannot_be_used_is_marked_with_a_sentence(
    opened: FinetuneSection, qtbot: QtBot, eventually: Wait
) -> None:
    editor = opened.model.options.editors["learning_rate"]
    type_option(qtbot, opened, "learning_rate", "fast")
    eventually(lambda: bool(editor.problem.text()))
    assert "learning_rate" in editor.problem.text()
    assert editor.problem.isVisible()
    eventually(lambda: opened.is_settled)
    assert not opened.start.isEnabled()
    type_option(qtbot, opened, "learning_rate", "0.01")
    eventually(lambda: not editor.problem.text() and opened.is_settled)
    type_option(qtbot, opened, "learning_rate", "5")
    assert not opened.start.isEnabled(), "not before it was tried"
    eventually(lambda: "a number above 0 and up to 1" in editor.problem.text() and opened.is_settled)
    assert not opened.start.isEnabled()
    type_option(qtbot, opened, "learning_rate", "0.01")
    eventually(lambda: not editor.problem.text() and opened.is_settled)
    assert opened.start.isEnabled()
    type_option(qtbot, opened, "steps", "12")
    eventually(lambda: opened.is_settled)
    assert opened.plan().options == {"learning_rate": "0.01", "steps": "12"}
    rare = next(editor for editor in opened.model.options.editors.values() if not editor.option.traits.common)
    assert rare.visibleRegion().isEmpty(), "rare options are folded away"
    opened.model.options.more.expand()
    qtbot.waitUntil(lambda: not rare.visibleRegion().isEmpty())


def test_parts_are_chosen_once_not_all_is_trained(opened: FinetuneSection, qtbot: QtBot, eventually: Wait) -> None:
    parts = opened.model.parts
    others = [name for name in parts if name != "all"]
    assert others
    assert not parts[others[0]].isEnabled()
    qtbot.mouseClick(parts["all"], Click, pos=QPoint(8, parts["all"].height() // 2))
    assert not opened.start.isEnabled()
    qtbot.mouseClick(parts[others[0]], Click, pos=QPoint(8, parts[others[0]].height() // 2))
    assert opened.plan().parts == (others[0],)
    eventually(lambda: opened.is_settled)
    assert opened.start.isEnabled()


def test_a_name_that_is_taken_is_refused(opened: FinetuneSection, qtbot: QtBot) -> None:
    for name, word in ((TINY, "already"), ("d5c5", "installed"), ("a b", "letters")):
        opened.name.selectAll()
        qtbot.keyClicks(opened.name, name)
        assert word in opened.problem.text()
        assert not opened.start.isEnabled()
    opened.name.selectAll()
    qtbot.keyClicks(opened.name, "ours")
    assert opened.start.isEnabled()


def start(section: FinetuneSection, qtbot: QtBot, eventually: Wait, steps: str) -> Path:
    """Start a run, wait until it trains, and return its folder."""
    for name, text in (("steps", steps), ("batch_size", "2")):
        type_option(qtbot, section, name, text)
    eventually(lambda: section.is_settled and section.start.isEnabled())
    qtbot.mouseClick(section.start, Click)
    eventually(lambda: bool(section.manager.active))
    run = section.manager.active[0]
    eventually(lambda: section.manager.history.loss.steps != [] or not read_run(run.path).state.is_active)
    assert section.manager.history.loss.steps, read_run(run.path).message
    return run.path


@pytest.mark.slow
def test_a_run_is_paused_stopped_resumed_and_its_model_ticked(
    opened: FinetuneSection, choice: MethodChoice, state: PanelState, qtbot: QtBot, eventually: Wait
) -> None:
    methods = MethodsSection(choice, ShownScan(), Computation(), state)
    qtbot.addWidget(methods)
    folder = start(opened, qtbot, eventually, "4000")
    view = opened.run
    assert view.curves is not None
    assert not view.picture.isHidden()
    assert "cpu" in view.facts.text()
    eventually(lambda: view.pause.isVisible())
    qtbot.mouseClick(view.pause, Click)
    eventually(lambda: read_run(folder).state is RunState.PAUSED and view.pause.text() == "Resume")
    steps = read_run(folder).step
    qtbot.wait(300)
    assert read_run(folder).step == steps
    qtbot.mouseClick(view.pause, Click)
    eventually(lambda: read_run(folder).step > steps)
    begun = time.monotonic()
    qtbot.mouseClick(view.stop, Click)
    eventually(lambda: not read_run(folder).state.is_active)
    print(f"stopped after {time.monotonic() - begun:.2f} s")
    eventually(lambda: view.go_on.isVisible())
    assert "tiny-hospital" not in choice.methods
    qtbot.mouseClick(view.go_on, Click)
    eventually(lambda: view.finish.isVisible())
    qtbot.mouseClick(view.finish, Click)
    eventually(lambda: read_run(folder).state is RunState.FINISHED and view.compare.isVisible())
    assert read_run(folder).step > steps
    eventually(lambda: "tiny-hospital" in methods.rows)
    assert "tiny-hospital" not in state.methods, "nothing of its database is open"
    assert "before" in view.verdict.text()
    qtbot.mouseClick(view.compare, Click)
    assert opened.result is not None
    assert [opened.result.tabs.tabText(place)[:6] for place in range(3)] == ["All ca", "By cas", "By les"]
    opened.result.close()
    remove_model("tiny-hospital")


@pytest.mark.slow
def test_a_run_outlives_the_window_and_the_next_one_finds_it(
    opened: FinetuneSection, qtbot: QtBot, eventually: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = start(opened, qtbot, eventually, "4000")
    told: list[str] = []
    monkeypatch.setattr(closing_dialogs, "was_told_of_runs", lambda: bool(told))
    monkeypatch.setattr(closing_dialogs, "remember_told_of_runs", lambda: told.append("kept"))
    monkeypatch.setattr(closing_dialogs, "say_in_box", lambda *words: told.append(words[-1]))
    for _ in range(2):
        closing_dialogs.tell_of_running_runs(opened, opened.manager.active)
    assert len(told) == 2, "said once"
    assert folder.name in told[1]
    eventually(lambda: opened.is_settled)
    assert opened.manager.close(10)
    pid = read_run(folder).pid
    assert pid is not None
    os.kill(pid, 0)
    later = RunManager(folder.parent)
    eventually(lambda: later.selected_path == folder and bool(later.active))
    assert later.history.loss.steps
    later.stop(later.active[0])
    eventually(lambda: not later.active and not later.busy)
    later.forget(later.runs[0])
    assert not folder.exists()
    assert (folder.parent / "removed" / folder.name / "events.jsonl").is_file()
    eventually(lambda: later.runs == () and not later.busy)
    assert later.close(10)


def test_a_picture_shows_agreement_in_three_colours(tmp_path: Path, qtbot: QtBot) -> None:
    from mrviewer_napari.facts.colours import Agreement
    from mrviewer_napari.sections.finetune.validation_picture import ValidationPicture, compared

    truth, prediction = np.zeros((40, 30), np.uint8), np.zeros((40, 30), np.uint8)
    truth[5:15, 5:15], truth[20:30, 5:15] = 1, 1
    prediction[5:15, 5:15], prediction[20:30, 18:28] = 1, 1
    colours = compared(np.ones((40, 30), np.float32), truth, prediction)
    seen = {tuple(int(part) for part in colour) for colour in colours.reshape(-1, 3)}
    for each in Agreement:
        assert tuple(int(each.colour[place : place + 2], 16) for place in (1, 3, 5)) in seen
    shown = ValidationPicture()
    qtbot.addWidget(shown)
    shown.resize(300, 300)
    (tmp_path / "broken.npz").write_bytes(b"half")
    shown.show_file(tmp_path / "broken.npz")
    assert shown.isHidden()
    image = np.linspace(0, 1, 1200, dtype=np.float32).reshape(40, 30)
    np.savez(tmp_path / "step-1.npz", image=image, truth=image, prediction=image)
    shown.show_file(tmp_path / "step-1.npz")
    assert not shown.isHidden()
    assert "truth" in shown.caption.text()


def test_a_run_that_cannot_be_read_hides_no_other_and_says_why(
    opened: FinetuneSection, eventually: Wait, tmp_path: Path
) -> None:
    folder = opened.manager.folder
    for name, text in {"good": '{"method": "tiny", "database": ["a"], "output": "b"}', "bad": '{"method": 3}'}.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "plan.json").write_text(text)
    opened.manager.refresh()
    eventually(lambda: bool(opened.manager.unreadable))
    lines = [opened.runs.item(row) for row in range(opened.runs.count())]
    assert [line.text().partition(":")[0] for line in lines] == ["good", "bad"]
    assert "unusable method" in lines[1].toolTip()
    assert opened.manager.selected is not None
    assert opened.manager.selected.path.name == "good"


def test_asking_a_run_whose_folder_is_gone_is_told(opened: FinetuneSection, tmp_path: Path) -> None:
    errors: list[Exception] = []
    opened.failed.connect(errors.append)
    plan = FinetunePlan("tiny", ("a",), str(tmp_path / "gone"))
    opened.manager.stop(RunRecord(tmp_path / "gone", plan, RunState.TRAINING))
    assert "holds no fine-tuning run" in str(errors[0])
