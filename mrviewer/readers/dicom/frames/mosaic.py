"""Mosaics: one file whose plane is tiled with all slices of a volume.

Siemens' mosaics state the position of the whole plane's corner, as if it were one slice; the first slice's own corner
lies half the difference of the sizes further in. The slices step along the normal of the vendor's header (CSA) by
`SpacingBetweenSlices`. United Imaging's VFRAME has the position of each tile in a sequence. Both count tiles row by row
on the smallest square that holds them.
"""

import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.readers.dicom.files.header import Header, read_dataset
from mrviewer.readers.dicom.files.library_faults import told_as
from mrviewer.readers.dicom.files.tags import Tag
from mrviewer.readers.dicom.frames.frame import Frame, Place
from mrviewer.readers.dicom.frames.single_frame import orthonormal_place

__all__ = ["is_mosaic", "is_tiled_frames", "mosaic_frames", "tiled_frames"]


def is_mosaic(header: Header) -> bool:
    """Whether a file is a mosaic of Siemens."""
    return "MOSAIC" in header.texts(Tag.IMAGE_TYPE)


def is_tiled_frames(header: Header) -> bool:
    """Whether a file is a VFRAME of United Imaging."""
    return "VFRAME" in header.texts(Tag.IMAGE_TYPE) and (header.number(Tag.UIH_TILES) or 0) > 1


def mosaic_frames(header: Header, plane: Frame) -> tuple[Frame, ...]:
    """Slices of a mosaic of Siemens.

    Raises
    ------
    FileFormatError
        If the file does not say how many slices it holds, or where they lie.
    """
    n_slices, normal = _vendor_facts(header)
    if n_slices < 1 or plane.place is None:
        raise FileFormatError(
            f"{header.file.name} is a mosaic and does not say how many slices it holds or where they lie; "
            "export it with the vendor's private elements"
        )
    per_row = math.ceil(math.sqrt(n_slices))
    rows, columns = _tile_shape(header, plane, per_row, per_row)
    orientation = plane.place.orientation
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    _, dy, dx = plane.spacing_mm
    hidden = row * dx * (plane.shape[1] - columns) / 2 + column * dy * (plane.shape[0] - rows) / 2
    first = np.array(plane.place.position) + hidden
    across = plane.place.normal if normal is None or plane.place.normal @ normal > 0 else -plane.place.normal
    tiles = _tiles(plane, n_slices, per_row, (rows, columns))
    places = (Place(_triple(first + across * plane.spacing_mm[0] * k), orientation) for k in range(n_slices))
    return tuple(_at(tile, place) for tile, place in zip(tiles, places, strict=True))


def tiled_frames(header: Header, plane: Frame) -> tuple[Frame, ...]:
    """Slices of a VFRAME of United Imaging.

    Raises
    ------
    FileFormatError
        If the file does not hold a position for each tile.
    """
    sentence = f"{header.file.name} is tiled with slices and does not say where each lies; export it as single slices"
    with told_as(sentence):
        dataset = read_dataset(header.file, pixels=False)
        items = dataset[Tag.UIH_TILE_ITEMS].value
        positions = [_triple(item.ImagePositionPatient) for item in items]
    n_slices = int(header.number(Tag.UIH_TILES) or 0)
    if len(positions) != n_slices:
        raise FileFormatError(sentence)
    orientation = header.numbers(Tag.ORIENTATION, 6)
    per_row = math.ceil(math.sqrt(n_slices))
    shape = _tile_shape(header, plane, per_row, math.ceil(n_slices / per_row))
    tiles = _tiles(plane, n_slices, per_row, shape)
    return tuple(
        _at(tile, orthonormal_place(position, orientation)) for tile, position in zip(tiles, positions, strict=True)
    )


def _tile_shape(header: Header, plane: Frame, per_row: int, per_column: int) -> tuple[int, int]:
    rows, columns = plane.shape[0] // per_column, plane.shape[1] // per_row
    if not rows or not columns:
        raise FileFormatError(
            f"{header.file.name} announces {per_row} x {per_column} slices on {plane.shape[0]} x {plane.shape[1]} "
            "pixels; copy or export it again"
        )
    return rows, columns


def _tiles(plane: Frame, n_slices: int, per_row: int, shape: tuple[int, int]) -> Iterator[Frame]:
    for number in range(n_slices):
        corner = (number // per_row * shape[0], number % per_row * shape[1])
        yield replace(plane, corner=corner, shape=shape)


def _at(tile: Frame, place: Place | None) -> Frame:
    return replace(tile, place=place, height_mm=place.height_mm if place else None)


def _triple(values: object) -> tuple[float, float, float]:
    x, y, z = np.asarray(values, dtype=float)
    return float(x), float(y), float(z)


def _vendor_facts(header: Header) -> tuple[int, NDArray[np.float64] | None]:
    """Number of slices, and the direction in which they step, as the vendor's header states them."""
    counted = header.short(Tag.SIEMENS_TILES)
    reader = _csa_reader()
    with told_as(f"{header.file.name} is a mosaic whose private header (CSA) is damaged; copy or export it again"):
        try:
            facts = reader.read(header.data(Tag.SIEMENS_CSA)) if header.has(Tag.SIEMENS_CSA) else None
        except reader.CSAError as error:
            raise ValueError from error
        tags = facts["tags"] if facts else {}
        stated = tags.get("NumberOfImagesInMosaic", {}).get("items", [])
        normal = tags.get("SliceNormalVector", {}).get("items", [])
        n_slices = int(stated[0]) if stated else counted
    return n_slices, np.array(normal, float) if len(normal) == 3 else None


@lru_cache(maxsize=1)
def _csa_reader() -> ModuleType:
    with warnings.catch_warnings():
        # The package says on import that its other parts are experimental.
        warnings.simplefilter("ignore")
        from nibabel.nicom import csareader
    module: ModuleType = csareader
    return module
