"""The modality of an image is corrected, and nothing else of the study changes."""

from dataclasses import replace

import numpy as np
import pytest

from mrviewer.errors import InputError, UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer.images.renaming import renamed
from mrviewer.phantom import SimulatedScan
from mrviewer.reconstruction.acquisition import raw_data, reference_slice
from mrviewer.study import Image, Study


@pytest.fixture
def study() -> Study:
    geometry = Geometry.axial((3, 8, 6), (5.0, 1.0, 1.0))
    values = np.random.default_rng(0).random((3, 8, 6)).astype(np.float32)
    images = {name: Image(values + place, geometry, name) for place, name in enumerate(("unknown", "T1", "T2"))}
    labels = Image((values > 0.5).astype(np.uint8), geometry, "labels")
    return Study("odd", images, labels, notes=("made for a test",), diagnosis="healthy")


def test_one_image_gets_another_name_in_its_place_and_keeps_its_pixels(study: Study) -> None:
    after = renamed(study, "unknown", "FLAIR")
    assert after.modalities == ("FLAIR", "T1", "T2")
    assert after.images["FLAIR"].modality == "FLAIR"
    assert after.images["FLAIR"].data is study.images["unknown"].data
    assert after.images["T1"] is study.images["T1"]
    assert after.labels is study.labels
    assert (after.name, after.diagnosis) == (study.name, study.diagnosis)
    assert after.choose_modality() == "FLAIR"
    assert study.modalities == ("unknown", "T1", "T2")


def test_correcting_back_gives_the_study_as_it_was_opened(study: Study) -> None:
    twice = renamed(renamed(study, "T2", "PD"), "PD", "FLAIR")
    assert twice.notes == ("made for a test", "corrected: what was opened as T2 is FLAIR")
    assert renamed(twice, "FLAIR", "T2").notes == study.notes
    assert renamed(study, "T1", "T1") is study


def test_raw_data_follow_with_what_was_read_of_them() -> None:
    before = SimulatedScan("T1", np.random.default_rng(0).random((2, 16, 12)).astype(np.float32), seed=1, n_coils=2)
    after = renamed(Study("measured", {}, raw={"T1": before}), "T1", "PD")
    raw = raw_data(after, "PD")
    assert raw.modality == "PD"
    assert after.modalities == ("PD",)
    for name in ("origin", "geometry", "slice_axis", "shape", "acquired"):
        assert repr(getattr(raw, name)) == repr(getattr(before, name)), name
    np.testing.assert_array_equal(raw.kspace(1), before.kspace(1))
    np.testing.assert_array_equal(raw.coil_maps(1), before.coil_maps(1))
    np.testing.assert_array_equal(reference_slice(raw, 0), reference_slice(before, 0))


def test_a_name_that_is_taken_or_none_is_refused_in_one_sentence(study: Study) -> None:
    for new, words in (("T2", "has a T2 image already"), ("labels", "a modality was expected"), (" ", "was expected")):
        with pytest.raises(InputError, match=words) as refused:
            renamed(study, "unknown", new)
        assert "\n" not in str(refused.value)
    with pytest.raises(UnknownNameError):
        renamed(study, "ADC", "T2")


def test_an_image_without_raw_data_beside_raw_data_is_renamed_alone(study: Study) -> None:
    mixed = replace(study, raw={"T1": raw_data(study, "T1")})
    after = renamed(mixed, "T2", "PD")
    assert after.raw["T1"] is mixed.raw["T1"]
    assert after.modalities == ("unknown", "T1", "PD")
