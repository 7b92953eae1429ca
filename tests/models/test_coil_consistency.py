"""Coil images as channels, and their consistency with the measurement."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mrviewer.errors import DoesNotFitError
from mrviewer.physics import fft2c, forward
from mrviewer.training.data.batches import Batch
from mrviewer_models.blocks.coil_stack import from_coil_channels, to_coil_channels
from mrviewer_models.blocks.data_consistency import CoilConsistency, MeasuredData

MakeScan = Callable[[int], Batch]


def test_coils_and_back() -> None:
    coils = torch.randn(2, 3, 5, 4, dtype=torch.complex64)
    channels = to_coil_channels(coils, max_coils=5)
    assert channels.shape == (2, 10, 5, 4)
    assert torch.equal(channels[:, 2], coils[:, 1].real)
    assert torch.equal(channels[:, 3], coils[:, 1].imag)
    assert not channels[:, 6:].any()
    assert torch.equal(from_coil_channels(channels, 3), coils)
    assert torch.equal(to_coil_channels(coils, max_coils=3), channels[:, :6])


def test_too_many_coils_are_refused_in_a_sentence() -> None:
    with pytest.raises(DoesNotFitError, match=r"takes 2 coil\(s\) at most and this scan has 3; choose another method"):
        to_coil_channels(torch.zeros(1, 3, 4, 4, dtype=torch.complex64), max_coils=2)


@pytest.mark.parametrize("n_coils", [1, 3])
def test_coil_images_are_those_of_the_numpy_operators(make_scan: MakeScan, n_coils: int) -> None:
    scan = make_scan(n_coils)
    data, zero_filled = MeasuredData.from_kspace(scan.kspace, scan.pattern, scan.maps)
    assert np.allclose(fft2c(data.coil_images[0].numpy()), scan.kspace[0].numpy(), atol=1e-5)
    assert torch.allclose(data.combined(data.coil_images), zero_filled, atol=1e-6)


def test_measurement_and_image_lose_their_units_together(make_scan: MakeScan) -> None:
    scan = make_scan(3)
    for factor in (1.0, 2000.0):
        data, image, scale = MeasuredData.from_kspace(factor * scan.kspace, scan.pattern, scan.maps)[0].normalised(
            factor * scan.image
        )
        assert float(image.abs().max()) == pytest.approx(1)
        assert float(scale) == pytest.approx(2 * factor)
        assert torch.allclose(data.residual(image), torch.zeros_like(image), atol=1e-6)


@pytest.mark.parametrize("n_coils", [1, 3])
def test_a_learned_weight_means_what_the_formula_says(make_scan: MakeScan, n_coils: int) -> None:
    scan = make_scan(n_coils)
    data, _ = MeasuredData.from_kspace(scan.kspace, scan.pattern, scan.maps)
    coils = torch.randn(1, n_coils, 32, 24, dtype=torch.complex64)
    layer = CoilConsistency()
    assert float(layer.weight.detach()) == 1
    for log_weight in (0.0, -2.0, 3.0):
        with torch.no_grad():
            layer.get_parameter("log_weight").fill_(log_weight)
            after = fft2c(layer(data, coils)[0].numpy())
        before, weight, mask = fft2c(coils[0].numpy()), np.exp(log_weight), scan.pattern[0].numpy()
        expected = (scan.kspace[0].numpy() + weight * before) / (mask + weight)
        assert np.allclose(after, expected, atol=2e-5)


def test_a_hard_layer_returns_what_was_measured_and_learns_nothing(make_scan: MakeScan) -> None:
    scan = make_scan(1)
    data, _ = MeasuredData.from_kspace(scan.kspace, scan.pattern, scan.maps)
    layer = CoilConsistency("hard")
    assert list(layer.parameters()) == []
    assert not layer.weight.any()
    after = layer(data, torch.randn(1, 1, 32, 24, dtype=torch.complex64))
    again = forward(after[0, 0].numpy(), scan.maps[0].numpy(), scan.pattern[0, 0].numpy())
    assert np.linalg.norm(again - scan.kspace[0].numpy()) < 4e-7 * np.linalg.norm(scan.kspace.numpy())


def test_the_weight_stays_positive_and_follows_the_gradient(make_scan: MakeScan) -> None:
    scan = make_scan(1)
    data, _ = MeasuredData.from_kspace(scan.kspace, scan.pattern, scan.maps)
    layer = CoilConsistency()
    noise = torch.randn(1, 1, 32, 24, dtype=torch.complex64)
    optimiser = torch.optim.SGD(layer.parameters(), 2.0)
    for _ in range(30):
        # The network is wrong and the measurement right, so that trust in the network must fall.
        loss = (layer(data, scan.image[:, None] + noise) - scan.image[:, None]).abs().square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert float(layer.weight.detach()) > 0
    assert float(layer.weight.detach()) < 0.3
