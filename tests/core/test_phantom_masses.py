"""Simulated strokes and gliomas: whole lesions, of the brightness that each sequence shows."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.database import open_database
from mrviewer.geometry import Geometry
from mrviewer.phantom import Patient, PatientOptions, simulate_patient
from mrviewer.phantom.anatomy import deform_anatomy
from mrviewer.phantom.masses import Disease, draw_glioma, draw_stroke
from mrviewer.phantom.signal import SEQUENCES, Tissue, spin_echo_signal

MODALITIES = ("FLAIR", "T1", "T1Gd", "T2")


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    grid = Geometry.axial((38, 56, 48), (4.0, 4.0, 4.0))
    affine = grid.affine.copy()
    affine[:3, 3] += (0.0, -18.0, 8.0)
    return Geometry(grid.shape, affine, grid.to_stored)


@pytest.fixture(scope="module")
def patients(geometry: Geometry) -> dict[Disease, list[Patient]]:
    diseases: tuple[Disease, ...] = ("stroke", "glioma")
    return {
        disease: [
            simulate_patient(geometry, seed, PatientOptions(disease=disease, modalities=MODALITIES))
            for seed in range(8)
        ]
        for disease in diseases
    }


def contrast(patient: Patient, modality: str) -> float:
    """Brightness inside the lesions over that of white matter near them."""
    sick: NDArray[np.bool_] = patient.lesions > 0
    around = ndimage.binary_dilation(sick, iterations=4) & ~ndimage.binary_dilation(sick) & (patient.tissues == 3)
    image = patient.images[modality]
    return float(image[sick].mean() / image[around].mean())


@pytest.mark.parametrize("disease", ["stroke", "glioma"])
def test_every_patient_is_ill_and_another_one(disease: Disease, patients: dict[Disease, list[Patient]]) -> None:
    volumes = [np.count_nonzero(each.lesions) * each.geometry.voxel_volume_ml for each in patients[disease]]
    assert min(volumes) > 0.2
    assert max(volumes) > 4 * min(volumes)
    assert max(volumes) < 350
    assert all(np.isfinite(image).all() for each in patients[disease] for image in each.images.values())


@pytest.mark.parametrize("disease", ["stroke", "glioma"])
def test_water_is_bright_in_t2_and_dark_in_t1(disease: Disease, patients: dict[Disease, list[Patient]]) -> None:
    assert np.median([contrast(each, "T2") for each in patients[disease]]) > 1.5
    assert np.median([contrast(each, "FLAIR") for each in patients[disease]]) > 1.1
    assert np.median([contrast(each, "T1") for each in patients[disease]]) < 0.98


def test_contrast_agent_lights_up_gliomas_alone(patients: dict[Disease, list[Patient]]) -> None:
    enhances = {
        disease: [float((each.images["T1Gd"] - each.images["T1"]).max()) > 0.3 for each in several]
        for disease, several in patients.items()
    }
    assert not any(enhances["stroke"])
    assert 0 < sum(enhances["glioma"]) < 8
    for each in patients["glioma"]:
        brighter = each.images["T1Gd"] > each.images["T1"] + 1e-6
        assert np.all(each.lesions[ndimage.binary_erosion(brighter)] == 1)


def test_an_infarct_stays_on_its_side(geometry: Geometry) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        anatomy = deform_anatomy(geometry, rng)
        # The first layer is the large infarct; a small deep one may lie on either side.
        x = anatomy.template_mm[0][draw_stroke(anatomy, geometry, rng)[0].fraction > 0.5]
        assert max(np.mean(x > 0), np.mean(x < 0)) > 0.99


def test_a_glioma_is_wrapped_in_oedema(geometry: Geometry) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        anatomy = deform_anatomy(geometry, rng)
        oedema, *core = draw_glioma(anatomy, geometry, rng)
        assert all(np.all(layer.fraction <= oedema.fraction + 1e-6) for layer in core)
        assert all(layer.fraction.min() >= 0 and layer.fraction.max() <= 1 for layer in (oedema, *core))


def test_a_head_without_a_place_for_lesions_is_no_trouble() -> None:
    grid = Geometry.axial((4, 6, 6), (2.0, 2.0, 2.0))
    for disease in ("stroke", "glioma"):
        patient = simulate_patient(grid, 0, PatientOptions(disease=disease))  # type: ignore[arg-type]
        assert np.isfinite(patient.images["FLAIR"]).all()


def test_contrast_agent_shortens_t1_alone() -> None:
    plain, agent = SEQUENCES["T1"], SEQUENCES["T1Gd"]
    healthy, leaky = Tissue(1400, 90, 0.8), Tissue(1400, 90, 0.8, uptake=1.3)
    assert spin_echo_signal(healthy, plain) == spin_echo_signal(healthy, agent) == spin_echo_signal(leaky, plain)
    # 1 / (1 / 1.4 s + 1.3 / s) = 496.5 ms
    assert spin_echo_signal(leaky, agent) == pytest.approx(
        spin_echo_signal(Tissue(1000 / (1 / 1.4 + 1.3), 90, 0.8), plain)
    )


def test_the_kinds_are_databases() -> None:
    subjects = open_database(["simulated-stroke:2@5", "simulated-glioma:1"])
    assert [(each.name, each.seed, each.database) for each in subjects] == [
        ("simulated-stroke-5", 5, "simulated-stroke"),
        ("simulated-stroke-6", 6, "simulated-stroke"),
        ("simulated-glioma-1000", 1000, "simulated-glioma"),
    ]


def test_a_study_of_a_kind_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrviewer.phantom.sample._SHAPE", (8, 28, 24))
    monkeypatch.setattr("mrviewer.phantom.sample._VOXEL_SIZE_MM", (18.0, 8.0, 8.0))
    study = open_database(["simulated-glioma:1@3"])[0].load()
    assert study.name == "simulated glioma patient 3"
    assert study.modalities == MODALITIES
    assert study.labels is not None
    assert study.labels.volume().any()
