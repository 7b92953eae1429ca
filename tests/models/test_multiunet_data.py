"""From studies to channels, crops and windows, and back."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.inferers import sliding_window_inference
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from mrviewer.database import Subject, open_database
from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.progress import Progress, finish
from mrviewer.study import Image, Study
from mrviewer.training.data.prepared_subjects import Skipped
from mrviewer.training.options import TrainingOptions
from mrviewer.writers import write_volume
from mrviewer_models.multiunet.batches import VolumeSource, drop_modalities
from mrviewer_models.multiunet.grid import CubicGrid
from mrviewer_models.multiunet.options import MultiUNetOptions
from mrviewer_models.multiunet.prepared import PreparedVolume, prepare_volumes
from mrviewer_models.multiunet.shape import PRESETS
from mrviewer_models.multiunet.volumes import brain_box, channels_of
from mrviewer_models.multiunet.windows import sliding_windows, window_starts

SHAPE = replace(PRESETS["tiny"], channels=("FLAIR", "T1", "", "T2"))
TRAINING = TrainingOptions(batch_size=2, crop=16, lesion_share=0.0, contrast_spread=0.0)
PLAIN = MultiUNetOptions(rotate_share=0.0, drop_modalities=False)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    return tmp_path / "cache" / "mrviewer" / "training"


def blob(shape: tuple[int, int, int], centre: tuple[float, float, float], radius: float) -> NDArray[np.float32]:
    """A smooth ball; centre and radius in parts of the volume."""
    axes = np.meshgrid(*[(np.arange(size) + 0.5) / size for size in shape], indexing="ij")
    distance = np.sqrt(sum((axis - middle) ** 2 for axis, middle in zip(axes, centre, strict=True)))
    return (1 / (1 + np.exp((distance - radius) * 40))).astype(np.float32)


def study(name: str, modalities: tuple[str, ...], seed: int = 0) -> Study:
    """A ball with a brighter ball in it, on voxels of 3 x 2 x 2 mm."""
    shape = (24, 36, 32)
    rng = np.random.default_rng(seed)
    brain = blob(shape, (0.5, 0.5, 0.5), 0.38)
    lesion = blob(shape, (0.5, 0.4, 0.6), 0.12) > 0.5
    geometry = Geometry.axial(shape, (3.0, 2.0, 2.0))
    images = {
        each: Image(
            (100 * brain * (1 + 0.05 * rng.standard_normal(shape)) + 80 * lesion).astype(np.float32), geometry, each
        )
        for each in modalities
    }
    return Study(name, images, Image(lesion.astype(np.uint8), geometry, "labels"))


def subject(name: str, database: str, modalities: tuple[str, ...] = ("FLAIR", "T1", "T2")) -> Subject:
    return Subject(name, lambda: study(name, modalities), database=database)


def prepared(*subjects: Subject) -> list[PreparedVolume]:
    return finish(prepare_volumes(subjects, SHAPE, None))


@pytest.mark.parametrize("voxel_size", [(1.0, 1.0, 1.0), (5.0, 0.45, 0.45), (0.8, 1.9, 3.3)])
def test_there_and_back_again_nothing_has_moved(voxel_size: tuple[float, float, float]) -> None:
    shape = (19, 40, 45)
    grid = CubicGrid(shape, voxel_size, 2.0)
    ball = blob(shape, (0.45, 0.6, 0.4), 0.25)
    cubes = grid.to_cubes(ball)
    assert cubes.shape == grid.cubic_shape
    # The middle lies where it lay, in millimetres from the common corner.
    before = (np.asarray(ndimage.center_of_mass(ball)) + 0.5) * voxel_size
    during = (np.asarray(ndimage.center_of_mass(cubes)) + 0.5) * 2.0
    after = (np.asarray(ndimage.center_of_mass(grid.to_study(cubes))) + 0.5) * voxel_size
    assert np.abs(during - before).max() < 0.35
    assert np.abs(after - before).max() < 0.35
    assert np.abs(grid.to_study(cubes) - ball).mean() < 0.03


def test_cubes_of_the_same_size_are_the_same_voxels() -> None:
    grid = CubicGrid((5, 6, 7), (1.0, 1.0, 1.0), 1.0)
    values = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    assert np.array_equal(grid.to_cubes(values), values)
    assert np.array_equal(grid.to_study(values), values)


def test_thin_slabs_have_a_cube() -> None:
    assert CubicGrid((1, 12, 10), (1.0, 1.0, 1.0), 4.0).cubic_shape == (1, 3, 3)


def test_channels_follow_the_map_whatever_the_order_of_the_images() -> None:
    images = {name: image.volume() for name, image in study("a", ("T2", "FLAIR", "PD")).images.items()}
    grid = CubicGrid((24, 36, 32), (3.0, 2.0, 2.0), 4.0)
    first = channels_of(images, grid, SHAPE)
    second = channels_of(dict(reversed(images.items())), grid, SHAPE)
    assert first.present.tolist() == [True, False, False, True]
    assert np.array_equal(first.volume, second.volume)
    assert not first.volume[1:3].any()
    # Another map is another order of the same volumes.
    turned = channels_of(images, grid, replace(SHAPE, channels=("T2", "", "T1", "FLAIR")))
    assert np.array_equal(turned.volume[[3, 2, 1, 0]], first.volume)


@pytest.mark.parametrize("zero", [False, True])
def test_the_brain_is_standardised_and_air_is_what_it_is(zero: bool) -> None:
    brain = np.zeros((20, 20, 20), np.float32)
    brain[4:16, 4:16, 4:16] = np.random.default_rng(0).normal(300, 20, (12, 12, 12))
    grid = CubicGrid(brain.shape, (1.0, 1.0, 1.0), 1.0)  # type: ignore[arg-type]
    channels = channels_of({"T1": brain}, grid, replace(SHAPE, background_zero=zero))
    inside = channels.volume[1][brain > 0]
    assert (inside.mean(), inside.std()) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-3))
    air = 0 if zero else -brain[brain > 0].mean() / brain[brain > 0].std()
    assert channels.air[1] == pytest.approx(air, rel=1e-4)
    assert np.allclose(channels.volume[1][brain == 0], air, rtol=1e-4)
    # Another gain of the receiver is the same volume.
    louder = channels_of({"T1": 7 * brain}, grid, replace(SHAPE, background_zero=zero))
    assert np.allclose(louder.volume, channels.volume, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan, np.inf, -3.0])
def test_an_image_that_shows_nothing_is_absent(value: float) -> None:
    flat = np.full((6, 7, 8), value, np.float32)
    channels = channels_of({"T1": flat}, CubicGrid((6, 7, 8), (1.0, 1.0, 1.0), 1.0), SHAPE)
    assert not channels.present.any()
    assert not channels.volume.any()
    assert brain_box(channels) == (slice(0, 6), slice(0, 7), slice(0, 8))


def test_the_box_holds_the_brain_and_a_margin() -> None:
    brain = np.zeros((30, 30, 30), np.float32)
    brain[10:18, 5:25, 12:20] = np.random.default_rng(0).normal(300, 20, (8, 20, 8))
    grid = CubicGrid((30, 30, 30), (1.0, 1.0, 1.0), 1.0)
    assert brain_box(channels_of({"T1": brain}, grid, SHAPE)) == (slice(6, 22), slice(1, 29), slice(8, 24))


def mixing() -> Callable[[Tensor], Tensor]:
    torch.manual_seed(0)
    convolution = torch.nn.Conv3d(2, 1, 3, padding=1)
    return lambda window: convolution(window).detach()


def test_a_window_as_large_as_the_volume_is_the_whole_volume() -> None:
    predict, volume = mixing(), torch.randn(2, 16, 16, 16)
    whole = finish(sliding_windows(predict, volume, torch.zeros(2), 16))
    assert torch.equal(whole, predict(volume[None])[0, 0])


@pytest.mark.parametrize("size", [(16, 16, 16), (20, 33, 16), (5, 40, 17)])
def test_windows_are_those_of_monai(size: tuple[int, int, int]) -> None:
    predict, volume = mixing(), torch.randn(2, *size)
    ours = finish(sliding_windows(predict, volume, torch.zeros(2), 16, 0.25))
    # MONAI pads small volumes on both sides and we do at the far one, so that only what is not padded compares.
    if min(size) >= 16:
        theirs = sliding_window_inference(volume[None], (16, 16, 16), 1, predict, overlap=0.25)
        assert torch.allclose(ours, theirs[0, 0], atol=1e-5)
    assert ours.shape == size


def test_windows_tell_where_they_are_and_can_be_stopped() -> None:
    job = sliding_windows(mixing(), torch.randn(2, 16, 28, 28), torch.zeros(2), 16)
    assert next(job) == Progress(1, 4, "window 1 of 4")
    job.close()
    assert next(job, None) is None
    assert window_starts(64, 64, 0.25) == [0]
    assert window_starts(100, 64, 0.25) == [0, 36]
    assert window_starts(200, 64, 0.25) == [0, 48, 96, 136]


def test_too_small_a_volume_is_padded_with_air() -> None:
    seen: list[Tensor] = []
    finish(
        sliding_windows(
            lambda window: seen.append(window) or window[:, :1], torch.ones(2, 4, 16, 16), torch.tensor([-3.0, 0.0]), 16
        )
    )  # type: ignore[func-returns-value]
    assert torch.equal(seen[0][0, :, :4], torch.ones(2, 4, 16, 16))
    assert (seen[0][0, 0, 4:] == -3).all()
    assert (seen[0][0, 1, 4:] == 0).all()


def test_at_least_one_modality_stays_and_every_number_is_as_likely() -> None:
    rng = np.random.default_rng(0)
    present = np.array([True, True, False, True, True])
    kept = np.stack([drop_modalities(present, rng) for _ in range(4000)])
    assert not kept[:, 2].any()
    share = np.bincount(kept.sum(axis=1), minlength=5)[1:] / 4000
    assert share.min() > 0.22
    assert share.max() < 0.28
    # n = 0, 1, 2, 3 of four gone, evenly: a modality stays with a chance of (4 + 3 + 2 + 1) / 16.
    assert np.allclose(kept[:, present].mean(axis=0), 0.625, atol=0.03)
    alone = np.array([False, True])
    assert all(np.array_equal(drop_modalities(alone, rng), alone) for _ in range(20))


def test_every_database_has_its_share_of_every_step() -> None:
    source = VolumeSource(
        prepared(
            *[subject(f"a{n}", "a") for n in range(5)], subject("b0", "b"), subject("c0", "c"), subject("c1", "c")
        ),
        TRAINING,
        PLAIN,
    )
    assert len(source) == 5
    steps = [source.cases(step) for step in range(5)]
    assert all(Counter(case.database for case in each) == {"a": 2, "b": 2, "c": 2} for each in steps)
    # In two epochs of the largest database every one of its cases was drawn twice.
    drawn = Counter(case.path.name for each in steps for case in each if case.database == "a")
    assert sorted(drawn.values()) == [2, 2, 2, 2, 2]
    assert source.batch(0).volume.shape == (6, 4, 16, 16, 16)


def test_a_step_is_always_the_same() -> None:
    volumes = prepared(subject("a", "a"), subject("b", "b", ("T1",)))
    options = MultiUNetOptions(rotate_share=0.5, flip_share=0.5)
    training = replace(TRAINING, lesion_share=0.5, contrast_spread=0.2)
    first, second = VolumeSource(volumes, training, options), VolumeSource(volumes, training, options)
    second.batch(0)
    for ours, theirs in zip(vars(first.batch(3)).values(), vars(second.batch(3)).values(), strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(first.batch(3).volume, first.batch(4).volume)


@pytest.mark.parametrize("pieces", [2, 3, 7])
def test_pieces_of_a_batch_are_the_batch(pieces: int) -> None:
    training = replace(TRAINING, lesion_share=0.5, contrast_spread=0.2)
    options = MultiUNetOptions(rotate_share=0.5, flip_share=0.5)
    source = VolumeSource(prepared(subject("a", "a"), subject("b", "b", ("T1",))), training, options)
    whole, parts = source.batch(2), [source.batch(2, piece, pieces) for piece in range(pieces)]
    assert len(whole.volume) == 4
    for name in vars(whole):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name)), name


def test_what_is_absent_or_dropped_is_zero_in_a_batch() -> None:
    source = VolumeSource(
        prepared(subject("a", "a"), subject("b", "b", ("T1",))),
        replace(TRAINING, contrast_spread=0.2),
        MultiUNetOptions(),
    )
    for step in range(6):
        batch = source.batch(step)
        assert batch.present.any(dim=1).all()
        assert not batch.present[:, 2].any()
        assert torch.equal(batch.volume.flatten(2).abs().amax(dim=2) > 0, batch.present)
        assert torch.equal(batch.present[2:], torch.tensor([[False, True, False, False]] * 2))


def test_crops_around_lesions_hold_one() -> None:
    volumes = prepared(subject("a", "a"))
    source = VolumeSource(volumes, replace(TRAINING, crop=8, lesion_share=1.0), PLAIN)
    assert all((source.batch(step).label.flatten(1).sum(dim=1) > 0).all() for step in range(8))


def test_a_crop_is_a_part_of_the_volume_and_the_rest_is_air() -> None:
    (case,) = prepared(subject("a", "a"))
    whole, label = case.crop((0, 0, 0), max(case.shape))
    part, part_label = case.crop((3, 4, 5), 6)
    assert np.array_equal(part, whole[:, 3:9, 4:10, 5:11])
    assert np.array_equal(part_label, label[3:9, 4:10, 5:11])
    beyond = case.crop((-3, 0, 0), 8)[0]
    assert np.array_equal(beyond[:, :3], np.broadcast_to(case.air[:, None, None, None], beyond[:, :3].shape))
    assert np.array_equal(beyond[:, 3:], whole[:, :5, :8, :8])
    assert label.sum() == case.n_points
    assert label[tuple(case.point(0))] == 1


def test_volumes_are_prepared_once_and_again_when_damaged(cache: Path) -> None:
    asked: list[str] = []

    def load() -> Study:
        asked.append("a")
        return study("a", ("T1",))

    for _ in range(2):
        prepared(Subject("a", load, database="a"))
    assert asked == ["a"]
    (path,) = cache.iterdir()
    path.write_bytes(b"damaged")
    (again,) = prepared(Subject("a", load, database="a"))
    assert asked == ["a", "a"]
    assert again.crop((0, 0, 0), 8)[0].shape == (4, 8, 8, 8)


def test_who_has_no_labels_or_nothing_to_see_is_left_out_and_told() -> None:
    bare = Subject("bare", lambda: study("bare", ("T1",)).with_labels(None), database="a")
    strange = Subject("strange", lambda: study("strange", ("DWI",)), database="a")
    steps = list(prepare_volumes([bare, strange, subject("a", "a")], SHAPE, None))
    assert [step.detail.subject for step in steps if isinstance(step.detail, Skipped)] == ["bare", "strange"]
    assert steps[-1].message == "prepared a"
    with pytest.raises(InputError, match="bare has no labels on the grid of an image of these: FLAIR, T1, T2; leave"):
        prepared(bare)
    assert not len(VolumeSource([], TRAINING, PLAIN))


def test_lesions_of_others_are_painted_where_the_grid_is_theirs(tmp_path: Path) -> None:
    given = study("a", ("FLAIR", "T1"))
    geometry = given.geometry("FLAIR")
    foreign = blob(geometry.shape, (0.5, 0.6, 0.4), 0.1) > 0.5
    masks = tmp_path / "masks"
    masks.mkdir()
    write_volume(masks / "b_mask.nii.gz", foreign.astype(np.uint8), geometry)
    coarse = Geometry.axial((10, 10, 10), (6.0, 6.0, 6.0))
    write_volume(masks / "other_grid_mask.nii.gz", np.ones((10, 10, 10), np.uint8), coarse)
    subjects = [subject("a", "a", ("FLAIR", "T1"))]
    plain, painted = finish(prepare_volumes(subjects, SHAPE, masks))
    assert (plain.database, painted.database) == ("a", "a")
    edge = max(plain.shape)
    (before, old), (after, new) = plain.crop((0, 0, 0), edge), painted.crop((0, 0, 0), edge)
    added = (new > 0) & (old == 0)
    assert np.all(new >= old)
    assert added.sum() * 0.4**3 == pytest.approx(np.count_nonzero(foreign) * geometry.voxel_volume_ml, rel=0.35)
    # Brighter in FLAIR and darker in T1, and nothing elsewhere.
    assert (after[0] - before[0])[added].min() > 0
    assert (after[1] - before[1])[added].max() < 0
    far = ndimage.distance_transform_edt(~added) > 3
    assert np.array_equal(after[:, far], before[:, far])


def test_simulated_patients_come_in_all_modalities_on_cubes() -> None:
    subjects = open_database(["simulated:1@1", "simulated-stroke:1", "simulated-glioma:1"])
    shape = replace(PRESETS["tiny"], voxel_mm=8.0)
    volumes = finish(prepare_volumes(subjects, shape, None))
    assert [volume.database for volume in volumes] == ["simulated", "simulated-stroke", "simulated-glioma"]
    for volume in volumes:
        assert volume.present.tolist() == [True, True, True, True, False, False]
        assert max(volume.shape) <= 25


def test_the_real_glioma_has_its_fused_segmentation(shared_data: Path) -> None:
    (volume,) = finish(prepare_volumes(open_database([str(shared_data / "glioma_tcga_sri24")]), PRESETS["tiny"], None))
    assert volume.database == "glioma_tcga_sri24"
    label = volume.crop((0, 0, 0), max(volume.shape))[1]
    # 30,179 voxels of 1 mm in labels 1, 2 and 4 together.
    assert label.sum() * 0.4**3 == pytest.approx(30.2, rel=0.1)
