"""Where the brain is, as the core asks for it, and when its answer is doubted."""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task, check_needs
from mrviewer.progress import Progress, finish
from mrviewer.reconstruction import brain
from mrviewer.reconstruction.brain import agreement_of, doubt, find_brain
from mrviewer.study import Image, Study


def image(shape: tuple[int, int, int] = (30, 40, 50), voxel: tuple[float, float, float] = (6.0, 4.0, 4.0)) -> Image:
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    return Image(values, Geometry.axial(shape, voxel), "T2")


def middle(shape: tuple[int, int, int], margin: int = 5) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    mask[margin:-margin, margin:-margin, margin:-margin] = True
    return mask


CARD = Card("brain-mask", "Middle", (Task.SEGMENT,), Needs(kspace=False), "doi:10.1000/1", classes=("brain",))


@dataclass
class Finder:
    """Calls the middle of every volume the brain, and keeps what it was given."""

    certainty: float = 1.0
    seen: list[Measurement] = field(default_factory=list)
    card: Card = CARD

    def fits(self, study: Study, modality: str) -> Fit:
        return check_needs(self.card, study, modality)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        self.seen.append(measurement)
        yield Progress(1, 1, device)
        depth, height, width = measurement.images[measurement.modality].shape
        found = middle((depth, height, width))
        return Result(
            segmentation=found.astype(np.uint8), probabilities=(found * self.certainty)[None].astype(np.float32)
        )


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Finder:
    found = Finder()
    monkeypatch.setattr(brain, "get_method", lambda name: found if name == "brain-mask" else None)
    return found


@pytest.mark.parametrize("voxel", [(6.0, 4.0, 4.0), (4.0, 4.0, 6.5), (2.0, 6.0, 2.0)])
def test_the_mask_lies_on_the_grid_of_the_image_however_it_was_cut(
    voxel: tuple[float, float, float], finder: Finder
) -> None:
    given = image(voxel=voxel)
    found = finish(find_brain(given, "cpu"))
    assert np.array_equal(found.mask, middle((30, 40, 50)))
    assert found.volume_ml == pytest.approx(20 * 30 * 40 * np.prod(voxel) / 1000)
    [measurement] = finder.seen
    axis = given.geometry.slice_axis
    assert np.array_equal(np.moveaxis(measurement.images["T2"], 0, axis), given.volume())
    assert measurement.voxel_size_mm[0] == voxel[axis]


def test_a_volume_of_a_series_is_chosen(finder: Finder) -> None:
    series = Image(
        np.stack([np.zeros((30, 40, 50)), np.ones((30, 40, 50))]), Geometry.axial((30, 40, 50), (6, 4, 4)), "T2"
    )
    finish(find_brain(series, "cpu", frame=1))
    assert finder.seen[0].images["T2"].min() == 1


def test_a_trusted_mask_has_no_warning_and_an_unsure_one_has(finder: Finder) -> None:
    given = image(voxel=(5.0, 4.0, 4.0))
    assert finish(find_brain(given, "cpu")).warning == ""
    finder.certainty = 0.6
    unsure = finish(find_brain(given, "cpu"))
    assert unsure.agreement == pytest.approx(0.75, abs=0.01)
    assert "agreement 0.75" in unsure.warning


@pytest.mark.parametrize(
    ("given", "mask_margin", "volume_ml", "said"),
    [
        (image(voxel=(40, 4, 4)), 5, 1200.0, "1200 mm long"),
        (image(voxel=(1, 1, 1)), 5, 1200.0, "50 mm long"),
        (image((24, 200, 200), (1, 1, 1)), 5, 400.0, "24 slices are 24 mm thick together"),
        (image(), 5, 3.0, "Hardly any brain"),
        (image(), 5, 400.0, "holds 400 ml"),
        (image(), 5, 2500.0, "holds 2500 ml"),
        (image(), 0, 2500.0, "holds 2500 ml"),
        (image(), 0, 400.0, ""),
        (image(), 5, 1200.0, ""),
    ],
)
def test_what_no_brain_is_like_is_said(given: Image, mask_margin: int, volume_ml: float, said: str) -> None:
    # Where the mask reaches the end of the field of view, the rest of the brain may lie beyond.
    shape = given.geometry.shape
    mask = middle(shape, mask_margin) if mask_margin else np.ones(shape, bool)
    warning = doubt(given, mask, volume_ml, 0.97)
    assert said in warning
    assert bool(warning) == bool(said)


def test_agreement_falls_where_orientations_differ() -> None:
    mask = middle((30, 40, 50)).astype(np.float32)
    assert agreement_of(mask) == 1
    assert agreement_of(mask * 2 / 3) == pytest.approx(0.8)
    assert agreement_of(mask / 3) == 0
    assert agreement_of(np.zeros((4, 4, 4), np.float32)) == 1
