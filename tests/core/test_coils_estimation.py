"""Sensitivities, whitening, compression and combination keep the laws that define them."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from raw_files import coil_images, kspace, object_image

from mrviewer.coils import (
    Espirit,
    calibration_region,
    compress,
    compression_matrix,
    espirit_maps,
    estimate_maps,
    noise_covariance,
    ring_coil_maps,
    root_sum_of_squares,
    whiten,
    whitening_matrix,
)
from mrviewer.errors import InputError, ShapeError
from mrviewer.physics import adjoint, fft2c, ifft2c

RNG = np.random.default_rng(5)


def alike(first: NDArray[np.complex64], second: NDArray[np.complex64]) -> NDArray[np.float32]:
    """How far two maps agree in each pixel, whatever their common phase: 1 is fully."""
    return np.abs(np.sum(np.conj(first) * second, axis=0))


def noisy(samples: NDArray[np.complex64], level: float) -> NDArray[np.complex64]:
    noise = RNG.standard_normal((2, *samples.shape))
    return (samples + level * (noise[0] + 1j * noise[1])).astype(np.complex64)


@pytest.mark.parametrize("n_coils", [2, 4, 8])
@pytest.mark.parametrize("shape", [(48, 40), (41, 53)])
def test_espirit_finds_the_maps_of_a_simulation(n_coils: int, shape: tuple[int, int]) -> None:
    true = ring_coil_maps(shape, n_coils)
    inside = object_image(*shape) > 0
    found = estimate_maps(noisy(fft2c(object_image(*shape) * true), 1e-4))
    assert found.shape == true.shape
    assert found.dtype == np.complex64
    assert alike(found, true)[inside].min() > 0.99
    assert np.allclose(np.sum(np.abs(found) ** 2, axis=0), 1, atol=1e-4)


def test_espirit_agrees_with_sigpy(shared_data: Path) -> None:
    sigpy_mri = pytest.importorskip("sigpy.mri")
    path = shared_data / "kspace_brain4ch_t2" / "derived" / "brain4ch_fastmri_layout.h5"
    with h5py.File(path) as file:
        samples = np.ascontiguousarray(file["kspace"][0][:, 64:192, 64:192])
    theirs = sigpy_mri.app.EspiritCalib(
        samples, calib_width=24, thresh=0.02, kernel_width=6, crop=0.95, max_iter=60, show_pbar=False
    ).run()
    middle = tuple(slice(size // 2 - 12, size // 2 + 12) for size in samples.shape[1:])
    centre = samples[:, middle[0], middle[1]] / np.abs(samples).max()
    ours = espirit_maps(centre, samples.shape[1:], Espirit(crop=0.95, iterations=60))
    both = (np.abs(theirs).sum(axis=0) > 0) & (np.abs(ours).sum(axis=0) > 0)
    either = (np.abs(theirs).sum(axis=0) > 0) | (np.abs(ours).sum(axis=0) > 0)
    assert np.count_nonzero(both) > 0.97 * np.count_nonzero(either)
    assert np.quantile(alike(ours, theirs)[both], 0.01) > 0.99
    assert np.allclose(np.abs(ours)[:, both], np.abs(theirs)[:, both], atol=0.1)


def test_maps_on_a_coarse_grid_are_those_on_a_fine_one() -> None:
    true = ring_coil_maps((384, 200), 4)
    image = object_image(384, 200)
    found = estimate_maps(noisy(fft2c(image * true), 1e-4))
    assert alike(found, true)[image > 0].min() > 0.995


def test_the_image_becomes_nearly_real_and_keeps_its_magnitude() -> None:
    phase = np.exp(1j * (np.linspace(-2, 2, 40)[:, None] + np.linspace(0, 3, 32)))
    samples = noisy(fft2c(coil_images()[0] * phase), 1e-4)
    image = adjoint(samples, estimate_maps(samples))
    assert np.linalg.norm(image.imag) < 0.05 * np.linalg.norm(image.real)
    assert np.allclose(np.abs(image), root_sum_of_squares(ifft2c(samples)), atol=0.02)


def test_undersampled_data_are_calibrated_by_their_centre() -> None:
    pattern = np.zeros((1, 32), bool)
    pattern[:, ::4] = True
    pattern[:, 9:24] = True
    samples = noisy(kspace()[0], 1e-4)
    found = estimate_maps(samples * pattern, pattern)
    assert alike(found, estimate_maps(samples))[object_image() > 0].min() > 0.97


def test_a_calibration_scan_is_used_where_there_is_one() -> None:
    samples = noisy(kspace()[0], 1e-4)
    pattern = np.zeros((1, 32), bool)
    pattern[:, ::3] = True
    centre = samples[:, 8:32, 4:28]
    found = estimate_maps(samples * pattern, pattern, centre)
    assert np.array_equal(found, estimate_maps(samples, None, centre))


@pytest.mark.parametrize("width", [1, 3, 6])
def test_a_centre_too_small_for_kernels_gives_low_resolution_maps(width: int) -> None:
    pattern = np.zeros((40, 32), bool)
    pattern[20 - width : 20 + width, 16 - width // 2 : 16 - width // 2 + width] = True
    found = estimate_maps(kspace()[0] * pattern, pattern)
    assert np.isfinite(found).all()
    assert alike(found, ring_coil_maps((40, 32), 3))[object_image() > 0].mean() > 0.8


def test_empty_and_single_coil_data_have_maps_too() -> None:
    blank = estimate_maps(np.zeros((4, 16, 16), np.complex64))
    assert np.allclose(np.sum(np.abs(blank) ** 2, axis=0), 1)
    one = estimate_maps(kspace(n_coils=1)[0])
    assert np.allclose(np.abs(one), 1, atol=1e-6)


def test_values_of_any_scale_give_the_same_maps() -> None:
    samples = noisy(kspace()[0], 1e-4)
    tiny = estimate_maps(samples * np.float32(1e-12))
    assert alike(estimate_maps(samples), tiny)[object_image() > 0].min() > 0.9999


def test_espirit_refuses_a_centre_smaller_than_its_kernel() -> None:
    with pytest.raises(ShapeError, match=r"\(5, 9\) \(y, x\), smaller than the kernel of 6"):
        espirit_maps(np.ones((2, 5, 9), np.complex64), (16, 16))


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (range(40), range(10, 22), (24, 12)),
        (range(14, 26), range(10, 22), (12, 12)),
        (range(20, 21), range(16, 17), (1, 1)),
        (range(3), range(3), (0, 0)),
    ],
)
def test_the_calibration_region_is_the_block_without_gaps(
    rows: range, columns: range, expected: tuple[int, int]
) -> None:
    pattern = np.zeros((40, 32), bool)
    pattern[np.ix_(rows, columns)] = True
    region = calibration_region(pattern, (40, 32))
    assert tuple(part.stop - part.start for part in region) == expected
    assert pattern[region].all()
    if min(expected):
        assert region[0].start + expected[0] // 2 == 20
        assert region[1].start + expected[1] // 2 == 16


def test_whitening_makes_noise_independent() -> None:
    mixing = RNG.standard_normal((4, 4)) + 1j * RNG.standard_normal((4, 4))
    noise = (mixing @ (RNG.standard_normal((4, 20000)) + 1j * RNG.standard_normal((4, 20000)))).astype(np.complex64)
    matrix = whitening_matrix(noise_covariance(noise))
    assert matrix is not None
    assert np.allclose(noise_covariance(whiten(noise, matrix)), np.eye(4), atol=1e-3)
    doubled = whitening_matrix(noise_covariance(noise), bandwidth_ratio=4.0)
    assert doubled is not None
    assert np.allclose(doubled * 2, matrix, atol=1e-5)


def test_a_noise_scan_that_determines_nothing_is_known() -> None:
    assert whitening_matrix(np.diag([1.0, 0.0]).astype(complex)) is None
    with pytest.raises(ShapeError, match="3 samples of 4 coils"):
        noise_covariance(np.ones((4, 3), np.complex64))
    with pytest.raises(ShapeError, match="2 coils but the noise scan had 3"):
        whiten(np.ones((2, 5), np.complex64), np.eye(3, dtype=np.complex64))


def test_compression_keeps_the_signal_in_few_coils() -> None:
    images = coil_images(n_coils=8)[0]
    matrix = compression_matrix(fft2c(images), 4)
    assert np.allclose(matrix @ matrix.conj().T, np.eye(4), atol=1e-5)
    assert np.linalg.norm(compress(images, matrix)) > 0.98 * np.linalg.norm(images)
    full = compress(images, compression_matrix(images, 8))
    assert np.allclose(root_sum_of_squares(full), root_sum_of_squares(images), atol=1e-4)


def test_compression_refuses_what_cannot_be() -> None:
    with pytest.raises(InputError, match="9 virtual coils were asked for and the scan has 8"):
        compression_matrix(np.ones((8, 4)), 9)
    with pytest.raises(ShapeError, match="3 coils but the matrix mixes 4"):
        compress(np.ones((3, 5, 5)), np.ones((2, 4)))


def test_root_sum_of_squares_is_the_object_where_maps_are_normalised() -> None:
    assert np.allclose(root_sum_of_squares(coil_images()[0]), object_image(), atol=1e-5)
