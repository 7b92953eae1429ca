"""Which way the patient lies on the screen, read from what is shown and never from what was meant to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrviewer.geometry import AXIS_LETTERS, INTERNAL_AXES, Geometry

__all__ = ["OBLIQUE_DEGREES", "EdgeLetters", "axis_names", "edge_letters", "position_note"]

OBLIQUE_DEGREES = 0.5
"""Below this angle a scan counts as upright."""


@dataclass(frozen=True)
class EdgeLetters:
    """The letters at the four edges of a picture: L, R, A, P, S, I; empty where nobody knows."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


_UNKNOWN = ("", "")
_UNPLACED = ("z", "y", "x")


def axis_names(geometry: Geometry) -> tuple[str, str, str]:
    """Names of the axes (z, y, x) of a grid: of the end to which they run, where the file says how it lies."""
    return INTERNAL_AXES if geometry.is_placed else _UNPLACED


def edge_letters(
    axis_labels: Sequence[str], displayed: Sequence[int], vertical: str = "down", horizontal: str = "right"
) -> EdgeLetters:
    """Return the letters for the axes that are shown.

    Parameters
    ----------
    axis_labels
        Name of every axis, ``I``, ``P`` or ``L`` after the end to which it runs; any other name is unknown.
    displayed
        Axes on the screen, rows then columns. Three axes are a scene without edges.
    vertical, horizontal
        Where growing coordinates go: ``down`` or ``up``, ``right`` or ``left``.
    """
    if len(displayed) != 2:
        return EdgeLetters()
    row, column = (axis_labels[axis] for axis in displayed)
    top, bottom = AXIS_LETTERS.get(row, _UNKNOWN)
    left, right = AXIS_LETTERS.get(column, _UNKNOWN)
    if vertical != "down":
        top, bottom = bottom, top
    if horizontal != "right":
        left, right = right, left
    return EdgeLetters(left, right, top, bottom)


def position_note(geometry: Geometry) -> str:
    """Say how far the scan is turned against the scanner axes that the letters name, or that nobody knows its sides."""
    if not geometry.is_placed:
        return "the file does not say which side is which"
    angle = geometry.obliquity_degrees
    return f"oblique scan: letters are off by up to {angle:.1f}°" if angle > OBLIQUE_DEGREES else ""
