"""Simulated receive coils."""

import numpy as np
import pytest

from mrviewer.coils import ring_coil_maps


@pytest.mark.parametrize("n_coils", [1, 4, 8])
@pytest.mark.parametrize("shape", [(24, 20), (9, 31)])
def test_maps_are_normalised_everywhere(n_coils: int, shape: tuple[int, int]) -> None:
    maps = ring_coil_maps(shape, n_coils)
    assert maps.shape == (n_coils, *shape)
    assert maps.dtype == np.complex64
    assert np.allclose(np.sum(np.abs(maps) ** 2, axis=0), 1, atol=1e-5)


def test_each_coil_is_most_sensitive_on_its_own_side() -> None:
    magnitude = np.abs(ring_coil_maps((32, 32), 4))
    right, bottom, left, top = magnitude
    assert right[16, -1] > right[16, 0]
    assert left[16, 0] > left[16, -1]
    assert bottom[-1, 16] > bottom[0, 16]
    assert top[0, 16] > top[-1, 16]
    assert [int(np.argmax(column)) for column in magnitude[:, [16, 31, 16, 0], [31, 16, 0, 16]].T] == [0, 1, 2, 3]


def test_turning_the_image_turns_the_coils() -> None:
    # On an odd grid the ring of four is mapped onto itself by a quarter turn, up to the half pixel of its centre.
    maps = np.abs(ring_coil_maps((65, 65), 4))
    assert np.allclose(maps[1], np.rot90(maps[0], -1), atol=0.02)


def test_maps_are_smooth() -> None:
    maps = ring_coil_maps((64, 64), 8)
    # A coil on the ring may lie in a corner of the image; the head does not.
    y, x = np.indices((64, 64)) / 32 - 1
    head = np.hypot(y, x) < 0.8
    for axis in (0, 1):
        step = np.abs(np.diff(maps, axis=axis + 1))
        both = head & np.roll(head, -1, axis)
        assert step[:, both[:-1] if axis == 0 else both[:, :-1]].max() < 0.12


def test_coils_do_not_cancel_in_the_middle() -> None:
    maps = ring_coil_maps((33, 33), 8)
    assert abs(maps[:, 16, 16].sum()) > 0.9 * np.abs(maps[:, 16, 16]).sum()


def test_nearer_coils_are_more_selective() -> None:
    near, far = (np.abs(ring_coil_maps((32, 32), 4, radius=radius))[0] for radius in (1.1, 4.0))
    assert near.max() / near.min() > 2 * far.max() / far.min()
