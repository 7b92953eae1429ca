"""Virtual coils: what they keep, and that nothing else of a study changes."""

from pathlib import Path

import numpy as np
import pytest
from raw_files import HEIGHT, WIDTH, coil_images, header, write_fastmri

from mrviewer.coils import root_sum_of_squares
from mrviewer.errors import InputError
from mrviewer.physics import fft2c, ifft2c
from mrviewer.raw import with_virtual_coils
from mrviewer.readers import open_study
from mrviewer.reconstruction.acquisition import reference_slice
from mrviewer.study import Study

XML = header((HEIGHT, WIDTH, 1), (HEIGHT, WIDTH, 1), (HEIGHT * 2.0, WIDTH * 1.5, 4.0))
N_COILS = 9


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two slices of nine coils that are mixtures of three."""
    images = coil_images()[0]
    mixture = np.random.default_rng(3).normal(size=(2, N_COILS, len(images)))
    mixed = np.einsum("svc,cyx->svyx", mixture[:1].repeat(2, axis=0), images) * np.array([1, 0.5])[:, None, None, None]
    return open_study(write_fastmri(tmp_path / "T2.h5", fft2c(mixed).astype(np.complex64), XML))


def test_as_many_virtual_coils_as_there_are_independent_ones_lose_nothing(study: Study) -> None:
    compressed = with_virtual_coils(study, 3)
    before, after = study.raw["T2"], compressed.raw["T2"]
    assert after.shape == (2, 3, HEIGHT, WIDTH)
    for index in range(2):
        rss = [root_sum_of_squares(ifft2c(raw.kspace(index))) for raw in (before, after)]
        assert np.allclose(rss[0], rss[1], atol=1e-4 * rss[0].max())
    assert compressed.notes[-1] == "T2: coils were compressed from 9 to 3, with 100.0% of the signal"


def test_fewer_keep_most_of_the_energy(study: Study) -> None:
    raw = with_virtual_coils(study, 1).raw["T2"]
    energy = [float(np.linalg.norm(each.kspace(0))) ** 2 for each in (study.raw["T2"], raw)]
    assert 0.34 * energy[0] < energy[1] < energy[0]


def test_maps_and_image_are_those_of_the_virtual_coils(study: Study) -> None:
    compressed = with_virtual_coils(study, 2)
    raw = compressed.raw["T2"]
    maps = raw.coil_maps(0)
    assert maps.shape == (2, HEIGHT, WIDTH)
    inside = np.abs(maps).sum(axis=0) > 0
    assert np.allclose((np.abs(maps) ** 2).sum(axis=0)[inside], 1, atol=1e-3)
    assert np.allclose(compressed.images["T2"].volume()[0], np.abs(reference_slice(raw, 0)), atol=1e-4)


def test_a_scan_with_fewer_coils_stays_as_it_is(study: Study) -> None:
    assert with_virtual_coils(study, 9).raw["T2"] is study.raw["T2"]
    assert with_virtual_coils(study, 32).notes == study.notes


def test_what_has_no_coils_is_refused(study: Study) -> None:
    with pytest.raises(InputError, match="4 virtual coils need measured k-space of several coils"):
        with_virtual_coils(Study("a", study.images), 4)
    with pytest.raises(InputError, match="0 is no number of coils"):
        with_virtual_coils(study, 0)
