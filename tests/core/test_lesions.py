"""Lesion by lesion: laws, an independent loop over masks, other libraries, and published figures."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.errors import ShapeError
from mrviewer.geometry import Geometry
from mrviewer.metrics import components
from mrviewer.metrics.boxes import bounding_box
from mrviewer.metrics.components import find_components
from mrviewer.metrics.lesions import LesionTable, Status, lesion_table
from mrviewer.metrics.overlap import overlap

SHAPE = (5, 6, 7)
GRID = Geometry.axial(SHAPE, (3.0, 2.0, 1.0))
EVERY_NEIGHBOUR = np.ones((3, 3, 3))
Mask = NDArray[np.bool_]


def random_mask(seed: int, density: float) -> Mask:
    mask: Mask = np.random.default_rng(seed).random(SHAPE) < density
    return mask


sparse_masks = st.builds(random_mask, st.integers(0, 10**6), st.sampled_from([0.0, 0.01, 0.04, 0.1, 0.3]))


def load(path: Path) -> tuple[NDArray[np.generic], Geometry]:
    """Array of a NIfTI file in internal order, and its grid."""
    image = nibabel.load(path)
    geometry = Geometry.from_stored(image.shape, image.affine)
    return geometry.to_internal(np.asanyarray(image.dataobj)), geometry


def masks(*boxes: tuple[slice | int, slice | int, slice | int]) -> Mask:
    mask = np.zeros(SHAPE, bool)
    for box in boxes:
        mask[box] = True
    return mask


def table_by_loop(reference: Mask, prediction: Mask) -> tuple[list[tuple[int, int, int]], int]:
    """Sorted (voxels, voxels of the touching components, common voxels) of each lesion, one mask at a time.

    The second value counts the predicted components that touch no lesion.
    """
    known, n_known = ndimage.label(reference, EVERY_NEIGHBOUR)
    guessed, n_guessed = ndimage.label(prediction, EVERY_NEIGHBOUR)
    rows = []
    for lesion in (known == number for number in range(1, n_known + 1)):
        union = np.isin(guessed, np.setdiff1d(guessed[lesion], [0]))
        rows.append((int(lesion.sum()), int(union.sum()), int((lesion & union).sum())))
    n_false = sum(not reference[guessed == number].any() for number in range(1, n_guessed + 1))
    return sorted(rows), n_false


@settings(max_examples=60, deadline=None)
@given(reference=sparse_masks, prediction=sparse_masks)
def test_the_table_equals_a_loop_over_masks(reference: Mask, prediction: Mask) -> None:
    table = lesion_table(reference, prediction, GRID)
    expected, n_false = table_by_loop(reference, prediction)
    rows = []
    for row in table.rows[: table.n_reference]:
        size = row.volume_ml / GRID.voxel_volume_ml
        assert row.recall is not None
        n_common = size * row.recall
        n_touching = n_common / row.precision if row.precision else 0
        assert row.dice == pytest.approx(2 * n_common / (size + n_touching))
        rows.append((round(size), round(n_touching), round(n_common)))
    assert sorted(rows) == expected
    assert table.n_false == n_false
    assert {row.status for row in table.rows[table.n_reference :]} <= {Status.FALSE}


@settings(max_examples=40, deadline=None)
@given(reference=sparse_masks, prediction=sparse_masks)
def test_flipping_both_masks_changes_no_figure(reference: Mask, prediction: Mask) -> None:
    def figures(table: LesionTable) -> list[tuple[float, ...]]:
        return sorted((row.volume_ml, row.dice, row.precision or -1, row.recall or -1) for row in table.rows)

    flip = (slice(None, None, -1),) * 3
    np.testing.assert_allclose(
        figures(lesion_table(reference, prediction, GRID)),
        figures(lesion_table(reference[flip], prediction[flip], GRID)),
    )


@settings(max_examples=40, deadline=None)
@given(reference=sparse_masks, prediction=sparse_masks)
def test_label_volumes_carry_the_rows(reference: Mask, prediction: Mask) -> None:
    table = lesion_table(reference, prediction, GRID)
    np.testing.assert_array_equal(table.reference_components > 0, reference)
    np.testing.assert_array_equal(table.predicted_components > 0, prediction)
    for row in table.rows:
        volume = table.predicted_components if row.status is Status.FALSE else table.reference_components
        voxels = np.argwhere(volume == row.id)
        assert len(voxels) * GRID.voxel_volume_ml == pytest.approx(row.volume_ml)
        assert row.centroid_mm == pytest.approx(GRID.to_mm(voxels.mean(axis=0)))
    assert [row.id for row in table.rows] == list(range(1, len(table.rows) + 1))


@settings(max_examples=40, deadline=None)
@given(mask=sparse_masks)
def test_components_do_not_depend_on_the_library(mask: Mask) -> None:
    pytest.importorskip("cc3d")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(components, "_SMALL", 0)  # masks this small are left to scipy otherwise
        here = find_components(mask)
        patch.setattr(components, "cc3d", None)
        without = find_components(mask)
    np.testing.assert_array_equal(here.ids, without.ids)
    np.testing.assert_array_equal(here.voxels, without.voxels)
    assert here.n_components == without.n_components == ndimage.label(mask, EVERY_NEIGHBOUR)[1]
    assert np.all(np.diff(here.sizes) <= 0)


def test_a_perfect_prediction_finds_everything() -> None:
    mask = masks(np.s_[0:2, 0:2, 0:2], np.s_[4:, 4:, 4:])
    table = lesion_table(mask, mask, GRID)
    assert [(row.status, row.dice, row.precision, row.recall) for row in table.rows] == [(Status.FOUND, 1, 1, 1)] * 2
    assert (table.lesion_f1, table.precision, table.recall, table.mean_dice) == (1, 1, 1, 1)


def test_one_lesion_and_one_prediction_give_the_plain_overlap() -> None:
    reference, prediction = masks(np.s_[1:4, 1:4, 1:4]), masks(np.s_[2:5, 1:4, 2:6])
    (row,) = lesion_table(reference, prediction, GRID).rows
    plain = overlap(reference, prediction)
    assert (row.dice, row.precision, row.recall) == (plain.dice, plain.precision, plain.recall)
    assert row.dice == pytest.approx(2 * 12 / (27 + 36))


def test_a_lesion_is_held_against_all_components_that_touch_it() -> None:
    lesion = masks(np.s_[2:3, 2:3, 0:7])
    prediction = masks(np.s_[2:3, 2:3, 0:2], np.s_[2:4, 2:3, 5:7], np.s_[0:1, 5:6, 0:1])
    table = lesion_table(lesion, prediction, GRID)
    found, false = table.rows
    assert (found.status, found.dice, found.precision, found.recall) == (Status.FOUND, 8 / 13, 4 / 6, 4 / 7)
    assert (false.status, false.dice, false.precision, false.recall) == (Status.FALSE, 0, 0, None)
    assert (table.n_reference, table.n_found, table.n_false, table.n_predicted) == (1, 1, 1, 3)
    assert table.lesion_f1 == pytest.approx(2 / 3)
    np.testing.assert_array_equal(np.unique(table.predicted_components[lesion]), [0, 1])


def test_one_component_that_bridges_two_lesions_finds_both_and_shows_the_larger() -> None:
    table = lesion_table(masks(np.s_[0, 0, 0:3], np.s_[0, 0, 5:7]), masks(np.s_[0, 0, 0:7]), GRID)
    assert [(row.status, row.dice) for row in table.rows] == [(Status.FOUND, 0.6), (Status.FOUND, 4 / 9)]
    assert table.n_false == 0
    assert set(table.predicted_components[0, 0]) == {1}


def test_a_missed_lesion_has_no_precision() -> None:
    table = lesion_table(masks(np.s_[0, 0, 0]), masks(), GRID)
    (row,) = table.rows
    assert (row.status, row.dice, row.precision, row.recall) == (Status.MISSED, 0, None, 0)
    assert (table.precision, table.recall, table.lesion_f1) == (None, 0, 0)


def test_nothing_and_nothing_agree() -> None:
    table = lesion_table(masks(), masks(), GRID)
    assert table.rows == ()
    assert (table.lesion_f1, table.precision, table.recall, table.mean_dice) == (1, None, None, None)


def test_corners_connect() -> None:
    assert find_components(masks(np.s_[0, 0, 0], np.s_[1, 1, 1])).n_components == 1


def test_small_components_are_dropped_on_both_sides() -> None:
    reference = masks(np.s_[0, 0, 0], np.s_[2, 2, 0:3])
    prediction = masks(np.s_[2, 2, 0:2], np.s_[4, 5, 6])
    voxel_ml = GRID.voxel_volume_ml
    table = lesion_table(reference, prediction, GRID, min_lesion_ml=2 * voxel_ml)
    assert [row.status for row in table.rows] == [Status.FOUND]
    assert np.count_nonzero(table.reference_components) == 3
    assert np.count_nonzero(table.predicted_components) == 2
    assert lesion_table(reference, prediction, GRID, min_lesion_ml=3.01 * voxel_ml).rows == ()


def test_masks_of_another_grid_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"segmentation is \(5, 6, 8\) but its reference is \(5, 6, 7\)"):
        lesion_table(masks(), np.zeros((5, 6, 8)), GRID)
    with pytest.raises(ShapeError, match=r"masks are \(2, 2, 2\) but their grid is \(5, 6, 7\)"):
        lesion_table(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), GRID)


@pytest.mark.parametrize(
    ("reference", "prediction", "expected"),
    [
        ([0, 0], [0, 0], (1, None, None)),
        ([1, 0], [0, 0], (0, None, 0)),
        ([0, 0], [1, 0], (0, 0, None)),
        ([1, 1, 0], [0, 1, 1], (0.5, 0.5, 0.5)),
        ([2, 0.4, -1], [0.1, np.nan, 0], (2 / 3, 1, 0.5)),
    ],
)
def test_overlap_and_its_empty_cases(
    reference: list[float], prediction: list[float], expected: tuple[float | None, ...]
) -> None:
    counts = overlap(np.array(reference), np.array(prediction))
    assert (counts.dice, counts.precision, counts.recall) == expected


@settings(max_examples=40, deadline=None)
@given(mask=sparse_masks)
def test_bounding_box_is_tight(mask: Mask) -> None:
    box = bounding_box(mask)
    if box is None:
        assert not mask.any()
        return
    assert np.count_nonzero(mask[box]) == np.count_nonzero(mask)
    for axis in range(3):
        ends = np.take(mask[box], [0, -1], axis=axis)
        assert np.moveaxis(ends, axis, 0).any(axis=(1, 2)).all()


@pytest.mark.parametrize(("patient", "n_lesions", "volume_ml"), [("patient07", 37, 1.3), ("patient19", 98, 49.769)])
def test_lesions_of_two_ms_patients(shared_data: Path, patient: str, n_lesions: int, volume_ml: float) -> None:
    (path,) = (shared_data / "ms_lesjak_mni" / patient).glob("GOLD_STANDARD*")
    mask, geometry = load(path)
    table = lesion_table(mask, mask, geometry)
    assert table.n_reference == table.n_found == n_lesions
    assert sum(row.volume_ml for row in table.rows) == pytest.approx(volume_ml)
    stored = nibabel.load(path)
    largest = ndimage.label(np.asarray(stored.dataobj), EVERY_NEIGHBOUR)[0]
    number = np.argmax(np.bincount(largest.ravel())[1:]) + 1
    centroid = nibabel.affines.apply_affine(stored.affine, np.argwhere(largest == number).mean(axis=0))
    assert table.rows[0].centroid_mm == pytest.approx(centroid)


def test_published_figures_of_a_stroke(shared_data: Path) -> None:
    """The four figures of the ISLES 2022 evaluation example."""
    folder = shared_data / "stroke_isles22"
    expected = json.loads((folder / "reference_metrics.json").read_text())
    (mask_path,), (dwi_path,) = folder.rglob("*msk.nii.gz"), folder.rglob("*dwi.nii.gz")
    (mask, geometry), (dwi, _) = load(mask_path), load(dwi_path)
    intensity = dwi.astype(np.float64)
    prediction = intensity > np.percentile(intensity[intensity > 0], 99)
    table = lesion_table(mask, prediction, geometry)
    counts = overlap(mask, prediction)
    assert counts.dice == pytest.approx(expected["dice"], abs=1e-12)
    assert table.lesion_f1 == pytest.approx(expected["lesion_wise_f1"], abs=1e-12)
    assert abs(table.n_reference - table.n_predicted) == expected["absolute_lesion_count_difference"]
    volume_ml = (counts.n_predicted - counts.n_reference) * geometry.voxel_volume_ml
    assert volume_ml == pytest.approx(expected["absolute_volume_difference_ml"], abs=0.005)
    by_hand = expected["counts_26"]
    assert (table.n_reference, table.n_predicted) == (by_hand["ground_truth"], by_hand["prediction"])
    assert (table.n_found, table.n_false) == (by_hand["tp"], by_hand["fp"])


def spine_maps(shared_data: Path, folder: str) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    paths = shared_data / "spine_labels_panoptica" / folder
    reference, prediction = (
        np.asanyarray(nibabel.load(paths / f"{name}.nii.gz").dataobj).astype(np.int64) for name in ("ref", "pred")
    )
    return reference, prediction


def test_published_dice_of_vertebrae(shared_data: Path) -> None:
    document = json.loads((shared_data / "spine_labels_panoptica" / "reference_metrics.json").read_text())
    reference, prediction = spine_maps(shared_data, "matched_instance")
    expected = document["matched_instance"]["global_binary_dice"]
    assert overlap(reference, prediction).dice == pytest.approx(expected, abs=1e-12)


def test_published_dice_of_spine_groups(shared_data: Path) -> None:
    document = json.loads((shared_data / "spine_labels_panoptica" / "reference_metrics.json").read_text())
    expected = document["unmatched_instance"]["global_binary_dice"]
    reference, prediction = spine_maps(shared_data, "unmatched_instance")
    prediction[prediction == 27] = 26
    groups = {"vertebra": (1, 10), "ivd": (101, 110), "sacrum": (26, 26), "endplate": (201, 210)}
    for name, (first, last) in groups.items():
        known, guessed = (np.where((first <= one) & (one <= last), one, 0) for one in (reference, prediction))
        assert overlap(known, guessed).dice == pytest.approx(expected[name], abs=1e-12), name


def test_one_blob_over_a_whole_head_matches_no_lesion() -> None:
    reference = np.zeros((20, 20, 20), np.uint8)
    for corner in range(2, 18, 5):
        reference[corner : corner + 2, corner : corner + 2, corner : corner + 2] = 1
    blob = np.ones_like(reference)
    table = lesion_table(reference, blob, Geometry.axial(reference.shape, (1.0, 1.0, 1.0)))
    assert (table.n_found, table.n_false, table.lesion_f1) == (4, 0, 1.0)
    assert (table.n_matched, table.n_unmatched, table.lesion_f1_iou10) == (0, 1, 0.0)


def test_a_match_needs_a_tenth_of_the_union() -> None:
    reference = np.zeros((4, 30, 30), np.uint8)
    reference[1, 1, :10] = 1
    grid = Geometry.axial(reference.shape, (1.0, 1.0, 1.0))
    for n_common, matches in ((1, True), (1, False)):
        prediction = np.zeros_like(reference)
        prediction[1, 1, :n_common] = 1
        if not matches:
            prediction[1, 2, 0] = 1
        table = lesion_table(reference, prediction, grid)
        assert (table.n_found, table.n_matched, table.n_unmatched) == (1, int(matches), int(not matches))


@pytest.mark.parametrize("seed", range(20))
def test_matching_is_never_more_lenient_than_touching(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, prediction = (ndimage.gaussian_filter(rng.normal(size=(12, 24, 24)), 1.5) > 0.12 for _ in range(2))
    grid = Geometry.axial((12, 24, 24), (1.0, 1.0, 1.0))
    table = lesion_table(reference, prediction, grid)
    assert table.n_matched <= table.n_found
    assert table.n_unmatched >= table.n_false
    assert table.lesion_f1_iou10 <= table.lesion_f1
    assert lesion_table(reference, reference, grid).lesion_f1_iou10 == 1
    ious = [row.dice / (2 - row.dice) for row in table.rows if row.status == "found"]
    assert table.n_matched == sum(iou >= 0.1 - 1e-12 for iou in ious)
