"""The whole assessment: what it says, what it leaves out, and what it refuses."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.assess import Assessment, assess, assess_run
from mrviewer.errors import ShapeError
from mrviewer.geometry import Geometry
from mrviewer.lesions import lesion_table
from mrviewer.overlap import overlap
from mrviewer.quality import image_quality
from mrviewer.surface import hd95_mm

SHAPE = (16, 17, 18)
GRID = Geometry.axial(SHAPE, (3.0, 1.0, 0.5))
Arrays = dict[str, NDArray[np.generic]]
IMAGE_KEYS = ["psnr", "ssim", "nmse", "hfen"]
SEGMENTATION_KEYS = ["dice", "precision", "recall", "hd95_mm", "lesion_f1", "lesions_reference", "lesions_found"]


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


@pytest.mark.parametrize("slice_axis", [0, 2])
def test_the_assessment_holds_the_single_figures(arrays: Arrays, slice_axis: int) -> None:
    assessment = measure(arrays, slice_axis=slice_axis)
    counts = overlap(arrays["reference"], arrays["segmentation"])
    table = lesion_table(arrays["reference"], arrays["segmentation"], GRID)
    assert assessment.image == image_quality(arrays["image"], arrays["image_reference"], slice_axis)
    assert assessment.to_json()["segmentation"] == {
        "dice": counts.dice,
        "precision": counts.precision,
        "recall": counts.recall,
        "hd95_mm": hd95_mm(arrays["reference"], arrays["segmentation"], GRID.voxel_size_mm),
        "lesion_f1": table.lesion_f1,
        "lesions_reference": 2,
        "lesions_found": 1,
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
    document = measure({name: array.astype(np.float32) for name, array in arrays.items()}).to_json()
    assert list(document) == ["image", "segmentation", "conventions"]
    assert list(document["image"]) == IMAGE_KEYS
    assert list(document["segmentation"]) == SEGMENTATION_KEYS
    assert isinstance(document["image"], dict)
    assert isinstance(document["segmentation"], dict)
    assert {type(value) for value in document["image"].values()} == {float}
    assert {type(value) for value in document["segmentation"].values()} == {float, int}
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_nothing_gives_null_everywhere() -> None:
    document = assess(geometry=GRID).to_json()
    assert document["image"] == dict.fromkeys(IMAGE_KEYS)
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
        "lesions_reference": 0,
        "lesions_found": 0,
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
    assert (every.segmentation.n_lesions, large.segmentation.n_lesions) == (2, 1)
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
