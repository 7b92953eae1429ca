"""Agreement codes: laws on random masks, and the promise that the three colours can be told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer_napari.facts.colours import RIM, Agreement, agreement, rimmed

MASKS = arrays(np.uint8, (3, 5, 4), elements=st.integers(0, 3))


@given(MASKS, MASKS)
def test_each_voxel_is_exactly_one_thing(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> None:
    codes = agreement(prediction, reference)
    np.testing.assert_array_equal(codes == Agreement.AGREED, (prediction > 0) & (reference > 0))
    np.testing.assert_array_equal(codes == Agreement.MISSED, (prediction == 0) & (reference > 0))
    np.testing.assert_array_equal(codes == Agreement.FALSE, (prediction > 0) & (reference == 0))
    assert codes.dtype == np.uint8


@given(MASKS, MASKS)
def test_swapping_the_two_swaps_missed_and_false(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> None:
    swapped = {0: 0, Agreement.AGREED: 1, Agreement.MISSED: 3, Agreement.FALSE: 2}
    expected = np.vectorize(swapped.get)(agreement(prediction, reference))
    np.testing.assert_array_equal(agreement(reference, prediction), expected)


def test_inputs_are_left_alone() -> None:
    prediction, reference = np.eye(3, dtype=bool), np.ones((3, 3), bool)
    agreement(prediction, reference)
    assert prediction.sum() == 3
    assert reference.all()


def test_two_grids_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"segmentation is \(2, 3\) but the reference is \(3, 2\)"):
        agreement(np.zeros((2, 3)), np.zeros((3, 2)))


@given(MASKS, st.sampled_from([(1, 2), (0, 2), (0, 1), (0,), ()]))
def test_the_rim_is_the_background_that_touches_a_region(codes: NDArray[np.uint8], axes: tuple[int, ...]) -> None:
    rim = rimmed(codes, axes)
    touched = np.zeros(codes.shape, bool)
    for axis in axes:
        padded = np.pad(codes > 0, 1)
        for step in (-1, 1):
            touched |= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    np.testing.assert_array_equal(rim == RIM, touched & (codes == 0))
    np.testing.assert_array_equal(rim[codes > 0], codes[codes > 0])


@pytest.mark.parametrize("first", Agreement)
@pytest.mark.parametrize("second", Agreement)
def test_colours_differ_for_people_without_red_or_green_cones(first: Agreement, second: Agreement) -> None:
    # Viénot, Brettel & Mollon (1999), doi:10.1002/(SICI)1520-6378(199908)24:4<243::AID-COL5>3.0.CO;2-3
    protanope = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deuteranope = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    one, other = (np.array([int(c.colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255 for c in (first, second))
    for seen in (protanope, deuteranope):
        distance = np.linalg.norm(seen @ (one**2.2 - other**2.2))
        assert (distance > 0.1) == (first is not second)
