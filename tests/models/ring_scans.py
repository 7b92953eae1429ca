"""A slice of a bright ring, its measurement, and what holds for every network that reconstructs one."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrviewer.physics import forward, normalise_maps

__all__ = ["assert_slices_do_not_meet", "assert_units_do_not_matter", "measured", "ring"]

Scan = tuple[Tensor, Tensor, Tensor]


def ring(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Bright ring, darker inside, one bright spot."""
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
    radius = np.hypot(y, x)
    return 1.0 * (radius < 0.85) - 0.4 * (radius < 0.7) + 0.5 * (np.hypot(y - 0.2, x + 0.1) < 0.15)


def measured(image: NDArray[np.complex64], n_coils: int = 1, *, points: bool = False) -> Scan:
    """K-space of one slice on some lines or points, their pattern, and the maps of the coils."""
    height, width = image.shape
    rng = np.random.default_rng(1)
    pattern = rng.random((height, width) if points else (1, width)) < 0.4
    pattern[..., width // 2 - 1 : width // 2 + 2] = True
    weights = [np.exp(1j * coil - (np.linspace(-1, 1, width) - coil) ** 2) for coil in range(n_coils)]
    maps = normalise_maps(np.broadcast_to(np.asarray(weights, np.complex64)[:, None], (n_coils, height, width)))
    kspace = forward(image, maps, pattern).astype(np.complex64)
    pair = torch.from_numpy(kspace)[None], torch.from_numpy(pattern.astype(np.float32))[None, None]
    return *pair, torch.from_numpy(maps)[None]


def assert_units_do_not_matter(network: nn.Module, scan: Scan, factor: float, atol: float) -> None:
    """A scan in other units gives the same image in those units."""
    kspace, pattern, maps = scan
    with torch.no_grad():
        image, scaled = network(kspace, pattern, maps)[-1], network(kspace * factor, pattern, maps)[-1]
    assert torch.allclose(scaled / factor, image, atol=atol)


def assert_slices_do_not_meet(network: nn.Module, scan: Scan, atol: float) -> None:
    """A slice gives the same image alone as beside another one."""
    kspace, pattern, maps = scan
    pair = torch.cat([kspace, 7 * kspace.flip(-1) * pattern])
    with torch.no_grad():
        together = network(pair, pattern, maps.expand(2, -1, -1, -1))[-1]
        alone = network(kspace, pattern, maps)[-1]
    assert torch.allclose(together[:1], alone, atol=atol)
