"""The live slice equals the adjoint for every mask, coil count and size."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer.geometry import Geometry
from mrviewer.physics import adjoint, normalise_maps
from mrviewer.reconstruction.acquisition import MagnitudeRawData
from mrviewer.reconstruction.live import LiveSlice
from mrviewer.sampling import Mask, make_mask
from mrviewer.study import Image, Origin


@dataclass(frozen=True, eq=False)
class ArrayRawData:
    """Raw data of one slice in memory."""

    samples: NDArray[np.complex64]
    maps: NDArray[np.complex64]
    modality: str = "T2"
    origin: Origin = Origin.SCANNER
    slice_axis: int = 0
    acquired: NDArray[np.bool_] | None = None

    @property
    def geometry(self) -> Geometry:
        return Geometry.axial((1, *self.samples.shape[1:]), (1.0, 1.0, 1.0))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        n_coils, height, width = self.samples.shape
        return 1, n_coils, height, width

    def kspace(self, index: int) -> NDArray[np.complex64]:
        return self.samples[None][index]

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        return self.maps[None][index]


def random_raw_data(n_coils: int, height: int, width: int) -> ArrayRawData:
    generator = np.random.default_rng(7)
    real, imaginary, map_real, map_imaginary = generator.standard_normal((4, n_coils, height, width))
    maps = normalise_maps((map_real + 1j * map_imaginary).astype(np.complex64))
    return ArrayRawData((real + 1j * imaginary).astype(np.complex64), maps)


def assert_equals_adjoint(raw: ArrayRawData, mask: Mask) -> None:
    expected = np.abs(adjoint(raw.kspace(0), raw.coil_maps(0), mask.pattern))
    image = LiveSlice(raw, 0).zero_filled(mask)
    assert image.dtype == np.float32
    # Single precision against single precision, so relative to the brightest pixel.
    np.testing.assert_allclose(image, expected, atol=1e-5 * float(expected.max()), rtol=0)


@pytest.mark.parametrize("shape", [(32, 24), (31, 25), (30, 21), (17, 32), (218, 182)])
@pytest.mark.parametrize("n_coils", [1, 3])
@pytest.mark.parametrize("name", ["random", "gaussian-2d", "full"])
def test_equals_the_adjoint(name: str, n_coils: int, shape: tuple[int, int]) -> None:
    assert_equals_adjoint(random_raw_data(n_coils, *shape), make_mask(name, shape, 3))


def test_a_single_coil_that_is_not_one_is_applied() -> None:
    raw = random_raw_data(1, 20, 18)
    outside = raw.maps.copy()
    outside[:, :5] = 0
    assert_equals_adjoint(ArrayRawData(raw.samples, outside), make_mask("random", (20, 18), 2))


def test_one_line_mask_equals_the_same_pattern_in_two_dimensions() -> None:
    raw = random_raw_data(2, 26, 22)
    line = make_mask("random", (26, 22), 2)
    points = Mask(np.repeat(line.pattern, 26, axis=0), "points")
    live = LiveSlice(raw, 0)
    np.testing.assert_allclose(live.zero_filled(line), live.zero_filled(points), atol=1e-5)


def test_changing_the_mask_and_back_gives_the_same_image() -> None:
    live = LiveSlice(random_raw_data(2, 24, 24), 0)
    first, second = make_mask("random", (24, 24), 2), make_mask("poisson", (24, 24), 2)
    before = live.zero_filled(first)
    kept = before.copy()
    live.zero_filled(second)
    np.testing.assert_array_equal(live.zero_filled(first), kept)
    np.testing.assert_array_equal(before, kept)


def test_real_coils(shared_data: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(shared_data / "kspace_brain4ch_t2" / "derived" / "brain4ch_fastmri_layout.h5") as file:
        kspace = file["kspace"][0].astype(np.complex64)
    maps = normalise_maps(kspace)
    for name in ("random", "poisson"):
        assert_equals_adjoint(ArrayRawData(kspace, maps), make_mask(name, (kspace.shape[1], kspace.shape[2])))


def test_a_mask_of_another_size_is_refused() -> None:
    live = LiveSlice(random_raw_data(1, 16, 20), 0)
    with pytest.raises(ShapeError, match=r"mask is \(1, 16\) but slices are \(16, 20\)"):
        live.zero_filled(make_mask("random", (20, 16), 2))


@pytest.mark.parametrize("index", [-1, 1])
def test_a_slice_that_does_not_exist_is_refused(index: int) -> None:
    with pytest.raises(ShapeError, match=f"slice {index} was asked for but there are 1"):
        LiveSlice(random_raw_data(1, 8, 8), index)


@dataclass(frozen=True, eq=False)
class ReadOnce(ArrayRawData):
    """Raw data whose file may be read until the slice is prepared."""

    closed: list[bool] = field(default_factory=list)

    def kspace(self, index: int) -> NDArray[np.complex64]:
        assert not self.closed
        return super().kspace(index)

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        assert not self.closed
        return super().coil_maps(index)


@pytest.mark.parametrize("family", ["random", "poisson"])
def test_a_transformed_slice_needs_nothing_more_of_its_data(family: str) -> None:
    raw = random_raw_data(2, 24, 24)
    once = ReadOnce(raw.samples, raw.maps)
    live, mask = LiveSlice(once, 0), make_mask(family, (24, 24), 2)
    live.transform()
    once.closed.append(True)
    np.testing.assert_array_equal(live.zero_filled(mask), LiveSlice(raw, 0).zero_filled(mask))


def test_a_magnitude_image_is_transformed_slice_by_slice_without_what_is_not_finite() -> None:
    volume = np.random.default_rng(0).random((3, 8, 6)) * 100
    volume[1, 2, 3], volume[2, 0, 0], volume[2, 1, 0] = np.nan, np.inf, -np.inf
    clean = np.where(np.isfinite(volume), volume, 0)
    geometry = Geometry.axial((3, 8, 6), (5.0, 1.0, 1.0))
    raw = MagnitudeRawData(Image(volume.astype(">f4"), geometry, "T1"))
    for index in range(3):
        np.testing.assert_allclose(adjoint(raw.kspace(index), raw.coil_maps(index)).real, clean[index], atol=1e-3)
    assert np.isnan(raw.image.volume()[1, 2, 3])
