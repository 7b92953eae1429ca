"""SegNetMRI: shared encoders, three stages, segmentations of all blocks merged."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import checked_result, fresh_network, learn, saved_weights
from torch import nn

from mrviewer.errors import DoesNotFitError, UnknownNameError
from mrviewer.physics import forward
from mrviewer.training.data.batches import Batch
from mrviewer.training.losses import segmentation_loss
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.segnetmri import METHOD
from mrviewer_models.segnetmri.network import PRESETS, SegNetMRI
from mrviewer_models.segnetmri.recipe import SegNetMRIRecipe, recipe

MakeScan = Callable[[int], Batch]
FIRST, SECOND, THIRD = (Moment(step, step, 10) for step in (0, 5, 9))


def made(**overrides: str) -> SegNetMRIRecipe:
    return recipe({"preset": "tiny", **overrides})


def fresh(plan: SegNetMRIRecipe) -> SegNetMRI:
    return fresh_network(plan, SegNetMRI)


def learning(parts: list[nn.Module]) -> list[bool]:
    """Whether each parameter of some modules has a gradient."""
    parameters = [parameter for part in parts for parameter in part.parameters()]
    return [parameter.grad is not None and bool(parameter.grad.any()) for parameter in parameters]


def backward(plan: SegNetMRIRecipe, network: SegNetMRI, scan: Batch, moment: Moment) -> Losses:
    network.zero_grad(set_to_none=True)
    losses = plan.losses(network, scan, moment)
    losses.total.backward()
    return losses


def test_the_paper_preset_has_the_parameters_of_its_parts() -> None:
    with torch.device("meta"):
        network = SegNetMRI(PRESETS["paper"])
    assert len(network.blocks) == 5
    assert network.shape.reconstruction.levels == 3
    encoder = 9 * (64 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256)
    decoder = 4 * (256 * 128 + 128 * 64) + 9 * (256 * 128 + 128 * 128 + 128 * 64 + 64 * 64)
    heads, merge, weight = 65 * 64 + 65 * 2, 9 * 10 * 2 + 2, 1
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 5 * (encoder + 2 * decoder + heads) + merge + weight == 13_087_873


def test_stages_teach_what_they_should(make_scan: MakeScan) -> None:
    plan, scan = made(), make_scan(2)
    network = fresh(plan)
    reconstructing, segmenting = network.reconstruction_parts(), network.segmentation_parts()
    first = backward(plan, network, scan, FIRST)
    assert all(learning(reconstructing))
    assert not any(learning(segmenting))
    assert first.parts.keys() == {"stage", "reconstruction"}
    second = backward(plan, network, scan, SECOND)
    assert not any(learning(reconstructing))
    assert all(learning(segmenting))
    third = backward(plan, network, scan, THIRD)
    assert all(learning([network]))
    assert [losses.parts["stage"] for losses in (first, second, third)] == [1, 2, 3]
    parts = third.parts
    assert float(third.total.detach()) == pytest.approx(parts["reconstruction"] + 0.01 * parts["segmentation"])


def test_the_parts_of_both_tasks_are_the_whole() -> None:
    network = fresh(made())
    parts = [*network.reconstruction_parts(), *network.segmentation_parts()]
    numbers = [id(parameter) for part in parts for parameter in part.parameters()]
    assert sorted(numbers) == sorted(id(parameter) for parameter in network.parameters())


def test_the_segmentation_reaches_the_encoders_that_reconstruct(make_scan: MakeScan) -> None:
    plan, scan = made(), make_scan(2)
    network = fresh(plan)
    logits = network(scan.kspace, scan.pattern, scan.maps).logits
    segmentation_loss(logits[-1], scan.label, scan.labelled, "ce").backward()
    first, last = (network.blocks[index] for index in (0, -1))
    assert all(learning([block.get_submodule("encoder") for block in network.blocks]))
    # The first reconstruction feeds the second segmentation; what the last one gives nobody segments.
    assert all(learning([first.get_submodule("reconstruction")]))
    assert not any(learning([last.get_submodule("reconstruction")]))


def test_every_map_counts_alike(make_scan: MakeScan) -> None:
    plan, scan = made(loss_seg="ce"), make_scan(1)
    network = fresh(plan)
    with torch.no_grad():
        images, logits = network(scan.kspace, scan.pattern, scan.maps)
        each = [float(segmentation_loss(maps, scan.label, scan.labelled, "ce")) for maps in logits]
        parts = plan.losses(network, scan, THIRD).parts
    assert (len(images), len(logits)) == (2, 3)
    assert parts["segmentation"] == pytest.approx(np.mean(each), rel=1e-5)


@pytest.mark.parametrize("kernel", ["3", "1"])
def test_merging_begins_as_the_mean(make_scan: MakeScan, kernel: str) -> None:
    scan, network = make_scan(1), fresh(made(merge_kernel=kernel))
    assert network.merge.weight.shape == (2, 4, int(kernel), int(kernel))
    with torch.no_grad():
        logits = network(scan.kspace, scan.pattern, scan.maps).logits
    assert torch.allclose(logits[-1], (logits[0] + logits[1]) / 2, atol=1e-5)


def test_without_segmentation_the_images_are_the_same(make_scan: MakeScan) -> None:
    scan, network = make_scan(2), fresh(made()).eval()
    with torch.no_grad():
        both = network(scan.kspace, scan.pattern, scan.maps)
        alone = network(scan.kspace, scan.pattern, scan.maps, segment=False)
    assert alone.logits == []
    assert all(torch.equal(one, other) for one, other in zip(both.images, alone.images, strict=True))


@pytest.mark.parametrize("residual", ["yes", "no"])
def test_hard_consistency_keeps_the_measurement_after_every_block(make_scan: MakeScan, residual: str) -> None:
    scan, network = make_scan(1), fresh(made(consistency="hard", residual=residual))
    with torch.no_grad():
        images = network(scan.kspace, scan.pattern, scan.maps).images
    for image in images:
        again = forward(image[0].numpy(), scan.maps[0].numpy(), scan.pattern[0, 0].numpy())
        assert np.linalg.norm(again - scan.kspace[0].numpy()) < 1e-6 * np.linalg.norm(scan.kspace.numpy())


def test_wrong_coils_are_refused_in_a_sentence(make_scan: MakeScan) -> None:
    scan, network = make_scan(5), fresh(made())
    with pytest.raises(DoesNotFitError, match=r"takes 4 coil\(s\) at most and this scan has 5"):
        network(scan.kspace, scan.pattern, scan.maps)
    wider = fresh(made(max_coils="5"))
    with torch.no_grad():
        assert wider(scan.kspace, scan.pattern, scan.maps).images[-1].shape == (1, 32, 24)


def test_it_learns_one_slice_by_heart(make_scan: MakeScan) -> None:
    plan, scan = made(seg_weight="0.1"), make_scan(1)
    network = fresh(plan)
    parts = [each.parts for each in learn(plan, network, scan, 90, 1e-2)]
    started = next(each for each in parts if "segmentation" in each)
    assert parts[-1]["reconstruction"] < parts[0]["reconstruction"] / 3
    assert parts[-1]["segmentation"] < started["segmentation"] / 3


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of segnetmri has no option 'alpha'"):
        recipe({"alpha": "1"})


def test_it_keeps_the_contract_and_names_its_blocks(tmp_path: Path) -> None:
    plan = made()
    result = checked_result(METHOD, saved_weights(plan, fresh(plan), tmp_path))
    assert result.steps is not None
    assert result.step_names == ("block 1", "block 2")
    assert result.image is not None
    assert np.array_equal(result.steps[-1], result.image)
