"""Laws of the Fourier transform and of the coil operator, and external values."""

import json
from pathlib import Path

import numpy as np
import pytest
import sigpy
import sigpy.mri
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from mrviewer.errors import ShapeError
from mrviewer.physics import adjoint, combine_coils, fft2c, forward, ifft2c, normalise_maps

sizes = st.integers(1, 17)
Complex = NDArray[np.complex128]


def complex_array(seed: int, *shape: int) -> Complex:
    real, imaginary = np.random.default_rng(seed).standard_normal((2, *shape))
    array: Complex = real + 1j * imaginary
    return array


@given(height=sizes, width=sizes, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_transform_is_unitary_and_linear(height: int, width: int, seed: int) -> None:
    first, second = complex_array(seed, 2, height, width)
    np.testing.assert_allclose(ifft2c(fft2c(first)), first, atol=1e-12)
    np.testing.assert_allclose(fft2c(ifft2c(first)), first, atol=1e-12)
    np.testing.assert_allclose(np.vdot(fft2c(first), fft2c(second)), np.vdot(first, second), atol=1e-10)
    np.testing.assert_allclose(fft2c(first + 2j * second), fft2c(first) + 2j * fft2c(second), atol=1e-11)


@pytest.mark.parametrize("shape", [(8, 8), (7, 8), (9, 5)])
def test_dc_lies_at_half_of_the_size(shape: tuple[int, int]) -> None:
    kspace = fft2c(np.ones(shape, complex))
    expected = np.zeros(shape)
    expected[shape[0] // 2, shape[1] // 2] = np.sqrt(shape[0] * shape[1])
    np.testing.assert_allclose(kspace, expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(16, 12), (15, 12), (13, 11)])
def test_transform_agrees_with_sigpy(shape: tuple[int, int]) -> None:
    image = complex_array(1, 3, *shape)
    np.testing.assert_allclose(fft2c(image), sigpy.fft(image, axes=(-2, -1)), atol=1e-12)
    np.testing.assert_allclose(ifft2c(image), sigpy.ifft(image, axes=(-2, -1)), atol=1e-12)


def test_single_precision_stays_single() -> None:
    image = complex_array(2, 2, 8, 6).astype(np.complex64)
    assert fft2c(image).dtype == ifft2c(image).dtype == np.complex64


def test_inputs_are_left_alone() -> None:
    image = complex_array(3, 2, 6, 4)
    kept = image.copy()
    fft2c(image)
    ifft2c(image)
    np.testing.assert_array_equal(image, kept)


@given(n_coils=st.integers(1, 4), height=sizes, width=sizes, lines=st.booleans(), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_adjoint_is_the_adjoint(n_coils: int, height: int, width: int, lines: bool, seed: int) -> None:
    maps, kspace = complex_array(seed, 2, n_coils, height, width)
    image = complex_array(seed + 1, height, width)
    pattern = np.random.default_rng(seed).random((1 if lines else height, width)) < 0.5
    left = np.vdot(forward(image, maps, pattern), kspace)
    right = np.vdot(image, adjoint(kspace, maps, pattern))
    np.testing.assert_allclose(left, right, atol=1e-9)


def test_full_sampling_with_normalised_maps_gives_the_image_back() -> None:
    maps = normalise_maps(complex_array(4, 3, 10, 9))
    image = complex_array(5, 10, 9)
    np.testing.assert_allclose(adjoint(forward(image, maps), maps), image, atol=1e-12)


def test_operator_agrees_with_sigpy() -> None:
    maps, image = complex_array(6, 3, 12, 10), complex_array(7, 12, 10)
    sense = sigpy.mri.linop.Sense(maps)
    np.testing.assert_allclose(forward(image, maps), sense * image, atol=1e-12)
    np.testing.assert_allclose(adjoint(maps, maps), sense.H * maps, atol=1e-12)


def test_normalised_maps_have_unit_sum_inside_and_are_zero_outside() -> None:
    maps = complex_array(8, 4, 9, 7).astype(np.complex64) * 1e-6
    maps[:, :3] = 0
    normalised = normalise_maps(maps)
    energy = np.sum(np.abs(normalised) ** 2, axis=0)
    np.testing.assert_allclose(energy[3:], 1, rtol=1e-5)
    np.testing.assert_array_equal(energy[:3], 0)
    assert normalised.dtype == np.complex64
    np.testing.assert_allclose(normalise_maps(normalised), normalised, atol=1e-6)


def test_maps_of_an_empty_slice_stay_zero() -> None:
    np.testing.assert_array_equal(normalise_maps(np.zeros((2, 4, 4), np.complex64)), 0)


def test_other_coils_are_refused() -> None:
    data, maps = complex_array(9, 3, 4, 4), complex_array(9, 2, 4, 4)
    with pytest.raises(ShapeError, match=r"coil data are \(3, 4, 4\) but maps are \(2, 4, 4\)"):
        combine_coils(data, maps)
    with pytest.raises(ShapeError, match="give maps of the same coils"):
        adjoint(data, maps)


def columns(case: str, mask_file: Path) -> NDArray[np.bool_]:
    """Pattern of a case of reference_metrics.json."""
    if "random" in case:
        line: NDArray[np.bool_] = np.load(mask_file)
        return line[:, None] if case.startswith("rows") else line[None]
    line = np.zeros(256, dtype=bool)
    if case.startswith("central"):
        line[96:160] = True
    else:
        line[::4] = True
        line[118:138] = True
    return line[None]


@pytest.mark.parametrize("number", range(4))
def test_published_values_of_a_real_scan(shared_data: Path, number: int) -> None:
    h5py = pytest.importorskip("h5py")
    folder = shared_data / "kspace_brain4ch_t2"
    cases = json.loads((folder / "reference_metrics.json").read_text())["cases"]
    case, expected = list(cases.items())[number]
    with h5py.File(folder / "derived" / "brain4ch_fastmri_layout.h5") as file:
        kspace = file["kspace"][0].astype(np.complex128)
    pattern = columns(case, folder / "derived" / "mask_random_R4_cf08_256.npy")
    assert np.count_nonzero(pattern) == expected.get("acquired_columns", 59)
    reference, image = (np.sqrt(np.sum(np.abs(ifft2c(samples)) ** 2, axis=0)) for samples in (kspace, kspace * pattern))
    peak = float(reference.max())
    error = np.mean((reference - image) ** 2)
    # The stored k-space is single precision; six digits are what it can give.
    assert error / np.mean(reference**2) == pytest.approx(expected["nmse"], rel=1e-5)
    assert 20 * np.log10(peak) - 10 * np.log10(error) == pytest.approx(expected["psnr_db_range_refmax"], rel=1e-5)
    ssim = structural_similarity(reference, image, win_size=7, data_range=peak)
    assert ssim == pytest.approx(expected["ssim_win7_uniform_range_refmax"], rel=1e-5)
