"""Data consistency, the cascade, the U-Net family and the paths that run them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mrviewer.errors import WeightsError
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.physics import adjoint, forward, normalise_maps
from mrviewer_models.blocks.cascade import CascadeCNN
from mrviewer_models.blocks.complex_channels import from_channels, standardise, to_channels
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, load_network

LINE, POINT = "line", "point"


def random_complex(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal((*shape, 2)).astype(np.float32).view(np.complex64)[..., 0]


def random_scan(kind: str, n_coils: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measured k-space, pattern and normalised maps; nothing about them is smooth."""
    rng = np.random.default_rng([n_coils, *shape])
    pattern = rng.random((1, shape[1]) if kind == LINE else shape) < 0.4
    pattern[0, 0], pattern[0, -1] = True, False
    maps = normalise_maps(random_complex(rng, n_coils, *shape)) if n_coils > 1 else np.ones((1, *shape), np.complex64)
    return random_complex(rng, n_coils, *shape) * pattern, pattern, maps


def measured(kspace: np.ndarray, pattern: np.ndarray, maps: np.ndarray) -> tuple[MeasuredData, Tensor]:
    return MeasuredData.from_kspace(
        torch.from_numpy(kspace)[None],
        torch.from_numpy(pattern.astype(np.float32))[None, None],
        torch.from_numpy(maps)[None],
    )


def random_image(shape: tuple[int, int], seed: int = 5) -> Tensor:
    return torch.from_numpy(random_complex(np.random.default_rng(seed), 1, *shape))


SCANS = [(kind, n_coils, shape) for kind in (LINE, POINT) for n_coils in (1, 3) for shape in ((12, 10), (9, 7))]


@pytest.mark.parametrize(("kind", "n_coils", "shape"), SCANS)
def test_residual_is_that_of_the_numpy_operators(kind: str, n_coils: int, shape: tuple[int, int]) -> None:
    kspace, pattern, maps = random_scan(kind, n_coils, shape)
    data, zero_filled = measured(kspace, pattern, maps)
    image = random_image(shape)
    missing = kspace - forward(image[0].numpy(), maps, pattern)
    assert np.allclose(data.residual(image)[0].numpy(), adjoint(missing, maps, pattern), atol=2e-6)
    assert np.allclose(zero_filled[0].numpy(), adjoint(kspace, maps, pattern), atol=2e-6)


@pytest.mark.parametrize("kind", [LINE, POINT])
def test_a_relaxed_mask_counts_once(kind: str) -> None:
    shape = (12, 10)
    rng = np.random.default_rng(2)
    pattern = rng.random((1, shape[1]) if kind == LINE else shape, np.float32)
    image = random_image(shape)
    kspace = (forward(image[0].numpy(), np.ones((1, *shape), np.complex64)) * pattern).astype(np.complex64)
    data, _ = MeasuredData.from_kspace(
        torch.from_numpy(kspace)[None], torch.from_numpy(pattern)[None, None], torch.ones((1, 1, *shape)) + 0j
    )
    # The measurement asks nothing of the image that it was made of.
    assert float(data.residual(image).abs().max()) < 1e-6
    assert float(data.residual(0 * image).abs().max()) > 0.1


@pytest.mark.parametrize("kind", [LINE, POINT])
@pytest.mark.parametrize("shape", [(12, 10), (9, 7), (48, 40)])
def test_hard_layer_returns_what_was_measured(kind: str, shape: tuple[int, int]) -> None:
    kspace, pattern, maps = random_scan(kind, 1, shape)
    data, _ = measured(kspace, pattern, maps)
    image = random_image(shape)
    enforced = data.enforce(image)
    after = forward(enforced[0].numpy(), maps)
    assert np.linalg.norm((after - kspace) * pattern) < 4e-7 * np.linalg.norm(kspace)
    # What was not measured is left to the network.
    before = forward(image[0].numpy(), maps)
    assert np.allclose(after * ~pattern, before * ~pattern, atol=2e-6)
    assert torch.allclose(data.enforce(enforced), enforced, atol=2e-6)


@pytest.mark.parametrize("n_coils", [1, 3])
def test_line_masks_take_a_shorter_way_to_the_same_place(n_coils: int) -> None:
    shape = (10, 12)
    kspace, pattern, maps = random_scan(LINE, n_coils, shape)
    short, first = measured(kspace, pattern, maps)
    long, second = measured(kspace, np.broadcast_to(pattern, shape).copy(), maps)
    assert (short.line_mask, long.line_mask) == (True, False)
    image = random_image(shape)
    assert torch.allclose(first, second, atol=1e-6)
    assert torch.allclose(short.residual(image), long.residual(image), atol=2e-6)


def test_soft_layer_is_the_weighted_mean_and_hard_in_the_limit() -> None:
    shape, weight = (8, 9), 3.0
    kspace, pattern, maps = random_scan(POINT, 1, shape)
    data, _ = measured(kspace, pattern, maps)
    image = random_image(shape)
    before = forward(image[0].numpy(), maps)
    after = forward(data.enforce(image, noise_weight=weight)[0].numpy(), maps)
    expected = np.where(pattern, (before + weight * kspace) / (1 + weight), before)
    assert np.allclose(after, expected, atol=2e-6)
    assert torch.allclose(data.enforce(image, noise_weight=1e9), data.enforce(image), atol=1e-6)
    assert torch.equal(data.enforce(image, noise_weight=0.0), image)


def test_channels_and_back() -> None:
    image = random_image((5, 4))
    channels = to_channels(image)
    assert channels.shape == (1, 2, 5, 4)
    assert torch.equal(channels[:, 0], image.real)
    assert torch.equal(from_channels(channels), image)


def test_standardised_images_have_no_scale() -> None:
    magnitude = torch.zeros(2, 32, 32)
    magnitude[:, 6:26, 8:24] = 1 + random_image((20, 16)).abs()
    scaled = standardise(magnitude)
    inside = scaled[0][magnitude[0] > 0]
    assert abs(float(inside.mean())) < 1e-4
    assert float(inside.std()) == pytest.approx(1, abs=0.02)
    assert torch.allclose(standardise(1000 * magnitude), scaled, atol=1e-3)


def test_an_image_without_an_object_stays_zero() -> None:
    empty = torch.zeros(1, 16, 16, requires_grad=True)
    standardised = standardise(empty)
    assert not standardised.any()
    standardised.sum().backward()
    assert empty.grad is not None
    assert bool(torch.isfinite(empty.grad).all())


def test_a_cascade_is_its_input_plus_what_its_convolutions_say() -> None:
    cascade = CascadeCNN(depth=3, features=4)
    image = random_image((7, 6))
    features = to_channels(image)
    for number, convolution in enumerate(cascade.convolutions):
        features = convolution(features)
        features = features.relu() if number < 2 else features
    assert torch.allclose(cascade(image), image + from_channels(features), atol=1e-6)
    for parameter in cascade.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(cascade(image), image)


def test_fast_inference_keeps_no_gradients() -> None:
    weight = torch.ones(1, requires_grad=True)
    with fast_inference("cpu", allow_bf16=False):
        assert not (2 * weight).requires_grad
        assert torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 1, 1)).dtype == torch.float32


def test_weights_of_half_precision_are_read_in_single(tmp_path: Path) -> None:
    saved = CascadeCNN(depth=2, features=3)
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights({name: tensor.half() for name, tensor in saved.state_dict().items()}, {}))
    loaded = load_network(CascadeCNN(depth=2, features=3), path)
    for name, tensor in loaded.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, saved.state_dict()[name].half().float())


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_weights(path, Weights(CascadeCNN(depth=2, features=3).state_dict(), {}))
    with pytest.raises(WeightsError, match=r"other\.safetensors does not fit a CascadeCNN of this size; give weights"):
        load_network(CascadeCNN(depth=2, features=4), path)


def test_lesions_lie_inside_the_object() -> None:
    logits = torch.tensor([[-1.0, 2.0], [1.0, -2.0]])[None, :, :, None].expand(1, 2, 2, 3)
    inside = torch.ones(1, 2, 3, dtype=torch.bool)
    inside[0, 0, 0] = False
    segmentation, probabilities = lesion_maps(logits, inside)
    assert segmentation.dtype == np.uint8
    assert segmentation.tolist() == [[[0, 1, 1], [0, 0, 0]]]
    assert probabilities.shape == (1, 1, 2, 3)
    assert probabilities[0, 0, :, 0] == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(4))])
