"""The method `brain-mask`: heads that are made up, how it learns from them, and what it finds."""

import json
from dataclasses import asdict
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mrviewer.database import open_database
from mrviewer.errors import InputError, UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer.method import Measurement, Method
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.progress import Progress, finish
from mrviewer.reconstruction.brain import find_brain
from mrviewer.study import Image
from mrviewer.testing import check_method, sample_measurement
from mrviewer.training import cli_train
from mrviewer.training.options import TrainingOptions
from mrviewer_models.brain_mask import METHOD
from mrviewer_models.brain_mask.anatomies import CSF, brain_of, groups_of, prepare_anatomies
from mrviewer_models.brain_mask.batches import HeadSource
from mrviewer_models.brain_mask.cubes import Cubes
from mrviewer_models.brain_mask.network import PRESETS, BrainUNet
from mrviewer_models.brain_mask.options import BrainMaskOptions
from mrviewer_models.brain_mask.recipe import recipe
from mrviewer_models.brain_mask.regions import is_cut_out, one_piece
from mrviewer_models.brain_mask.scaling import scaled
from mrviewer_models.brain_mask.synthesis import synthesise

LABELS = ((80, 507), (74, 515), (68, 24), (62, 3), (52, 2), (14, 4))
"""Radius in mm and label, from the scalp to the ventricles."""


def ball(edge: int, radius: float, voxel_mm: float = 1.0) -> NDArray[np.bool_]:
    line = (np.arange(edge) - (edge - 1) / 2) * voxel_mm
    return np.asarray(line[:, None, None] ** 2 + line[:, None] ** 2 + line**2 < radius**2)


def label_map(edge: int = 168, voxel_mm: float = 1.0) -> NDArray[np.int16]:
    labels = np.zeros((edge, edge, edge), np.int16)
    for radius, label in LABELS:
        labels[ball(edge, radius, voxel_mm)] = label
    return labels


def head(edge: int = 84, voxel_mm: float = 2.0) -> NDArray[np.float32]:
    """A head like T1: bright scalp, dark bone and fluid."""
    bright = {0: 0, 507: 900, 515: 40, 24: 150, 3: 500, 2: 700, 4: 150}
    image = np.vectorize(bright.get)(label_map(edge, voxel_mm)).astype(np.float32)
    return image + np.random.default_rng(0).normal(0, 10, image.shape).astype(np.float32) * (image > 0)


def as_image(values: NDArray[np.float32], voxel_mm: float = 2.0) -> Image:
    return Image(values, Geometry.axial(values.shape, (voxel_mm,) * 3), "T1")  # type: ignore[arg-type]


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maps")
    nib.save(nib.Nifti1Image(label_map(), np.eye(4)), folder / "round.nii.gz")
    path = folder / "maps.csv"
    path.write_text("subject,anatomy\nround,round.nii.gz\n")
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Method:
    """The method in its tiny size with random weights."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    torch.manual_seed(0)
    shape = PRESETS["tiny"]
    save_weights(path, Weights(BrainUNet(shape).state_dict(), {"recipe": {"shape": asdict(shape)}}))
    return METHOD.with_weights(path)


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (5.0, 0.45, 0.45), (2.0, 2.0, 2.0), (0.7, 3.0, 1.3)])
def test_cubes_there_and_back_leave_a_volume_where_it_was(voxel: tuple[float, float, float]) -> None:
    line = [(np.arange(round(160 / size)) + 0.5) * size - 80 for size in voxel]
    z, y, x = np.meshgrid(*line, indexing="ij")
    volume = (np.hypot(np.hypot(z - 10, y + 5), x) < 50).astype(np.float32)
    grid = Cubes(volume.shape, voxel, 2.0)  # type: ignore[arg-type]
    cubes = grid.to_cubes(volume)
    back = grid.to_volume(cubes)
    assert cubes.shape == grid.counts
    assert cubes.sum() * grid.cube_ml == pytest.approx(volume.sum() * np.prod(voxel) / 1000, rel=0.02)
    assert dice(back > 0.5, volume > 0.5) > 0.96
    middle = [(np.arange(n) + 0.5) / n * 160 - 80 for n in cubes.shape]
    at = [
        float((cubes.sum(axis=tuple({0, 1, 2} - {axis})) * line).sum() / cubes.sum())
        for axis, line in enumerate(middle)
    ]
    assert at == pytest.approx([10, -5, 0], abs=0.6)


def test_an_impossible_voxel_size_takes_no_memory() -> None:
    assert max(Cubes((20, 300, 300), (900.0, 1.0, 1.0), 2.0).counts) <= 192
    assert min(Cubes((1, 3, 3), (0.001, 0.001, 0.001), 2.0).counts) == 1


def test_the_grey_scale_is_the_same_whatever_the_units() -> None:
    image = head()
    assert np.allclose(scaled(image), scaled(image * 1e4), atol=1e-4)
    assert np.allclose(scaled(image), scaled(image - 1024), atol=0.05)
    image[0, 0, 0] = np.nan
    image[0, 0, 1] = np.inf
    assert np.isfinite(scaled(image)).all()
    for value in (0.0, 7.0, np.nan):
        assert not scaled(np.full((4, 4, 4), value, np.float32)).any()


def test_one_piece_lets_go_of_threads_and_fills_holes() -> None:
    brain = ball(40, 12)
    mask = brain.copy()
    mask[18:22, 18:22, 18:22] = False
    mask[2:8, 2:8, 2:8] = True
    mask[20, 20, 30:37] = True
    mask[17:23, 17:23, 36:39] = True
    found = one_piece(mask)
    assert found[20, 20, 20]
    assert not found[4, 4, 4]
    assert not found[20, 20, 37]
    assert (found & brain).sum() == brain.sum()
    assert not one_piece(np.zeros((3, 4, 5), bool)).any()
    assert one_piece(np.ones((1, 12, 10), bool)).all()


def test_a_brain_that_was_cut_out_is_kept_whole() -> None:
    brain = ball(40, 14)
    image = brain * np.float32(5)
    image[20, 20, 20] = 0
    peeled = ball(40, 13)
    whole = is_cut_out(image, peeled)
    assert whole is not None
    assert np.array_equal(whole, brain)
    # A head on a background of zeros, and a brain without zeros around it, were not cut out.
    assert is_cut_out(ball(40, 19) * np.float32(5), peeled) is None
    assert is_cut_out(np.ones((40, 40, 40), np.float32), peeled) is None
    assert is_cut_out(image, np.zeros_like(brain)) is None


def test_groups_know_brain_from_head() -> None:
    groups = groups_of(np.array([[[0, 2, 41, 3, 24, 507, 515, 999, 77, 16]]], np.int16))
    assert groups.dtype == np.uint8
    names = groups.ravel().tolist()
    assert names[0] == 0
    assert names[1] == names[2] < CSF
    assert names[4] == CSF
    assert all(group > CSF for group in names[5:8])
    assert all(0 < group < CSF for group in names[8:])


def test_narrow_furrows_belong_to_the_brain_and_the_fluid_around_it_does_not() -> None:
    labels = label_map()
    furrow = np.zeros_like(labels, bool)
    furrow[:80, 82:86, 60:108] = True
    labels[furrow & np.isin(labels, (3, 2))] = 24
    brain = brain_of(groups_of(labels))
    assert dice(brain, ball(168, 62)) > 0.99
    assert brain[40, 84, 84]
    assert not brain[84, 84, 84 + 65]


def test_images_of_a_seed_are_the_same_and_of_another_seed_are_not(table: Path) -> None:
    [anatomy] = finish(prepare_anatomies(open_database([str(table)])))
    groups, brain = anatomy.read()
    shares = []
    for seed in range(12):
        image, share = synthesise(np.random.default_rng(seed), groups, brain, 32, 6.0)
        again, _ = synthesise(np.random.default_rng(seed), groups, brain, 32, 6.0)
        assert np.array_equal(image, again)
        assert image.shape == share.shape == (32, 32, 32)
        assert np.isfinite(image).all()
        assert 0 <= image.min() <= image.max() <= 1.5
        assert 0 <= share.min() <= share.max() <= 1
        shares.append(float(share.sum()))
    assert len(set(shares)) == 12
    assert min(shares) > 0


def test_a_batch_in_pieces_is_the_batch(table: Path) -> None:
    anatomies = finish(prepare_anatomies(open_database([str(table)])))
    training = TrainingOptions(batch_size=5)

    def source() -> HeadSource:
        return HeadSource(anatomies, training, BrainMaskOptions(edge=24, steps_per_head=2), PRESETS["tiny"])

    whole = source().batch(7)
    pieces = [source().batch(7, piece, 3) for piece in range(3)]
    assert torch.equal(torch.cat([piece.slices for piece in pieces]), whole.slices)
    assert torch.equal(torch.cat([piece.brain for piece in pieces]), whole.brain)
    assert whole.slices.shape == (5, 3, 24, 24)
    assert not torch.equal(whole.slices, source().batch(8).slices)
    assert len(source().batch(0, 0, 9).slices) == 0


def test_it_learns_and_goes_on(table: Path, tmp_path: Path) -> None:
    options = {"preset": "tiny", "batch_size": "8", "edge": "32", "schedule": "constant", "learning_rate": "0.01"}

    def train(output: Path, steps: int, **more: str) -> list[float]:
        finish(cli_train("brain-mask", [str(table)], output, "cpu", {**options, "steps": str(steps), **more}))
        return [json.loads(line)["bce"] for line in (output / "events.jsonl").read_text().splitlines()]

    losses = train(tmp_path / "first", 40)
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    more = train(tmp_path / "second", 3, start_from=str(tmp_path / "first" / "weights.safetensors"))
    assert np.mean(more) < np.mean(losses[:5])
    trained = METHOD.with_weights(tmp_path / "first" / "weights.safetensors")
    check_method(trained)


def test_what_is_not_a_label_map_is_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(head(), np.diag([2, 2, 2, 1])), tmp_path / "scan.nii.gz")
    (tmp_path / "maps.csv").write_text("subject,anatomy\nscan,scan.nii.gz\n")
    with pytest.raises(InputError, match="not a label map"):
        finish(prepare_anatomies(open_database([str(tmp_path / "maps.csv")])))
    with pytest.raises(UnknownNameError, match="no option 'width'"):
        recipe({"width": "3"})


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((6, 20, 20), np.float32),
        np.full((6, 20, 20), np.nan, np.float32),
        np.full((6, 20, 20), -1024, np.float32),
        np.random.default_rng(0).normal(0, 1, (40, 40, 40)).astype(np.float32),
        np.ones((1, 1, 1), np.float32),
        np.ones((300, 3, 3), np.float32),
    ],
    ids=["empty", "nan", "air", "noise", "voxel", "rod"],
)
def test_anything_gives_a_mask_and_perhaps_a_warning(values: NDArray[np.float32], tiny: Method) -> None:
    given = sample_measurement(tiny, (2, 12, 10))
    stack = Measurement(given.kspace, given.mask, given.coil_maps, "T1", given.origin, {"T1": values}, (3.0, 1.0, 1.0))
    result = finish(tiny.run(stack))
    assert result.segmentation is not None
    assert result.probabilities is not None
    assert result.segmentation.shape == values.shape
    assert np.isfinite(result.probabilities).all()


def test_progress_is_told_often_and_can_be_stopped(tiny: Method) -> None:
    given = sample_measurement(tiny, (2, 12, 10))
    stack = Measurement(given.kspace, given.mask, given.coil_maps, "T1", given.origin, {"T1": head()}, (2.0, 2.0, 2.0))
    steps: list[Progress] = []
    job = tiny.run(stack)
    steps += [next(job), next(job)]
    job.close()
    assert next(job, None) is None
    assert steps[1].done < steps[1].total


def shipped() -> bool:
    return METHOD.weights_file.is_file()


needs_weights = pytest.mark.skipif(not shipped(), reason="the brain mask has not been trained in this checkout")


@needs_weights
@pytest.mark.parametrize("voxel", [(2.0, 2.0, 2.0), (5.0, 1.0, 1.0)])
def test_shipped_weights_find_a_round_brain_of_any_contrast(voxel: tuple[float, float, float]) -> None:
    t1 = head()
    inverted = np.where(t1 > 20, 1000 - t1, 0).astype(np.float32)
    for volume in (t1, inverted):
        grid = Cubes((84, 84, 84), (2.0, 2.0, 2.0), 2.0)
        shape = tuple(round(168 / size) for size in voxel)
        seen = Cubes(shape, voxel, 2.0).to_volume(volume)  # type: ignore[arg-type]
        wanted = Cubes(shape, voxel, 2.0).to_volume(ball(84, 62, 2.0).astype(np.float32)) > 0.5  # type: ignore[arg-type]
        assert grid.counts == (84, 84, 84)
        found = finish(find_brain(Image(seen, Geometry.axial(shape, voxel), "T1"), "cpu"))  # type: ignore[arg-type]
        assert dice(found.mask, wanted) > 0.75


@needs_weights
def test_shipped_weights_keep_a_brain_that_was_cut_out() -> None:
    brain = ball(84, 62, 2.0)
    found = finish(find_brain(as_image(head() * brain), "cpu"))
    assert (found.mask & brain).sum() > 0.98 * brain.sum()
    assert dice(found.mask, brain) > 0.98
    assert not found.warning
