"""The simulated liver: kinetics, tumours that enhance as the reviews say, and that a seed is a patient."""

import numpy as np
import pytest
from scipy import ndimage

from mrviewer.database import open_database
from mrviewer.errors import UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import PHASES, enhancement_curve, measured_enhancement
from mrviewer.phantom import LiverPatient, sample_liver_study, simulate_liver_patient
from mrviewer.phantom.liver_kinetics import Bolus, Perfusion, concentration, population_input, spoiled_signal
from mrviewer.phantom.liver_tissues import MALIGNANT, TISSUES, TUMOUR_KINDS, phase_signals
from mrviewer.study import Origin

COARSE = Geometry.axial((6, 72, 72), (16.0, 4.9, 4.9))
N_SEEDS = 3


@pytest.fixture(scope="module")
def curves() -> dict[str, np.ndarray]:
    """Enhancement of the tumours of a few patients of every kind, ``(patient, 3)``."""
    return {kind: np.stack([curve_of(kind, seed) for seed in range(N_SEEDS)]) for kind in TUMOUR_KINDS}


def curve_of(kind: str, seed: int) -> np.ndarray:
    patient = simulate_liver_patient(COARSE, seed, kind=kind, count=2)
    return enhancement_curve(patient.phases, patient.tumours)


def test_the_population_input_is_the_published_one() -> None:
    # Parker et al. 2006: first pass of about 6 mmol/l after 0.17 min, recirculation at 0.365 min, then a slow decay.
    seconds = np.arange(0, 300, 0.5)
    blood = population_input(seconds)
    assert seconds[blood.argmax()] == pytest.approx(0.17046 * 60, abs=1)
    assert blood.max() == pytest.approx(0.809 / (0.0563 * np.sqrt(2 * np.pi)) + 0.33, abs=0.15)
    assert population_input(np.array([240.0]))[0] == pytest.approx(1.05 * np.exp(-0.1685 * 4), rel=1e-3)
    assert (population_input(np.array([-5.0])) == 0).all()


def test_a_tissue_that_lets_nothing_out_holds_what_came_in() -> None:
    bolus = Bolus()
    held = concentration(Perfusion(0.06, 1.0, 1e9), bolus)
    times = np.arange(0, bolus.phases_s[2], 0.01)
    came = 0.001 * np.trapezoid(population_input(times - bolus.arrival_s), times) / 0.58
    assert held[3] == pytest.approx(came, rel=0.02)
    assert held[0] == 0


def test_portal_blood_comes_after_arterial_blood() -> None:
    arterial = concentration(Perfusion(1.0, 1.0, 0.2), Bolus())
    portal = concentration(Perfusion(1.0, 0.0, 0.2), Bolus())
    assert arterial[1] > 2 * portal[1]
    assert portal[2] > arterial[2]


def test_agent_brightens_and_rest_is_the_steady_state() -> None:
    signal = spoiled_signal(800, 1.0, np.array([0.0, 0.5, 2.0]))
    assert (np.diff(signal) > 0).all()
    e, flip = np.exp(-4.0 / 800), np.radians(12)
    assert signal[0] == pytest.approx(np.sin(flip) * (1 - e) / (1 - np.cos(flip) * e))
    assert spoiled_signal(800, 0.5, np.zeros(1))[0] == pytest.approx(signal[0] / 2)


def test_vessels_and_organs_light_up_in_their_order() -> None:
    art, portal, late = (1, 2, 3)
    signal = {name: phase_signals(tissue, Bolus()) for name, tissue in TISSUES.items()}
    assert signal["artery"].argmax() == signal["spleen"].argmax() == signal["kidney"].argmax() == art
    assert signal["liver"].argmax() == signal["portal vein"].argmax() == portal
    assert signal["muscle"].argmax() == late
    assert np.ptp(signal["fluid"]) == 0


def test_kinds_enhance_as_the_reviews_describe(curves: dict[str, np.ndarray]) -> None:
    carcinoma, haemangioma = curves["hepatocellular carcinoma"], curves["haemangioma"]
    # Washout: brightest in the arterial phase, and falling.
    assert (carcinoma[:, 0] > carcinoma[:, 1]).all()
    assert (carcinoma[:, 1] > carcinoma[:, 2]).all()
    # A haemangioma stays bright, a cholangiocarcinoma goes on enhancing, a metastasis enhances little, a cyst hardly.
    assert (haemangioma[:, 2] > carcinoma[:, 2].max()).all()
    assert curves["cholangiocarcinoma"][:, 2].mean() > curves["cholangiocarcinoma"][:, 0].mean()
    assert curves["metastasis"].mean() < curves["cholangiocarcinoma"].mean() < haemangioma.mean()
    assert all(np.abs(curves["cyst"]).mean() < other.mean() / 2 for kind, other in curves.items() if kind != "cyst")
    arterial = {kind: curve[:, 0].mean() for kind, curve in curves.items()}
    assert max(arterial["metastasis"], arterial["cholangiocarcinoma"]) < arterial["hepatocellular carcinoma"]
    assert arterial["hepatocellular carcinoma"] < 1.3 * arterial["focal nodular hyperplasia"]


def test_washout_is_against_the_liver() -> None:
    patient = simulate_liver_patient(COARSE, 3, kind="hepatocellular carcinoma", count=1)
    contrast = {
        name: volume[patient.tumours > 0].mean() / volume[patient.liver > 0].mean()
        for name, volume in patient.phases.items()
    }
    assert contrast["arterial"] > 1.1
    assert max(contrast["portal-venous"], contrast["delayed"]) < 0.97


def test_a_seed_is_a_patient() -> None:
    first, again, other = (simulate_liver_patient(COARSE, seed) for seed in (5, 5, 6))
    assert same(first, again)
    assert not same(first, other)
    assert first.kind in TUMOUR_KINDS


def same(one: LiverPatient, two: LiverPatient) -> bool:
    phases = all(np.array_equal(one.phases[name], two.phases[name]) for name in PHASES)
    return phases and np.array_equal(one.tumours, two.tumours) and one.kind == two.kind


def test_every_kind_is_drawn() -> None:
    rng = [str(np.random.default_rng([seed, 29]).choice(list(TUMOUR_KINDS))) for seed in range(40)]
    assert set(rng) == set(TUMOUR_KINDS)
    assert set(MALIGNANT) == {"hepatocellular carcinoma", "metastasis", "cholangiocarcinoma"}


def test_tumours_lie_in_the_liver_and_phases_fit_each_other() -> None:
    patient = simulate_liver_patient(COARSE, 2, count=3)
    assert set(np.unique(patient.tumours)) == {0, 1}
    assert not (patient.tumours & patient.liver).any()
    whole = simulate_liver_patient(COARSE, 2, count=0).liver
    assert not (patient.tumours.astype(bool) & ~ndimage.binary_dilation(whole, iterations=1)).any()
    for volume in patient.phases.values():
        assert np.isfinite(volume).all()
        assert volume.min() >= 0
    assert patient.phases["pre-contrast"][patient.liver > 0].mean() == pytest.approx(1, abs=0.25)


def test_a_liver_without_tumours_and_an_unknown_kind() -> None:
    assert not simulate_liver_patient(COARSE, 1, count=0).tumours.any()
    with pytest.raises(UnknownNameError, match="no kind of tumour 'wart'; choose one of hepatocellular carcinoma"):
        simulate_liver_patient(COARSE, 1, kind="wart")


def test_the_study_says_that_it_is_simulated_and_what_it_shows() -> None:
    study = sample_liver_study(1)
    assert study.modalities == PHASES
    assert study.diagnosis in TUMOUR_KINDS
    assert study.name.startswith("simulated")
    assert all(raw.origin is Origin.PHANTOM for raw in study.raw.values())
    assert any("not a real person" in note for note in study.notes)
    assert study.labels is not None
    assert study.labels.volume().any()
    measured = measured_enhancement(study, study.labels.volume())
    assert measured is not None
    assert np.isfinite(measured).all()
    noise = study.images["arterial"].volume()[0, :6, :6]
    assert 0 < noise.std() < 0.2


def test_it_is_a_database() -> None:
    subjects = open_database(["simulated-liver:2@7"])
    assert [subject.name for subject in subjects] == ["simulated-liver-7", "simulated-liver-8"]
    assert subjects[1].load().diagnosis == sample_liver_study(8).diagnosis
