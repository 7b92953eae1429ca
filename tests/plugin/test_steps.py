"""Looking at the estimates on the way, with the real tiles and without a window: shown, named, and taken out again."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from conftest import FakeMethod, make_study
from napari.components import ViewerModel

from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.method import Task
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel_state import PanelState, StepChoice
from mrviewer_napari.session import Session
from mrviewer_napari.tiles.tile_grid import TileGrid

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def deep() -> FakeMethod:
    return FakeMethod("deep", (Task.RECONSTRUCT, Task.SEGMENT), estimates=4)


@pytest.fixture
def session(qapp: object, eventually: Wait, deep: FakeMethod) -> Iterator[Session]:
    """A session on the small study with a method that has four steps and one that has none; all volumes full."""
    del qapp
    methods = [FakeMethod("plain"), deep]
    made = Session(PanelState(methods=("plain", "deep"), device="cpu"), TileGrid(ViewerModel()), methods)
    made.opening.read(load_scan(make_study()))
    eventually(lambda: made.scan is not None and made.is_settled)
    yield made
    assert made.close()


def plane(session: Session, key: str, index: int | None = None) -> np.ndarray:
    index = session.grid.current_slice() if index is None else index
    return np.array(session.grid._tile_list.pictures[key].image.data[index])


def title(session: Session, key: str) -> str:
    return session.grid._canvas.texts[key]


def test_who_gives_steps_is_known(session: Session) -> None:
    assert session.computation.step_names("deep") == ("cascade 1", "cascade 2", "cascade 3", "cascade 4")
    assert session.computation.step_names("plain") == ()


def test_a_step_takes_the_place_of_the_image_with_its_own_error_and_quality(session: Session, eventually: Wait) -> None:
    result, error, before = plane(session, "deep"), plane(session, "deep:error"), title(session, "deep")
    session.state.step = StepChoice("deep", 1)
    eventually(lambda: "NOT THE RESULT" in title(session, "deep"))
    np.testing.assert_allclose(plane(session, "deep"), result / 2, rtol=1e-5)
    reference = session.scan.reference[session.grid.current_slice()]
    np.testing.assert_allclose(plane(session, "deep:error"), np.abs(result / 2 - reference), atol=1e-5)
    assert "cascade 2 (2 of 4)" in title(session, "deep")
    assert title(session, "deep").splitlines()[-1] != before.splitlines()[-1], "the PSNR is that of the step"
    assert "NOT THE RESULT" not in title(session, "plain")
    session.state.step = None
    np.testing.assert_array_equal(plane(session, "deep"), result)
    np.testing.assert_allclose(plane(session, "deep:error"), error, atol=1e-6)
    assert title(session, "deep") == before


def test_the_saved_volume_never_holds_a_step(session: Session, eventually: Wait) -> None:
    kept = session.computation.outcome("deep").reconstruction.image.copy()
    session.state.step = StepChoice("deep", 0)
    eventually(lambda: "NOT THE RESULT" in title(session, "deep"))
    np.testing.assert_array_equal(session.computation.outcome("deep").reconstruction.image, kept)


def test_another_slice_shows_results_again_and_so_does_the_one_that_was_left(
    session: Session, eventually: Wait
) -> None:
    index = session.grid.current_slice()
    result = plane(session, "deep")
    session.state.step = StepChoice("deep", 0)
    eventually(lambda: "NOT THE RESULT" in title(session, "deep"))
    session.grid.show_slice(index + 1)
    assert session.state.step is None
    assert "NOT THE RESULT" not in title(session, "deep")
    np.testing.assert_array_equal(plane(session, "deep", index), result)
    session.grid.show_slice(index)
    np.testing.assert_array_equal(plane(session, "deep"), result)


def test_steps_of_a_slice_that_was_not_looked_at_are_made_when_they_are_wished(
    session: Session, deep: FakeMethod, eventually: Wait
) -> None:
    session.grid.show_slice(5)
    runs = deep.runs
    session.state.step = StepChoice("deep", 2)
    assert "NOT THE RESULT" not in title(session, "deep"), "not before they are there"
    eventually(lambda: "cascade 3" in title(session, "deep"))
    eventually(lambda: session.is_settled)
    assert deep.runs == runs + 1


def test_a_method_without_steps_is_not_run_again_for_them(session: Session, eventually: Wait) -> None:
    plain = session.method_choice.methods["plain"]
    runs = plain.runs
    session.state.step = StepChoice("plain", 0)
    eventually(lambda: session.is_settled)
    assert plain.runs == runs
    assert "NOT THE RESULT" not in title(session, "plain")


def test_another_mask_shows_the_step_of_that_mask(session: Session, eventually: Wait) -> None:
    session.state.step = StepChoice("deep", 1)
    eventually(lambda: "NOT THE RESULT" in title(session, "deep"))
    session.state.mask = SamplingCondition(seed=9)
    eventually(lambda: session.is_settled and "NOT THE RESULT" in title(session, "deep"))
    outcome = session.computation.outcome("deep")
    assert outcome.request.mask.seed == 9
    expected = outcome.reconstruction.image[session.grid.current_slice()] / 2
    np.testing.assert_allclose(plane(session, "deep"), expected, rtol=1e-5)


def test_unticking_the_method_ends_its_steps(session: Session, eventually: Wait) -> None:
    session.state.step = StepChoice("deep", 1)
    session.state.methods = ("plain",)
    assert session.state.step is None
    session.state.methods = ("plain", "deep")
    eventually(lambda: session.is_settled)
    assert "NOT THE RESULT" not in title(session, "deep")
