"""Multi-Unet, LFUnet, MAFUnet and the progressive column: sizes, paths, channels, attention."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from mrviewer.errors import InputError, WeightsError
from mrviewer.methods.weights import Weights, save_weights
from mrviewer_models.blocks.res_unet3d import Conv3d, Encoder3D, ResidualUnit3D, ResUNet3D, pad_to_fit
from mrviewer_models.multiunet.adapting import adapt_weights
from mrviewer_models.multiunet.fusion import LateFusionUNet, ModalityFusion, MultiScaleFusionUNet
from mrviewer_models.multiunet.network import MultiUNet
from mrviewer_models.multiunet.progressive import ProgressiveUNet
from mrviewer_models.multiunet.shape import PRESETS, MultiUNetShape
from mrviewer_models.shapes import shape_of_weights

Kind = Literal["multi", "lf", "maf"]
KINDS: tuple[Kind, ...] = ("multi", "lf", "maf")
TINY = replace(PRESETS["tiny"], channels=("FLAIR", "T1", "T2"))


def made(shape: MultiUNetShape, seed: int = 0) -> MultiUNet:
    torch.manual_seed(seed)
    return MultiUNet(shape).eval()


def volume(channels: int = 3, edge: int = 32, seed: int = 0, batch: int = 1) -> Tensor:
    return torch.randn(batch, channels, edge, edge, edge, generator=torch.Generator().manual_seed(seed))


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


# See docs/methods/multiunet.md: Multi-Unet by the sizes of its paper (arXiv:2405.18511), the two others by its layers
# and our kernels of the fusion.
@pytest.mark.parametrize(("kind", "parameters"), [("multi", 8_900_930), ("lf", 8_953_770), ("maf", 40_711_559)])
def test_the_paper_presets_have_their_parameters(kind: Kind, parameters: int) -> None:
    with torch.device("meta"):
        network = MultiUNet(replace(PRESETS["paper"], kind=kind))
    assert len(network.shape.channels) == 6
    assert count(network) == parameters


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(32, 32, 32), (1, 20, 33), (16, 16, 16)])
def test_any_extent_is_padded_and_cropped_back(kind: Kind, size: tuple[int, int, int]) -> None:
    logits = made(replace(TINY, kind=kind))(torch.randn(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    assert torch.isfinite(logits).all()


def test_padding_ends_at_multiples_of_16_and_keeps_what_fits() -> None:
    assert pad_to_fit(torch.zeros(1, 1, 3, 33, 64)).shape[2:] == (32, 48, 64)
    fitting = volume(1)
    assert pad_to_fit(fitting) is fitting


def test_the_residual_path_has_no_weights_and_reaches_the_first_channels() -> None:
    unit = ResidualUnit3D(3, 5, 2, 0.0).eval()
    for parameter in unit.parameters():
        nn.init.zeros_(parameter)
    features = volume(3, 8)
    result = unit(features)
    assert torch.allclose(result[:, :3], nn.functional.avg_pool3d(features, 3, 2, padding=1), atol=1e-6)
    assert not result[:, 3:].any()
    same = ResidualUnit3D(3, 5, 1, 0.0).eval()
    for parameter in same.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(same(features)[:, :3], features)


def test_more_modalities_than_features_are_taken_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    network = made(replace(TINY, channels=tuple("abcdefghij")))
    assert "10 input channels but 8 features" in caplog.text
    assert torch.isfinite(network(volume(10))).all()


@pytest.mark.parametrize("stride", [1, 2])
def test_the_quick_convolution_is_the_usual_one(stride: int) -> None:
    torch.manual_seed(0)
    convolution, features = Conv3d(3, 5, 3, stride, padding=1), volume(3, 8)
    usual = convolution(features)
    with torch.no_grad():
        quick = convolution(features)
    assert usual.requires_grad
    assert torch.allclose(usual, quick, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_modality_reaches_the_logits_and_every_weight_learns(kind: Kind) -> None:
    network = made(replace(TINY, kind=kind)).train()
    seen = volume(batch=2).requires_grad_()
    network(seen).square().mean().backward()
    assert seen.grad is not None
    assert (seen.grad.abs().amax(dim=(0, 2, 3, 4)) > 0).all()
    # Biases before a normalisation change nothing, so that their gradient is 0 but for rounding.
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters() if p.ndim > 1)


def permuted(network: MultiUNet, order: list[int]) -> MultiUNet:
    """The same network with its input channels in another order, in the map and in the first layer."""
    channels = tuple(network.shape.channels[index] for index in order)
    other = made(replace(network.shape, channels=channels), seed=1)
    state = network.state_dict()
    first = "body.encoder.units.0.first.0.weight"
    other.load_state_dict({**state, first: state[first][:, order]})
    return other


def test_the_map_decides_and_not_the_order() -> None:
    network = made(TINY)
    # The residual path adds the inputs to the first features; with its sum switched off the order is free.
    order = [2, 0, 1]
    other = permuted(network, order)
    images = dict(zip(network.shape.channels, volume()[0], strict=True))
    rearranged = torch.stack([images[name] for name in other.shape.channels])[None]

    def without_residual(each: MultiUNet, seen: Tensor) -> Tensor:
        body = each.body
        assert isinstance(body, ResUNet3D)
        unit = body.encoder.units[0]
        assert isinstance(unit, ResidualUnit3D)
        handle = unit.register_forward_hook(lambda module, seen, result: module.second(module.first(seen[0])))
        try:
            logits: Tensor = each(seen)
            return logits
        finally:
            handle.remove()

    assert torch.allclose(without_residual(network, volume()), without_residual(other, rearranged), atol=1e-4)
    assert not torch.allclose(network(volume()), network(rearranged), atol=1e-2)


def test_lf_treats_all_modalities_alike_but_for_the_fusion() -> None:
    body = made(replace(TINY, kind="lf")).body
    assert isinstance(body, LateFusionUNet)
    seen = volume()
    one = body.single(seen[:, [1]])
    assert torch.allclose(body.single(seen.flatten(0, 1)[:, None])[1], one[0], atol=1e-4)


def test_attention_adds_up_to_one_over_modalities() -> None:
    torch.manual_seed(0)
    fusion = ModalityFusion(3, 4, mask_absent=False)
    features = torch.randn(2, 3, 4, 5, 6, 7)
    attention = fusion.attention(features, torch.tensor([[True, False, True], [True, True, True]]))
    assert torch.allclose(attention.sum(dim=1), torch.ones(2, 5, 6, 7))
    assert (attention[0, 1] > 0).all()
    expected = (attention[:, :, None] * features).sum(dim=1)
    assert torch.equal(fusion(features, torch.ones(2, 3, dtype=torch.bool)), expected)


def test_absent_modalities_get_exactly_no_attention_when_masked() -> None:
    torch.manual_seed(0)
    fusion = ModalityFusion(3, 4, mask_absent=True)
    features = torch.randn(2, 3, 4, 5, 6, 7)
    present = torch.tensor([[True, False, True], [False, False, False]])
    attention = fusion.attention(features, present)
    assert torch.equal(attention[0, 1], torch.zeros(5, 6, 7))
    assert torch.allclose(attention.sum(dim=1), torch.ones(2, 5, 6, 7))


@pytest.mark.parametrize("kind", ["lf", "maf"])
def test_masked_networks_find_out_what_is_absent(kind: Kind) -> None:
    network = made(replace(TINY, kind=kind, mask_absent=True))
    seen = volume()
    seen[:, 1] = 0
    assert torch.equal(network(seen), network(seen, torch.tensor([[True, False, True]])))
    assert not torch.equal(network(seen), network(seen, torch.tensor([[True, True, True]])))


def test_maf_fuses_at_every_scale() -> None:
    body = made(replace(TINY, kind="maf")).body
    assert isinstance(body, MultiScaleFusionUNet)
    assert (len(body.encoders), len(body.fusions)) == (3, 5)


def test_a_progressive_column_learns_alone_and_listens() -> None:
    network = made(replace(TINY, progressive=True)).train()
    body = network.body
    assert isinstance(body, ProgressiveUNet)
    assert not body.pretrained.training
    assert body.column.training
    network(volume(batch=2)).square().mean().backward()
    assert all(parameter.grad is None for parameter in body.pretrained.parameters())
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in body.column.parameters() if p.ndim > 1)
    # What the first column says reaches the logits.
    network.eval()
    silent = network(volume())
    nn.init.zeros_(body.pretrained.get_parameter("encoder.units.2.first.0.weight"))
    assert not torch.allclose(silent, network(volume()), atol=1e-3)


def test_a_progressive_column_is_twice_as_wide_where_it_listens() -> None:
    alone, beside = Encoder3D(3, 4, 0.0), Encoder3D(3, 4, 0.0, lateral=True)

    def widths(encoder: Encoder3D) -> list[int]:
        return [encoder.get_parameter(f"units.{number}.first.0.weight").shape[1] for number in range(5)]

    assert widths(beside) == [3, *(2 * width for width in widths(alone)[1:])]
    decoder = ResUNet3D(3, 1, 4, 0.0, lateral=True).decoder
    assert [decoder.get_parameter(f"steps.{n}.keep.0.weight").shape[1] for n in range(4)] == [192, 64, 32, 16]
    with pytest.raises(InputError, match="the kind is lf and a progressive column belongs to multi"):
        MultiUNet(replace(TINY, kind="lf", progressive=True))


def test_new_modalities_take_free_channels_and_then_new_ones_behind() -> None:
    shape = MultiUNetShape(channels=("FLAIR", "T1", "", "T2", ""))
    assert shape.modalities == ("FLAIR", "T1", "T2")
    assert shape.extended(("SWI", "T1")).channels == ("FLAIR", "T1", "SWI", "T2", "")
    assert shape.extended(("SWI", "PD", "DWI")).channels == ("FLAIR", "T1", "SWI", "T2", "PD", "DWI")
    assert shape.extended(()) == shape
    with pytest.raises(InputError, match="give every modality one channel"):
        MultiUNetShape(channels=("T1", "T1"))
    with pytest.raises(InputError, match="the channels are empty"):
        MultiUNetShape(channels=("", ""))


def test_the_channel_map_is_in_the_file(tmp_path: Path) -> None:
    shape = replace(TINY, channels=("T2", "FLAIR", "", "SWI"), kind="maf", mask_absent=True, voxel_mm=1.5)
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights({"a": torch.zeros(1)}, {"recipe": {"shape": asdict(shape)}}))
    assert shape_of_weights(path, MultiUNetShape) == shape


@pytest.mark.parametrize("kind", KINDS)
def test_an_extended_network_sees_what_it_saw(kind: Kind) -> None:
    before = made(replace(TINY, kind=kind, mask_absent=True))
    after = made(replace(before.shape.extended(("SWI", "PD")), mask_absent=True), seed=5)
    adapt_weights(after, before.state_dict())
    seen = volume()
    more = torch.cat([seen, torch.zeros_like(seen[:, :2])], dim=1)
    if kind == "multi":
        assert torch.allclose(before(seen), after(more), atol=1e-5)
    # The weights of before are inside; what is new is random and there to learn.
    for name, tensor in before.state_dict().items():
        inside = after.state_dict()[name][tuple(slice(size) for size in tensor.shape)]
        assert torch.equal(inside, tensor), name
    assert not torch.equal(after(more), after(torch.cat([seen, seen[:, :2]], dim=1)))


def test_a_column_is_added_beside_weights_that_stay() -> None:
    before = made(TINY)
    after = made(replace(before.shape.extended(("SWI",)), progressive=True), seed=5)
    adapt_weights(after, before.state_dict())
    body = after.body
    assert isinstance(body, ProgressiveUNet)
    seen = volume()
    new = torch.cat([seen, torch.randn_like(seen[:, :1])], dim=1)
    # The first column is frozen, so that it must not hear a modality that it never learnt.
    first = body.pretrained.encoder(new)[-1]
    bare = before.body
    assert isinstance(bare, ResUNet3D)
    unit = bare.encoder.units[0]
    assert isinstance(unit, ResidualUnit3D)
    assert torch.equal(
        body.pretrained.get_parameter("encoder.units.0.first.0.weight")[:, :3], unit.get_parameter("first.0.weight")
    )
    assert not body.pretrained.get_parameter("encoder.units.0.first.0.weight")[:, 3:].any()
    assert torch.isfinite(first).all()
    # Weights with a column go on as they are.
    again = made(after.shape, seed=9)
    adapt_weights(again, after.state_dict())
    assert torch.equal(again(new), after(new))


@pytest.mark.parametrize(
    "change", [lambda shape: replace(shape, base=16), lambda shape: replace(shape, kind="lf")], ids=["size", "kind"]
)
def test_weights_of_another_network_are_refused(change: Callable[[MultiUNetShape], MultiUNetShape]) -> None:
    with pytest.raises(WeightsError, match="has no place in this network; give weights of the same kind and size"):
        adapt_weights(made(TINY), made(change(TINY)).state_dict())
