"""SynNet: from a zero-filled image to labels, whatever the mask."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import disc_with_spot, learn, saved_weights, scanned

from mrviewer.errors import InputError, UnknownNameError
from mrviewer.training.data.batches import Batch
from mrviewer.training.options import TrainingOptions
from mrviewer_models.blocks.lesion_crops import LesionCrops
from mrviewer_models.blocks.mask_per_slice import MaskPerSlice
from mrviewer_models.synnet.inference import load
from mrviewer_models.synnet.network import PRESETS, SynNet
from mrviewer_models.synnet.recipe import recipe


def one_slice(seed: int, *, n_coils: int = 1, points: bool = False) -> Batch:
    """A disc with a bright spot somewhere, some of it measured."""
    rng, shape = np.random.default_rng(seed), (32, 24)
    down, right = rng.uniform(-0.4, 0.4, 2)
    image, spot = disc_with_spot(shape, (down, right, 0.3))
    pattern = rng.random(shape if points else (1, shape[1])) < 0.5
    pattern[..., 11:14] = True
    maps = np.full((n_coils, *shape), n_coils**-0.5, np.complex64)
    return scanned(image, spot, pattern, maps)


class Singles:
    """Batches of one slice: each with its own mask, some with two coils."""

    def __len__(self) -> int:
        return 5

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> Batch:
        assert (piece, pieces) == (0, 1)
        return one_slice(step, n_coils=1 + step % 2, points=step % 3 == 0)


def rngs(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(number) for number in range(count)]


def test_the_paper_preset_is_the_textbook_network_on_two_channels() -> None:
    with torch.device("meta"):
        network = SynNet(PRESETS["paper"])
    # 31,042,824 of unet_bn_t from 1 to 8 channels; one input more, six outputs fewer.
    assert sum(parameter.numel() for parameter in network.parameters()) == 31_042_824 + 64 * 9 - 6 * 65


def test_it_sees_phase_as_well_as_magnitude() -> None:
    torch.manual_seed(0)
    network, batch = SynNet(PRESETS["tiny"]).eval(), one_slice(0)
    with torch.no_grad():
        plain = network(batch.kspace, batch.pattern, batch.maps)
        assert torch.allclose(network(batch.kspace * 1000, batch.pattern, batch.maps), plain, atol=1e-4)
        assert not torch.allclose(network(batch.kspace * 1j, batch.pattern, batch.maps), plain, atol=1e-2)


def test_an_empty_scan_gives_finite_logits() -> None:
    network, batch = SynNet(PRESETS["tiny"]), one_slice(0)
    logits = network(torch.zeros_like(batch.kspace), batch.pattern, batch.maps)
    logits.sum().backward()
    assert bool(torch.isfinite(logits).all())
    assert all(bool(torch.isfinite(p.grad).all()) for p in network.parameters() if p.grad is not None)


def test_every_slice_has_a_mask_of_its_own() -> None:
    source = MaskPerSlice(Singles(), batch_size=3)
    batch = source.batch(1)
    assert len(source) == 5
    assert batch.pattern.shape == (3, 1, 32, 24)
    assert batch.maps.shape == batch.kspace.shape == (3, 2, 32, 24)
    for number in range(3):
        single = one_slice(3 + number, n_coils=1 + (3 + number) % 2, points=(3 + number) % 3 == 0)
        assert torch.equal(batch.image[number], single.image[0])
        assert torch.equal(batch.label[number], single.label[0])
        assert torch.equal(batch.pattern[number], single.pattern[0].expand(1, 32, 24))


@pytest.mark.parametrize("pieces", [2, 3, 5])
def test_pieces_of_a_batch_are_the_batch(pieces: int) -> None:
    source = MaskPerSlice(Singles(), batch_size=4)
    whole, parts = source.batch(1), [source.batch(1, piece, pieces) for piece in range(pieces)]
    for name in ("image", "label", "labelled", "pattern", "numbers"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name)), name
    for part in parts:
        # A piece has no coils but those of its own slices; the others would see nothing.
        n_coils = part.kspace.shape[1]
        assert torch.equal(part.kspace, whole.kspace[part.numbers, :n_coils])
        assert not whole.kspace[part.numbers, n_coils:].any()


def test_a_mask_of_its_own_measures_the_same_as_alone() -> None:
    torch.manual_seed(0)
    network, batch = SynNet(PRESETS["tiny"]).eval(), MaskPerSlice(Singles(), batch_size=3).batch(1)
    single = Singles().batch(4)
    with torch.no_grad():
        together = network(batch.kspace, batch.pattern, batch.maps)[1:2]
        alone = network(single.kspace, single.pattern, single.maps)
    assert torch.allclose(together, alone, atol=1e-4)


def test_masks_are_drawn_as_the_option_says() -> None:
    for masks in ("slice", "batch"):
        assert recipe({"preset": "tiny", "masks": masks}).options.masks == masks
    with pytest.raises(InputError, match="option masks is 'volume'; choose one of batch, slice"):
        recipe({"masks": "volume"})
    with pytest.raises(UnknownNameError, match="the recipe of synnet has no option 'stages'"):
        recipe({"stages": "3"})


@pytest.mark.parametrize("edge", [8, 0, 100])
def test_crops_hold_a_lesion_and_cut_everything_alike(edge: int) -> None:
    batch = MaskPerSlice(Singles(), batch_size=4).batch(0)
    crops = LesionCrops.draw(batch.label, batch.image.abs(), edge, rngs(len(batch.label)))
    label, image = crops.cut(batch.label), crops.cut(batch.image)
    assert label.shape == image.shape == ((4, 8, 8) if edge == 8 else (4, 32, 24))
    assert bool((label.sum(dim=(1, 2)) > 0).all())
    # The spot is twice as bright as the disc.
    assert torch.equal(image.abs() > 1.5, label > 0)


def test_crops_without_lesions_or_object_lie_inside() -> None:
    empty = torch.zeros(2, 20, 16)
    crops = LesionCrops.draw(empty.long(), empty, 8, rngs(len(empty)))
    assert crops.cut(empty).shape == (2, 8, 8)


@pytest.mark.parametrize("loss", ["ce", "dice_c", "dice_ce"])
def test_it_learns_two_slices_by_heart(loss: str) -> None:
    plan = recipe({"preset": "tiny", "loss_seg": loss, "crop": "0"})
    torch.manual_seed(0)
    network, batch = plan.network(), MaskPerSlice(Singles(), batch_size=2).batch(0)
    losses = [float(each.total.detach()) for each in learn(plan, network, batch, 80, 1e-2)]
    assert losses[-1] < losses[0] / 3


def test_saved_weights_give_the_network_back(tmp_path: Path) -> None:
    plan = recipe({"preset": "tiny"})
    network = plan.network().eval()
    path = saved_weights(plan, network, tmp_path)
    again, batch = load(path).eval(), one_slice(0)
    with torch.no_grad():
        scan = (batch.kspace, batch.pattern, batch.maps)
        assert torch.equal(network(*scan), again(*scan))


def test_slices_with_masks_of_their_own_are_asked_for_one_by_one_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[TrainingOptions] = []

    def fake_source(options: TrainingOptions, subjects: object) -> object:
        asked.append(options)
        yield from ()
        return Singles()

    monkeypatch.setattr("mrviewer_models.blocks.mask_per_slice.slice_source", fake_source)
    plan = recipe({"preset": "tiny", "batch_size": "3", "crop_rows": "16"})
    for masks, size, rows in (("slice", 1, 0), ("batch", 3, 16)):
        chosen = replace(plan, options=replace(plan.options, masks=masks))
        job = chosen.source([])
        with pytest.raises(StopIteration) as end:
            next(job)
        assert isinstance(end.value.value, MaskPerSlice) == (masks == "slice")
        assert (asked[-1].batch_size, asked[-1].crop_rows) == (size, rows)
