"""The simulated patient: whose, where, how ill, how bright; and the sample study made of it."""

import logging
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.geometry import Geometry
from mrviewer.phantom import Patient, PatientOptions, SimulatedScan, sample_study, simulate_patient
from mrviewer.phantom.anatomy import HeadAnatomy, deform_anatomy, smooth_field
from mrviewer.phantom.lesions import LesionLoad, draw_lesions
from mrviewer.phantom.scan import smooth_phase
from mrviewer.phantom.signal import SEQUENCES, TISSUES, Sequence, Tissue, spin_echo_signal
from mrviewer.physics import adjoint
from mrviewer.study import Origin

SEED = 0


def head_geometry(shape: tuple[int, int, int], voxel_size_mm: tuple[float, float, float]) -> Geometry:
    geometry = Geometry.axial(shape, voxel_size_mm)
    affine = geometry.affine.copy()
    affine[:3, 3] += (0.0, -18.0, 8.0)
    return Geometry(shape, affine, geometry.to_stored)


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    return head_geometry((48, 112, 96), (3.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def anatomy(geometry: Geometry) -> HeadAnatomy:
    return deform_anatomy(geometry, np.random.default_rng(SEED))


@pytest.fixture(scope="module")
def patient(geometry: Geometry) -> Patient:
    """The patient of `anatomy`: the head is drawn first, from the same seed."""
    return simulate_patient(geometry, SEED)


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make sample studies of few voxels, and give the folder that they are cached in."""
    monkeypatch.setattr("mrviewer.phantom.sample._SHAPE", (4, 28, 24))
    monkeypatch.setattr("mrviewer.phantom.sample._VOXEL_SIZE_MM", (12.0, 8.0, 8.0))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    return tmp_path / "mrviewer"


def volumes_ml(patient: Patient) -> NDArray[np.float64]:
    components, _ = ndimage.label(patient.lesions, np.ones((3, 3, 3)))
    return np.bincount(components.ravel())[1:] * patient.geometry.voxel_volume_ml


def test_a_seed_is_a_patient() -> None:
    grid = head_geometry((10, 28, 24), (14.0, 8.0, 8.0))
    first, again, other = (simulate_patient(grid, seed) for seed in (3, 3, 4))
    for name, image in first.images.items():
        assert np.array_equal(image, again.images[name])
        assert not np.array_equal(image, other.images[name])
    assert np.array_equal(first.lesions, again.lesions)
    assert not np.array_equal(first.lesions, other.lesions)


def test_fewer_images_are_the_same_images() -> None:
    grid = head_geometry((6, 20, 16), (20.0, 11.0, 12.0))
    every = simulate_patient(grid, 1)
    flair = simulate_patient(grid, 1, PatientOptions(modalities=("FLAIR",)))
    assert list(every.images) == ["FLAIR", "T1", "T2"]
    assert list(flair.images) == ["FLAIR"]
    assert np.array_equal(flair.images["FLAIR"], every.images["FLAIR"])


def test_tissue_fractions_are_a_brain(anatomy: HeadAnatomy, geometry: Geometry) -> None:
    parts = np.stack([anatomy.white_matter, anatomy.grey_matter, anatomy.csf])
    assert parts.min() >= 0
    assert parts.sum(axis=0).max() <= 1 + 1e-5
    white, grey, csf = parts.sum(axis=(1, 2, 3)) * geometry.voxel_volume_ml
    # Adult white and grey matter are each roughly half a litre; the template is on the large side.
    assert 350 < white < 900
    assert 500 < grey < 1300
    assert csf > 50


def test_the_head_lies_on_the_template(anatomy: HeadAnatomy, geometry: Geometry) -> None:
    index = np.moveaxis(np.indices(geometry.shape), 0, -1).astype(float)
    moved = np.moveaxis(anatomy.template_mm, 0, -1) - geometry.to_mm(index)
    inside = anatomy.white_matter + anatomy.grey_matter > 0.5
    # Turned by degrees, scaled by percents and bent by millimetres, but not carried away.
    assert 0.5 < np.linalg.norm(moved, axis=-1)[inside].mean() < 12
    centre = geometry.to_mm(index[inside].mean(axis=0))
    assert np.abs(centre - (0.0, -18.0, 8.0)).max() < 12
    z, y, x = anatomy.template_mm[2], anatomy.template_mm[1], anatomy.template_mm[0]
    assert z[0].mean() > z[-1].mean() + 100  # to Inferior
    assert y[:, 0].mean() > y[:, -1].mean() + 150  # to Posterior
    assert x[..., 0].mean() > x[..., -1].mean() + 120  # to Left


def test_lesion_count_and_volumes_are_plausible(patient: Patient) -> None:
    volumes = volumes_ml(patient)
    assert 15 <= len(volumes) <= LesionLoad().count
    assert np.log10(volumes.max() / volumes.min()) > 1.5
    assert 0.5 < volumes.sum() < 60
    assert np.median(volumes) < volumes.mean()


def test_a_load_is_what_was_asked_for(geometry: Geometry, anatomy: HeadAnatomy) -> None:
    one = draw_lesions(anatomy, geometry, LesionLoad(1, 2.0, 0.0), np.random.default_rng(5)) > 0.5
    _, count = ndimage.label(one, np.ones((3, 3, 3)))
    assert count == 1
    assert np.count_nonzero(one) * geometry.voxel_volume_ml == pytest.approx(2.0, rel=0.6)
    loads = [LesionLoad.draw(np.random.default_rng(seed)) for seed in range(50)]
    assert {8 <= load.count < 80 for load in loads} == {True}
    assert len({load.count for load in loads}) > 20


def test_lesions_lie_in_white_matter_near_the_ventricles(patient: Patient, anatomy: HeadAnatomy) -> None:
    sick = patient.lesions > 0
    tissue = anatomy.white_matter + 0.6 * anatomy.grey_matter
    assert tissue[sick].min() > 0.25
    assert anatomy.white_matter[sick].mean() > 0.6
    ventricle = (anatomy.csf > 0.6) & (np.abs(anatomy.template_mm[0]) < 38) & (np.abs(anatomy.template_mm[2] - 16) < 28)
    distance = ndimage.distance_transform_edt(~ventricle, sampling=patient.geometry.voxel_size_mm)
    assert np.median(distance[sick]) < np.median(distance[anatomy.white_matter > 0.9])


@pytest.mark.parametrize(("modality", "low", "high"), [("FLAIR", 1.4, 2.2), ("T1", 0.85, 0.97), ("T2", 1.6, 3.0)])
def test_lesions_stand_out_as_they_should(
    modality: str, low: float, high: float, patient: Patient, anatomy: HeadAnatomy
) -> None:
    sick = patient.lesions > 0
    around = ndimage.binary_dilation(sick, iterations=3) & ~ndimage.binary_dilation(sick)
    around &= anatomy.white_matter > 0.9
    image = patient.images[modality]
    assert np.count_nonzero(around) > 50
    assert low < image[sick].mean() / image[around].mean() < high


def test_healthy_tissue_has_its_contrast(patient: Patient, anatomy: HeadAnatomy) -> None:
    healthy = patient.lesions == 0
    for modality, brightest_first in (("FLAIR", "gwc"), ("T1", "wgc"), ("T2", "cgw")):
        image = patient.images[modality]
        fractions = {"w": anatomy.white_matter, "g": anatomy.grey_matter, "c": anatomy.csf}
        levels = {letter: image[healthy & (part > 0.95)].mean() for letter, part in fractions.items()}
        assert "".join(sorted(levels, key=lambda letter: -levels[letter])) == brightest_first
        assert levels["w"] == pytest.approx(1, abs=0.1)


def test_a_mask_in_template_space_is_followed(anatomy: HeadAnatomy, geometry: Geometry) -> None:
    mask = np.zeros((20, 20, 20), np.uint8)
    mask[5:15, 5:15, 5:15] = 1
    # A cube of 20 mm around a point in left frontal white matter, stored in RAS millimetres.
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = np.array([-26.0, 12.0, 26.0]) - 19.0
    options = PatientOptions(lesion_mask=(mask, affine), modalities=("FLAIR",))
    lesions = simulate_patient(geometry, SEED, options).lesions > 0
    at = np.abs(anatomy.template_mm - np.array([-26.0, 12.0, 26.0])[:, None, None, None]).max(axis=0)
    assert not lesions[at > 12].any()
    brain = anatomy.white_matter + anatomy.grey_matter + anatomy.csf > 0.9
    assert lesions[(at < 8) & brain].all()
    # Left of the middle: in the later half of the columns.
    assert np.argwhere(lesions)[:, 2].min() > geometry.shape[2] // 2


def test_relaxation_varies_only_when_asked() -> None:
    grid = head_geometry((6, 20, 16), (20.0, 11.0, 12.0))
    ratios = []
    for seed in range(3):
        patient = simulate_patient(grid, seed, PatientOptions(load=LesionLoad(0), modalities=("T2",), vary=True))
        parts = deform_anatomy(grid, np.random.default_rng(seed))
        ratios.append(patient.images["T2"][parts.grey_matter > 0.9].mean())
    assert np.ptp(ratios) > 0.03


def test_signal_is_the_textbook_formula() -> None:
    tissue, spin_echo = Tissue(1000, 100, 0.5), Sequence(tr_ms=1000, te_ms=100)
    assert spin_echo_signal(tissue, spin_echo) == pytest.approx(0.5 * (1 - np.exp(-1)) * np.exp(-1))
    inverted = Sequence(tr_ms=5000, te_ms=100, ti_ms=700)
    recovery = 1 - 2 * np.exp(-0.7) + np.exp(-5)
    assert spin_echo_signal(tissue, inverted) == pytest.approx(0.5 * abs(recovery) * np.exp(-1))


def test_signal_has_its_limits() -> None:
    tissue = Tissue(1084, 69, 0.7)
    assert spin_echo_signal(tissue, Sequence(tr_ms=1e9, te_ms=0)) == pytest.approx(0.7)
    assert spin_echo_signal(tissue, Sequence(tr_ms=0, te_ms=10)) == 0
    # With TR long, an inversion time of T1 ln 2 leaves nothing; without inversion time the sign is lost, not the size.
    assert spin_echo_signal(tissue, Sequence(1e9, 0, ti_ms=1084 * np.log(2))) == pytest.approx(0, abs=1e-9)
    assert spin_echo_signal(tissue, Sequence(1e9, 0, ti_ms=0)) == pytest.approx(0.7)
    echoes = [spin_echo_signal(tissue, Sequence(2000, te)) for te in (10, 79)]
    assert echoes[1] / echoes[0] == pytest.approx(np.exp(-1))


def test_flair_suppresses_fluid() -> None:
    flair = SEQUENCES["FLAIR"]
    signal = {name: spin_echo_signal(tissue, flair) for name, tissue in TISSUES.items()}
    # On an echo of the same length without inversion, fluid is by far the brightest.
    plain = {name: spin_echo_signal(tissue, Sequence(flair.tr_ms, flair.te_ms)) for name, tissue in TISSUES.items()}
    assert max(plain, key=plain.__getitem__) == "csf"
    assert min(signal, key=signal.__getitem__) == "csf"
    assert max(signal, key=signal.__getitem__) == "lesion"


def test_published_relaxation_times_are_quoted_right() -> None:
    # Stanisz et al. 2005, table 1, 3 T.
    assert (TISSUES["white matter"].t1_ms, TISSUES["white matter"].t2_ms) == (1084, 69)
    assert (TISSUES["grey matter"].t1_ms, TISSUES["grey matter"].t2_ms) == (1820, 99)


def test_smooth_fields_are_smooth_and_of_unit_variance() -> None:
    rng = np.random.default_rng(0)
    coarse, fine = (smooth_field((64, 64), (step, step), rng) for step in (16.0, 2.0))
    for field in (coarse, fine):
        assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(coarse, axis=0)).mean() < np.abs(np.diff(fine, axis=0)).mean() / 3


@pytest.mark.parametrize("seed", range(5))
def test_phase_is_smooth_and_bounded(seed: int) -> None:
    phase = smooth_phase((40, 30), np.random.default_rng(seed))
    assert 0.3 * np.pi * 0.999 <= np.abs(phase).max() <= np.pi * 1.001
    # A polynomial of third degree vanishes under four differences.
    assert np.abs(np.diff(phase, n=4, axis=0)).max() < 1e-5
    assert np.abs(np.diff(phase, n=4, axis=1)).max() < 1e-5


@pytest.fixture(scope="module")
def scan() -> SimulatedScan:
    magnitude = np.random.default_rng(0).random((3, 30, 24), dtype=np.float32)
    return SimulatedScan("FLAIR", magnitude, seed=4, n_coils=3)


def test_the_image_is_that_of_the_raw_data(scan: SimulatedScan) -> None:
    for index in range(3):
        combined = adjoint(scan.kspace(index), scan.coil_maps(index))
        assert np.allclose(scan.image(index), np.abs(combined), atol=1e-5)
    assert scan.kspace(0).shape == scan.shape[1:] == (3, 30, 24)
    assert (scan.kspace(0).dtype, scan.image(0).dtype) == (np.complex64, np.float32)
    assert (scan.origin, scan.acquired, scan.slice_axis) == (Origin.PHANTOM, None, 0)


def test_noise_is_drawn_once_for_each_slice(scan: SimulatedScan) -> None:
    assert np.array_equal(scan.kspace(1), scan.kspace(1))
    blank = SimulatedScan("FLAIR", np.zeros((2, 64, 64), np.float32), seed=4, n_coils=2, noise_level=0.05)
    first, second = blank.kspace(0), blank.kspace(1)
    assert not np.array_equal(first, second)
    # The transform keeps the deviation; 16384 samples know it within two percent.
    assert first.real.std() == pytest.approx(0.05, rel=0.03)
    assert first.imag.std() == pytest.approx(0.05, rel=0.03)


def test_without_noise_the_magnitude_comes_back() -> None:
    magnitude = np.random.default_rng(0).random((1, 16, 12), dtype=np.float32)
    scan = SimulatedScan("T1", magnitude, seed=1, noise_level=0.0)
    assert np.allclose(scan.image(0), magnitude[0], atol=1e-5)
    phase = np.angle(adjoint(scan.kspace(0), scan.coil_maps(0)))
    assert np.ptp(phase) > 0.2


def test_the_sample_study_says_what_it_is(small_sample: Path) -> None:
    study = sample_study(2, cache=False)
    assert study.modalities == ("FLAIR", "T1", "T2")
    assert any("not a real person" in note for note in study.notes)
    assert study.labels is not None
    assert set(np.unique(study.labels.volume())) <= {0, 1}
    for name, raw in study.raw.items():
        assert raw.origin is Origin.PHANTOM
        assert raw.shape == (4, 8, 28, 24)
        reference = np.abs(adjoint(raw.kspace(1), raw.coil_maps(1)))
        assert np.allclose(study.images[name].volume()[1], reference, atol=1e-5)
    assert not small_sample.exists()


def test_the_cache_gives_the_same_study(small_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sample_study(2)
    assert len(list(small_sample.iterdir())) == 1
    monkeypatch.setattr("mrviewer.phantom.sample.simulate_patient", lambda *_: pytest.fail("it was made again"))
    again = sample_study(2)
    for name, image in first.images.items():
        assert np.array_equal(again.images[name].volume(), image.volume())
    assert first.labels is not None
    assert again.labels is not None
    assert np.array_equal(again.labels.volume(), first.labels.volume())


@pytest.mark.parametrize("damage", ["cut", "pickle", "empty", "foreign"])
def test_a_damaged_cache_is_made_again(damage: str, small_sample: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = sample_study(2)
    (path,) = small_sample.iterdir()
    whole = path.read_bytes()
    if damage == "foreign":
        np.savez(path, something=np.zeros(3))
    else:
        path.write_bytes({"cut": whole[: len(whole) // 2], "pickle": b"\x80\x04K\x01.", "empty": b""}[damage])
    with caplog.at_level(logging.WARNING, logger="mrviewer"):
        again = sample_study(2)
    assert np.array_equal(again.images["FLAIR"].volume(), first.images["FLAIR"].volume())
    assert "the cached sample patient cannot be read" in caplog.text
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(small_sample: Path, caplog: pytest.LogCaptureFixture) -> None:
    small_sample.write_text("a file where the folder should be", encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="mrviewer"):
        assert sample_study(2).modalities == ("FLAIR", "T1", "T2")
    assert "cannot be cached" in caplog.text
