"""The U-Net family: its sizes, its switches, and the parts that networks share."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import mrviewer_models
from mrviewer.methods.weights import load_weights
from mrviewer_models.blocks.attention_gate import AttentionGate
from mrviewer_models.blocks.unet import (
    ConvBlock,
    UNet,
    UNetDecoder,
    UNetEncoder,
    UNetShape,
)
from mrviewer_models.blocks.unet_presets import att_unet_in, unet_bn, unet_bn_t, unet_in
from mrviewer_models.shapes import shape_of_weights

SMALL = {
    "textbook": unet_bn_t(1, 2, base=2, levels=4),
    "instance": replace(unet_bn_t(1, 2, base=2, levels=4), norm="instance"),
    "separate": replace(unet_bn_t(1, 2, base=2, levels=4), norm="batch_separate"),
    "separate_up": replace(unet_in(1, 2, base=2, pools=3), norm="batch_separate"),
    "nearest": unet_bn(1, 2, base=2, levels=4),
    "plain": unet_in(1, 2, base=2, pools=3),
    "gated": att_unet_in(1, 2, base=2, pools=3),
}


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        (unet_bn(1, 1), 31_389_569),
        (unet_bn_t(1, 8), 31_042_824),
        (att_unet_in(1, 4), 1_983_686),
        (att_unet_in(1, 2), 1_983_556),
    ],
)
def test_members_have_the_parameters_of_their_papers(shape: UNetShape, count: int) -> None:
    with torch.device("meta"):
        network = UNet(shape)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("size", [(17, 23), (8, 8), (3, 2), (1, 9)])
def test_a_unet_takes_images_of_any_size(name: str, size: tuple[int, int]) -> None:
    network = UNet(SMALL[name])
    for image in (torch.rand(1, 1, *size), torch.zeros(1, 1, *size)):
        output = network(image)
        assert output.shape == (1, 2, *size)
        assert bool(torch.isfinite(output).all())


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(0)
    network = UNet(SMALL[name])
    image = torch.rand(2, 1, 16, 16)
    sum(network(image, teacher=teacher).square().sum() for teacher in (False, True)).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_padding_leaves_what_fits_alone() -> None:
    # The receptive field of a one-level network is 5 x 5, and no pooling looks further.
    network = UNet(UNetShape(1, 2, base=2, levels=1)).eval()
    image = torch.rand(1, 1, 9, 7)
    with torch.no_grad():
        assert torch.allclose(network(image)[..., :4, :4], network(image[..., :6, :6])[..., :4, :4], atol=1e-6)


def test_padding_reflects() -> None:
    network = UNet(SMALL["plain"]).eval()
    image = torch.rand(1, 1, 16, 13)
    whole = F.pad(image, (0, 3, 0, 0), mode="reflect")
    with torch.no_grad():
        assert torch.equal(network(image), network(whole)[..., :13])


def test_the_order_of_the_block_is_the_one_asked_for() -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 1, 8, 8)
    shape = UNetShape(norm="instance_plain", negative_slope=0.2)
    act_norm = ConvBlock(1, 3, replace(shape, order="conv_act_norm"))
    norm_act = ConvBlock(1, 3, replace(shape, order="conv_norm_act"))
    norm_act.load_state_dict(act_norm.state_dict())
    first, second = act_norm.convolutions
    features = F.instance_norm(F.leaky_relu(first(image), 0.2))
    features = F.instance_norm(F.leaky_relu(second(features), 0.2))
    assert torch.allclose(act_norm(image), features, atol=1e-5)
    features = F.leaky_relu(F.instance_norm(first(image)), 0.2)
    features = F.leaky_relu(F.instance_norm(second(features)), 0.2)
    assert torch.allclose(norm_act(image), features, atol=1e-5)


def test_dropout_works_while_training_alone() -> None:
    network = UNet(unet_in(1, 1, base=4, pools=1, dropout=0.5))
    image = torch.rand(1, 1, 8, 8)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


def test_pooling_is_the_one_asked_for() -> None:
    image = torch.rand(1, 1, 8, 8)
    for down, pool in (("max", F.max_pool2d), ("average", F.avg_pool2d)):
        encoder = UNetEncoder(UNetShape(1, 1, base=2, levels=2, norm="instance", down=down))  # type: ignore[arg-type]
        fine, coarse = encoder(image)
        assert torch.allclose(coarse, encoder.down[1](pool(fine, 2)), atol=1e-6)


def test_an_encoder_can_be_shared() -> None:
    shape = unet_in(1, 2, base=2, pools=2)
    encoder, first, second = UNetEncoder(shape), UNetDecoder(shape), UNetDecoder(replace(shape, outputs=5))
    image = torch.rand(1, 1, 9, 10)
    levels = encoder(image)
    assert [tuple(level.shape) for level in levels] == [(1, 2, 12, 12), (1, 4, 6, 6), (1, 8, 3, 3)]
    assert first(levels, image.shape[-2:]).shape == (1, 2, 9, 10)
    assert second(levels).shape == (1, 5, 12, 12)
    whole = UNet(shape)
    whole.encoder.load_state_dict(encoder.state_dict())
    whole.decoder.load_state_dict(first.state_dict())
    assert torch.equal(whole(image), first(levels, image.shape[-2:]))


def test_a_segmenter_begins_at_the_background() -> None:
    shape = unet_in(1, 3, base=2, pools=1, head="classes")
    name = "decoder.head.bias"
    assert UNet(shape).get_parameter(name).tolist() == [4, 0, 0]
    assert UNet(replace(shape, head="values")).get_parameter(name).abs().max() < 1


def test_a_correction_begins_small() -> None:
    torch.manual_seed(0)
    shape = unet_in(1, 1, base=16, pools=1, head="correction")
    image = torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        small = UNet(shape)(image)
        assert 0 < float(small.abs().max()) < 0.3
        assert float(UNet(replace(shape, head="values"))(image).abs().max()) > 2 * float(small.abs().max())


def test_separate_statistics_do_not_see_each_other() -> None:
    network = UNet(SMALL["separate_up"]).train()
    before = {name: mean.clone() for name, mean in network.named_buffers() if name.endswith("running_mean")}
    network(torch.rand(2, 1, 8, 8) + 3, teacher=True)
    after = dict(network.named_buffers())
    assert len(before) == 2 * (2 * 7 + 3)
    for name, mean in before.items():
        assert torch.equal(after[name], mean) == name.endswith("kinds.0.running_mean")
    network.eval()
    image = torch.rand(1, 1, 8, 8)
    with torch.no_grad():
        assert not torch.allclose(network(image, teacher=True), network(image))


def test_a_gate_weighs_places_by_the_level_below() -> None:
    torch.manual_seed(0)
    gate = AttentionGate(3, 6)
    skip, below = torch.randn(1, 3, 8, 6), torch.randn(1, 6, 4, 3)
    attention = gate.attention(skip, below).detach()
    assert attention.shape == (1, 1, 8, 6)
    assert 0 < float(attention.min()) < float(attention.max()) < 1
    assert torch.equal(gate(skip, below), attention * skip)
    assert not torch.allclose(gate.attention(skip, -below), attention)
    for parameter in gate.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(gate(skip, below), skip / 2)


def test_gates_see_the_level_below_before_it_is_up_sampled() -> None:
    network = UNet(att_unet_in(1, 1, base=2, pools=2))
    seen: list[tuple[int, ...]] = []
    for gate in network.decoder.gates:
        gate.register_forward_pre_hook(lambda _gate, inputs: seen.append(tuple(inputs[1].shape)))
    network(torch.rand(1, 1, 16, 16))
    assert seen == [(1, 8, 4, 4), (1, 4, 8, 8)]


def test_weights_of_one_module_fill_encoder_and_decoder() -> None:
    path = Path(mrviewer_models.__file__).parent / "unet_full" / "weights.safetensors"
    shape = shape_of_weights(path, UNetShape)
    assert shape == UNetShape(1, 2, base=16, levels=5, norm="instance")
    old = {name.removeprefix("segmentation."): tensor for name, tensor in load_weights(path).tensors.items()}
    network = UNet(shape)
    network.load_state_dict(old)
    for name in ("encoder.down.0.convolutions.0.weight", "decoder.up.0.weight", "decoder.head.bias"):
        assert torch.equal(network.get_parameter(name), old[name.partition(".")[2]].float())
    again = UNet(shape)
    again.load_state_dict(network.state_dict())
    image = torch.rand(1, 1, 16, 16)
    assert torch.equal(network(image), again(image))
