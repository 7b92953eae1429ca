"""The contract of mrviewer, and what is special about this method."""

import numpy as np
import pytest
from cg_sense import METHOD, solve_sense

from mrviewer.coils import ring_coil_maps
from mrviewer.geometry import Geometry
from mrviewer.physics import adjoint, forward
from mrviewer.study import Image, Study
from mrviewer.testing import check_method

SHAPE = (48, 40)


@pytest.fixture
def slice_of_eight_coils() -> tuple[np.ndarray, np.ndarray]:
    """Image of a disc with a hole, and maps of eight coils."""
    y, x = np.meshgrid(np.linspace(-1, 1, SHAPE[0]), np.linspace(-1, 1, SHAPE[1]), indexing="ij")
    image = ((np.hypot(y, x) < 0.8) & (np.hypot(y - 0.2, x) > 0.3)).astype(np.complex64)
    return image, ring_coil_maps(SHAPE, 8)


def test_contract() -> None:
    """Everything that mrviewer takes for granted about a method."""
    check_method(METHOD)


def test_coils_undo_what_a_regular_mask_folds(slice_of_eight_coils: tuple[np.ndarray, np.ndarray]) -> None:
    """Every other line of noise-free data, eight coils: the object comes back, zero filling leaves it folded."""
    image, maps = slice_of_eight_coils
    pattern = np.arange(SHAPE[1])[None] % 2 == 0
    kspace = forward(image, maps, pattern)
    solved = solve_sense(kspace, maps, regularisation=1e-6, max_iterations=200, tolerance=1e-6)
    folded = np.abs(adjoint(kspace, maps) - image).max()
    assert np.abs(solved - image).max() < 0.02 < 0.2 < folded


def test_it_is_the_minimum(slice_of_eight_coils: tuple[np.ndarray, np.ndarray]) -> None:
    """The gradient of the cost is zero at the solution."""
    image, maps = slice_of_eight_coils
    pattern = np.arange(SHAPE[1])[None] % 3 == 0
    kspace = forward(image, maps, pattern)
    solved = solve_sense(kspace, maps, regularisation=0.1, max_iterations=100, tolerance=1e-6)
    gradient = adjoint(forward(solved, maps, pattern) - kspace, maps) + 0.1 * solved
    assert np.abs(gradient).max() < 1e-4


def test_one_coil_is_refused_with_a_reason() -> None:
    """A magnitude image alone has a single coil."""
    image = Image(np.ones((3, 8, 8), np.float32), Geometry.axial((3, 8, 8), (5.0, 1.0, 1.0)), "T1")
    fit = METHOD.fits(Study("one coil", {"T1": image}), "T1")
    assert not fit
    assert "several coils" in fit.reason
