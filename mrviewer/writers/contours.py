"""Outlines of a mask along the edges of its pixels, as polygons that a drawing can scale without loss."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

__all__ = ["Polygon", "outlines"]

Polygon = tuple[tuple[int, int], ...]
"""Corners ``(x, y)`` in pixels from the upper left corner of the picture; the last one joins the first."""


def outlines(mask: NDArray[np.bool_]) -> list[Polygon]:
    """Closed outlines of a mask; holes have their own.

    Every edge between a pixel inside and one outside is walked with the inside on its right. Where two pixels touch at
    a corner alone, they get outlines of their own.

    Parameters
    ----------
    mask : bool, (y, x)
    """
    following: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for start, end in _edges(mask):
        following[start].append(end)
    polygons: list[Polygon] = []
    while following:
        start = min(following)
        corner, heading, walked = start, (1, 0), []
        while True:
            walked.append(corner)
            end = _rightmost(following[corner], corner, heading)
            following[corner].remove(end)
            if not following[corner]:
                del following[corner]
            heading, corner = (end[0] - corner[0], end[1] - corner[1]), end
            if corner == start:
                break
        polygons.append(_straightened(walked))
    return polygons


def _edges(mask: NDArray[np.bool_]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Directed edges, clockwise around the inside as a person sees it (y grows downwards)."""
    padded = np.pad(mask.astype(bool), 1)
    inside = padded[1:-1, 1:-1]
    sides = (
        (~padded[:-2, 1:-1], (0, 0), (1, 0)),
        (~padded[1:-1, 2:], (1, 0), (1, 1)),
        (~padded[2:, 1:-1], (1, 1), (0, 1)),
        (~padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    edges = []
    for outside, (start_x, start_y), (end_x, end_y) in sides:
        for y, x in zip(*np.nonzero(inside & outside), strict=True):
            edges.append(((int(x) + start_x, int(y) + start_y), (int(x) + end_x, int(y) + end_y)))
    return edges


def _rightmost(ends: list[tuple[int, int]], corner: tuple[int, int], heading: tuple[int, int]) -> tuple[int, int]:
    """The end that turns right, if there is a choice."""
    right = (corner[0] - heading[1], corner[1] + heading[0])
    return right if right in ends else ends[0]


def _straightened(corners: list[tuple[int, int]]) -> Polygon:
    """Without the corners that lie on a straight line."""
    kept = []
    for index, (x, y) in enumerate(corners):
        (x0, y0), (x1, y1) = corners[index - 1], corners[(index + 1) % len(corners)]
        if (x - x0) * (y1 - y) != (y - y0) * (x1 - x):
            kept.append((x, y))
    return tuple(kept)
