"""Fixtures that the methods' tests share."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mrviewer.physics import forward, normalise_maps
from mrviewer.training.data.batches import Batch

MakeScan = Callable[[int], Batch]


@pytest.fixture(scope="session")
def make_scan() -> MakeScan:
    """Give a disc with a bright spot, half of its lines measured by so many coils."""

    def make(n_coils: int) -> Batch:
        shape = (32, 24)
        y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
        spot = np.hypot(y - 0.2, x + 0.1) < 0.35
        image = ((np.hypot(y, x) < 0.9) * (1.0 + spot)).astype(np.complex64)
        pattern = np.random.default_rng(0).random((1, shape[1])) < 0.5
        pattern[:, 11:14] = True
        angles = 2 * np.pi * np.arange(n_coils) / n_coils
        sensitive = [1.5 - np.hypot(y - np.sin(angle), x - np.cos(angle)) / 2 + 0.3j * x for angle in angles]
        maps = np.ones((1, *shape), np.complex64) if n_coils == 1 else normalise_maps(np.stack(sensitive))
        return Batch(
            torch.from_numpy(image)[None],
            torch.from_numpy(forward(image, maps, pattern).astype(np.complex64))[None],
            torch.from_numpy(pattern.astype(np.float32))[None, None],
            torch.from_numpy(maps.astype(np.complex64))[None],
            torch.from_numpy(spot.astype(np.int64))[None],
            torch.tensor([True]),
        )

    return make
