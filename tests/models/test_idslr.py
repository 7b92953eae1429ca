"""IDSLR: one network, iterated, and a second decoder on its encoder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import checked_result, fresh_network, learn, saved_weights

from mrviewer.errors import DoesNotFitError, UnknownNameError
from mrviewer.training.data.batches import Batch
from mrviewer.training.losses import reconstruction_loss, segmentation_loss
from mrviewer.training.recipe import Moment
from mrviewer_models.idslr import METHOD
from mrviewer_models.idslr.network import IDSLR, PRESETS
from mrviewer_models.idslr.recipe import IDSLRRecipe, recipe

MakeScan = Callable[[int], Batch]
NOW = Moment(0, 0, 1)


def made(**overrides: str) -> IDSLRRecipe:
    return recipe({"preset": "tiny", **overrides})


def fresh(plan: IDSLRRecipe) -> IDSLR:
    return fresh_network(plan, IDSLR)


def test_iterations_share_their_weights() -> None:
    encoder = 9 * (64 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256)
    decoder = 4 * (256 * 128 + 128 * 64) + 9 * (256 * 128 + 128 * 128 + 128 * 64 + 64 * 64)
    with torch.device("meta"):
        network = IDSLR(PRESETS["paper"])
    assert network.shape.iterations == 5
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == encoder + 2 * decoder + 65 * 64 + 65 * 2 + 1 == 2_617_539


@pytest.mark.parametrize("iterations", [1, 3])
def test_an_image_for_each_iteration(make_scan: MakeScan, iterations: int) -> None:
    scan, network = make_scan(2), fresh(made(iterations=str(iterations)))
    with torch.no_grad():
        images, logits = network(scan.kspace, scan.pattern, scan.maps)
    assert len(images) == iterations
    assert logits.shape == (1, 2, 32, 24)


def test_both_losses_reach_the_one_encoder(make_scan: MakeScan) -> None:
    scan, network = make_scan(2), fresh(made())
    images, logits = network(scan.kspace, scan.pattern, scan.maps)
    losses = (
        reconstruction_loss(images[-1], scan.image, "l2"),
        segmentation_loss(logits, scan.label, scan.labelled, "ce"),
    )
    gradients = []
    for loss in losses:
        network.zero_grad(set_to_none=True)
        loss.backward(retain_graph=True)
        gradients.append({name: p.grad for name, p in network.named_parameters() if p.grad is not None})
    reconstruction, segmentation = gradients
    for name in ("encoder.down.0.convolutions.0.weight", "consistency.log_weight"):
        assert bool(reconstruction[name].any())
        assert bool(segmentation[name].any())
    assert not any(name.startswith("segmentation") for name in reconstruction)
    # The segmenter sees what the first iteration's decoder made.
    assert bool(segmentation["reconstruction.head.weight"].any())


def test_with_one_iteration_the_segmentation_does_not_see_the_reconstruction(make_scan: MakeScan) -> None:
    scan, network = make_scan(2), fresh(made(iterations="1"))
    segmentation_loss(network(scan.kspace, scan.pattern, scan.maps).logits, scan.label, scan.labelled, "ce").backward()
    assert all(parameter.grad is None for parameter in network.reconstruction.parameters())
    assert all(parameter.grad is not None for parameter in network.encoder.parameters())


def test_a_skip_leads_past_the_network(make_scan: MakeScan) -> None:
    scan, network = make_scan(1), fresh(made())
    for name in ("weight", "bias"):
        torch.nn.init.zeros_(network.get_parameter(f"reconstruction.head.{name}"))
    with torch.no_grad():
        images, _ = network(scan.kspace, scan.pattern, scan.maps)
    zero_filled = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(scan.kspace[0, 0].numpy()), norm="ortho"))
    for image in images:
        assert np.allclose(image[0].numpy(), zero_filled, atol=1e-5)


def test_the_balance_is_alpha_and_the_scale_leaves_it_alone(make_scan: MakeScan) -> None:
    scan = make_scan(1)
    for alpha, scale in ((1e-5, 1000.0), (0.25, 1.0)):
        plan = made(alpha=str(alpha), loss_scale=str(scale))
        losses = plan.losses(fresh(plan), scan, NOW)
        balance = (1 - alpha) * losses.parts["reconstruction"] + alpha * losses.parts["segmentation"]
        assert float(losses.total.detach()) == pytest.approx(scale * balance, rel=1e-5)
    assert made().options.alpha == 1e-5


def test_wrong_coils_are_refused_in_a_sentence(make_scan: MakeScan) -> None:
    scan, network = make_scan(5), fresh(made())
    with pytest.raises(DoesNotFitError, match=r"takes 4 coil\(s\) at most and this scan has 5"):
        network(scan.kspace, scan.pattern, scan.maps)


def test_units_do_not_matter(make_scan: MakeScan) -> None:
    scan, network = make_scan(3), fresh(made()).eval()
    with torch.no_grad():
        images, logits = network(scan.kspace, scan.pattern, scan.maps)
        larger, same = network(1000 * scan.kspace, scan.pattern, scan.maps)
    assert torch.allclose(larger[-1] / 1000, images[-1], atol=1e-4)
    assert torch.allclose(logits, same, atol=1e-3)


def test_it_learns_one_slice_by_heart(make_scan: MakeScan) -> None:
    plan, scan = made(), make_scan(1)
    network = fresh(plan)
    before = float(network.consistency.weight.detach())
    parts = [each.parts for each in learn(plan, network, scan, 80, 1e-2)]
    assert parts[-1]["reconstruction"] < parts[0]["reconstruction"] / 10
    assert parts[-1]["segmentation"] < parts[0]["segmentation"] / 3
    assert 0 < float(network.consistency.weight.detach()) != before


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of idslr has no option 'stages'"):
        recipe({"stages": "1"})


def test_it_keeps_the_contract_and_names_its_iterations(tmp_path: Path) -> None:
    plan = made()
    result = checked_result(METHOD, saved_weights(plan, fresh(plan), tmp_path))
    assert result.steps is not None
    assert result.step_names == ("iteration 1", "iteration 2")
