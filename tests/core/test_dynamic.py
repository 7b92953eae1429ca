"""Enhancement of a region in the phases of a study, and the signal of a voxel in a series."""

import numpy as np
import pytest

from mrviewer.errors import InputError, ShapeError, UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import (
    ENHANCED_PHASES,
    PHASES,
    enhancement_curve,
    measured_enhancement,
    relative_enhancement,
    signal_curve,
)
from mrviewer.study import Image, Study

SHAPE = (3, 5, 4)


def phases(*levels: float) -> dict[str, np.ndarray]:
    """A region at the given levels inside a background of 7."""
    volumes = {}
    for name, level in zip(PHASES, levels, strict=True):
        volumes[name] = np.full(SHAPE, 7.0, np.float32)
        volumes[name][1, 1:3] = level
    return volumes


def region() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[1, 1:3] = 1
    return mask


def study_of(volumes: dict[str, np.ndarray]) -> Study:
    geometry = Geometry.axial(SHAPE, (4.0, 1.0, 1.0))
    return Study("four phases", {name: Image(volume, geometry, name) for name, volume in volumes.items()})


def test_a_constructed_case_gives_its_curve() -> None:
    curve = enhancement_curve(phases(100, 160, 140, 110), region())
    assert curve.dtype == np.float32
    assert curve == pytest.approx([0.6, 0.4, 0.1], abs=1e-6)
    assert len(curve) == len(ENHANCED_PHASES) == 3


@pytest.mark.parametrize("factor", [1e-3, 1.0, 5000.0])
def test_units_do_not_matter(factor: float) -> None:
    scaled = {name: factor * volume for name, volume in phases(100, 160, 140, 110).items()}
    assert enhancement_curve(scaled, region()) == pytest.approx([0.6, 0.4, 0.1], abs=1e-4)


def test_what_lies_outside_does_not_matter() -> None:
    volumes = phases(100, 160, 140, 110)
    for volume in volumes.values():
        volume[region() == 0] = np.nan
    assert enhancement_curve(volumes, region()) == pytest.approx([0.6, 0.4, 0.1], abs=1e-6)


def test_a_region_of_zeros_stays_finite() -> None:
    assert np.isfinite(enhancement_curve(phases(0, 1, 2, 3), region())).all()
    assert (enhancement_curve(phases(0, 0, 0, 0), region()) == 0).all()


def test_curves_of_many_regions_are_told_at_once() -> None:
    assert relative_enhancement(np.array([[1.0, 2.0], [2.0, 2.0]])) == pytest.approx(np.array([[1.0, 0.0]]), abs=1e-5)


def test_what_cannot_be_measured_is_refused() -> None:
    volumes = phases(1, 2, 3, 4)
    with pytest.raises(InputError, match="empty region was asked for; give a mask"):
        enhancement_curve(volumes, np.zeros(SHAPE))
    with pytest.raises(ShapeError, match=r"pre-contrast volume is \(3, 5, 4\) but the mask is \(1, 5, 4\)"):
        enhancement_curve(volumes, np.ones((1, 5, 4)))
    del volumes["delayed"]
    with pytest.raises(UnknownNameError, match="delayed is not among them; give all four"):
        enhancement_curve(volumes, region())


def test_a_study_without_four_phases_or_region_measures_nothing() -> None:
    volumes = phases(100, 160, 140, 110)
    assert measured_enhancement(study_of(volumes), region()) == pytest.approx([0.6, 0.4, 0.1], abs=1e-6)
    assert measured_enhancement(study_of(volumes), np.zeros(SHAPE)) is None
    del volumes["arterial"]
    assert measured_enhancement(study_of(volumes), region()) is None


def test_the_signal_of_a_voxel_has_a_value_for_every_frame() -> None:
    geometry = Geometry.axial(SHAPE, (4.0, 1.0, 1.0))
    series = np.arange(6, dtype=np.float32)[:, None, None, None] * np.ones(SHAPE, np.float32)
    series[2] = np.inf
    assert signal_curve(Image(series, geometry, "DCE"), (2, 4, 3)).tolist() == [0, 1, 0, 3, 4, 5]
    assert signal_curve(Image(series[1], geometry, "T1"), (0, 0, 0)).tolist() == [1]
    with pytest.raises(ShapeError, match=r"voxel \(3, 0, 0\) was asked for but the image is \(3, 5, 4\)"):
        signal_curve(Image(series, geometry, "DCE"), (3, 0, 0))
