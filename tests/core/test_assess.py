"""The whole assessment: what it says, what it leaves out, and what it refuses."""

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.evaluation.assessment import Assessment, assess, assess_run
from mrviewer.geometry import Geometry
from mrviewer.metrics.lesion_errors import with_local_errors
from mrviewer.metrics.lesions import lesion_table
from mrviewer.metrics.object_region import object_region
from mrviewer.metrics.overlap import overlap
from mrviewer.metrics.quality import image_quality, image_quality_in
from mrviewer.metrics.surface import hd95_mm
from mrviewer.sliced import SlicedVolume

SHAPE = (16, 17, 18)
GRID = Geometry.axial(SHAPE, (3.0, 1.0, 0.5))
Arrays = dict[str, NDArray[np.generic]]
IMAGE_KEYS = ["psnr", "ssim", "nmse", "hfen"]
SEGMENTATION_KEYS = [
    "dice", "precision", "recall", "hd95_mm", "lesion_f1", "lesion_f1_iou10", "lesions_reference", "lesions_found",
    "false_regions",
]  # fmt: skip


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    rng = np.random.default_rng(7)
    reference_image = np.abs(rng.normal(size=SHAPE))
    reference = np.zeros(SHAPE, np.uint8)
    reference[2:5, 2:6, 2:8] = 1
    reference[10:12, 10, 10] = 2
    segmentation = np.roll(reference, 1, axis=2)
    segmentation[14, 14, 1] = 1
    return {
        "image": np.abs(reference_image + 0.1 * rng.normal(size=SHAPE)),
        "image_reference": reference_image,
        "segmentation": segmentation,
        "reference": reference,
    }


def measure(arrays: Arrays, slice_axis: int = 0, min_lesion_ml: float = 0.0) -> Assessment:
    """Assess arrays by name."""
    return assess(
        image=arrays.get("image"),
        image_reference=arrays.get("image_reference"),
        segmentation=arrays.get("segmentation"),
        reference=arrays.get("reference"),
        geometry=GRID,
        slice_axis=slice_axis,
        min_lesion_ml=min_lesion_ml,
    )


def test_missing_slices_do_not_better_the_figures(arrays: Arrays) -> None:
    run = SimpleNamespace(geometry=GRID, slice_axis=0, lesions=None, missing=(3, 9))
    run.image, run.reference = arrays["image"].copy(), arrays["image_reference"].copy()
    run.image[[3, 9]] = run.reference[[3, 9]] = 0
    kept = np.setdiff1d(np.arange(SHAPE[0]), run.missing)
    assessment = assess_run(run, None)  # type: ignore[arg-type]
    assert assessment.image == image_quality(run.image[kept], run.reference[kept])
    assert assessment.image != image_quality(run.image, run.reference)
    assert any("3, 9" in convention for convention in assessment.conventions)


def test_missing_slices_are_left_out_of_segmentation_figures(arrays: Arrays) -> None:
    reference = np.zeros(SHAPE, np.uint8)
    reference[3:8, 4:8, 4:8] = 1
    reference[12, 4:8, 4:8] = 1
    segmentation = reference.copy()
    segmentation[[5, 12]] = 0
    measured = assess(segmentation=segmentation, reference=reference, geometry=GRID, missing=(12, 5))
    quality = measured.segmentation
    assert quality is not None
    # The lesion across slice 5 stays one, and the one in slice 12 alone is not asked for.
    assert (quality.dice, quality.recall, quality.hd95_mm, quality.lesion_f1) == (1, 1, 0, 1)
    assert (quality.lesions_reference, quality.lesions_found, quality.false_regions) == (1, 1, 0)
    assert measured.lesions is not None
    [row] = measured.lesions.rows
    assert row.volume_ml == pytest.approx(64 * GRID.voxel_volume_ml)
    assert row.centroid_mm == pytest.approx(GRID.to_mm(np.array([5.0, 5.5, 5.5])))
    assert measured.to_json()["missing_slices"] == [5, 12]


def test_slices_that_do_not_exist_cannot_be_missing(arrays: Arrays) -> None:
    with pytest.raises(InputError, match="16 slices; count them from 0"):
        assess(geometry=GRID, missing=(16,))
    with pytest.raises(InputError, match="nothing to measure"):
        assess(geometry=GRID, missing=range(16))


@pytest.mark.parametrize("slice_axis", [0, 2])
def test_the_assessment_holds_the_single_figures(arrays: Arrays, slice_axis: int) -> None:
    assessment = measure(arrays, slice_axis=slice_axis)
    counts = overlap(arrays["reference"], arrays["segmentation"])
    counted = lesion_table(arrays["reference"], arrays["segmentation"], GRID)
    table = with_local_errors(counted, arrays["image"], arrays["image_reference"])
    assert assessment.image is not None
    assert assessment.image == image_quality(arrays["image"], arrays["image_reference"], slice_axis)
    assert assessment.to_json()["segmentation"] == {
        "dice": counts.dice,
        "precision": counts.precision,
        "recall": counts.recall,
        "hd95_mm": hd95_mm(arrays["reference"], arrays["segmentation"], GRID.voxel_size_mm),
        "lesion_f1": table.lesion_f1,
        "lesion_f1_iou10": table.lesion_f1_iou10,
        "lesions_reference": 2,
        "lesions_found": 1,
        "false_regions": 2,
    }
    region = object_region(arrays["image_reference"], slice_axis)
    inside = image_quality_in(region, arrays["image"], arrays["image_reference"], slice_axis)
    assert assessment.image_in_object == inside
    assert assessment.to_json()["lesions"] == [row.to_json() for row in table.rows]
    assert assessment.figures() == {
        **asdict(assessment.image),
        **{f"{name}_in_object": value for name, value in asdict(inside).items()},
        **assessment.to_json()["segmentation"],
    }
    assert assessment.lesions is not None
    assert assessment.lesions.rows == table.rows


def test_images_are_measured_by_magnitude(arrays: Arrays) -> None:
    signs = np.where(np.indices(SHAPE).sum(axis=0) % 3, 1.0, -1.0)
    turned = {
        **arrays,
        "image": np.negative(arrays["image"]),
        "image_reference": np.multiply(arrays["image_reference"], signs),
    }
    assert measure(turned).image == measure(arrays).image


def test_json_has_the_promised_keys_and_plain_numbers(arrays: Arrays) -> None:
    document: dict[str, Any] = measure({name: array.astype(np.float32) for name, array in arrays.items()}).to_json()
    assert list(document) == ["image", "image_in_object", "segmentation", "lesions", "missing_slices", "conventions"]
    assert list(document["image"]) == list(document["image_in_object"]) == IMAGE_KEYS
    assert list(document["segmentation"]) == SEGMENTATION_KEYS
    assert {type(value) for value in document["image"].values()} == {float}
    assert {type(value) for value in document["segmentation"].values()} == {float, int}
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_nothing_gives_null_everywhere() -> None:
    document = assess(geometry=GRID).to_json()
    assert document["image"] == document["image_in_object"] == dict.fromkeys(IMAGE_KEYS)
    assert document["lesions"] is None
    assert document["segmentation"] == dict.fromkeys(SEGMENTATION_KEYS)
    assert document["conventions"] == []


@pytest.mark.parametrize(
    ("given", "lacking"), [("image", "fully sampled image"), ("segmentation", "reference segment")]
)
def test_what_has_no_reference_is_said_to_be_unmeasured(arrays: Arrays, given: str, lacking: str) -> None:
    assessment = measure({given: arrays[given]})
    assert (assessment.image, assessment.segmentation, assessment.lesions) == (None, None, None)
    (sentence,) = assessment.conventions
    assert f"not measured, because there is no {lacking}" in sentence


def test_empty_masks_give_null_and_not_zero() -> None:
    nothing = np.zeros(SHAPE)
    expected = dict.fromkeys(SEGMENTATION_KEYS) | {
        "dice": 1.0,
        "lesion_f1": 1.0,
        "lesion_f1_iou10": 1.0,
        "lesions_reference": 0,
        "lesions_found": 0,
        "false_regions": 0,
    }
    assert assess(segmentation=nothing, reference=nothing, geometry=GRID).to_json()["segmentation"] == expected


def test_conventions_name_the_plane_and_the_smallest_lesion(arrays: Arrays) -> None:
    text = " ".join(measure(arrays, slice_axis=1, min_lesion_ml=0.05).conventions)
    for part in ("coronal", "smaller than 0.05 ml are dropped", "26-connected", "7 x 7", "maximum of the reference"):
        assert part in text
    assert "None is dropped" in " ".join(measure(arrays).conventions)


def test_small_lesions_are_dropped_from_the_table_only(arrays: Arrays) -> None:
    every, large = (measure(arrays, min_lesion_ml=size) for size in (0.0, 0.05))
    assert every.segmentation is not None
    assert large.segmentation is not None
    assert (every.segmentation.lesions_reference, large.segmentation.lesions_reference) == (2, 1)
    assert large.segmentation.lesion_f1 == 1
    assert large.segmentation.dice == every.segmentation.dice


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("image", "image"),
        ("image_reference", "reference image"),
        ("segmentation", "segmentation"),
        ("reference", "reference segmentation"),
    ],
)
def test_arrays_of_another_grid_are_refused(arrays: Arrays, name: str, words: str) -> None:
    with pytest.raises(ShapeError, match=rf"^the {words} is \(15, 17, 18\) but its grid is \(16, 17, 18\)"):
        measure({**arrays, name: arrays[name][1:]})


def test_the_error_inside_each_lesion_is_in_every_table(arrays: Arrays) -> None:
    reference = arrays["image_reference"].astype(np.float32)
    image = reference.copy()
    image[arrays["reference"] > 0] += 0.05 * reference.max()
    lesions = measure({**arrays, "image": image, "image_reference": reference}).lesions
    assert lesions is not None
    known = [row for row in lesions.rows if row.status != "false"]
    assert [row.error_percent for row in known] == pytest.approx([5.0] * len(known), rel=1e-4)
    lazy = SlicedVolume(reference.shape, 1, lambda index: reference[:, index])
    computed = measure({**arrays, "image": image, "image_reference": lazy}).lesions
    assert computed is not None
    expected = [row.error_percent for row in lesions.rows]
    assert [row.error_percent for row in computed.rows] == pytest.approx(expected)
    without = measure({name: arrays[name] for name in ("segmentation", "reference")}).lesions
    assert without is not None
    assert [row.to_json()["error_percent"] for row in without.rows] == [None] * len(without.rows)
