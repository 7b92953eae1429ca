"""Where a volume lies in the scanner, and the one array order that this project uses.

Inside the program every volume is an array ``(z, y, x)`` whose axes run, as nearly as the stored grid allows, to
**I**\\ nferior, **P**\\ osterior and **L**\\ eft: slice 0 is the top of the head, row 0 the front, column 0 the right.
A slice drawn row by row, column by column is then the radiological picture. Coordinates in millimetres are RAS+, as in
NIfTI. `Geometry` knows the way back to the order in which the file was stored.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from nibabel import orientations
from nibabel.affines import apply_affine, obliquity, voxel_sizes
from numpy.typing import NDArray

from mrviewer.errors import ShapeError

__all__ = ["AXIS_LETTERS", "INTERNAL_AXES", "Geometry"]

INTERNAL_AXES = ("I", "P", "L")
AXIS_LETTERS = {"I": ("S", "I"), "P": ("A", "P"), "L": ("R", "L")}
"""Axis name -> the letters at its low and at its high end."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """The grid of a volume in scanner space.

    Parameters
    ----------
    shape : (z, y, x)
        Voxels in internal order.
    affine : (4, 4)
        Array index ``(z, y, x, 1)`` to RAS+ millimetres.
    to_stored : (3, 2)
        nibabel orientation that turns an internal array into the order of the file it came from.
    is_placed
        Whether the file said how the volume lies in the scanner; if not, nobody knows which side is the left.
    filed_mm : (z, y, x)
        Voxel size that the file states, where another one was given in its place; else `None`.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    to_stored: NDArray[np.float64]
    is_placed: bool = True
    filed_mm: tuple[float, float, float] | None = None

    @classmethod
    def from_stored(
        cls, shape: tuple[int, int, int], affine: NDArray[np.float64], *, is_placed: bool = True
    ) -> "Geometry":
        """Geometry of a volume stored with `shape` and `affine` in any orientation, oblique or not."""
        stored = orientations.io_orientation(affine)
        to_internal = orientations.ornt_transform(stored, orientations.axcodes2ornt(INTERNAL_AXES))
        internal_affine = affine @ orientations.inv_ornt_aff(to_internal, shape)
        internal_shape = [0, 0, 0]
        for axis, (target, _) in enumerate(to_internal):
            internal_shape[int(target)] = shape[axis]
        back = orientations.ornt_transform(orientations.axcodes2ornt(INTERNAL_AXES), stored)
        return cls((internal_shape[0], internal_shape[1], internal_shape[2]), internal_affine, back, is_placed)

    @classmethod
    def axial(
        cls, shape: tuple[int, int, int], voxel_size_mm: tuple[float, float, float], *, is_placed: bool = True
    ) -> "Geometry":
        """Upright grid centred on the isocentre, for arrays that come without a position.

        A placed one is stored as RAS. One that is not is stored as LAS, as which it is read again, so that it looks the
        same when a result is opened.
        """
        affine = np.zeros((4, 4))
        for row, axis in ((2, 0), (1, 1), (0, 2)):
            affine[row, axis] = -voxel_size_mm[axis]
            affine[row, 3] = voxel_size_mm[axis] * (shape[axis] - 1) / 2
        affine[3, 3] = 1
        to_stored = np.array([[2.0, -1.0], [1.0, -1.0], [0.0, -1.0 if is_placed else 1.0]])
        return cls(shape, affine, to_stored, is_placed)

    def to_internal(self, stored: NDArray[np.generic]) -> NDArray[np.generic]:
        """View of a stored array in internal order; axes after the first three are kept."""
        to_internal = orientations.ornt_transform(_IDENTITY, self.to_stored)
        view: NDArray[np.generic] = orientations.apply_orientation(stored, to_internal)
        return view

    def to_stored_order(self, volume: NDArray[np.generic]) -> NDArray[np.generic]:
        """View of an internal ``(z, y, x)`` array in the order of the file."""
        if volume.shape[:3] != self.shape:
            raise ShapeError(f"the volume is {volume.shape[:3]} but its geometry is {self.shape} (z, y, x)")
        view: NDArray[np.generic] = orientations.apply_orientation(volume, self.to_stored)
        return view

    @cached_property
    def stored_affine(self) -> NDArray[np.float64]:
        """Affine of the array that `to_stored_order` returns."""
        affine: NDArray[np.float64] = self.affine @ orientations.inv_ornt_aff(self.to_stored, self.shape)
        return affine

    @cached_property
    def stored_shape(self) -> tuple[int, int, int]:
        """Voxels along the axes of the file."""
        i, j, k = (self.shape[axis] for axis in np.argsort(self.to_stored[:, 0]))
        return i, j, k

    @cached_property
    def is_bare(self) -> bool:
        """Whether the position is what programs write by default: voxel sizes alone, the first voxel at the origin."""
        affine = self.stored_affine
        return bool(np.abs(affine[:3] - np.diag(np.diag(affine))[:3]).max() < _ROUNDING_MM)

    @property
    def orientation(self) -> str:
        """Letters of the ends to which the axes of the file run, such as ``LPS``; if not placed, taken to run."""
        return "".join(orientations.aff2axcodes(self.stored_affine))

    @cached_property
    def voxel_size_mm(self) -> tuple[float, float, float]:
        """Voxel edges along z, y and x."""
        z, y, x = voxel_sizes(self.affine)
        return float(z), float(y), float(x)

    def resized(self, voxel_mm: tuple[float, float, float]) -> "Geometry":
        """Grid of the same axes and first stored voxel, with other edges of a voxel ``(z, y, x)``."""
        flips = self.to_stored[:, 1]
        first = np.array([0.0 if flip > 0 else size - 1.0 for flip, size in zip(flips, self.shape, strict=True)])
        affine = self.affine.copy()
        affine[:3, :3] *= np.divide(voxel_mm, self.voxel_size_mm)
        affine[:3, 3] = self.to_mm(first) - affine[:3, :3] @ first
        return replace(self, affine=affine, filed_mm=self.filed_mm or self.voxel_size_mm)

    @property
    def as_filed(self) -> "Geometry":
        """The grid that the file states, whatever voxel size was given in place of its own."""
        return self if self.filed_mm is None else replace(self.resized(self.filed_mm), filed_mm=None)

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000

    @property
    def obliquity_degrees(self) -> float:
        """Largest angle between an array axis and the scanner axis nearest to it."""
        return float(np.degrees(np.max(obliquity(self.affine))))

    @property
    def is_sheared(self) -> bool:
        """Whether array axes meet at other than right angles (by more than about 0.1 degrees)."""
        axes = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        return bool(np.abs(axes.T @ axes - np.eye(3)).max() > 2e-3)

    @property
    def slice_axis(self) -> int:
        """Axis along which the scan was cut into slices.

        The only axis with a single voxel, else the one with clearly the thickest voxels, else axial (0).
        """
        if self.shape.count(1) == 1:
            return self.shape.index(1)
        sizes = np.asarray(self.voxel_size_mm)
        thickest = int(np.argmax(sizes))
        return thickest if sizes[thickest] > 1.5 * np.median(sizes) else 0

    def to_mm(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """RAS+ millimetres of array indices ``(..., 3)`` in (z, y, x)."""
        position: NDArray[np.float64] = apply_affine(self.affine, index)
        return position

    def matches(self, other: "Geometry", tolerance_mm: float = 0.01) -> bool:
        """Whether two grids put every voxel at the same place, corners within `tolerance_mm`."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1).T.astype(float)
        return bool(np.abs(self.to_mm(corners) - other.to_mm(corners)).max() <= tolerance_mm)


_ROUNDING_MM = 1e-4
_IDENTITY = np.array([[0, 1], [1, 1], [2, 1]])
