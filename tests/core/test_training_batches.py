"""Batches, losses and slices: what a network is shown, and what it is told about it."""

import logging
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mrviewer.database import Subject, open_database
from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.progress import Progress, finish
from mrviewer.study import Image, Study
from mrviewer.training.batches import Batch, BatchMaker
from mrviewer.training.losses import segmentation_loss, soft_dice_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.slices import SLICE_SHAPE, SliceSet, prepare_slices

SIZE = (32, 24)
CLEAN = TrainingOptions(batch_size=3, phase_share=0.0, noise_share=0.0, coil_share=0.0)


def slice_set(n_slices: int = 12) -> SliceSet:
    """Discs whose grey value is their number, half of them real, two thirds with a bright labelled square."""
    images = np.zeros((n_slices, *SIZE), np.float16)
    labels = np.zeros((n_slices, *SIZE), np.uint8)
    y, x = np.linspace(-1, 1, SIZE[0])[:, None], np.linspace(-1, 1, SIZE[1])
    numbers = np.arange(n_slices)
    for number in numbers:
        images[number][np.hypot(y, x) < 0.7] = 0.3 + 0.02 * number
        if number % 3:
            labels[number, 12:17, 9:14] = 1
            images[number, 12:17, 9:14] = 1
    tissues = np.where(images > 0, 3, 0).astype(np.uint8)
    simulated = numbers % 2 == 0
    return SliceSet(images, labels, tissues, labelled=numbers % 4 != 3, tissues_known=simulated, real=~simulated)


def same(first: Batch, second: Batch) -> bool:
    names = Batch.__dataclass_fields__
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in names)


def test_a_step_is_always_the_same_step() -> None:
    maker, again = (BatchMaker(slice_set(), TrainingOptions()) for _ in range(2))
    steps = [maker.batch(step) for step in range(4)]
    assert all(same(again.batch(step), steps[step]) for step in (3, 0, 2, 1))
    assert not same(steps[0], steps[1])
    other = BatchMaker(slice_set(), TrainingOptions(seed=2))
    assert not same(other.batch(0), steps[0])


@pytest.mark.parametrize("options", [CLEAN, replace(CLEAN, phase_share=1.0), replace(CLEAN, coil_share=1.0)])
def test_kspace_is_the_transform_of_the_image_on_the_pattern(options: TrainingOptions) -> None:
    maker = BatchMaker(slice_set(), options)
    for step in range(3):
        batch = maker.batch(step)
        coils = batch.image[:, None] * batch.maps
        axes = (-2, -1)
        full = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(coils, dim=axes), norm="ortho"), dim=axes)
        assert torch.allclose(batch.kspace, full * batch.pattern, atol=1e-5)
        assert set(batch.pattern.unique().tolist()) == {0.0, 1.0}
        assert torch.allclose(batch.maps.abs().square().sum(dim=1), torch.ones(1), atol=1e-5)


def test_shares_decide_about_phase_coils_and_noise() -> None:
    plain = [BatchMaker(slice_set(), CLEAN).batch(step) for step in range(4)]
    assert not any(batch.image.imag.any() for batch in plain)
    assert {batch.maps.shape[1] for batch in plain} == {1}
    turned = BatchMaker(slice_set(), replace(CLEAN, phase_share=1.0)).batch(0)
    assert bool(turned.image.imag.any())
    coils = BatchMaker(slice_set(), replace(CLEAN, coil_share=1.0))
    assert {coils.batch(step).maps.shape[1] for step in range(8)} == {4, 8}
    noisy = BatchMaker(slice_set(), replace(CLEAN, noise_share=1.0)).batch(0)
    image = torch.fft.fftshift(
        torch.fft.fft2(torch.fft.ifftshift(noisy.image, dim=(-2, -1)), norm="ortho"), dim=(-2, -1)
    )
    noise = (noisy.kspace[:, 0] - image * noisy.pattern[0])[noisy.pattern[0].expand_as(image) > 0]
    assert 0.001 < float(noise.real.std()) < 0.04
    assert not noisy.kspace[(noisy.pattern == 0).expand_as(noisy.kspace)].any()


def test_masks_that_count_most_come_most_often() -> None:
    most = BatchMaker(slice_set(), replace(CLEAN, main_share=1.0, main_acceleration=3.0))
    for step in range(4):
        pattern = most.batch(step).pattern
        assert pattern.shape == (1, 1, 1, SIZE[1])
        assert int(pattern.sum()) == SIZE[1] // 3
    others = BatchMaker(slice_set(), replace(CLEAN, main_share=0.0))
    patterns = [others.batch(step).pattern for step in range(12)]
    assert {pattern.shape[-2] for pattern in patterns} == {1, SIZE[0]}
    assert len({int(pattern.sum()) for pattern in patterns}) > 4


def test_labels_move_with_their_lesions() -> None:
    maker = BatchMaker(slice_set(), CLEAN)
    for step in range(5):
        batch = maker.batch(step)
        for image, label in zip(batch.image.real, batch.label, strict=True):
            if label.any():
                assert float(image[label == 1].min()) > float(image[label == 0].max())
            assert int(label.sum()) in (0, 25)


@pytest.mark.parametrize("lesion_share", [0.0, 1.0])
def test_recipes_that_segment_are_shown_what_is_labelled(lesion_share: float) -> None:
    maker = BatchMaker(slice_set(), replace(CLEAN, lesion_share=lesion_share), needs_kspace=False)
    batches = [maker.batch(step) for step in range(10)]
    assert all(bool(batch.labelled.all()) for batch in batches)
    sick = {bool(label.any()) for batch in batches for label in batch.label}
    assert sick == ({True} if lesion_share else {True, False})
    assert len(maker) == 9
    assert all(batch.kspace.numel() == 0 and batch.image.dtype == torch.float32 for batch in batches)


@pytest.mark.parametrize(("share", "kind"), [(0.0, False), (1.0, True)])
def test_shares_of_real_subjects_are_kept(share: float, kind: bool) -> None:
    slices = slice_set()
    # A label that fills the slice tells simulated from real without looking at augmented grey values.
    marked = replace(slices, labels=np.broadcast_to(slices.real[:, None, None], slices.labels.shape).astype(np.uint8))
    maker = BatchMaker(marked, replace(CLEAN, real_share=share), needs_labels=False)
    for step in range(4):
        assert {bool(label.any()) for label in maker.batch(step).label} == {kind}


def test_a_database_of_one_kind_is_used_whatever_the_share() -> None:
    slices = slice_set()
    real = SliceSet(*(getattr(slices, item.name)[slices.real] for item in fields(SliceSet)))
    maker = BatchMaker(real, replace(CLEAN, real_share=0.0))
    assert len(maker) == np.count_nonzero(real.labelled)
    assert maker.batch(0).image.shape == (3, *SIZE)


def test_rows_are_cropped_for_line_masks_alone() -> None:
    maker = BatchMaker(slice_set(), replace(CLEAN, crop_rows=16, main_share=0.4))
    shapes = set()
    for step in range(16):
        batch = maker.batch(step)
        assert batch.label.shape == batch.image.shape == batch.kspace[:, 0].shape
        shapes.add((batch.pattern.shape[-2] == 1, batch.image.shape[1]))
    assert shapes == {(True, 16), (False, SIZE[0])}


def test_rows_are_cropped_around_lesions_where_they_are_learned() -> None:
    options = replace(CLEAN, crop_rows=8, main_share=1.0, lesion_share=1.0)
    seen = {True: 0, False: 0}
    for needs_labels in seen:
        maker = BatchMaker(slice_set(), options, needs_labels=needs_labels)
        seen[needs_labels] = sum(int(label.any()) for step in range(6) for label in maker.batch(step).label)
    assert seen[True] == 18
    assert seen[False] < 18


def test_squares_are_cropped_around_lesions() -> None:
    maker = BatchMaker(slice_set(), replace(CLEAN, crop=12, lesion_share=1.0), needs_kspace=False)
    for step in range(6):
        batch = maker.batch(step)
        assert batch.image.shape == (3, 12, 12)
        assert all(bool(label.any()) for label in batch.label)


def test_dice_is_equation_four() -> None:
    rng = np.random.default_rng(0)
    probability = torch.from_numpy(rng.random((2, 5, 4), dtype=np.float32))
    label = torch.from_numpy((rng.random((2, 5, 4)) < 0.3).astype(np.float32))
    overlap = float((probability * label).sum())
    expected = 1 - 2 * overlap / (float(probability.sum()) + float(label.sum()) + 0.1)
    assert float(soft_dice_loss(probability, label)) == pytest.approx(expected, rel=1e-6)
    assert float(soft_dice_loss(label, label)) == pytest.approx(0.1 / (2 * float(label.sum()) + 0.1), rel=1e-4)


def test_a_slice_without_label_still_teaches_when_another_has_one() -> None:
    logits = torch.zeros(2, 2, 4, 4, requires_grad=True)
    label = torch.zeros(2, 4, 4, dtype=torch.long)
    label[0, 1:3, 1:3] = 1
    segmentation_loss(logits, label, torch.ones(2, dtype=torch.bool), "dice_c").backward()
    assert logits.grad is not None
    assert bool(logits.grad[1].any())


@pytest.mark.parametrize("kind", ["dice_c", "ce", "dice_ce"])
def test_empty_labels_give_a_finite_loss(kind: str) -> None:
    logits = torch.randn(2, 2, 4, 4, requires_grad=True)
    label = torch.zeros(2, 4, 4, dtype=torch.long)
    loss = segmentation_loss(logits, label, torch.ones(2, dtype=torch.bool), kind)  # type: ignore[arg-type]
    loss.backward()
    assert bool(torch.isfinite(loss))
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())
    # With nothing at all predicted either, the equation is 0 / 0.1.
    assert float(soft_dice_loss(torch.zeros(2, 3), torch.zeros(2, 3))) == 1


def test_the_sum_of_losses_is_their_sum() -> None:
    torch.manual_seed(0)
    logits, label = torch.randn(2, 2, 4, 4), torch.randint(0, 2, (2, 4, 4))
    known = torch.tensor([True, False])
    dice, entropy, both = (float(segmentation_loss(logits, label, known, kind)) for kind in ("dice_c", "ce", "dice_ce"))
    assert both == pytest.approx(dice + entropy)
    alone = segmentation_loss(logits[:1], label[:1], known[:1], "dice_ce")
    assert both == pytest.approx(float(alone))
    assert float(segmentation_loss(logits, label, torch.tensor([False, False]), "dice_ce")) == 0


# Slices


def real_study(shape: tuple[int, int, int] = (3, 250, 180), *, labels: bool = True) -> Study:
    """A bright block in an empty volume, a lesion in its middle; the last slice is empty."""
    geometry = Geometry.axial(shape, (3.0, 1.0, 1.0))
    volume = np.zeros(shape, np.float32)
    volume[:-1, 100:150, 80:100] = 400
    lesions = np.zeros(shape, np.uint8)
    lesions[0, 120:125, 88:92] = 2
    volume[lesions > 0] = 800
    truth = Image(lesions, geometry, "labels") if labels else None
    images = {name: Image(volume, geometry, name) for name in ("FLAIR", "T1")}
    return Study("block", images, truth)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    return tmp_path / "mrviewer" / "training"


def test_real_slices_are_scaled_fitted_and_labelled(cache: Path) -> None:
    slices = finish(prepare_slices([Subject("block", real_study)], None))
    assert slices.images.shape == (4, *SLICE_SHAPE)
    assert (slices.images.dtype, slices.labels.dtype) == (np.float16, np.uint8)
    assert slices.real.tolist() == [True] * 4
    assert slices.labelled.tolist() == [True, True, False, False]
    assert slices.has_lesion.tolist() == [True, False, False, False]
    # 250 rows are cropped by 13 before and after, 180 columns padded by 6.
    assert np.array_equal(np.argwhere(slices.labels[0])[[0, -1]], [[107, 94], [111, 97]])
    assert slices.images.max() == pytest.approx(1, abs=0.01)
    assert not slices.labels[2:].any()


def test_subjects_are_prepared_once(cache: Path) -> None:
    calls: list[str] = []

    def load(name: str) -> Callable[[], Study]:
        def opened() -> Study:
            calls.append(name)
            return real_study()

        return opened

    subjects = [Subject(name, load(name)) for name in ("one", "two")]
    steps = [step for step in prepare_slices(subjects, None) if isinstance(step, Progress)]
    assert [(step.done, step.total, step.message) for step in steps] == [(1, 2, "prepared one"), (2, 2, "prepared two")]
    again = finish(prepare_slices(subjects, None))
    assert calls == ["one", "two"]
    assert len(again) == 8
    assert len(list(cache.iterdir())) == 2


def test_damaged_slices_are_prepared_again(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    subjects = [Subject("block", real_study)]
    first = finish(prepare_slices(subjects, None))
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING, logger="mrviewer"):
        assert np.array_equal(finish(prepare_slices(subjects, None)).images, first.images)
    assert "the cached slices of block cannot be read" in caplog.text


def test_a_subject_with_nothing_to_see_is_refused(cache: Path) -> None:
    study = real_study((2, 20, 20), labels=False)
    with pytest.raises(
        InputError, match="subject 'block' has no slice with 600 bright pixels to train on; leave it out"
    ):
        finish(prepare_slices([Subject("dark", lambda: study)], None))


def test_simulated_slices_know_the_lesions_of_flair_alone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = ((8, 56, 48), (18.0, 4.0, 4.0))
    monkeypatch.setattr("mrviewer.training.slices._SIMULATED_GRID", grid)
    slices = finish(prepare_slices(open_database(["simulated:1@4"]), None))
    assert slices.images.shape[1:] == (56, 48)
    assert not slices.real.any()
    half = len(slices) // 2
    assert slices.labelled.tolist() == [True] * half + [False] * half
    assert slices.has_lesion[:half].any()
    assert not slices.labels[half:].any()
    assert float(slices.images.min()) >= 0
    again = finish(prepare_slices(open_database(["simulated:1@4"]), None))
    assert np.array_equal(again.images, slices.images)


def test_tissues_go_where_the_image_goes() -> None:
    batch = BatchMaker(slice_set(), replace(CLEAN, contrast_spread=0.0, real_share=0.0)).batch(2)
    assert batch.tissues_known.all()
    assert torch.equal(batch.tissues > 0, batch.image.abs() > 0.15)
    assert set(batch.tissues.unique().tolist()) <= {0, 3}


def test_a_coarser_slice_keeps_means_and_majorities() -> None:
    slices = slice_set()
    coarse = slices.coarser(2)
    assert coarse.images.shape == (12, SIZE[0] // 2, SIZE[1] // 2)
    assert np.allclose(coarse.images.mean(), slices.images.mean(dtype=np.float32), atol=2e-3)
    assert np.array_equal(coarse.labels[1, 6:8, 5:6], np.ones((2, 1)))
    assert set(np.unique(coarse.tissues)) == {0, 3}
    assert slices.coarser(1) is slices
