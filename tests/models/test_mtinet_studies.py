"""MTI-Net on studies: what it is given in training, what it says of a volume, and what it refuses."""

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from small_runs import full_measurement

from mrviewer.database import Subject, open_database
from mrviewer.errors import InputError, UnknownNameError
from mrviewer.evaluation.findings import describe_findings
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import PHASES, enhancement_curve
from mrviewer.method import Measurement
from mrviewer.methods.registry import get_method
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.phantom import sample_liver_study
from mrviewer.phantom.liver_tissues import MALIGNANT, TUMOUR_KINDS
from mrviewer.progress import finish
from mrviewer.reconstruction.reconstruct import reconstruct
from mrviewer.sampling import make_mask
from mrviewer.study import Image, Origin, Study
from mrviewer.testing import check_result
from mrviewer.training.options import TrainingOptions
from mrviewer_models.mtinet import METHOD, inference
from mrviewer_models.mtinet.batches import LiverBatch, LiverBatches
from mrviewer_models.mtinet.inference import infer_volume, load
from mrviewer_models.mtinet.network import MTINet, Prediction
from mrviewer_models.mtinet.preparation import grid_size, phase_stack, resized
from mrviewer_models.mtinet.recipe import CLASSES, recipe
from mrviewer_models.mtinet.shape import PRESETS
from mrviewer_models.mtinet.slices import SubjectSlices, prepare_subjects, read_diagnoses

GEOMETRY = Geometry.axial((3, 20, 24), (8.0, 2.0, 2.0))


def images(
    levels: tuple[float, ...] = (1.0, 2.0, 1.5, 1.2), shape: tuple[int, ...] = (3, 20, 24)
) -> dict[str, np.ndarray]:
    """A body with a ramp, at another level in every phase."""
    ramp = np.linspace(0.8, 1.2, shape[-1], dtype=np.float32) * np.ones(shape, np.float32)
    ramp[:, :2] = 0
    return {name: level * ramp for name, level in zip(PHASES, levels, strict=True)}


def study_of(volumes: dict[str, np.ndarray], labels: np.ndarray | None = None) -> Study:
    truth = None if labels is None else Image(labels, GEOMETRY, "labels")
    return Study("phases", {name: Image(volume, GEOMETRY, name) for name, volume in volumes.items()}, truth)


def measured(volumes: dict[str, np.ndarray]) -> Measurement:
    return full_measurement(volumes, "arterial", voxel_size_mm=(8.0, 2.0, 2.0))


class Told(MTINet):
    """Says of every slice what it is told: rows of tumour, a value and a class."""

    def __init__(self, answers: list[tuple[int, float, int]]) -> None:
        super().__init__(replace(PRESETS["tiny"], n_classes=6, pixel_mm=2.0))
        self.answers = answers
        self.told = 0

    def forward(self, phases: torch.Tensor) -> Prediction:
        chosen = self.answers[self.told : self.told + len(phases)]
        self.told += len(phases)
        logits = torch.full((len(phases), 1, *phases.shape[-2:]), -9.0)
        for number, (rows, _, _) in enumerate(chosen):
            logits[number, 0, 4 : 4 + rows] = 9.0
        values = torch.tensor([[value] * 3 for _, value, _ in chosen])
        return Prediction(logits, logits, values, 50 * torch.eye(6)[[kind for _, _, kind in chosen]])


def test_a_volume_is_the_mean_of_its_slices_by_area() -> None:
    result = finish(infer_volume(Told([(1, 2.0, 0), (0, 9.0, 5), (3, 4.0, 1)]), measured(images()), "cpu"))
    assert result.segmentation is not None
    assert result.segmentation.sum(axis=(1, 2)).tolist() == [24, 0, 72]
    assert result.regression == pytest.approx([3.5, 3.5, 3.5])
    assert result.classes == pytest.approx([0.25, 0.75, 0, 0, 0, 0], abs=1e-6)
    assert result.modalities_used == PHASES
    check_result(METHOD, measured(images()), result)


def test_where_no_tumour_is_found_nothing_is_told() -> None:
    result = finish(infer_volume(Told([(0, 2.0, 0)] * 3), measured(images()), "cpu"))
    assert result.regression is None
    assert result.classes is None
    assert result.segmentation is not None
    assert not result.segmentation.any()
    check_result(METHOD, measured(images()), result)


@pytest.mark.parametrize("change", [np.zeros_like, lambda volume: np.full_like(volume, 5), lambda volume: -volume])
def test_odd_volumes_give_a_result(change: Callable[[np.ndarray], np.ndarray]) -> None:
    network = MTINet(replace(PRESETS["tiny"], n_classes=6)).eval()
    odd = measured({name: change(volume) for name, volume in images().items()})
    check_result(METHOD, odd, finish(infer_volume(network, odd, "cpu")))


def test_it_can_be_stopped_between_slices() -> None:
    steps = list(infer_volume(Told([(1, 1.0, 0)] * 3), measured(images()), "cpu"))
    assert [(step.done, step.total) for step in steps] == [(2, 3), (3, 3)]


def test_units_and_pixels_are_taken_away() -> None:
    network = MTINet(replace(PRESETS["tiny"], n_classes=6)).eval()
    first = finish(infer_volume(network, measured(images()), "cpu"))
    scaled = finish(infer_volume(network, measured({n: 700 * v for n, v in images().items()}), "cpu"))
    assert first.probabilities is not None
    assert scaled.probabilities is not None
    assert np.allclose(first.probabilities, scaled.probabilities, atol=1e-4)


def test_means_are_told_as_enhancement() -> None:
    shape = replace(PRESETS["tiny"], target="mean", quant=True, n_classes=6)
    told = inference._as_enhancement(np.asarray([100, 160, 140, 110, 1, 2, 3, 4], np.float32), shape)
    assert told == pytest.approx([0.6, 0.4, 0.1])


def test_phases_have_one_scale() -> None:
    stack = phase_stack(images())
    body = stack.raw[:, :, 2:]
    assert body[:, 0].mean() == pytest.approx(1, rel=1e-3)
    assert np.allclose(body[:, 1], 2 * body[:, 0], rtol=1e-5)
    normalised = stack.normalised()
    assert normalised[:, 0, 2:].std() == pytest.approx(1, rel=0.02)
    assert np.allclose(normalised * stack.spread + 1, stack.raw, atol=1e-5)
    broken = images()
    broken["arterial"][0, 5, 5] = np.nan
    assert np.isfinite(phase_stack(broken).raw).all()


def test_slices_are_resampled_by_their_size_in_millimetres() -> None:
    assert grid_size((100, 80), (1.375, 1.375), 2.75) == (50, 40)
    flat = torch.full((1, 4, 10, 12), 3.0)
    assert resized(flat, (5, 6)).shape == (1, 4, 5, 6)
    assert resized(flat, (20, 24)).allclose(torch.tensor(3.0))


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mrviewer" / "training"


MakeSubject = Callable[..., SubjectSlices]


@pytest.fixture
def subject(tmp_path: Path) -> MakeSubject:
    """Make four slices, one of which holds a tumour; the phases differ in the arterial one."""

    def make(diagnosis: str, level: float) -> SubjectSlices:
        raw = np.ones((4, 4, 16, 16), np.float16)
        raw[:, 1] = 2
        masks = np.zeros((4, 2, 16, 16), np.uint8)
        masks[1, 0, 5:10, 5:10] = 1
        raw[:, :, 5:10, 5:10] = np.asarray([1, level, level, 1])[:, None, None]
        path = tmp_path / f"{diagnosis}-{level}.safetensors"
        save_file({"raw": raw, "masks": masks}, path)
        return SubjectSlices(path, np.asarray([1]), 4, 0.5, diagnosis, has_liver=False)

    return make


def batches(options: TrainingOptions, *subjects: SubjectSlices) -> LiverBatches:
    return LiverBatches(subjects, options, CLASSES["types"])


def test_a_step_is_always_the_same_batch(subject: MakeSubject) -> None:
    source = batches(TrainingOptions(seed=3), subject("cyst", 1), subject("metastasis", 2))
    again = batches(TrainingOptions(seed=3), subject("cyst", 1), subject("metastasis", 2))
    assert torch.equal(source.batch(5).phases, again.batch(5).phases)
    assert not torch.equal(source.batch(5).phases, source.batch(6).phases)
    assert len(source) == 8


@pytest.mark.parametrize("pieces", [2, 3, 6])
def test_pieces_of_a_batch_are_the_batch(subject: MakeSubject, pieces: int) -> None:
    source = batches(TrainingOptions(batch_size=4), subject("cyst", 1), subject("metastasis", 2))
    whole = source.batch(3)
    parts = [source.batch(3, piece, pieces) for piece in range(pieces)]
    for item in fields(LiverBatch):
        joined = torch.cat([getattr(part, item.name) for part in parts])
        assert torch.equal(joined, getattr(whole, item.name)), item.name


def test_phases_are_turned_together_and_keep_their_enhancement(subject: MakeSubject) -> None:
    batch = batches(TrainingOptions(batch_size=8, lesion_share=1.0), subject("cyst", 3.0)).batch(0)
    assert batch.has_tumour.all()
    gains = batch.raw[:, 0].amax(dim=(1, 2))
    assert torch.allclose(batch.raw[:, 1].amax(dim=(1, 2)) / gains, torch.full((8,), 3.0))
    assert torch.equal(batch.raw[:, 0], batch.raw[:, 3])
    assert gains.std() > 0.01
    assert torch.allclose((batch.raw - 1) / 0.5, batch.phases)


def test_classes_have_their_numbers(subject: MakeSubject) -> None:
    options = TrainingOptions(batch_size=6)
    kinds = list(TUMOUR_KINDS)
    for number, kind in enumerate(kinds):
        assert set(batches(options, subject(kind, 2)).batch(0).diagnosis.tolist()) == {number}
        binary = LiverBatches([subject(kind, 2)], options, CLASSES["binary"]).batch(0).diagnosis
        assert set(binary.tolist()) == {int(kind not in MALIGNANT)}
    assert set(batches(options, subject("", 2)).batch(0).diagnosis.tolist()) == {-1}


def stacked(made: SubjectSlices) -> tuple[np.ndarray, np.ndarray]:
    """Signal and masks of all slices."""
    raw, masks = zip(*(made.read(number) for number in range(made.n_slices)), strict=True)
    return np.stack(raw), np.stack(masks)


def test_simulated_subjects_are_prepared_once(cache: Path) -> None:
    subjects = open_database(["simulated-liver:1@3"])
    first = finish(prepare_subjects(subjects, 5.5, {}))[0]
    study = sample_liver_study(3)
    raw, masks = stacked(first)
    assert raw.shape == (12, 4, 48, 64)
    assert first.diagnosis == study.diagnosis
    assert first.has_liver
    assert masks[:, 1].any()
    assert np.array_equal(first.with_tumour, np.flatnonzero(masks[:, 0].sum(axis=(1, 2), dtype=int) > 3))
    assert study.labels is not None
    volumes = {name: image.volume() for name, image in study.images.items()}
    curve = enhancement_curve({n: raw[:, i] for i, n in enumerate(PHASES)}, masks[:, 0])
    assert curve == pytest.approx(enhancement_curve(volumes, study.labels.volume()), abs=0.25)
    [file] = cache.iterdir()
    changed = file.stat().st_mtime_ns
    assert np.array_equal(stacked(finish(prepare_subjects(subjects, 5.5, {}))[0])[0], raw)
    assert file.stat().st_mtime_ns == changed
    file.write_bytes(b"damaged")
    assert np.array_equal(stacked(finish(prepare_subjects(subjects, 5.5, {}))[0])[0], raw)


def real(labels: np.ndarray | None, volumes: dict[str, np.ndarray] | None = None) -> Subject:
    study = study_of(images() if volumes is None else volumes, labels)
    return Subject("real", lambda: study, database="folder")


def test_real_subjects_are_resampled_and_named() -> None:
    label = np.zeros((3, 20, 24), np.uint8)
    label[1, 6:14, 8:16] = 1
    [made] = finish(prepare_subjects([real(label)], 4.0, {"real": "cyst"}))
    raw, masks = stacked(made)
    assert raw.shape == (3, 4, 66, 88)
    assert made.diagnosis == "cyst"
    assert masks[:, 0].sum() == 16
    assert not masks[:, 1].any()
    assert not made.has_liver


def test_subjects_that_cannot_teach_are_refused(tmp_path: Path) -> None:
    label = np.ones((3, 20, 24), np.uint8)
    volumes = images()
    del volumes["delayed"]
    with pytest.raises(InputError, match="subject 'real' has no delayed image; mtinet learns from"):
        finish(prepare_subjects([real(label, volumes)], 4.0, {}))
    for nothing, reason in ((None, "has no labels of its tumour"), (0 * label, "has no slice with a labelled tumour")):
        with pytest.raises(InputError, match=f"subject 'real' {reason}; leave it out"):
            finish(prepare_subjects([replace(real(nothing), fingerprint=reason)], 4.0, {}))
    with pytest.raises(InputError, match="liver_relative needs the outline of the liver"):
        finish(recipe({"preset": "tiny", "target": "liver_relative"}).source([real(label)]))
    path = tmp_path / "kinds.csv"
    path.write_text("subject,diagnosis\nreal,cyst \n", encoding="utf-8")
    assert read_diagnoses(str(path)) == {"real": "cyst"}
    assert read_diagnoses("") == {}
    path.write_text("name\nreal\n", encoding="utf-8")
    for wrong in (path, tmp_path / "none.csv"):
        with pytest.raises(InputError, match=r"is no table of diagnoses .*; give a CSV file: subject,diagnosis"):
            read_diagnoses(str(wrong))


def test_studies_that_lack_a_phase_are_refused_before_any_work() -> None:
    whole = study_of(images())
    assert all(METHOD.fits(whole, name) for name in PHASES)
    three = images()
    del three["portal-venous"]
    reason = METHOD.fits(study_of(three), "arterial").reason
    assert reason.startswith("mtinet needs pre-contrast, arterial, portal-venous, delayed on one grid")
    assert reason.endswith("this study has no portal-venous")
    series = Study("series", {"DCE": Image(np.zeros((25, 3, 20, 24), np.float32), GEOMETRY, "DCE")})
    assert METHOD.fits(series, "DCE").reason.endswith("this image is DCE, a series of 25 volumes")
    other = study_of(images())
    moved = Geometry.axial((3, 20, 24), (8.0, 2.5, 2.0))
    elsewhere = replace(other, images={**other.images, "delayed": Image(images()["delayed"], moved, "delayed")})
    assert METHOD.fits(elsewhere, "arterial").reason.endswith("has its delayed on another grid")


def test_options_are_read_and_strangers_refused() -> None:
    made = recipe({"preset": "tiny", "with_tim": "false", "coarsen": "2", "classes": "binary"})
    assert (made.options.shape.with_tim, made.options.shape.pixel_mm, made.options.shape.n_classes) == (False, 11.0, 2)
    with pytest.raises(UnknownNameError, match="the recipe of mtinet has no option 'with_gan'"):
        recipe({"with_gan": "true"})


def test_the_card_names_what_the_recipe_learns() -> None:
    assert METHOD.card.classifies == tuple(name for (name,) in CLASSES["types"])
    assert METHOD.card.regresses == PHASES[1:]
    assert METHOD.card.needs.required == PHASES
    assert get_method("mtinet") == METHOD


def test_a_trained_network_runs_on_a_study(tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = recipe({"preset": "tiny"})
    network = made.network()
    assert isinstance(network, MTINet)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name == "generator.interaction.head.bias":
                parameter.fill_(4.0)
    path = tmp_path / "weights.safetensors"
    halves = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in network.state_dict().items()}
    save_weights(path, Weights(halves, {"recipe": {"shape": asdict(made.options.shape)}}))
    assert load(path).shape == made.options.shape
    study = sample_liver_study(1)
    mask = make_mask("full", (128, 128), 1.0, 1.0, 0)
    run = finish(reconstruct(study, METHOD.with_weights(path), mask, modality="arterial", device="cpu"))
    assert run.origin is Origin.PHANTOM
    assert run.segmentation is not None
    assert run.segmentation.any()
    volumes = {name: study.images[name].volume() for name in PHASES}
    assert run.measured == pytest.approx(enhancement_curve(volumes, run.segmentation))
    found = describe_findings(run)
    assert set(found) == {"regression", "classes"}
    assert found["regression"]["arterial"]["measured"] == pytest.approx(float(run.measured[0]))  # type: ignore[index]
    assert sum(found["classes"].values()) == pytest.approx(1, abs=1e-5)  # type: ignore[attr-defined]
