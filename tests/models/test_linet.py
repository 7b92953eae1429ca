"""LI-Net: nothing but a code reaches the decoder, and each stage changes what it may."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import fresh_network, saved_weights
from torch import Tensor

from mrviewer.physics import forward
from mrviewer.training.data.batches import Batch
from mrviewer.training.recipe import Moment
from mrviewer_models.linet.inference import load
from mrviewer_models.linet.network import PRESETS, LINet
from mrviewer_models.linet.recipe import LINetRecipe, recipe

SHAPE = (32, 24)
CODE, PREDICTOR, TOGETHER = 0.0, 5.0, 9.0
"""Epochs of ten that lie in the three stages, by their default shares."""


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Two discs with bright spots, half of their lines measured."""
    y, x = np.linspace(-1, 1, SHAPE[0])[:, None], np.linspace(-1, 1, SHAPE[1])
    spots = np.stack([np.hypot(y - 0.2, x + 0.1) < 0.35, np.hypot(y + 0.3, x) < 0.35])
    images = ((np.hypot(y, x) < 0.9) * (1.0 + spots)).astype(np.complex64)
    pattern = np.random.default_rng(0).random((1, SHAPE[1])) < 0.5
    pattern[:, 11:14] = True
    maps = np.ones((1, *SHAPE), np.complex64)
    kspace = np.stack([forward(image, maps, pattern) for image in images]).astype(np.complex64)
    return Batch(
        torch.from_numpy(images),
        torch.from_numpy(kspace),
        torch.from_numpy(pattern.astype(np.float32))[None, None],
        torch.from_numpy(maps)[None].expand(2, -1, -1, -1),
        torch.from_numpy(spots.astype(np.int64)),
        torch.tensor([True, True]),
    )


def made(**overrides: str) -> LINetRecipe:
    return recipe({"preset": "tiny", "crop": "0", **overrides})


def at(epoch: float) -> Moment:
    return Moment(int(epoch), epoch, 10)


def fresh(plan: LINetRecipe) -> LINet:
    return fresh_network(plan, LINet)


def changed_by_a_step(plan: LINetRecipe, network: LINet, batch: Batch, moment: Moment) -> set[str]:
    """Parts whose weights one step of the training loop changes."""
    optimiser = torch.optim.Adam(network.parameters(), 1e-2, weight_decay=1e-2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    loss = plan.losses(network, batch, moment).total
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    after = network.state_dict()
    return {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}


def test_the_paper_preset_has_the_channels_that_were_specified() -> None:
    assert PRESETS["paper"].widths == (32, 64, 128, 256, 256)
    with torch.device("meta"):
        network = LINet(PRESETS["paper"])
        image = torch.zeros(1, 224, 192, dtype=torch.complex64)
        assert network.predict(image).shape == (1, 256, 14, 12)
        assert network.segment(image).shape == (1, 2, 224, 192)


def test_predictor_and_encoder_of_images_have_the_same_shape() -> None:
    network = LINet(PRESETS["tiny"])
    shapes = [[tuple(p.shape) for p in part.parameters()] for part in (network.encoder, network.predictor)]
    assert shapes[0] == shapes[1]
    assert not {p.data_ptr() for p in network.encoder.parameters()} & {
        p.data_ptr() for p in network.predictor.parameters()
    }


def test_only_the_code_reaches_the_decoder(batch: Batch) -> None:
    network = fresh(made()).eval()
    image = batch.image.clone().requires_grad_()
    latent = network.predict(image)
    assert latent.shape == (2, 16, 8, 6)
    logits = network.segment(image)
    assert torch.equal(logits, network.decode(latent, SHAPE))
    # With the code held, nothing of the image is left in the labels.
    held = network.decode(latent.detach(), SHAPE)
    assert torch.equal(held, logits)
    held.sum().backward()
    assert image.grad is None
    # The same code for every image gives the same labels for every image.
    network.predictor.register_forward_hook(lambda _module, _inputs, code: torch.ones_like(code))
    with torch.no_grad():
        first, second = network.segment(batch.image)
    assert torch.equal(first, second)


def test_a_change_of_the_code_stays_where_it_was_made(batch: Batch) -> None:
    """One place of the code is a square of labels and its neighbourhood: blur is what is to be expected."""
    network = fresh(made()).eval()
    latent = torch.zeros(1, 16, 16, 16, requires_grad=True)
    for norm in network.decoder.modules():
        if isinstance(norm, torch.nn.InstanceNorm2d):
            norm.forward = lambda features: features  # type: ignore[method-assign]
    network.decode(latent, (64, 64))[0, 1, 32, 32].backward()
    assert latent.grad is not None
    touched = latent.grad[0].abs().sum(dim=0) > 0
    assert bool(touched[8, 8])
    assert 0 < int(touched.sum()) <= 25


@pytest.mark.parametrize("source", ["image", "label"])
def test_each_stage_changes_what_it_may(batch: Batch, source: str) -> None:
    plan = made(latent_source=source)
    network = fresh(plan)
    assert changed_by_a_step(plan, network, batch, at(CODE)) == {"encoder", "decoder"}
    assert changed_by_a_step(plan, network, batch, at(PREDICTOR)) == {"predictor"}
    assert changed_by_a_step(plan, network, batch, at(TOGETHER)) == {"predictor", "decoder"}


def test_stages_minimise_what_they_should(batch: Batch) -> None:
    plan = made(latent_weight="0.1")
    network = fresh(plan)
    code, predictor, together = (plan.losses(network, batch, at(epoch)) for epoch in (CODE, PREDICTOR, TOGETHER))
    assert set(code.parts) == {"segmentation"}
    assert float(predictor.total.detach()) == predictor.parts["latent"]
    expected = together.parts["segmentation"] + 0.1 * together.parts["latent"]
    assert float(together.total.detach()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("source", "sees_image", "sees_label"), [("image", True, False), ("label", False, True)])
def test_the_code_is_that_of_its_source(batch: Batch, source: str, sees_image: bool, sees_label: bool) -> None:
    network = fresh(made(latent_source=source)).eval()

    def code(image: Tensor, label: Tensor) -> Tensor:
        with torch.no_grad():
            return network.encode(image, label)

    plain = code(batch.image, batch.label)
    assert torch.equal(code(batch.image.flip(-1), batch.label), plain) == (not sees_image)
    assert torch.equal(code(batch.image, batch.label.flip(-1)), plain) == (not sees_label)


def test_shares_move_the_stages(batch: Batch) -> None:
    plan = made(stage_shares="0,1,1")
    network = fresh(plan)
    assert set(plan.losses(network, batch, at(0.0)).parts) == {"latent"}
    assert set(plan.losses(network, batch, at(CODE + 6)).parts) == {"segmentation", "latent"}


@pytest.mark.parametrize("source", ["image", "label"])
def test_it_learns_two_slices_by_heart(batch: Batch, source: str) -> None:
    plan = made(latent_source=source, loss_seg="dice_ce")
    network = fresh(plan)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    n_steps = 120
    seen: list[dict[str, float]] = []
    for step in range(n_steps):
        losses = plan.losses(network, batch, Moment(step, 10 * step / n_steps, 10))
        optimiser.zero_grad(set_to_none=True)
        losses.total.backward()
        optimiser.step()
        seen.append(dict(losses.parts))
    latents = [parts["latent"] for parts in seen if set(parts) == {"latent"}]
    assert latents[-1] < latents[0] / 2
    assert seen[-1]["segmentation"] < seen[0]["segmentation"] / 3


@pytest.mark.parametrize("size", [(17, 23), (3, 2), (1, 9)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    network = LINet(PRESETS["tiny"])
    logits = network.segment(torch.zeros(1, *size, dtype=torch.complex64))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


def test_saved_weights_give_the_network_back(batch: Batch, tmp_path: Path) -> None:
    plan = made(latent_source="label")
    network = fresh(plan).eval()
    path = saved_weights(plan, network, tmp_path)
    again = load(path).eval()
    assert isinstance(again, LINet)
    assert again.shape == replace(PRESETS["tiny"], latent_source="label")
    with torch.no_grad():
        scan = (batch.kspace, batch.pattern, batch.maps)
        assert torch.equal(network(*scan), again(*scan))
