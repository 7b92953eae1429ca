"""RecSeg: two U-Nets in a row, taught together."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import checked_result, fresh_network, learn, saved_weights

from mrviewer.errors import InputError, UnknownNameError
from mrviewer.training.data.batches import Batch
from mrviewer.training.recipe import Moment
from mrviewer_models.blocks.unet import UNet
from mrviewer_models.blocks.unet_presets import unet_in
from mrviewer_models.recseg import METHOD
from mrviewer_models.recseg.network import PRESETS, RecSeg
from mrviewer_models.recseg.recipe import RecSegRecipe, recipe

MakeScan = Callable[[int], Batch]
NOW = Moment(0, 0, 1)


def made(**overrides: str) -> RecSegRecipe:
    return recipe({"preset": "tiny", **overrides})


def fresh(plan: RecSegRecipe) -> RecSeg:
    return fresh_network(plan, RecSeg)


def test_the_paper_preset_is_two_unets_of_64_channels_and_two_poolings() -> None:
    with torch.device("meta"):
        network, first, second = RecSeg(PRESETS["paper"]), UNet(unet_in(1, 1, 64, 2)), UNet(unet_in(1, 2, 64, 2))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == sum(p.numel() for unet in (first, second) for p in unet.parameters()) == 3_720_515


@pytest.mark.parametrize("residual", ["yes", "no"])
def test_the_segmentation_loss_reaches_the_reconstruction(make_scan: MakeScan, residual: str) -> None:
    plan = made(alpha="1", residual=residual)
    network = fresh(plan)
    plan.losses(network, make_scan(1), NOW).total.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.any()), name


def test_the_reconstruction_loss_stops_before_the_segmenter(make_scan: MakeScan) -> None:
    plan = made(alpha="0")
    network = fresh(plan)
    plan.losses(network, make_scan(1), NOW).total.backward()
    assert not any(bool(p.grad.any()) for p in network.segmentation.parameters() if p.grad is not None)
    assert all(p.grad is not None and bool(p.grad.any()) for p in network.reconstruction.parameters())


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_total_is_the_weighted_sum(make_scan: MakeScan, alpha: float) -> None:
    plan = made(alpha=str(alpha))
    losses = plan.losses(fresh(plan), make_scan(1), NOW)
    expected = (1 - alpha) * losses.parts["reconstruction"] + alpha * losses.parts["segmentation"]
    assert float(losses.total.detach()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n_coils", [1, 3, 12])
def test_any_number_of_coils_and_any_units(make_scan: MakeScan, n_coils: int) -> None:
    scan, network = make_scan(n_coils), fresh(made()).eval()
    with torch.no_grad():
        magnitude, logits = network(scan.kspace, scan.pattern, scan.maps)
        larger, same = network(1000 * scan.kspace, scan.pattern, scan.maps)
    assert magnitude.shape == (1, 32, 24)
    assert float(magnitude.min()) >= 0
    assert torch.allclose(larger / 1000, magnitude, atol=1e-4)
    assert torch.allclose(logits, same, atol=1e-3)


def test_it_learns_one_slice_by_heart(make_scan: MakeScan) -> None:
    plan, scan = made(), make_scan(1)
    network = fresh(plan)
    parts = [each.parts for each in learn(plan, network, scan, 60, 1e-2)]
    assert parts[-1]["reconstruction"] < parts[0]["reconstruction"] / 3
    assert parts[-1]["segmentation"] < parts[0]["segmentation"] / 3


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of recseg has no option 'blocks'"):
        recipe({"blocks": "1"})
    with pytest.raises(InputError, match="option residual is 'maybe'; choose one of preset, yes, no"):
        recipe({"residual": "maybe"})


def test_it_keeps_the_contract_and_gives_a_magnitude(tmp_path: Path) -> None:
    plan = made()
    result = checked_result(METHOD, saved_weights(plan, fresh(plan), tmp_path))
    assert result.image is not None
    assert not result.image.imag.any()
    assert bool(np.all(result.image.real >= 0))
