"""MD-Recon: its size, its two domains, and what keeps it near the measurement."""

import numpy as np
import pytest
import torch
from ring_scans import assert_units_do_not_matter
from torch import Tensor

from mrviewer.physics import fft2c, forward
from mrviewer_models.blocks.md_recon import MDRecon, MDReconShape

SHAPE = (24, 20)
SMALL = MDReconShape(blocks=2, features=4)


def image() -> np.ndarray:
    y, x = np.linspace(-1, 1, SHAPE[0])[:, None], np.linspace(-1, 1, SHAPE[1])
    return ((np.hypot(y, x) < 0.8) * (1 + 0.5 * x)).astype(np.complex64)


def scan(pattern: np.ndarray, n_coils: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    maps = np.full((n_coils, *SHAPE), n_coils**-0.5, np.complex64)
    kspace = forward(image(), maps, pattern).astype(np.complex64)
    return (
        torch.from_numpy(kspace)[None],
        torch.from_numpy(pattern.astype(np.float32))[None, None],
        torch.from_numpy(maps)[None],
    )


def lines() -> np.ndarray:
    pattern = np.random.default_rng(0).random((1, SHAPE[1])) < 0.4
    pattern[0, 9:12] = True
    return pattern


def test_the_paper_has_289319_parameters() -> None:
    with torch.device("meta"):
        network = MDRecon(MDReconShape())
    assert sum(parameter.numel() for parameter in network.parameters()) == 289_319


@pytest.mark.parametrize("n_coils", [1, 3])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_an_estimate_after_every_block(n_coils: int, batch_norm: bool) -> None:
    network = MDRecon(MDReconShape(3, 4, batch_norm)).eval()
    with torch.no_grad():
        steps = network(*scan(lines(), n_coils))
    assert [step.shape for step in steps] == [(1, *SHAPE)] * 3
    assert all(bool(step.isfinite().all()) for step in steps)


def test_it_begins_near_what_was_measured() -> None:
    torch.manual_seed(0)
    kspace, pattern, maps = scan(np.ones((1, SHAPE[1]), bool))
    with torch.no_grad():
        estimate = MDRecon(MDReconShape(1, 4, activate_output=False))(kspace, pattern, maps)[-1]
    assert float((estimate[0] - torch.from_numpy(image())).abs().mean()) < 0.1


def test_trust_in_the_measurement_is_enforced_where_it_was_measured() -> None:
    torch.manual_seed(0)
    kspace, pattern, maps = scan(lines())
    network = MDRecon(MDReconShape(1, 4))
    with torch.no_grad():
        # Both domains see only their own result: no fusion, and nearly hard consistency.
        network.blocks[0].get_parameter("fusion").fill_(0)
        network.blocks[0].get_parameter("noise_weights").fill_(1e6)
        estimate = network(kspace, pattern, maps)[-1]
    again = torch.from_numpy(fft2c(estimate.numpy())) * pattern[0]
    assert float((again - kspace[0]).abs().max()) < 1e-4 * float(kspace.abs().max())


def test_both_domains_learn() -> None:
    network = MDRecon(SMALL)
    network(*scan(lines()))[-1].abs().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool((parameter.grad != 0).any()), name


@pytest.mark.parametrize("factor", [1e-6, 1000.0])
def test_units_do_not_matter(factor: float) -> None:
    assert_units_do_not_matter(MDRecon(SMALL), scan(lines()), factor, atol=1e-5)


def test_an_empty_scan_gives_an_empty_image() -> None:
    kspace, pattern, maps = scan(lines())
    with torch.no_grad():
        estimate = MDRecon(SMALL)(torch.zeros_like(kspace), pattern, maps)[-1]
    assert float(estimate.abs().max()) < 1e-9
