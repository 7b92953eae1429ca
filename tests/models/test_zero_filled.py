import numpy as np
import pytest

from mrviewer.mask import Mask
from mrviewer.method import Measurement
from mrviewer.physics import fft2c, normalise_maps
from mrviewer.progress import Progress, finish
from mrviewer.study import Origin
from mrviewer.testing import check_method
from mrviewer_models.zero_filled import METHOD


def random_measurement(seed: int, pattern: np.ndarray, shape: tuple[int, int, int, int]) -> Measurement:
    rng = np.random.default_rng(seed)
    kspace = rng.standard_normal((*shape, 2)).astype(np.float32).view(np.complex64)[..., 0]
    maps = normalise_maps(rng.standard_normal((*shape, 2)).astype(np.float32).view(np.complex64)[..., 0])
    return Measurement((kspace * pattern).astype(np.complex64), Mask(pattern, "test"), maps, "T1", Origin.PHANTOM)


def test_contract() -> None:
    check_method(METHOD)


def test_full_sampling_gives_the_image_back() -> None:
    rng = np.random.default_rng(0)
    image = rng.standard_normal((2, 9, 8)) + 1j * rng.standard_normal((2, 9, 8))
    template = random_measurement(1, np.ones((1, 8), bool), (2, 3, 9, 8))
    kspace = fft2c(image[:, None] * template.coil_maps).astype(np.complex64)
    measurement = Measurement(kspace, template.mask, template.coil_maps, "T1", Origin.PHANTOM)
    assert np.allclose(finish(METHOD.run(measurement)).image, image, atol=1e-5)


def test_is_linear() -> None:
    pattern = np.array([[True, False, True, True, False, True]])
    first, second = (random_measurement(seed, pattern, (1, 2, 5, 6)) for seed in (0, 1))
    together = Measurement(2 * first.kspace + second.kspace, first.mask, first.coil_maps, "T1", Origin.PHANTOM)
    apart = Measurement(second.kspace, first.mask, first.coil_maps, "T1", Origin.PHANTOM)
    images = [finish(METHOD.run(measurement)).image for measurement in (first, apart, together)]
    assert np.allclose(2 * images[0] + images[1], images[2], atol=1e-5)


@pytest.mark.parametrize("n_slices", [1, 4])
def test_tells_of_every_slice(n_slices: int) -> None:
    measurement = random_measurement(0, np.ones((1, 6), bool), (n_slices, 1, 5, 6))
    steps: list[Progress] = list(METHOD.run(measurement))
    assert [(step.done, step.total) for step in steps] == [(i + 1, n_slices) for i in range(n_slices)]
