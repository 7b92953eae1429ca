"""How two volumes lie to each other: by the scanner where both say where they lie, else voxel for voxel.

A volume is *placed* if its file states a usable position (`mrviewer.geometry.Geometry.is_placed`). Of two volumes of
which one is not, nobody knows more than that they may be one grid: where their matrices, in the order of their files,
agree they lie voxel for voxel, and a note says so; where they do not, nothing lays one over the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import permutations, product
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.study import Image, LazyArray

__all__ = ["Relation", "common_grid", "image_name", "lay_over", "lie_together", "meant_grid", "relation", "why_unknown"]


class Relation(Enum):
    """How two grids lie to each other."""

    SAME = "every voxel of one lies on a voxel of the other"
    VOXEL_FOR_VOXEL = "one is not placed, and the matrices agree"
    ELSEWHERE = "both are placed, on different grids"
    PERMUTED = "the axes of one are in another order than its position says"
    UNKNOWN = "nobody knows, because one is not placed or states the position that programs write by default"


def relation(first: Geometry, second: Geometry) -> Relation:
    """Compare two grids; the order of the two makes no difference."""
    if first.is_placed and second.is_placed:
        if first.matches(second):
            return Relation.SAME
        if _is_permuted(first, second):
            return Relation.PERMUTED
        return Relation.ELSEWHERE if first.is_bare == second.is_bare else Relation.UNKNOWN
    if first.is_placed == second.is_placed and first.matches(second) and _is_stored_alike(first, second):
        return Relation.SAME
    return Relation.VOXEL_FOR_VOXEL if first.stored_shape == second.stored_shape else Relation.UNKNOWN


def lie_together(first: Geometry, second: Geometry) -> bool:
    """Whether two volumes can be used as one grid without resampling."""
    return relation(first, second) in (Relation.SAME, Relation.VOXEL_FOR_VOXEL)


def common_grid(grids: Sequence[Geometry], *, preferred: Geometry | None = None) -> Geometry:
    """Grid on which most of several volumes lie.

    Parameters
    ----------
    grids
        At least one.
    preferred
        Grid of labels: volumes that lie on it go before a majority that does not.

    Returns
    -------
    One of `grids`, of those that lie together a placed one.
    """
    fitting = [] if preferred is None else [grid for grid in grids if lie_together(grid, preferred)]
    chosen = fitting[0] if fitting else max(grids, key=lambda grid: sum(lie_together(grid, other) for other in grids))
    return next((grid for grid in grids if grid.is_placed and lie_together(grid, chosen)), chosen)


def lay_over(image: Image, grid: Geometry, *, voxel_for_voxel: bool = False) -> tuple[Image, tuple[Note, ...]] | None:
    """An image in the voxels of a grid, without resampling, and what has to be said of it.

    Parameters
    ----------
    image
        Its pixels stay where they are until somebody looks at them.
    grid
        Where it shall lie.
    voxel_for_voxel
        Whether a position that differs is to be disregarded where the matrices agree.

    Returns
    -------
    The image on `grid`, which is placed only if both were; `None` if it does not lie there.
    """
    how = relation(image.geometry, meant_grid(image, grid))
    if how is Relation.SAME:
        return (image if grid.filed_mm is None else replace(image, geometry=grid)), ()
    if how is not Relation.VOXEL_FOR_VOXEL and not (
        voxel_for_voxel and image.geometry.stored_shape == grid.stored_shape
    ):
        return _by_planes(image, grid) if image.geometry.is_placed and grid.is_placed else None
    is_placed = image.geometry.is_placed and grid.is_placed
    data = image.data if _is_stored_alike(image.geometry, grid) else _Relaid(image.data, image.geometry, grid)
    return replace(image, data=data, geometry=replace(grid, is_placed=is_placed)), (_note(image, grid),)


def meant_grid(image: Image, grid: Geometry) -> Geometry:
    """The grid that an image was made for: of one whose voxel size was corrected, the corrected one or the file's."""
    return grid if lie_together(image.geometry, grid) else grid.as_filed


def why_unknown(image: Image, grid: Geometry, grid_name: str) -> str:
    """Why nobody knows how an image lies to a grid, and what to do; empty if that is known."""
    one, name = image.geometry, image_name(image)
    how = relation(one, grid)
    if how is Relation.PERMUTED:
        return (
            f"the axes of {name} ({_stored(one)} voxels as stored) seem permuted: its position is that of {grid_name} "
            f"({_stored(grid)}), whose axes are in another order; save it with the axes or the position put right"
        )
    if how is not Relation.UNKNOWN:
        return ""
    grids = f"{name} ({_in_words(one)}) and {grid_name} ({_in_words(grid)})"
    unplaced = [said for said, each in ((name, one), (grid_name, grid)) if not each.is_placed]
    if unplaced:
        return (
            f"the matrices of {grids} differ, and {' and '.join(unplaced)} {'do' if len(unplaced) > 1 else 'does'} not "
            "say the position in the scanner; give files that state it, or that have one matrix"
        )
    bare = name if one.is_bare else grid_name
    return (
        f"{grids} lie on different grids, and {bare} states voxel sizes alone (the identity matrix), as programs write "
        "that do not know the position; save it with the position of the other"
    )


def image_name(image: Image) -> str:
    """Name of the file of an image, else what it is."""
    return image.path.name if image.path is not None else image.modality


@dataclass(frozen=True, eq=False)
class _Relaid:
    """Pixels of a file in the internal order of another grid of the same stored matrix, read when looked at."""

    data: LazyArray
    source: Geometry
    target: Geometry

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.data.shape[:-3], *self.target.shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return self.data.dtype

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        values = np.moveaxis(np.asarray(self.data), (-3, -2, -1), (0, 1, 2))
        laid = self.target.to_internal(self.source.to_stored_order(values))
        return np.array(np.moveaxis(laid, (0, 1, 2), (-3, -2, -1)), dtype=dtype, copy=copy)


@runtime_checkable
class _Planes(Protocol):
    """Labels of which each plane has a place of its own, as those of a DICOM SEG."""

    def laid_on(self, geometry: Geometry) -> NDArray[np.generic] | None:
        """Labels on a grid; `None` if they do not lie on its slices."""
        ...


def _by_planes(image: Image, grid: Geometry) -> tuple[Image, tuple[Note, ...]] | None:
    """Labels whose planes lie on slices of a grid; nothing but the planes says how far apart those are."""
    values = image.data.laid_on(grid) if isinstance(image.data, _Planes) else None
    if values is None:
        return None
    said = f"each frame of {image_name(image)} lies on the slice of the image at its own position"
    return replace(image, data=values, geometry=grid), (Note(said, NoteKind.POSITION),)


def _is_stored_alike(first: Geometry, second: Geometry) -> bool:
    return bool(np.array_equal(first.to_stored, second.to_stored))


def _is_permuted(first: Geometry, second: Geometry) -> bool:
    """Whether two placed grids have the same axes in space and the same counts of voxels, but not along the same axes.

    Somebody turned an array and kept its matrix, or the other way round. Two scans whose matrices differ so by right
    have their centres in common and not a corner.
    """
    if sorted(first.shape) != sorted(second.shape):
        return False
    ours, theirs = first.stored_affine, second.stored_affine
    edges = np.linalg.norm(theirs[:3, :3], axis=0)
    for order in permutations(range(3)):
        taken = theirs[:3, order]
        signs = np.sign((ours[:3, :3] * taken).sum(axis=0))
        if (np.linalg.norm(ours[:3, :3] - taken * signs, axis=0) > _SAME_AXIS * edges[list(order)]).any():
            continue
        if first.stored_shape == tuple(second.stored_shape[axis] for axis in order):
            return False
        # The first voxel of one among the voxels of the other.
        start = np.linalg.solve(theirs, ours[:, 3])[:3]
        if order == (0, 1, 2) and (signs > 0).all():
            corners = np.zeros((1, 3))
        else:
            corners = np.array(list(product(*((0, count - 1) for count in second.stored_shape))))
        apart = np.abs(corners - start).max(axis=1).min()
        to_centre = np.linalg.solve(second.affine, _centre(first) - _centre(second))[:3]
        return bool(apart <= _SAME_CORNER and apart < np.abs(to_centre).max())
    return False


def _centre(grid: Geometry) -> NDArray[np.float64]:
    return np.append(grid.to_mm((np.array(grid.shape) - 1) / 2), 0.0)


def _note(image: Image, grid: Geometry) -> Note:
    name = image_name(image)
    if image.geometry.is_placed and grid.is_placed:
        reason = f"{name} states another position"
    elif image.geometry.is_placed:
        reason = f"{name} states a position, and what it is laid over does not"
    else:
        reason = f"{name} does not say how it lies in the scanner"
    return Note(f"{reason}; since the matrices agree, it was laid over voxel for voxel", NoteKind.POSITION)


def _stored(grid: Geometry) -> str:
    return " x ".join(map(str, grid.stored_shape))


def _in_words(grid: Geometry) -> str:
    return f"{' x '.join(map(str, grid.shape))} voxels of {' x '.join(f'{size:.2f}' for size in grid.voxel_size_mm)} mm"


_SAME_AXIS = 0.05
"""Part of a voxel edge by which axes that are meant to be the same may differ."""
_SAME_CORNER = 1.5
"""Voxels between corners that are meant to be the same."""
