"""The sections for many methods in a window: groups, chains, steps, classes, learned masks; clicked, dragged, typed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import FakeMethod, make_study
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QCheckBox, QComboBox, QWidget

from mrviewer.errors import MaskError
from mrviewer.method import Fit, Needs, Task
from mrviewer.sampling import LearnedPattern, learned
from mrviewer_napari.computing.method_status import Phase
from mrviewer_napari.facts.method_facts import MethodKind
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl
Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton
REASON = "needs pre-contrast, arterial, portal-venous and delayed images on one grid and this study has no pre-contrast"


@pytest.fixture
def fakes() -> list[FakeMethod]:
    both, images = (Task.RECONSTRUCT, Task.SEGMENT), Needs(kspace=False)
    return [
        FakeMethod("zero-filled"),
        FakeMethod("deep", both, estimates=3, classes=("lesion", "brain")),
        FakeMethod("cascade"),
        FakeMethod("finder", (Task.SEGMENT,), needs=images, classes=("lesion",), used=("FLAIR", "T1")),
        FakeMethod("liver", (Task.SEGMENT, Task.REGRESS), needs=images, fit=Fit(False, f"liver {REASON}")),
    ]


@pytest.fixture
def filled(docked: tuple[Any, MrPanel], eventually: Wait) -> tuple[Any, MrPanel]:
    """The window with the small study open and all volumes full."""
    _, panel = docked
    panel.session.opening.read(load_scan(make_study()))
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    return docked


def press(qtbot: QtBot, box: QCheckBox) -> None:
    qtbot.mouseClick(box, Click, pos=QPoint(8, box.height() // 2))


def choose(box: QComboBox, text: str) -> None:
    """What a person does with a box: the entry, and the signal that only a person causes."""
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def title(panel: MrPanel, key: str) -> str:
    return panel.grid._canvas.texts[key]


def legend(viewer: Any) -> set[str]:  # noqa: ANN401
    return {caption.text.removeprefix("■ ") for caption in viewer.canvas.overlays["mrviewer"].captions}


def test_methods_stand_in_groups_and_a_reason_is_never_clipped(filled: tuple[Any, MrPanel]) -> None:
    _, panel = filled
    headings = panel.methods.headings
    assert list(headings) == [MethodKind.RECONSTRUCT, MethodKind.BOTH, MethodKind.FULL_IMAGE, MethodKind.MEASURE]
    tops = [
        headings[MethodKind.RECONSTRUCT],
        panel.methods.rows["cascade"],
        headings[MethodKind.BOTH],
        panel.methods.rows["deep"],
    ]
    heights = [widget.mapTo(panel.methods, QPoint(0, 0)).y() for widget in tops]
    assert heights == sorted(heights)
    reason = panel.methods.rows["liver"].text
    assert reason.text() == REASON
    assert reason.height() >= reason.heightForWidth(reason.width()) > 1.5 * reason.fontMetrics().height()
    assert not panel.methods.rows["cascade"].text.isVisible(), "a row without news has one line"
    assert "Dice" in panel.methods.rows["deep"].text.toolTip()
    content = panel.scroll.widget()
    for widget in content.findChildren(QWidget):
        right = widget.mapTo(content, widget.rect().topRight()).x()
        assert not widget.isVisible() or right <= content.width(), widget


def test_a_long_list_can_be_cut_to_what_is_ticked(filled: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait) -> None:
    _, panel = filled
    section = panel.methods
    press(qtbot, section.ticked_only)
    assert [name for name, row in section.rows.items() if row.isVisible()] == ["zero-filled", "deep"]
    assert [kind for kind, heading in section.headings.items() if heading.isVisible()] == [
        MethodKind.RECONSTRUCT,
        MethodKind.BOTH,
    ]
    assert not section.chooser.isVisible()
    press(qtbot, section.rows["zero-filled"].box)
    assert not section.rows["zero-filled"].isVisible()
    press(qtbot, section.ticked_only)
    assert all(row.isVisible() for row in section.rows.values())
    assert section.chooser.isVisible()
    eventually(lambda: panel.session.is_settled)


def test_a_chain_comes_with_a_click_runs_and_goes_with_a_click(
    filled: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = filled
    chooser = panel.methods.chooser
    choose(chooser.first, "cascade")
    choose(chooser.second, "finder")
    qtbot.mouseClick(chooser.button, Click)
    row = panel.methods.rows["cascade+finder"]
    assert row.box.isChecked()
    eventually(lambda: panel.methods.headings[MethodKind.CHAIN].isVisible() and row.remove.isVisible())
    assert "cascade+finder:error" in panel.grid.keys
    eventually(lambda: panel.session.computation.status("cascade+finder").phase is Phase.DONE)
    assert row.text.text().endswith("used FLAIR, T1")
    assert "Dice" in row.text.text()
    qtbot.mouseClick(chooser.button, Click)
    assert panel.state.chains == ("cascade+finder",)
    qtbot.mouseClick(row.remove, Click)
    assert "cascade+finder" not in panel.methods.rows
    assert MethodKind.CHAIN not in panel.methods.headings
    assert "cascade+finder" not in panel.grid.keys
    assert panel.state.methods == ("zero-filled", "deep")
    eventually(lambda: panel.session.is_settled)


def test_dragging_through_the_steps_shows_them_and_the_right_end_the_result(
    filled: tuple[Any, MrPanel], eventually: Wait
) -> None:
    viewer, panel = filled
    stepper = panel.view.stepper
    assert stepper.isVisible()
    assert [stepper.method.itemText(place) for place in range(stepper.method.count())] == ["deep"]
    assert stepper.text.text() == "Step: the result"
    assert stepper.slider.value() == stepper.slider.maximum() == 3
    stepper.slider.setSliderPosition(1)  # what a drag of the handle does
    eventually(lambda: "NOT THE RESULT" in title(panel, "deep"))
    assert stepper.text.text() == "Step: cascade 2 (2 of 3)"
    viewer.dims.set_current_step(0, 0)
    assert stepper.text.text() == "Step: the result"
    assert stepper.slider.value() == 3
    assert "NOT THE RESULT" not in title(panel, "deep")
    panel.methods.rows["deep"].box.click()
    assert not stepper.isVisible()
    eventually(lambda: panel.session.is_settled)


def test_every_class_has_its_outline_and_its_name(filled: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait) -> None:
    viewer, panel = filled
    outlines = panel.grid._tile_list.pictures["deep"].contours
    lesions = panel.session.computation.outcome("deep").reconstruction.lesions
    assert set(np.unique(outlines.data)) <= {0, 1, 2, 3}
    np.testing.assert_array_equal(np.isin(outlines.data, (1, 3)), lesions > 0)
    assert {"agreed", "missed", "false"} <= legend(viewer)
    press(qtbot, panel.view.all_classes)
    assert set(np.unique(outlines.data)) == {0, 16, 17}
    assert {"lesion", "brain", "labels"} <= legend(viewer)
    assert "agreed" not in legend(viewer)
    press(qtbot, panel.methods.rows["finder"].box)
    eventually(lambda: panel.session.is_settled)
    assert set(np.unique(panel.grid._tile_list.pictures["finder"].contours.data)) == {0, 16}, "one name, one colour"
    press(qtbot, panel.view.contours)
    assert not panel.view.all_classes.isEnabled()
    assert "brain" not in legend(viewer)
    press(qtbot, panel.view.contours)
    press(qtbot, panel.view.all_classes)
    assert set(np.unique(outlines.data)) <= {0, 1, 2, 3}
    assert len(panel.lesions.model.rows) == 2, "the table is about lesions alone"


def test_a_learned_mask_shows_what_it_was_cut_from(
    filled: tuple[Any, MrPanel], monkeypatch: pytest.MonkeyPatch, eventually: Wait
) -> None:
    _, panel = filled
    sampling = panel.sampling
    assert not sampling.probability.isVisible()
    ramp = np.linspace(0, 1, 32, dtype=np.float32)[None]
    pattern = LearnedPattern("teacher", 1, 4.0, ramp)
    monkeypatch.setattr(learned, "installed_patterns", lambda name: (pattern,))
    choose(sampling.family, "Learned lines")
    assert panel.session.mask.pattern[0, -8:].all()
    assert sampling.probability.isVisible()
    assert not sampling.probability.pixmap().isNull()
    assert not sampling.center.isEnabled()
    assert not sampling.seed.isEnabled()
    assert sampling.slider.isEnabled()
    assert "learned by teacher" in sampling.achieved.text()
    assert sampling.minimumSizeHint().width() <= panel.minimumWidth() - 40, "three pictures fit the narrowest panel"
    choose(sampling.family, "Random lines")
    assert not sampling.probability.isVisible()
    assert sampling.center.isEnabled()
    eventually(lambda: panel.session.is_settled)


def test_a_learned_mask_that_nobody_learned_is_refused_in_a_sentence(
    filled: tuple[Any, MrPanel], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, eventually: Wait
) -> None:
    _, panel = filled

    def refuse(name: str) -> tuple[LearnedPattern, ...]:
        raise MaskError(f"nobody learned {name}")

    monkeypatch.setattr(learned, "installed_patterns", refuse)
    before = panel.session.mask
    choose(panel.sampling.family, "Learned samples")
    assert panel.session.mask is before
    assert panel.sampling.problem.isVisible()
    assert panel.sampling.problem.text() == "nobody learned learned-2d"
    panel.session.opening.read(load_scan(make_study(name="another")))
    eventually(lambda: panel.session.scan.study.name == "another" and panel.session.is_settled)
    assert panel.session.mask == before, "the next study gets the last mask that was possible"
    choose(panel.sampling.family, "Fully sampled")
    qtbot.wait(1)
    assert not panel.sampling.problem.isVisible()
    eventually(lambda: panel.session.is_settled)
