"""Batches, losses and slices: what a network is shown, and what it is told about it."""

import logging
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from mrviewer.database import Subject, open_database
from mrviewer.errors import FileFormatError, InputError
from mrviewer.geometry import Geometry
from mrviewer.progress import Progress, Skipped, finish
from mrviewer.study import Image, Study
from mrviewer.training.data.batches import Batch, BatchMaker
from mrviewer.training.data.slice_stacks import SLICE_SHAPE, SliceStack
from mrviewer.training.data.slices import LARGEST, SliceFiles, SliceOptions, SlicePool, prepare_slices
from mrviewer.training.examples import example_rngs, examples_of_piece, step_rng
from mrviewer.training.losses import segmentation_loss, soft_dice_loss
from mrviewer.training.options import TrainingOptions

SIZE = (32, 24)
CLEAN = TrainingOptions(batch_size=3, phase_share=0.0, noise_share=0.0, coil_share=0.0)


def slice_set(n_slices: int = 12) -> SliceStack:
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
    return SliceStack(images, labels, tissues, labelled=numbers % 4 != 3, tissues_known=simulated, real=~simulated)


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
    real = SliceStack(*(getattr(slices, item.name)[slices.real] for item in fields(SliceStack)))
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


def read_all(slices: SlicePool) -> tuple[np.ndarray, np.ndarray]:
    """Images and codes of all slices."""
    images, codes = zip(*(slices.read(number) for number in range(len(slices))), strict=True)
    return np.stack(images), np.stack(codes)


def test_real_slices_are_scaled_fitted_and_labelled(cache: Path) -> None:
    wanted = SliceOptions(size=SLICE_SHAPE)
    slices = finish(prepare_slices([Subject("block", real_study)], None, wanted))
    images, codes = read_all(slices)
    assert images.shape == (4, *SLICE_SHAPE)
    assert (images.dtype, codes.dtype) == (np.float16, np.uint8)
    assert slices.real.tolist() == [True] * 4
    assert slices.labelled.tolist() == [True, True, False, False]
    assert slices.has_lesion.tolist() == [True, False, False, False]
    # 250 rows are cropped by 13 before and after, 180 columns padded by 6.
    assert np.array_equal(np.argwhere(codes[0])[[0, -1]], [[107, 94], [111, 97]])
    assert images.max() == pytest.approx(1, abs=0.01)
    assert not codes[2:].any()


def crop_study(shape: tuple[int, int, int], modalities: tuple[str, ...] = ("T1",), seed: int = 0) -> Study:
    """A small noisy cylinder with a structure in it, as a crop around an organ would be."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.linspace(-1, 1, size) for size in shape], indexing="ij")
    radius = np.hypot(axes[1], axes[2])
    volume = ((radius < 0.9) * (200 + 200 * (radius < 0.3)) * rng.uniform(0.95, 1.05, shape)).astype(np.float32)
    geometry = Geometry.axial(shape, (1.0, 1.0, 1.0))
    images = {name: Image(volume, geometry, name) for name in modalities}
    return Study("crop", images, Image((radius < 0.3).astype(np.uint8), geometry, "labels"))


def test_slices_are_as_large_as_the_database_needs(cache: Path) -> None:
    small = [Subject("a", lambda: crop_study((6, 35, 50))), Subject("b", lambda: crop_study((6, 40, 36)))]
    assert read_all(finish(prepare_slices(small, None)))[0].shape[1:] == (48, 64)
    large = [Subject("c", lambda: crop_study((2, 400, 20)))]
    assert read_all(finish(prepare_slices(large, None)))[0].shape[1:] == (LARGEST, 32)


def test_tissue_at_the_border_goes_on_in_the_padding(cache: Path) -> None:
    geometry = Geometry.axial((3, 40, 40), (1.0, 1.0, 1.0))
    everywhere = Study("full", {"T1": Image(np.full((3, 40, 40), 7, np.uint8), geometry, "T1")})
    images, _ = read_all(finish(prepare_slices([Subject("full", lambda: everywhere)], None)))
    assert images.shape == (3, 48, 48)
    assert np.all(images == 1)


def test_labels_belong_to_the_measured_image(cache: Path) -> None:
    subjects = [Subject("a", lambda: crop_study((6, 35, 50), ("T1", "T2")))]
    usual = finish(prepare_slices(subjects, None))
    assert usual.labelled.tolist() == [True] * 6 + [False] * 6
    chosen = finish(prepare_slices(subjects, None, SliceOptions(modality="T2")))
    assert chosen.labelled.tolist() == [True] * 6
    assert chosen.has_lesion.any()
    with pytest.raises(InputError, match="subject 'crop' has no FLAIR image; leave it out, or choose another modality"):
        finish(prepare_slices(subjects, None, SliceOptions(modality="FLAIR")))


def test_slices_are_cut_where_the_scanner_cut_them(cache: Path) -> None:
    """Along the thickest voxels, as they are when the method is run."""
    study = crop_study((30, 40, 6))
    geometry = Geometry.axial((30, 40, 6), (1.0, 1.0, 5.0))
    turned = replace(study, images={"T1": replace(study.images["T1"], geometry=geometry)}, labels=None)
    slices = finish(prepare_slices([Subject("a", lambda: turned)], None))
    # The outermost of the six are beside the cylinder.
    assert (len(slices), read_all(slices)[0].shape[1:]) == (4, (32, 48))


def test_a_broken_subject_is_told_and_left_out(cache: Path) -> None:
    def broken() -> Study:
        raise FileFormatError("scan.nii.gz ends too early; copy it again")

    good = Subject("good", lambda: crop_study((6, 35, 50)))
    steps = list(prepare_slices([Subject("bad", broken), good], None))
    assert steps[0].detail == Skipped("bad", "scan.nii.gz ends too early; copy it again")
    assert [step.message for step in steps] == [f"left out bad: {steps[0].detail.reason}", "prepared good"]
    with pytest.raises(
        InputError, match=r"no subject can be used \(and so are 1 others\): scan\.nii\.gz ends too early"
    ):
        finish(prepare_slices([Subject("bad", broken), Subject("worse", broken)], None))


def test_changed_files_are_prepared_anew(cache: Path) -> None:
    for fingerprint, shape in (("one", (4, 35, 50)), ("two", (5, 35, 50)), ("one", (9, 35, 50))):
        subject = Subject("a", partial(crop_study, shape), fingerprint=fingerprint)
        finish(prepare_slices([subject], None))
    assert sorted(len(SliceFiles.opened([path], (0, 0))) for path in cache.iterdir()) == [4, 5]


def test_a_full_disk_is_not_the_fault_of_a_subject(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mrviewer.training.data.sealed.save_file", full)
    subjects = [Subject(name, lambda: crop_study((6, 35, 50))) for name in "ab"]
    with pytest.raises(InputError, match=r"prepared data cannot be written to the cache folder \(.*the disk is full"):
        finish(prepare_slices(subjects, None))


def test_slices_are_the_same_from_disk_and_from_memory(cache: Path) -> None:
    subjects = [Subject(name, partial(crop_study, (6, 35, 50), seed=number)) for number, name in enumerate("abc")]
    files = finish(prepare_slices(subjects, None))
    images, codes = read_all(files)
    flags = {name: getattr(files, name) for name in ("labelled", "tissues_known", "real")}
    stack = SliceStack(images, codes & 1, codes >> 1, **flags)
    for needs_kspace in (False, True):
        first, second = (BatchMaker(pool, CLEAN, needs_kspace=needs_kspace) for pool in (files, stack))
        assert all(same(first.batch(step), second.batch(step)) for step in range(3))


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
    first = read_all(finish(prepare_slices(subjects, None)))
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING, logger="mrviewer"):
        again = finish(prepare_slices(subjects, None))
    assert all(np.array_equal(*pair) for pair in zip(read_all(again), first, strict=True))
    assert "the prepared data of simulated are damaged" in caplog.text


def test_a_subject_with_nothing_to_see_is_refused(cache: Path) -> None:
    study = real_study((2, 20, 20), labels=False)
    with pytest.raises(InputError, match="subject 'block' has no slice on which anything is to be seen; leave it out"):
        finish(prepare_slices([Subject("dark", lambda: study)], None))


def test_simulated_slices_know_the_lesions_of_flair_alone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = ((8, 56, 48), (18.0, 4.0, 4.0))
    monkeypatch.setattr("mrviewer.training.data.slice_stacks._SIMULATED_GRID", grid)
    slices = finish(prepare_slices(open_database(["simulated:1@4"]), None))
    images, codes = read_all(slices)
    assert images.shape[1:] == (56, 48)
    assert not slices.real.any()
    half = len(slices) // 2
    assert slices.labelled.tolist() == [True] * half + [False] * half
    assert slices.has_lesion[:half].any()
    assert not (codes[half:] & 1).any()
    assert float(images.min()) >= 0
    again = finish(prepare_slices(open_database(["simulated:1@4"]), None))
    assert np.array_equal(read_all(again)[0], images)


def test_tissues_go_where_the_image_goes() -> None:
    batch = BatchMaker(slice_set(), replace(CLEAN, contrast_spread=0.0, real_share=0.0)).batch(2)
    assert batch.tissues_known.all()
    assert torch.equal(batch.tissues > 0, batch.image.abs() > 0.15)
    assert set(batch.tissues.unique().tolist()) <= {0, 3}


def joined(pieces: list[Batch]) -> Batch:
    names = Batch.__dataclass_fields__
    parts = {name: [getattr(piece, name) for piece in pieces] for name in names}
    return Batch(**{name: part[0] if name == "pattern" else torch.cat(part) for name, part in parts.items()})


@pytest.mark.parametrize("pieces", [2, 3, 5])
@pytest.mark.parametrize("needs_kspace", [False, True])
def test_pieces_of_a_batch_are_the_batch(pieces: int, needs_kspace: bool) -> None:
    options = TrainingOptions(batch_size=4, phase_share=0.7, noise_share=0.7, coil_share=0.5, crop=16, crop_rows=16)
    maker = BatchMaker(slice_set(), options, needs_kspace=needs_kspace)
    for step in range(4):
        parts = [maker.batch(step, piece, pieces) for piece in range(pieces)]
        assert {len(part.label) for part in parts} <= {0, 1, 2}
        assert same(joined(parts), maker.batch(step))


def test_the_first_example_does_not_draw_what_the_step_draws() -> None:
    step, first, second = step_rng(1, 5), *example_rngs(1, 5, range(2))
    assert len({float(rng.uniform()) for rng in (step, first, second)}) == 3
    with pytest.raises(ValueError, match="piece 2 of 2 was asked for"):
        examples_of_piece(4, 2, 2)


def test_a_coarser_slice_keeps_means_and_majorities() -> None:
    slices = slice_set()
    coarse = slices.coarser(2)
    assert coarse.images.shape == (12, SIZE[0] // 2, SIZE[1] // 2)
    assert np.allclose(coarse.images.mean(), slices.images.mean(dtype=np.float32), atol=2e-3)
    assert np.array_equal(coarse.labels[1, 6:8, 5:6], np.ones((2, 1)))
    assert set(np.unique(coarse.tissues)) == {0, 3}
    assert slices.coarser(1) is slices
