"""The controller with the real tiles on a viewer model, without a window: wishes in, pictures out."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import FakeMethod, make_study
from napari.components import ViewerModel

from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.geometry import Geometry
from mrviewer.method import Fit, Task
from mrviewer.progress import finish
from mrviewer.reconstruction.reconstruct import reconstruct
from mrviewer.sampling import make_mask
from mrviewer.study import Image, Study
from mrviewer_napari.computing.method_status import Phase
from mrviewer_napari.facts.lesion_columns import lesion_at, voxel_of
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.session import Session
from mrviewer_napari.tiles.tile_grid import TileGrid

Wait = Callable[[Callable[[], bool]], None]
Open = Callable[..., Session]


@pytest.fixture
def open_session(qapp: object, eventually: Wait) -> Iterator[Open]:
    """Make sessions on the small study, and close them."""
    del qapp
    made: list[Session] = []

    def make(*methods: FakeMethod, labels: bool = True) -> Session:
        state = PanelState(methods=tuple(method.name for method in methods), device="cpu")
        session = Session(state, TileGrid(ViewerModel()), methods)
        made.append(session)
        session.opening.read(load_scan(make_study(labels=labels)))
        eventually(lambda: session.scan is not None)
        return session

    yield make
    for session in made:
        assert session.close()


@pytest.fixture
def full_session(open_session: Open, eventually: Wait, methods: list[FakeMethod]) -> Session:
    """A session with both methods done on the whole of k-space."""
    session = open_session(*methods)
    session.state.mask = SamplingCondition("full")
    eventually(lambda: session.is_settled)
    return session


def layer(session: Session, name: str) -> np.ndarray:
    return np.asarray(session.grid._tile_list.pictures[name].image.data)


def test_every_method_ends_with_the_numbers_of_the_core(
    open_session: Open, eventually: Wait, methods: list[FakeMethod]
) -> None:
    session = open_session(*methods)
    eventually(lambda: session.is_settled)
    mask = make_mask("random", (40, 32), 4.0, 0.08, 0)
    for method in methods:
        expected = finish(reconstruct(session.scan.study, method, mask, device="cpu"))
        np.testing.assert_array_equal(layer(session, method.name), expected.image)
        np.testing.assert_allclose(
            layer(session, f"{method.name}:error"), np.abs(expected.image - expected.reference), atol=1e-6
        )
        assert session.computation.status(method.name).phase is Phase.DONE
    assert "Dice" in session.computation.status("joint").text
    assert "lesions found" in session.computation.status("joint").details
    assert "lesions" not in session.computation.status("zero-filled").details


def test_a_mask_change_shows_the_zero_filled_slice_on_the_spot(
    open_session: Open, eventually: Wait, methods: list[FakeMethod]
) -> None:
    session = open_session(*methods)
    eventually(lambda: session.is_settled)
    index = session.grid.current_slice()
    session.state.mask = SamplingCondition(acceleration=8)
    shown = layer(session, "zero-filled")[index].copy()
    expected = finish(
        reconstruct(session.scan.study, methods[0], make_mask("random", (40, 32), 8.0, 0.08, 0), device="cpu")
    )
    np.testing.assert_allclose(shown, expected.image[index], atol=1e-5)
    eventually(lambda: session.is_settled)


def test_going_back_to_a_mask_computes_nothing(open_session: Open, eventually: Wait, methods: list[FakeMethod]) -> None:
    session = open_session(*methods)
    eventually(lambda: session.is_settled)
    first = session.computation.outcome("joint")
    session.state.mask = SamplingCondition(seed=1)
    eventually(lambda: session.is_settled)
    runs = methods[1].runs
    session.state.mask = SamplingCondition(seed=0)
    assert session.computation.outcome("joint") is first
    np.testing.assert_array_equal(layer(session, "joint"), first.reconstruction.image)
    eventually(lambda: session.is_settled)
    assert methods[1].runs == runs


def test_answers_to_an_old_mask_are_dropped(open_session: Open, eventually: Wait) -> None:
    slow = FakeMethod("slow", steps=3, wait_s=0.02)
    session = open_session(slow)
    eventually(lambda: session.computation.status("slow").phase is Phase.RUNNING)
    for seed in range(1, 6):
        session.state.mask = SamplingCondition(seed=seed)
    eventually(lambda: session.is_settled)
    outcome = session.computation.outcome("slow")
    assert outcome.request.mask == make_mask("random", (40, 32), 4.0, 0.08, 5)
    np.testing.assert_array_equal(layer(session, "slow"), outcome.reconstruction.image)
    assert slow.closed.is_set()


def test_cancel_ends_within_a_second_and_going_on_finishes(open_session: Open, eventually: Wait) -> None:
    slow = FakeMethod("slow", steps=5, wait_s=0.05)
    session = open_session(slow)
    eventually(lambda: session.computation.status("slow").phase is Phase.RUNNING)
    begun = time.monotonic()
    session.stop()
    eventually(lambda: session.is_settled)
    assert time.monotonic() - begun < 1
    assert session.computation.status("slow").phase is Phase.STOPPED
    session.computation.resume()
    eventually(lambda: session.computation.status("slow").phase is Phase.DONE)


def test_a_method_that_fails_says_so_and_stops_no_other(open_session: Open, eventually: Wait) -> None:
    broken = FakeMethod("broken", error=RuntimeError("not enough memory"))
    good = FakeMethod("good")
    errors: list[Exception] = []
    session = open_session(broken, good)
    session.failed.connect(errors.append)
    eventually(lambda: session.is_settled)
    assert session.computation.status("broken").phase is Phase.FAILED
    assert session.computation.status("broken").text.startswith("there is not enough memory")
    assert session.computation.status("good").phase is Phase.DONE


def test_a_file_that_does_not_open_leaves_the_session_as_it_was(
    open_session: Open, eventually: Wait, methods: list[FakeMethod], tmp_path: Path
) -> None:
    session = open_session(*methods)
    eventually(lambda: session.is_settled)
    before, errors = session.scan, []
    session.failed.connect(errors.append)
    (tmp_path / "notes.nii.gz").write_text("<html>not found</html>")
    session.open([str(tmp_path / "notes.nii.gz")])
    eventually(lambda: bool(errors))
    assert "notes.nii.gz" in str(errors[0])
    assert session.scan is before
    assert session.computation.outcome("joint") is not None


def test_an_impossible_mask_is_refused_in_a_sentence_and_the_old_one_kept(
    open_session: Open, eventually: Wait, methods: list[FakeMethod]
) -> None:
    session = open_session(*methods)
    messages: list[str] = []
    session.message.connect(messages.append)
    before = session.mask
    session.state.mask = SamplingCondition(acceleration=16, center_fraction=0.5)
    assert session.mask is before
    assert "centre" in messages[-1] or "center" in messages[-1]
    eventually(lambda: session.is_settled)


def test_labels_that_come_in_the_middle_of_work_stop_nothing(
    open_session: Open, eventually: Wait, study_folder: Path
) -> None:
    session = open_session(FakeMethod("slow", (Task.RECONSTRUCT, Task.SEGMENT), steps=3, wait_s=0.01), labels=False)
    eventually(lambda: session.computation.status("slow").phase is Phase.RUNNING)
    session.open_labels(str(study_folder.parent / "labels" / "lesion_mask.nii.gz"))
    eventually(lambda: session.scan.labels is not None and session.is_settled)
    assert session.computation.status("slow").phase is Phase.DONE
    assert session.computation.outcome("slow").assessment.lesions is not None


def test_without_labels_there_are_no_lesions(
    open_session: Open, eventually: Wait, methods: list[FakeMethod], tmp_path: Path, study_folder: Path
) -> None:
    session = open_session(*methods, labels=False)
    eventually(lambda: session.is_settled)
    assert session.computation.outcome("joint").assessment.lesions is None
    runs = methods[1].runs
    session.open_labels(str(study_folder.parent / "labels" / "lesion_mask.nii.gz"))
    eventually(lambda: session.scan.labels is not None and session.is_settled)
    assert session.computation.outcome("joint").assessment.lesions is not None
    assert methods[1].runs == runs, "labels are measured against what was computed"


def test_another_modality_is_shown_and_computed(
    open_session: Open, eventually: Wait, methods: list[FakeMethod]
) -> None:
    session = open_session(*methods)
    eventually(lambda: session.is_settled)
    session.choose_modality("T1")
    eventually(lambda: session.scan.modality == "T1" and session.is_settled)
    np.testing.assert_array_equal(layer(session, "reference"), session.scan.reference)
    assert session.computation.outcome("joint").request.modality == "T1"


def test_another_study_of_another_size_replaces_the_first(
    open_session: Open, eventually: Wait, methods: list[FakeMethod]
) -> None:
    session = open_session(*methods)
    eventually(lambda: session.is_settled)
    errors: list[Exception] = []
    session.failed.connect(errors.append)
    crop = make_study()
    larger = Geometry.axial((9, 48, 32), (3.0, 1.0, 1.0))
    volume = np.pad(np.asarray(crop.images["FLAIR"].data), ((0, 3), (0, 8), (0, 0)))
    other = Study("other", {"FLAIR": Image(volume, larger, "FLAIR")})
    session.state.mask = SamplingCondition(seed=3)
    session.opening.read(load_scan(other))
    eventually(lambda: session.scan.study is other and session.is_settled)
    assert not errors
    assert layer(session, "joint").shape == (9, 48, 32)
    assert session.computation.outcome("joint").reconstruction.image.shape == (9, 48, 32)


def test_a_study_opens_at_the_slice_with_most_labels(open_session: Open, eventually: Wait) -> None:
    session = open_session(FakeMethod("zero-filled"))
    assert session.grid.current_slice() == 2
    eventually(lambda: session.is_settled)


def test_the_smallest_lesion_changes_the_table_and_not_the_volume(
    full_session: Session, eventually: Wait, methods: list[FakeMethod]
) -> None:
    session = full_session
    runs = methods[1].runs
    assert len(session.computation.outcome("joint").assessment.lesions.rows) == 2
    session.state.min_lesion_ml = 0.1
    eventually(lambda: len(session.computation.outcome("joint").assessment.lesions.rows) == 1)
    eventually(lambda: session.is_settled)
    assert methods[1].runs == runs


def test_signed_errors_keep_their_sign(open_session: Open, eventually: Wait, methods: list[FakeMethod]) -> None:
    session = open_session(*methods)
    eventually(lambda: session.is_settled)
    assert layer(session, "joint:error").min() >= 0
    session.state.signed_errors = True
    made = session.computation.outcome("joint").reconstruction
    np.testing.assert_allclose(layer(session, "joint:error"), made.image - made.reference, atol=1e-6)


def test_a_method_that_does_not_fit_has_no_tile(open_session: Open, eventually: Wait) -> None:
    session = open_session(FakeMethod("good"), FakeMethod("unfit", fit=Fit(False, "unfit takes one coil")))
    eventually(lambda: session.is_settled)
    assert session.grid.keys == ("reference", "good", "good:error")


def test_a_method_that_only_segments_shows_the_full_image(open_session: Open, eventually: Wait) -> None:
    session = open_session(FakeMethod("unet", (Task.SEGMENT,)))
    eventually(lambda: session.is_settled)
    np.testing.assert_array_equal(layer(session, "unet"), session.scan.reference)
    assert session.grid.keys == ("reference", "unet")


def test_closing_in_the_middle_of_work_ends_the_threads(open_session: Open, eventually: Wait) -> None:
    slow = FakeMethod("slow", steps=100, wait_s=0.02)
    session = open_session(slow)
    eventually(lambda: slow.runs > 0)
    begun = time.monotonic()
    assert session.close()
    assert time.monotonic() - begun < 1
    assert slow.closed.is_set()


def test_where_a_lesion_is_and_which_one_is_there(full_session: Session) -> None:
    scan, table = full_session.scan, full_session.computation.outcome("joint").assessment.lesions
    first, second = table.rows
    assert voxel_of(table, first, scan.geometry, 0)[1:] == (16.0, 12.0)
    assert voxel_of(table, second, scan.geometry, 0) == (4.0, 26.0, 19.0)
    assert lesion_at(table, (4, 26, 19)) == second.id
    assert lesion_at(table, (4, 26, 22)) == second.id, "two voxels beside it still hit"
    assert lesion_at(table, (0, 2, 2)) is None
