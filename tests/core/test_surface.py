"""Surface distance: laws, and MONAI as the oracle."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.errors import ShapeError
from mrviewer.metrics.surface import hd95_mm, surface

SPACINGS = [(1.0, 1.0, 1.0), (5.0, 0.45, 0.45), (40.0, 0.5, 0.5), (0.7, 3.0, 1.1)]


def blobs(seed: int, shape: tuple[int, int, int] = (18, 24, 21)) -> NDArray[np.bool_]:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    mask: NDArray[np.bool_] = noise > np.quantile(noise, 0.93)
    return mask


def by_brute_force(one: NDArray[np.bool_], other: NDArray[np.bool_], spacing: tuple[float, float, float]) -> float:
    shells = [mask & ~ndimage.binary_erosion(mask) for mask in (one, other)]
    points = [np.argwhere(shell) * spacing for shell in shells]
    distances = np.linalg.norm(points[0][:, None] - points[1], axis=2)
    return float(max(np.quantile(distances.min(axis=1), 0.95), np.quantile(distances.min(axis=0), 0.95)))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(4))
def test_equals_brute_force(seed: int, spacing: tuple[float, float, float]) -> None:
    one, other = blobs(seed), blobs(seed + 100)
    other |= one & (np.arange(21) > 10)
    assert hd95_mm(one, other, spacing) == pytest.approx(by_brute_force(one, other, spacing))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("kind", ["near", "far"])
def test_equals_monai(spacing: tuple[float, float, float], kind: str) -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MONAI's own deprecations
        metrics = pytest.importorskip("monai.metrics")
        one = blobs(1)
        other = ndimage.binary_dilation(one, iterations=2) if kind == "near" else np.roll(one, (7, 9, 8), (0, 1, 2))
        expected = metrics.compute_hausdorff_distance(
            torch.tensor(other)[None, None],
            torch.tensor(one)[None, None],
            include_background=True,
            percentile=95,
            spacing=spacing,
        )
    assert hd95_mm(one, other, spacing) == pytest.approx(expected.item(), rel=1e-5)


def test_is_symmetric_and_zero_for_equal_masks() -> None:
    one, other = blobs(2), blobs(3)
    assert hd95_mm(one, other, (2, 1, 1)) == hd95_mm(other, one, (2, 1, 1))
    assert hd95_mm(one, one, (2, 1, 1)) == 0


def test_grows_with_the_voxels() -> None:
    one, other = blobs(4), np.roll(blobs(4), 3, axis=1)
    distance = hd95_mm(one, other, (1, 1, 1))
    assert distance is not None
    assert hd95_mm(one, other, (2.5, 2.5, 2.5)) == pytest.approx(2.5 * distance)


@pytest.mark.parametrize("step", [1, 4, 15])
def test_two_single_voxels_are_as_far_apart_as_they_lie(step: int) -> None:
    one, other = np.zeros((3, 3, 20), bool), np.zeros((3, 3, 20), bool)
    one[1, 1, 2] = other[1, 1, 2 + step] = True
    assert hd95_mm(one, other, (4.0, 1.0, 0.6)) == pytest.approx(0.6 * step)


def test_the_rim_of_the_array_is_surface() -> None:
    mask = np.ones((4, 5, 6), bool)
    assert np.count_nonzero(surface(mask)) == 4 * 5 * 6 - 2 * 3 * 4
    np.testing.assert_array_equal(surface(blobs(5)), blobs(5) & ~ndimage.binary_erosion(blobs(5)))


@pytest.mark.parametrize("empty", ["reference", "prediction", "both"])
def test_an_empty_mask_has_no_distance(empty: str) -> None:
    mask, nothing = blobs(6), np.zeros((18, 24, 21), bool)
    one = nothing if empty in ("reference", "both") else mask
    other = nothing if empty in ("prediction", "both") else mask
    assert hd95_mm(one, other, (1, 1, 1)) is None


def test_masks_of_two_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="give two masks on one grid"):
        hd95_mm(np.ones((2, 2, 2)), np.ones((2, 2, 3)), (1, 1, 1))
