"""Studies that change with time: frames, one window for all, curves of points, predicted against measured."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from conftest import FakeMethod, make_study
from dynamic_studies import FRAMES, SHAPE, dynamic_study, four_phases, teller
from napari.components import ViewerModel

from mrviewer.images.dynamic import PHASES
from mrviewer.progress import finish
from mrviewer.sampling import make_mask
from mrviewer.study import Image
from mrviewer_napari.computing.outcomes import run_volume
from mrviewer_napari.facts.scan import with_labels
from mrviewer_napari.facts.signal_curves import has_time, predicted_curve, read_signal
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.session import Session
from mrviewer_napari.tiles.tile_grid import TileGrid

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def session(qapp: object, eventually: Wait) -> Iterator[Session]:
    del qapp
    methods = [FakeMethod("zero-filled")]
    made = Session(PanelState(methods=("zero-filled",), device="cpu"), TileGrid(ViewerModel()), methods)
    made.opening.read(load_scan(dynamic_study()))
    eventually(lambda: made.scan is not None and made.is_settled)
    yield made
    assert made.close()


def test_a_frame_is_sampled_and_shown_in_the_window_of_the_series(session: Session, eventually: Wait) -> None:
    assert (session.scan.frame, session.scan.n_frames) == (0, FRAMES)
    first = session.scan
    session.grid.show_slice(1)
    session.choose_frame(3)
    eventually(lambda: session.scan.frame == 3 and session.is_settled)
    assert session.scan.reference.max() == 4
    assert session.scan.patient is first.patient
    assert session.scan.series is first.series, "the series is not read twice"
    image = session.grid._tile_list.pictures["reference"].image
    assert list(image.contrast_limits) == [0, FRAMES]
    assert session.grid.current_slice() == 1
    assert session.computation.outcome("zero-filled").request.frame == 3
    assert session.computation.outcome("zero-filled").reconstruction.image.max() > 3


def test_going_back_to_a_frame_computes_nothing(session: Session, eventually: Wait) -> None:
    first = session.computation.outcome("zero-filled")
    session.choose_frame(1)
    eventually(lambda: session.scan.frame == 1 and session.is_settled)
    session.choose_frame(0)
    eventually(lambda: session.scan.frame == 0 and session.is_settled)
    assert session.computation.outcome("zero-filled") is first


def test_the_last_of_many_wished_frames_is_shown(session: Session, eventually: Wait) -> None:
    for frame in (1, 2, 3, 4, 2):
        session.choose_frame(frame)
    eventually(lambda: session.is_settled)
    assert session.scan.frame == 2


def test_new_labels_stay_when_the_frame_changes() -> None:
    scan = finish(load_scan(dynamic_study()))
    empty = Image(np.zeros(SHAPE, np.uint8), scan.geometry, "labels")
    labelled = with_labels(scan, empty)
    assert not labelled.labels.any()
    later = finish(load_scan(labelled.patient, "DCE", 2, labelled.series))
    assert not later.labels.any()
    assert later.frame == 2


def test_the_signal_of_a_voxel_over_frames_and_over_phases() -> None:
    scan = finish(load_scan(dynamic_study()))
    assert has_time(scan)
    curve = finish(read_signal(scan, (1, 12, 10)))
    np.testing.assert_array_equal(curve.values, [1, 2, 3, 4, 5])
    assert curve.names == ()
    scan = finish(load_scan(four_phases()))
    assert has_time(scan)
    curve = finish(read_signal(scan, (0, 12, 10)))
    np.testing.assert_array_equal(curve.values, [1, 3, 2, 1.5])
    assert curve.names == PHASES
    assert not has_time(finish(load_scan(make_study())))


def test_what_is_predicted_is_measured_in_the_mask_and_in_the_labels() -> None:
    scan = finish(load_scan(four_phases()))
    outcome = finish(run_volume(scan, teller(), make_mask("full", scan.plane_shape), start=0, device="cpu"))
    assert outcome.reconstruction.measured == pytest.approx((2.0, 1.0, 0.5), abs=1e-4)
    assert outcome.enhancement_of_labels == pytest.approx((2.0, 1.0, 0.5), abs=1e-4)
    assert predicted_curve(outcome.reconstruction) == pytest.approx((0.1, 0.2, 0.3))
    area = teller(regresses=("area", "diameter", "depth"))
    outcome = finish(run_volume(scan, area, make_mask("full", scan.plane_shape), start=0, device="cpu"))
    assert predicted_curve(outcome.reconstruction) is None
    assert outcome.enhancement_of_labels is None


def test_the_bar_of_a_whole_volume_moves_and_never_goes_back() -> None:
    scan = finish(load_scan(four_phases()))
    method = teller()
    method.steps = 10
    done = [step.done for step in run_volume(scan, method, make_mask("full", scan.plane_shape), start=0, device="cpu")]
    assert done == sorted(done)
    assert 0 < done[len(done) // 2] < scan.n_slices
    assert done[-1] == scan.n_slices
