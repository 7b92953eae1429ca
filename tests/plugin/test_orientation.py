"""The letters at the edges: against the affine, in every plane and every turn of the camera."""

from dataclasses import replace

import numpy as np
import pytest

from mrviewer.geometry import INTERNAL_AXES, Geometry
from mrviewer_napari.facts.orientation import EdgeLetters, axis_names, edge_letters, position_note


@pytest.mark.parametrize(
    ("displayed", "expected"),
    [
        ((1, 2), EdgeLetters(left="R", right="L", top="A", bottom="P")),
        ((0, 2), EdgeLetters(left="R", right="L", top="S", bottom="I")),
        ((0, 1), EdgeLetters(left="A", right="P", top="S", bottom="I")),
    ],
    ids=["axial", "coronal", "sagittal"],
)
def test_default_directions_give_the_radiological_pictures(displayed: tuple[int, ...], expected: EdgeLetters) -> None:
    assert edge_letters(INTERNAL_AXES, displayed) == expected


@pytest.mark.parametrize("displayed", [(1, 2), (0, 2), (0, 1), (2, 1)])
def test_turning_the_camera_swaps_opposite_letters(displayed: tuple[int, ...]) -> None:
    upright = edge_letters(INTERNAL_AXES, displayed)
    assert edge_letters(INTERNAL_AXES, displayed, horizontal="left") == replace(
        upright, left=upright.right, right=upright.left
    )
    assert edge_letters(INTERNAL_AXES, displayed, vertical="up") == replace(
        upright, top=upright.bottom, bottom=upright.top
    )


@pytest.mark.parametrize("displayed", [(1, 2), (0, 2), (0, 1)])
def test_letters_agree_with_the_affine(displayed: tuple[int, ...]) -> None:
    geometry = Geometry.from_stored((5, 6, 7), np.diag([-1.0, 1, 3, 1]))
    letters = edge_letters(INTERNAL_AXES, displayed)
    for axis, letter in zip(displayed, (letters.bottom, letters.right), strict=True):
        step = np.zeros(3)
        step[axis] = 1
        moved = geometry.to_mm(step) - geometry.to_mm(np.zeros(3))
        world = int(np.argmax(np.abs(moved)))
        assert letter == ("RAS" if moved[world] > 0 else "LPI")[world]


def test_unknown_axes_are_not_guessed() -> None:
    assert edge_letters(("0", "1", "L"), (1, 2)) == EdgeLetters(left="R", right="L")


def test_a_scene_in_three_dimensions_has_no_edges() -> None:
    assert edge_letters(INTERNAL_AXES, (0, 1, 2)) == EdgeLetters()


@pytest.mark.parametrize(("degrees", "said"), [(0.0, ""), (0.4, ""), (12.0, "12.0°")])
def test_an_oblique_scan_is_announced(degrees: float, said: str) -> None:
    angle = np.radians(degrees)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    note = position_note(Geometry.from_stored((4, 4, 4), affine))
    assert bool(note) == bool(said)
    assert said in note


def test_sides_have_no_names_where_the_file_does_not_say_how_it_lies() -> None:
    unplaced = Geometry.axial((4, 5, 6), (1.0, 1.0, 1.0), is_placed=False)
    assert edge_letters(axis_names(unplaced), (1, 2)) == EdgeLetters()
    assert position_note(unplaced) == "the file does not say which side is which"
    placed = Geometry.axial((4, 5, 6), (1.0, 1.0, 1.0))
    assert edge_letters(axis_names(placed), (1, 2)) == EdgeLetters("R", "L", "A", "P")
    assert position_note(placed) == ""
