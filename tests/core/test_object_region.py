"""The object in an image, and figures inside it: laws, and answers that are known."""

from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer.metrics.object_region import object_region
from mrviewer.metrics.quality import ImageQuality, image_quality, image_quality_in
from mrviewer.metrics.ssim import WINDOW
from mrviewer.sliced import SlicedVolume

SHAPE = (10, 60, 52)
Floats = NDArray[np.floating]


def ball(radius: float = 0.34) -> NDArray[np.bool_]:
    z, y, x = np.indices(SHAPE)
    inside: NDArray[np.bool_] = np.hypot((y - 30) / 60, (x - 26) / 52) < radius
    return inside & (z > 0)


def head(noise: float = 2.0, seed: int = 0) -> Floats:
    """Textured tissue with a dark cavity and a bright rim beyond a dark gap, in noisy air."""
    rng = np.random.default_rng(seed)
    tissue = 100 + 20 * rng.random(SHAPE)
    image = np.where(ball(0.27), tissue, 0) + np.where(ball() & ~ball(0.3), 180, 0)
    image[3:7, 25:33, 22:28] = 1
    air: Floats = np.hypot(rng.normal(0, noise, SHAPE), rng.normal(0, noise, SHAPE))
    return image + air


def degraded(image: Floats, seed: int = 1) -> Floats:
    changed: Floats = np.abs(image + np.random.default_rng(seed).normal(0, 5, image.shape))
    return changed


@pytest.mark.parametrize("noise", [0.5, 2.0, 5.0])
def test_the_head_is_found_with_its_cavities_and_without_air(noise: float) -> None:
    found, true = object_region(head(noise)), ball()
    assert np.count_nonzero(found ^ true) < 0.03 * np.count_nonzero(true)
    assert found[5, 29, 25]
    assert not found[:, :8].any()


def test_a_skull_stripped_image_is_all_that_is_not_zero() -> None:
    image = np.where(ball(), np.random.default_rng(0).uniform(0.5, 100, SHAPE), 0)
    assert np.array_equal(object_region(image), ball())


def test_what_rounding_in_kspace_leaves_of_zeros_is_zero() -> None:
    image = np.where(ball(), np.random.default_rng(0).uniform(0.5, 100, SHAPE), 0)
    rounded = np.abs(image + 1e-5 * np.random.default_rng(1).normal(size=SHAPE))
    assert np.array_equal(object_region(rounded), object_region(image))


def test_an_image_without_air_is_all_object() -> None:
    image = np.random.default_rng(0).uniform(50, 100, SHAPE)
    assert object_region(image).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_object_is_turned_with_the_image(axis: int) -> None:
    assert np.array_equal(object_region(np.flip(head(), axis)), np.flip(object_region(head()), axis))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_object_does_not_depend_on_axis_scale_or_sign(axis: int) -> None:
    turned = np.moveaxis(head(), 0, axis)
    expected = np.moveaxis(object_region(head()), 0, axis)
    assert np.array_equal(object_region(turned, axis), expected)
    assert np.array_equal(object_region(-1e-6 * turned, axis), expected)
    assert np.array_equal(object_region(1j * turned, axis), expected)


def test_what_is_not_finite_is_no_object() -> None:
    image = head()
    image[0, 0, 0], image[0, 0, 1] = np.nan, np.inf
    assert np.array_equal(object_region(image), object_region(head()))


def test_an_empty_image_has_no_object_and_no_figures() -> None:
    empty = np.zeros(SHAPE)
    assert not object_region(empty).any()
    nothing = ImageQuality(None, None, None, None)
    assert image_quality_in(object_region(empty), empty, empty) == nothing


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_where_the_object_is_everything_the_figures_are_the_plain_ones(axis: int) -> None:
    reference = np.random.default_rng(0).uniform(50, 100, (20, 24, 22))
    image = degraded(reference)
    inside, plain = (
        image_quality_in(np.ones(reference.shape, bool), image, reference, axis),
        image_quality(image, reference, axis),
    )
    for name in ("psnr", "ssim", "nmse", "hfen"):
        assert getattr(inside, name) == pytest.approx(getattr(plain, name), rel=1e-9)


def test_air_beyond_the_reach_of_a_window_changes_nothing() -> None:
    reference, image = head(), degraded(head())
    region = object_region(reference)
    air = ~np.any([np.roll(region, (a, b), (1, 2)) for a in range(-7, 8) for b in range(-7, 8)], axis=0)
    assert air.any()
    other = np.where(air, 50 * np.random.default_rng(9).random(SHAPE), image)
    before, after = (image_quality_in(region, one, reference) for one in (image, other))
    assert (before.psnr, before.nmse) == (after.psnr, after.nmse)
    assert before.ssim == pytest.approx(after.ssim, abs=1e-6)
    assert before.hfen == pytest.approx(after.hfen, rel=1e-6)
    assert image_quality(image, reference).ssim != pytest.approx(image_quality(other, reference).ssim, abs=1e-2)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_that_are_computed_when_looked_at_give_the_same(axis: int) -> None:
    reference, image = head().astype(np.float32), degraded(head()).astype(np.float32)
    lazy = SlicedVolume(SHAPE, axis, lambda index: np.moveaxis(reference, axis, 0)[index])
    region = object_region(reference)
    assert np.array_equal(object_region(lazy), region)
    expected = asdict(image_quality_in(region, image, reference))
    assert asdict(image_quality_in(region, image, lazy)) == pytest.approx(expected, rel=1e-9)


def test_figures_by_their_definition() -> None:
    reference, image, region = head(), degraded(head()), ball(0.2)
    found = image_quality_in(region, image, reference)
    error = (image - reference)[region]
    assert found.psnr == pytest.approx(10 * np.log10(reference.max() ** 2 / np.mean(error**2)))
    assert found.nmse == pytest.approx(np.sum(error**2) / np.sum(reference[region] ** 2))
    assert found.ssim == pytest.approx(_ssim_map(image, reference)[region].mean(), abs=1e-5)


def _ssim_map(image: Floats, reference: Floats) -> Floats:
    from skimage.metrics import structural_similarity

    maps = [
        structural_similarity(x, y, win_size=WINDOW, data_range=reference.max(), full=True)[1]
        for x, y in zip(image, reference, strict=True)
    ]
    return np.stack(maps)


def test_exact_zeros_outside_do_not_decide_which_method_is_better() -> None:
    """A method that leaves air at 0 wins over the whole volume, and one that is better in the head wins there."""
    reference = np.where(ball(), head(), 0)
    rng = np.random.default_rng(3)
    clean_air = reference + np.where(ball(), rng.normal(0, 25, SHAPE), 0)
    clean_head = reference + np.where(ball(), rng.normal(0, 5, SHAPE), rng.normal(0, 8, SHAPE))
    whole = [image_quality(image, reference).ssim for image in (clean_air, clean_head)]
    inside = [image_quality_in(object_region(reference), image, reference).ssim for image in (clean_air, clean_head)]
    assert (whole[0] or 0) > (whole[1] or 1)
    assert (inside[0] or 1) < (inside[1] or 0)


def test_integers_give_the_figures_of_their_values() -> None:
    reference, image = (np.rint(one).astype(np.uint16) for one in (head(), degraded(head())))
    region = object_region(reference)
    assert np.array_equal(region, object_region(reference.astype(float)))
    expected = image_quality_in(region, image.astype(float), reference.astype(float))
    assert asdict(image_quality_in(region, image, reference)) == pytest.approx(asdict(expected), rel=1e-6)
    assert image_quality(image, reference).ssim == pytest.approx(
        image_quality(image.astype(float), reference.astype(float)).ssim, rel=1e-6
    )


def test_a_region_of_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match="its reference is"):
        image_quality_in(np.ones((2, 3, 4), bool), head(), head())
