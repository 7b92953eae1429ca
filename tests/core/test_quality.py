"""Image quality against scikit-image, against published figures, and what cannot be computed."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.errors import ShapeError
from mrviewer.metrics.quality import (
    ImageQuality,
    SliceQuality,
    error_map,
    hfen,
    image_quality,
    nmse,
    psnr,
    slice_quality,
    ssim,
    ssim_by_slice,
)

metrics = pytest.importorskip("skimage.metrics")
Volume = NDArray[np.float64]


@pytest.fixture(scope="module")
def pair() -> tuple[Volume, Volume]:
    """A smooth bright blob in air, and the same with noise; no two sizes alike."""
    rng = np.random.default_rng(5)
    reference = np.abs(ndimage.gaussian_filter(rng.normal(size=(17, 33, 26)), 2)) * 900
    reference[:3] = 0
    return reference + rng.normal(0, 20, reference.shape), reference


@pytest.mark.parametrize("slice_axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ssim_equals_scikit_image(pair: tuple[Volume, Volume], slice_axis: int, dtype: type[np.floating]) -> None:
    image, reference = (volume.astype(dtype) for volume in pair)
    expected = [
        metrics.structural_similarity(x, y, win_size=7, data_range=pair[1].max())
        for x, y in zip(np.moveaxis(pair[0], slice_axis, 0), np.moveaxis(pair[1], slice_axis, 0), strict=True)
    ]
    by_slice = ssim_by_slice(image, reference, slice_axis)
    assert by_slice is not None
    np.testing.assert_allclose(by_slice, expected, atol=1e-6)
    assert ssim(image, reference, slice_axis) == pytest.approx(np.mean(expected), abs=1e-6)


@pytest.mark.parametrize(("floor", "noise"), [(0.0, 0.3), (1.0, 0.001), (1.0, 0.3), (1e-7, 1e-8), (4000, 1)])
@pytest.mark.parametrize("shape", [(7, 7), (7, 400), (301, 257)])
def test_ssim_keeps_its_accuracy_on_bright_faint_and_large_slices(
    floor: float, noise: float, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    reference = floor + np.abs(rng.normal(0, noise, shape))
    image = reference + rng.normal(0, noise, shape)
    expected = metrics.structural_similarity(image, reference, win_size=7, data_range=reference.max())
    assert slice_quality(image, reference, reference.max()).ssim == pytest.approx(expected, abs=1e-6)


def test_psnr_equals_scikit_image(pair: tuple[Volume, Volume]) -> None:
    image, reference = pair
    expected = metrics.peak_signal_noise_ratio(reference, image, data_range=reference.max())
    assert psnr(image, reference) == pytest.approx(expected, abs=1e-9)
    assert psnr(image, reference, data_range=2 * reference.max()) == pytest.approx(expected + 20 * math.log10(2))


def test_nmse_and_psnr_agree(pair: tuple[Volume, Volume]) -> None:
    image, reference = pair
    error, decibels = nmse(image, reference), psnr(image, reference)
    assert error is not None
    mean_square = error * np.mean(reference**2)
    assert decibels == pytest.approx(10 * np.log10(reference.max() ** 2 / mean_square))


@pytest.mark.parametrize("slice_axis", [0, 1, 2])
def test_hfen_equals_a_plain_convolution(pair: tuple[Volume, Volume], slice_axis: int) -> None:
    rng = np.random.default_rng(2)
    reference = np.moveaxis(ndimage.gaussian_filter(rng.normal(size=(3, 19, 24)), 1), 0, slice_axis)
    image = reference + 0.1 * rng.normal(size=reference.shape)
    y, x = np.mgrid[-7:8, -7:8]
    gaussian = np.exp(-(x**2 + y**2) / (2 * 1.5**2))
    kernel = gaussian / gaussian.sum() * (x**2 + y**2 - 2 * 1.5**2) / 1.5**4
    kernel -= kernel.mean()

    def edges(volume: Volume) -> Volume:
        slices = np.moveaxis(volume, slice_axis, 0)
        return np.stack([ndimage.convolve(one, kernel)[7:-7, 7:-7] for one in slices])

    expected = np.linalg.norm(edges(image) - edges(reference)) / np.linalg.norm(edges(reference))
    assert hfen(image, reference, slice_axis) == pytest.approx(expected, rel=1e-9)


def test_figures_do_not_depend_on_units_or_on_flips(pair: tuple[Volume, Volume]) -> None:
    image, reference = pair
    expected = image_quality(image, reference)
    scaled = image_quality(image * 1e-9, reference * 1e-9)
    flipped = image_quality(image[::-1, ::-1, ::-1], reference[::-1, ::-1, ::-1])
    for name in ("psnr", "ssim", "nmse", "hfen"):
        assert getattr(scaled, name) == pytest.approx(getattr(expected, name), rel=1e-6), name
        assert getattr(flipped, name) == pytest.approx(getattr(expected, name), rel=1e-6), name


def test_more_noise_is_worse_by_every_figure(pair: tuple[Volume, Volume]) -> None:
    image, reference = pair
    near, far = image_quality(image, reference), image_quality(3 * image - 2 * reference, reference)
    assert near.psnr is not None
    assert far.psnr == pytest.approx(near.psnr - 20 * math.log10(3))
    assert near.nmse is not None
    assert far.nmse == pytest.approx(9 * near.nmse)
    assert near.hfen is not None
    assert far.hfen == pytest.approx(3 * near.hfen)
    assert near.ssim is not None
    assert far.ssim is not None
    assert far.ssim < near.ssim


def test_complex_images_are_taken_by_magnitude(pair: tuple[Volume, Volume]) -> None:
    image, reference = np.abs(pair[0]), pair[1]
    phase = np.exp(1j * np.linspace(0, 6, image.size)).reshape(image.shape)
    figures, expected = image_quality(image * phase, reference), image_quality(image, reference)
    assert figures.psnr == pytest.approx(expected.psnr)
    assert figures.ssim == pytest.approx(expected.ssim)
    assert figures.hfen == pytest.approx(expected.hfen)


def test_unsigned_integers_do_not_wrap_around() -> None:
    rng = np.random.default_rng(1)
    reference = rng.integers(0, 255, (2, 20, 20), dtype=np.uint8)
    image = rng.integers(0, 255, (2, 20, 20), dtype=np.uint8)
    figures, expected = image_quality(image, reference), image_quality(image.astype(float), reference.astype(float))
    assert figures.psnr == pytest.approx(expected.psnr)
    assert figures.ssim == pytest.approx(expected.ssim, abs=1e-6)
    assert figures.nmse == pytest.approx(expected.nmse)
    assert figures.hfen == pytest.approx(expected.hfen)
    np.testing.assert_array_equal(error_map(image, reference), image.astype(float) - reference)


def test_slice_quality_is_the_volume_figure_of_one_slice(pair: tuple[Volume, Volume]) -> None:
    image, reference = pair
    by_slice = ssim_by_slice(image, reference)
    assert by_slice is not None
    one = slice_quality(image[8], reference[8], reference.max())
    assert one.ssim == pytest.approx(by_slice[8])
    assert one.psnr == pytest.approx(psnr(image[8:9], reference[8:9], data_range=reference.max()))


def test_identical_images_have_no_finite_psnr(pair: tuple[Volume, Volume]) -> None:
    reference = pair[1]
    figures = image_quality(reference, reference)
    assert (figures.psnr, figures.nmse) == (None, 0.0)
    assert figures.ssim == pytest.approx(1, abs=1e-6)
    assert figures.hfen == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("which", ["image", "reference"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_damaged_voxels_leave_nothing_to_compute(pair: tuple[Volume, Volume], which: str, bad: float) -> None:
    image, reference = pair[0].copy(), pair[1].copy()
    (image if which == "image" else reference)[5, 16, 13] = bad
    assert image_quality(image, reference) == ImageQuality(None, None, None, None)
    data_range = float(pair[1].max())
    assert slice_quality(image[5], reference[5], data_range) == SliceQuality(None, None)


def test_an_empty_reference_leaves_nothing_to_compute() -> None:
    image = np.ones((2, 20, 20))
    assert image_quality(image, np.zeros_like(image)) == ImageQuality(None, None, None, None)
    assert slice_quality(image[0], np.zeros((20, 20)), 0.0) == SliceQuality(None, None)


def test_a_constant_reference_has_no_edges() -> None:
    rng = np.random.default_rng(3)
    reference = np.full((2, 20, 20), 7.3)
    figures = image_quality(reference + rng.normal(size=reference.shape), reference)
    assert figures.hfen is None
    assert figures.psnr is not None


def test_slices_smaller_than_the_window_have_no_ssim_and_no_hfen() -> None:
    rng = np.random.default_rng(4)
    image, reference = rng.random((2, 6, 20)), rng.random((2, 6, 20))
    figures = image_quality(image, reference)
    assert figures.ssim is None
    assert figures.hfen is None
    assert figures.psnr is not None
    assert slice_quality(image[0], reference[0], 1.0).ssim is None


def test_error_map_is_the_difference_of_magnitudes() -> None:
    image, reference = np.array([[3 + 4j, 1]]), np.array([[4.0, -1.0]])
    np.testing.assert_array_equal(error_map(image, reference), [[1, 2]])
    np.testing.assert_array_equal(error_map(-image.real, reference, signed=False), [[7, 0]])
    assert error_map(image, reference).dtype == np.float32


@pytest.mark.parametrize("measure", [psnr, ssim, nmse, hfen, error_map])
def test_images_of_two_sizes_are_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ShapeError, match=r"the image is \(2, 20, 20\) but its reference is \(3, 20, 20\)"):
        measure(np.ones((2, 20, 20)), np.ones((3, 20, 20)))


def test_what_is_no_volume_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"axis 3.*an axis 0 to 2"):
        ssim(np.ones((9, 9, 9)), np.ones((9, 9, 9)), slice_axis=3)
    with pytest.raises(ShapeError, match=r"\(z, y, x\)"):
        hfen(np.ones((20, 20)), np.ones((20, 20)))
    with pytest.raises(ShapeError, match="give one slice"):
        slice_quality(np.ones((2, 9, 9)), np.ones((2, 9, 9)), 1.0)


def test_published_figures_of_a_brain_slice(shared_data: Path) -> None:
    """PSNR, NMSE and SSIM of zero-filled images under four masks."""
    folder = shared_data / "kspace_brain4ch_t2"
    cases = json.loads((folder / "reference_metrics.json").read_text())["cases"]
    stored = np.fromfile(folder / "derived" / "brain4ch_ksp.cfl", np.complex64)
    kspace = stored.reshape((256, 256, 1, 4), order="F")[:, :, 0].transpose(2, 0, 1).astype(np.complex128)
    random_columns = np.load(folder / "derived" / "mask_random_R4_cf08_256.npy").astype(bool).ravel()
    central = np.zeros(256, bool)
    central[96:160] = True
    equispaced = np.zeros(256, bool)
    equispaced[::4] = True
    equispaced[118:138] = True
    masks = dict(zip(cases, (random_columns, central, equispaced, random_columns[:, None]), strict=True))

    def root_sum_of_squares(data: NDArray[np.complex128]) -> Volume:
        shifted = np.fft.ifftshift(data, axes=(-2, -1))
        coils = np.fft.fftshift(np.fft.ifft2(shifted, norm="ortho"), axes=(-2, -1))
        combined: Volume = np.sqrt(np.sum(np.abs(coils) ** 2, axis=0, keepdims=True))
        return combined

    reference = root_sum_of_squares(kspace)
    for name, expected in cases.items():
        figures = image_quality(root_sum_of_squares(kspace * masks[name]), reference)
        assert figures.nmse == pytest.approx(expected["nmse"], abs=1e-6), name
        assert figures.psnr == pytest.approx(expected["psnr_db_range_refmax"], abs=1e-5), name
        assert figures.ssim == pytest.approx(expected["ssim_win7_uniform_range_refmax"], abs=1e-6), name
