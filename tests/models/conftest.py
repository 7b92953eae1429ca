"""Fixtures that the methods' tests share."""

from collections.abc import Callable

import numpy as np
import pytest
from small_runs import disc_with_spot, scanned, some_lines

from mrviewer.physics import normalise_maps
from mrviewer.training.data.batches import Batch

MakeScan = Callable[[int], Batch]


@pytest.fixture(scope="session")
def make_scan() -> MakeScan:
    """Give a disc with a bright spot, half of its lines measured by so many coils."""

    def make(n_coils: int) -> Batch:
        shape = (32, 24)
        y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
        image, spot = disc_with_spot(shape, (0.2, -0.1, 0.35))
        pattern = some_lines(shape[1], 0.5, slice(11, 14))
        angles = 2 * np.pi * np.arange(n_coils) / n_coils
        sensitive = [1.5 - np.hypot(y - np.sin(angle), x - np.cos(angle)) / 2 + 0.3j * x for angle in angles]
        maps = np.ones((1, *shape), np.complex64) if n_coils == 1 else normalise_maps(np.stack(sensitive))
        return scanned(image, spot, pattern, maps.astype(np.complex64))

    return make
