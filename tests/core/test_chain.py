from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import pytest

from mrviewer.errors import InputError, UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task, check_needs
from mrviewer.methods.chain import Chain
from mrviewer.methods.registry import get_method
from mrviewer.progress import Progress, finish
from mrviewer.study import Image, Study
from mrviewer.testing import check_method, sample_measurement

ZERO_FILLED = get_method("zero-filled")


@dataclass(frozen=True)
class Threshold:
    """Segments what is brighter than half the maximum of the image that it is given."""

    needs: Needs = field(default_factory=lambda: Needs(kspace=False, modalities=("FLAIR",), max_coils=1))

    @property
    def card(self) -> Card:
        return Card(
            "threshold", "Threshold", (Task.SEGMENT,), self.needs, "doi:10.1109/TSMC.1979.4310076", classes=("bright",)
        )

    def fits(self, study: Study, modality: str) -> Fit:
        return check_needs(self.card, study, modality)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        image = measurement.images[measurement.modality]
        yield Progress(1, 1)
        return Result(segmentation=(image > 0.5 * image.max(axis=(1, 2), keepdims=True)).astype(np.uint8))


def study_of(modality: str) -> Study:
    geometry = Geometry.axial((3, 20, 16), (5, 1, 1))
    return Study("test", {modality: Image(np.zeros((3, 20, 16), np.float32), geometry, modality)})


def test_contract() -> None:
    check_method(Chain(ZERO_FILLED, Threshold()))


def test_second_sees_the_magnitude_of_the_first() -> None:
    chain = Chain(ZERO_FILLED, Threshold())
    measurement = sample_measurement(chain)
    result = finish(chain.run(measurement))
    image = finish(ZERO_FILLED.run(measurement)).image
    assert np.array_equal(result.image, image)
    assert np.array_equal(result.segmentation, np.abs(image) > 0.5 * np.abs(image).max(axis=(1, 2), keepdims=True))
    full = finish(Threshold().run(measurement)).segmentation
    assert not np.array_equal(result.segmentation, full)


def test_says_what_both_say() -> None:
    card = Chain(ZERO_FILLED, Threshold()).card
    assert card.name == "zero-filled+threshold"
    assert card.tasks == (Task.RECONSTRUCT, Task.SEGMENT)
    assert card.needs == Needs(kspace=True, modalities=("FLAIR",))
    assert "mrm.1910160203" in card.citation
    assert "TSMC" in card.citation


def test_progress_never_goes_back() -> None:
    steps = list(Chain(ZERO_FILLED, Threshold()).run(sample_measurement(ZERO_FILLED)))
    parts = [step.done / step.total for step in steps]
    assert parts == sorted(parts)
    assert parts[-1] == 1


def test_fits_gives_both_reasons() -> None:
    only_one_coil = Chain(Reconstructor(Needs(modalities=("T2",))), Threshold())
    reason = only_one_coil.fits(study_of("T1"), "T1").reason
    assert "trained on T2" in reason
    assert "trained on FLAIR" in reason
    assert Chain(ZERO_FILLED, Threshold()).fits(study_of("FLAIR"), "FLAIR")


def test_coils_matter_to_the_first_only() -> None:
    class Coils:
        shape = (3, 8, 20, 16)
        geometry = Geometry.axial((3, 20, 16), (5.0, 1.0, 1.0))

    study = Study("raw", {}, raw={"FLAIR": Coils()})
    assert not Threshold().fits(study, "FLAIR")
    assert Chain(ZERO_FILLED, Threshold()).fits(study, "FLAIR")
    assert not Chain(Reconstructor(Needs(max_coils=1)), Threshold()).fits(study, "FLAIR")


@dataclass(frozen=True)
class Reconstructor:
    """Zero-filled with other needs."""

    needs: Needs

    @property
    def card(self) -> Card:
        return Card("other", "Other", (Task.RECONSTRUCT,), self.needs, "doi:10.1002/mrm.1910160203")

    def fits(self, study: Study, modality: str) -> Fit:
        return check_needs(self.card, study, modality)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        return (yield from ZERO_FILLED.run(measurement, device))


def test_closing_the_chain_closes_its_halves() -> None:
    closed = []

    class Watched(Reconstructor):
        def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
            try:
                yield Progress(0, 2)
                yield Progress(1, 2)
            finally:
                closed.append(True)

    chain = Chain(Watched(Needs()), Threshold())
    job = chain.run(sample_measurement(chain))
    next(job)
    job.close()
    assert closed == [True]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (Threshold(), Threshold(), "must begin with a method that reconstructs"),
        (ZERO_FILLED, ZERO_FILLED, "must end with a method that works on images"),
    ],
)
def test_refuses_what_does_not_follow(first: Threshold, second: Threshold, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Chain(first, second)


def test_names_of_chains_are_looked_up() -> None:
    with pytest.raises(UnknownNameError, match="no method 'nothing'"):
        get_method("zero-filled+nothing")
    with pytest.raises(InputError, match="cs-wavelet wants k-space"):
        get_method("zero-filled+cs-wavelet")
