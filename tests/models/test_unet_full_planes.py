"""The U-Net that sees a slice with its neighbours, in three directions through a volume of one scale."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small_runs import full_measurement

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.method import Measurement, Result
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.progress import finish
from mrviewer.study import Image, Study
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Moment
from mrviewer_models.blocks.painting import paint_lesions_into
from mrviewer_models.blocks.resampling import FineGrid
from mrviewer_models.blocks.scaling import white_matter_level
from mrviewer_models.unet_full.calibration import Calibration
from mrviewer_models.unet_full.inference import infer_volume, lesions_in, load, probability_of
from mrviewer_models.unet_full.network import PRESETS, ImageUNet
from mrviewer_models.unet_full.planes import PlaneSource, normals
from mrviewer_models.unet_full.prepared import prepare_volumes
from mrviewer_models.unet_full.recipe import recipe

SHAPE = (36, 44, 40)


def head(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """White matter at 100 with fluid in its middle and bright lesions; air around it."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij"))
    radius = np.linalg.norm(grid, axis=0)
    volume = np.where(radius < 0.9, 100.0, 0.0) - np.where(radius < 0.3, 80.0, 0.0)
    lesions = np.zeros(SHAPE, bool)
    for place in rng.uniform(-0.45, 0.45, (4, 3)):
        lesions |= np.linalg.norm(grid - place[:, None, None, None], axis=0) < 0.12
    lesions &= (radius < 0.85) & (radius > 0.35)
    volume = volume + 35.0 * lesions + (radius < 0.9) * rng.normal(0, 2, SHAPE)
    return np.maximum(volume, 0).astype(np.float32), lesions


def study(seed: int = 0, voxel: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Study:
    volume, lesions = head(seed)
    geometry = Geometry.axial(SHAPE, voxel)
    labels = Image(lesions.astype(np.uint8), geometry, "labels")
    return Study(f"made-{seed}", {"FLAIR": Image(volume, geometry, "FLAIR")}, labels)


def measurement(volume: NDArray[np.float32], axis: int = 0) -> Measurement:
    return full_measurement({"FLAIR": np.moveaxis(volume, axis, 0)}, "FLAIR", slice_axis=axis)


def test_the_scale_is_white_matter_and_no_lesion_moves_it() -> None:
    volume, lesions = head()
    assert white_matter_level(volume) == pytest.approx(100, rel=0.03)
    assert white_matter_level(volume + 300 * lesions) == pytest.approx(100, rel=0.05)
    assert white_matter_level(7 * volume) == pytest.approx(700, rel=0.03)
    assert white_matter_level(np.zeros((3, 3, 3))) == 1


def test_noise_in_the_air_is_not_taken_for_tissue() -> None:
    volume, _ = head()
    wide = np.abs(np.pad(volume, 30) + np.random.default_rng(1).normal(0, 3, tuple(size + 60 for size in SHAPE)))
    assert white_matter_level(wide) == pytest.approx(100, rel=0.04)


@pytest.mark.parametrize(
    ("spacing", "axes"),
    [((1, 1, 1), (0, 1, 2)), ((4, 1, 1), (0,)), ((1, 3, 1), (1,)), ((5, 5, 1), (0,)), ((1.2, 0.9, 1.5), (0, 1, 2))],
)
def test_slices_lie_across_thick_voxels(spacing: tuple[float, float, float], axes: tuple[int, ...]) -> None:
    assert normals(spacing) == axes


def test_fine_axes_go_to_a_millimetre_and_back() -> None:
    grid = FineGrid((20, 60, 50), (4.0, 0.5, 0.95))
    assert grid.spacing == (4.0, 1.0, 0.95)
    smooth = np.add.outer(np.add.outer(np.arange(20.0), np.linspace(0, 3, 60)), np.linspace(0, 2, 50))
    back = grid.to_study(grid.to_fine(smooth))
    assert back.shape == smooth.shape
    assert np.abs(back - smooth)[:, 3:-3, 3:-3].max() < 0.02


def test_painted_lesions_are_as_bright_as_real_ones() -> None:
    volume, _ = head()
    volume = volume / 100
    mask = np.zeros(SHAPE, bool)
    mask[10:14, 20:26, 6:10] = True
    gains = []
    for seed in range(8):
        painted, where = paint_lesions_into(volume, mask, np.random.default_rng(seed))
        gains.append(float((painted - volume)[where].max()))
        assert np.array_equal(painted[0], volume[0])
        assert not where[volume < 0.6].any()
    assert 0.1 < min(gains) < max(gains) < 0.75
    assert 0.2 < np.median(gains) < 0.5


def test_small_components_and_improbable_voxels_are_dropped() -> None:
    probability = np.zeros((8, 8, 8), np.float32)
    probability[1, 1, 1:3] = 0.9
    probability[4:6, 4:6, 4:6] = 0.7
    probability[7, 7, 7] = 0.4
    calibration = Calibration(threshold=0.5, smallest_mm3=3.0)
    assert lesions_in(probability, calibration, 1.0).sum() == 8
    assert lesions_in(probability, calibration, 4.0).sum() == 10
    assert lesions_in(probability, replace(calibration, smallest_mm3=0, threshold=0.3), 1.0).sum() == 11


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlaneSource:
    """Slices of two subjects."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    subjects = [made_subject(number) for number in (0, 1)]
    volumes = finish(prepare_volumes(subjects, "FLAIR", None))
    training = TrainingOptions(batch_size=6, crop=24, lesion_share=0.7)
    return PlaneSource(volumes, training, neighbours=1, paint_share=0.0)


def made_subject(number: int) -> Subject:
    return Subject(f"made-{number}", lambda: study(number), database="made")


def test_a_step_is_always_the_same_in_one_piece_or_three(kept: PlaneSource) -> None:
    whole = kept.batch(3)
    assert whole.image.shape == (6, 3, 24, 24)
    assert torch.equal(whole.image, kept.batch(3).image)
    parts = [kept.batch(3, piece, 3) for piece in range(3)]
    assert torch.equal(whole.image, torch.cat([part.image for part in parts]))
    assert torch.equal(whole.label, torch.cat([part.label for part in parts]))
    assert not torch.equal(whole.image, kept.batch(4).image)


def test_the_middle_slice_is_the_one_that_the_label_belongs_to(kept: PlaneSource) -> None:
    bright, other = [], []
    for step in range(12):
        batch = kept.batch(step)
        lesion = batch.label == 1
        for place in range(3):
            values = batch.image[:, place][lesion]
            (bright if place == 1 else other).extend(values.tolist())
    assert np.mean(bright) > np.mean(other)


def test_brightness_and_the_stack_of_slices_do_not_matter() -> None:
    torch.manual_seed(0)
    network = ImageUNet(replace(PRESETS["tiny"], inputs=3)).eval()
    volume, _ = head()
    first = finish(infer_volume(network, measurement(volume), "cpu"))
    brighter = finish(infer_volume(network, measurement(40 * volume), "cpu"))
    sagittal = finish(infer_volume(network, measurement(volume, axis=2), "cpu"))
    assert first.probabilities is not None
    assert brighter.probabilities is not None
    assert sagittal.probabilities is not None
    assert np.allclose(first.probabilities, brighter.probabilities, atol=1e-3)
    assert np.allclose(first.probabilities[0], np.moveaxis(sagittal.probabilities[0], 0, 2), atol=1e-5)


def test_mirrored_heads_have_mirrored_lesions() -> None:
    torch.manual_seed(0)
    network = ImageUNet(replace(PRESETS["tiny"], inputs=3), Calibration(planes=False)).eval()
    volume, _ = head()
    straight = finish(infer_volume(network, measurement(volume), "cpu")).probabilities
    mirrored = finish(infer_volume(network, measurement(np.ascontiguousarray(volume[..., ::-1])), "cpu")).probabilities
    assert straight is not None
    assert mirrored is not None
    assert np.allclose(straight, mirrored[..., ::-1], atol=1e-5)


def test_it_learns_what_bright_spots_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = recipe(
        {"preset": "tiny", "neighbours": "1", "crop": "32", "batch_size": "6", "noise_share": "0", "modality": "FLAIR"}
    )
    assert made.options.shape.inputs == 3
    source = finish(made.source([made_subject(0)]))
    torch.manual_seed(0)
    network = made.network()
    assert isinstance(network, ImageUNet)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for step in range(60):
        loss = made.losses(network, source.batch(step), Moment(step, step, 60)).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights(network.state_dict(), {"recipe": asdict(made.options)}))
    volume, lesions = head(1)
    result: Result = finish(infer_volume(load(path).eval(), measurement(volume), "cpu"))
    assert result.segmentation is not None
    overlap = np.count_nonzero((result.segmentation > 0) & lesions)
    assert 2 * overlap / (np.count_nonzero(result.segmentation) + np.count_nonzero(lesions)) > 0.7


def test_calibration_travels_with_the_weights(tmp_path: Path) -> None:
    made = recipe({"preset": "tiny"})
    options = replace(made.options, calibration=Calibration(planes=False, threshold=0.37))
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights(made.network().state_dict(), {"recipe": asdict(options)}))
    network = load(path)
    assert isinstance(network, ImageUNet)
    assert network.calibration == options.calibration


def test_subjects_without_labels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    bare = replace(study(), labels=None)
    subject = replace(made_subject(0), load=lambda: bare)
    with pytest.raises(InputError, match="has no labels on the grid of its FLAIR image; leave it out"):
        finish(prepare_volumes([subject], "FLAIR", None))


def test_no_crop_means_whole_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    volumes = finish(prepare_volumes([made_subject(0)], "FLAIR", None))
    source = PlaneSource(volumes, TrainingOptions(batch_size=4, crop=0), neighbours=1, paint_share=0.0)
    edge = max(volumes[0].shape)
    assert source.batch(0).image.shape == (4, 3, edge, edge)


def test_empty_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    whole = study()
    empty = replace(whole.images["FLAIR"], data=np.zeros(SHAPE, np.float32))
    subject = replace(made_subject(0), load=lambda: replace(whole, images={"FLAIR": empty}))
    with pytest.raises(InputError, match="the FLAIR image of subject 'made-0' is empty; leave it out"):
        finish(prepare_volumes([subject], "FLAIR", None))


@pytest.mark.parametrize(
    ("shape", "voxel"), [((2, 24, 20), (1, 1, 1)), ((3, 64, 60), (1, 1, 1)), ((1, 12, 10), (5, 1, 1))]
)
def test_strips_are_looked_at_from_their_broad_side(
    shape: tuple[int, int, int], voxel: tuple[float, float, float]
) -> None:
    network = ImageUNet(PRESETS["small"]).eval()
    volume = np.random.default_rng(0).random(shape, np.float32) + 1
    found = finish(probability_of(network, volume, voxel, "cpu"))
    straight = ImageUNet(PRESETS["small"], Calibration(planes=False)).eval()
    straight.load_state_dict(network.state_dict())
    assert found.shape == shape
    assert np.array_equal(found, finish(probability_of(straight, volume, voxel, "cpu")))
