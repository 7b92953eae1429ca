"""Studies that change with time in a window: frames dragged, points clicked, predictions beside measurements."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import FakeMethod, make_study
from dynamic_studies import FRAMES, dynamic_study, four_phases, teller
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt

from mrviewer.database import SIMULATED_KINDS, SIMULATED_LIVER
from mrviewer_napari import panel_registry
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel import MrPanel

pytestmark = pytest.mark.gl
Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton
LONG = "intrahepatic cholangiocarcinoma"
NARROWEST = 345
"""Pixels inside the scroll bar of a panel that is as narrow as it gets."""


@pytest.fixture
def fakes() -> list[FakeMethod]:
    return [FakeMethod("zero-filled"), teller(classifies=("cyst", LONG))]


def click_first_tile(viewer: Any, qtbot: QtBot) -> None:  # noqa: ANN401
    """Click where the middle of the first picture is."""
    viewer.screenshot(flash=False)
    canvas = viewer.window._qt_viewer.canvas.native
    rows, columns = viewer.canvas.grid.shape
    qtbot.mouseClick(canvas, Click, pos=QPoint(canvas.width() // columns // 2, canvas.height() // rows // 2))


def test_dragging_the_frames_and_clicking_a_point(docked: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait) -> None:
    viewer, panel = docked
    panel.session.opening.read(load_scan(dynamic_study()))
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    frames = panel.view.frames
    assert frames.isVisible()
    assert frames.text.text() == f"1 of {FRAMES}"
    for frame in (1, 3, 2):
        frames.slider.setSliderPosition(frame)  # what a drag of the handle does
    assert frames.text.text() == f"3 of {FRAMES}"
    eventually(lambda: panel.session.scan.frame == 2 and panel.session.is_settled)
    assert frames.slider.value() == 2
    assert panel.sections["Signal over time"].isVisible()
    assert "Click a point" in panel.signal.text.text()
    click_first_tile(viewer, qtbot)
    eventually(lambda: panel.signal.plot is not None)
    [curve] = panel.signal.plot.curves
    assert curve.values == [1, 2, 3, 4, 5]
    assert panel.signal.plot.marked == 3
    panel.signal.plot.grab()  # it may lie under the edge of the panel, where nothing is drawn
    assert panel.signal.plot.viewRange()[0][1] >= FRAMES
    panel.session.choose_frame(4)
    eventually(lambda: panel.session.scan.frame == 4 and panel.session.is_settled)
    assert panel.signal.plot.marked == 5
    panel.session.opening.read(load_scan(make_study()))
    eventually(lambda: panel.session.scan.n_frames == 1 and panel.session.is_settled)
    assert not frames.isVisible()
    assert not panel.sections["Signal over time"].isVisible()


def test_predictions_stand_beside_measurements(docked: tuple[Any, MrPanel], qtbot: QtBot, eventually: Wait) -> None:
    viewer, panel = docked
    panel.session.opening.read(load_scan(four_phases()))
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    section = panel.enhancement
    assert panel.sections["Enhancement"].isVisible()
    labels = {curve.label: tuple(curve.values) for curve in section.plot.curves}
    assert labels["predicted by teller"] == pytest.approx((0.1, 0.2, 0.3))
    assert labels["measured in what it segmented"] == pytest.approx((2.0, 1.0, 0.5), abs=1e-4)
    assert labels["measured in the reference labels"] == pytest.approx((2.0, 1.0, 0.5), abs=1e-4)
    assert "measured in the reference labels" in section.legend.text()
    assert {name: bar.value() for name, bar in section.classes.bars.items()} == {LONG: 200, "cyst": 100}
    assert list(section.classes.bars) == [LONG, "cyst"], "the likeliest first"
    click_first_tile(viewer, qtbot)
    eventually(lambda: panel.signal.plot is not None)
    assert panel.signal.plot.curves[0].values == [1, 3, 2, 1.5]
    qtbot.wait(50)
    assert panel.scroll.widget().minimumSizeHint().width() <= NARROWEST
    box = panel.methods.rows["teller"].box
    qtbot.mouseClick(box, Click, pos=QPoint(8, box.height() // 2))
    assert not panel.sections["Enhancement"].isVisible()
    eventually(lambda: panel.session.is_settled)


def test_the_liver_sample_opens_in_the_panel(
    docked: tuple[Any, MrPanel], monkeypatch: pytest.MonkeyPatch, eventually: Wait
) -> None:
    viewer, panel = docked
    monkeypatch.setitem(SIMULATED_KINDS, SIMULATED_LIVER, lambda seed: four_phases())
    viewer.open_sample("mrviewer", "simulated-liver-patient")
    assert panel_registry.panel_of(viewer) is panel
    eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
    assert panel.session.scan.study.name == "phases"
    eventually(lambda: panel_registry.PLACEHOLDER not in [layer.name for layer in viewer.layers])
