"""SERANet: the segmentation teaches the reconstruction, and tells the next pass where to look."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import disc_with_spot, fresh_network, learn, saved_weights, scanned, some_lines

from mrviewer.errors import InputError, UnknownNameError
from mrviewer.physics import forward
from mrviewer.progress import finish
from mrviewer.testing import sample_measurement
from mrviewer.training.data.batches import Batch
from mrviewer.training.recipe import Moment
from mrviewer_models.seranet import METHOD
from mrviewer_models.seranet.inference import load
from mrviewer_models.seranet.network import PRESETS, ClassAttention, SERANet
from mrviewer_models.seranet.recipe import SERANetRecipe, recipe

NOW = Moment(0, 0, 1)


@pytest.fixture(scope="module")
def batch() -> Batch:
    """One disc with a bright spot, half of its lines measured."""
    shape = (32, 24)
    image, spot = disc_with_spot(shape, (0.2, -0.1, 0.35))
    return scanned(image, spot, some_lines(shape[1], 0.5, slice(11, 14)), np.ones((1, *shape), np.complex64))


def made(**overrides: str) -> SERANetRecipe:
    return recipe({"preset": "tiny", **overrides})


def fresh(plan: SERANetRecipe) -> SERANet:
    return fresh_network(plan, SERANet)


def scan(batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return batch.kspace, batch.pattern, batch.maps


def test_the_paper_preset_has_the_sizes_that_were_specified() -> None:
    shape = PRESETS["paper"]
    assert (shape.blocks, shape.recurrences) == (3, 2)
    for part in (shape.reconstruction, shape.segmentation):
        assert (part.inputs, part.outputs, part.base, part.levels) == (2, 2, 32, 5)
    with torch.device("meta"):
        network = SERANet(shape)
    unets = 4 * sum(parameter.numel() for parameter in network.segmentation.parameters())
    # A 3 x 3 convolution from the image and one gated copy per class to the image.
    assert sum(parameter.numel() for parameter in network.parameters()) == unets + 6 * 2 * 9 + 2


@pytest.mark.parametrize("seg_input", ["complex", "magnitude"])
def test_the_segmentation_loss_reaches_every_module(batch: Batch, seg_input: str) -> None:
    plan = made(seg_input=seg_input)
    network = fresh(plan)
    plan.losses(network, batch, NOW).total.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.any()), name


@pytest.mark.parametrize("seg_input", ["complex", "magnitude"])
def test_only_labels_teach(batch: Batch, seg_input: str) -> None:
    """The fully sampled image is not looked at, so that PSNR is nothing that this method was made for."""
    plan = made(seg_input=seg_input)
    network = fresh(plan)
    plain = float(plan.losses(network, batch, NOW).total.detach())
    other = Batch(torch.zeros_like(batch.image), *scan(batch), batch.label, batch.labelled)
    assert float(plan.losses(network, other, NOW).total.detach()) == plain


def test_a_pass_for_each_recurrence_and_every_image_agrees_with_the_measurement(batch: Batch) -> None:
    network = fresh(made(recurrences="3"))
    with torch.no_grad():
        images, logits = network(*scan(batch))
    assert (len(images), len(logits)) == (4, 4)
    for image in images:
        again = forward(image[0].numpy(), batch.maps[0].numpy(), batch.pattern[0, 0].numpy())
        assert np.linalg.norm(again - batch.kspace[0].numpy()) < 4e-7 * np.linalg.norm(batch.kspace.numpy())


def test_gates_change_the_second_pass(batch: Batch) -> None:
    network = fresh(made()).eval()
    with torch.no_grad():
        plain = network(*scan(batch))
        # The first segmentation alone is turned round; the image that it was made of is the same.
        network.segmentation.register_forward_hook(_flip_first())
        turned = network(*scan(batch))
    assert torch.equal(plain.images[0], turned.images[0])
    assert not torch.allclose(plain.images[1], turned.images[1], atol=1e-4)
    assert not torch.allclose(plain.logits[1], turned.logits[1], atol=1e-4)


def _flip_first() -> object:
    calls: list[None] = []

    def hook(_module: torch.nn.Module, _inputs: object, logits: torch.Tensor) -> torch.Tensor:
        calls.append(None)
        return 10 * logits.flip(1) if len(calls) == 1 else logits

    return hook


def test_without_recurrence_no_gate_is_asked(batch: Batch) -> None:
    plan = made(recurrences="0")
    network = fresh(plan)
    losses = plan.losses(network, batch, NOW)
    losses.total.backward()
    assert all(parameter.grad is None for parameter in network.attention.parameters())
    assert losses.parts["segmentation"] == losses.parts["first_pass"] == pytest.approx(float(losses.total.detach()))


def test_a_gate_lets_its_class_through() -> None:
    attention = ClassAttention(2)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.zero_()
        # Channels: the image, the image where class 0 is, the image where class 1 is; real and imaginary part of each.
        attention.merge.weight[0, 4, 1, 1] = attention.merge.weight[1, 5, 1, 1] = 1
    image = torch.complex(torch.rand(1, 6, 5), torch.rand(1, 6, 5))
    lesion = torch.zeros(1, 6, 5, dtype=torch.bool)
    lesion[0, 2:4, 1:3] = True
    logits = torch.stack([~lesion, lesion], dim=1) * 100.0
    assert torch.allclose(attention(image, logits), image * lesion, atol=1e-6)


def test_a_fresh_recurrence_is_nearly_the_image_itself() -> None:
    torch.manual_seed(0)
    image = torch.complex(torch.rand(1, 6, 5), torch.rand(1, 6, 5))
    with torch.no_grad():
        merged = ClassAttention(2)(image, torch.zeros(1, 2, 6, 5))
    assert float((merged - image).abs().max() / image.abs().max()) < 0.3


def test_passes_weigh_a_half_a_half_and_one(batch: Batch) -> None:
    plan, alone = made(), made(early_weight="0")
    network = fresh(plan)
    weighted = plan.losses(network, batch, NOW)
    last = alone.losses(network, batch, NOW)
    assert float(last.total.detach()) == pytest.approx(last.parts["segmentation"])
    with torch.no_grad():
        each = [
            float(torch.nn.functional.cross_entropy(logits, batch.label)) for logits in network(*scan(batch)).logits
        ]
    assert float(weighted.total.detach()) == pytest.approx(0.5 * each[0] + 0.5 * each[1] + each[2], rel=1e-5)


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of seranet has no option 'alpha'"):
        recipe({"alpha": "1"})
    with pytest.raises(InputError, match="option seg_input is 'phase'; choose one of complex, magnitude"):
        recipe({"seg_input": "phase"})


def test_it_learns_one_slice_by_heart(batch: Batch) -> None:
    plan = made(loss_seg="dice_ce")
    network = fresh(plan)
    losses = [float(each.total.detach()) for each in learn(plan, network, batch, 40, 1e-2)]
    assert losses[-1] < losses[0] / 3


def test_its_inner_images_are_steps_and_not_a_reconstruction(batch: Batch, tmp_path: Path) -> None:
    plan = made(seg_input="magnitude")
    network = fresh(plan)
    path = saved_weights(plan, network, tmp_path)
    again = load(path)
    assert isinstance(again, SERANet)
    assert again.shape == plan.options.shape
    method = METHOD.with_weights(path)
    result = finish(method.run(sample_measurement(method)))
    assert result.image is None
    assert result.steps is not None
    assert result.steps.shape == (3, 2, 40, 36)
    assert result.step_names == ("before recurrence", "recurrence 1", "recurrence 2")
