"""The study: images by modality, raw data, reference labels, and where they lie in the scanner."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import InputError, UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer.notes import as_note

__all__ = ["FrameAxis", "Image", "LazyArray", "Origin", "RawData", "Study"]


class Origin(StrEnum):
    """Where k-space comes from. Everything made from a measurement repeats it."""

    SCANNER = "scanner"
    MAGNITUDE = "simulated from magnitude"
    PHANTOM = "simulated patient"


class FrameAxis(StrEnum):
    """What changes from one volume of a series to the next."""

    TIME = "time"
    CARDIAC = "cardiac phase"
    DIFFUSION = "diffusion weighting"
    UNKNOWN = "something that the file does not state"


class LazyArray(Protocol):
    """An array that may still lie in its file: read when it is looked at."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        ...

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of one element."""
        ...

    def __array__(self, dtype: None = None, /, *, copy: bool | None = None) -> NDArray[np.generic]:
        """Return the whole array in memory."""
        ...


@dataclass(frozen=True, eq=False)
class Image:
    """One volume, or one series of volumes, on one grid.

    Parameters
    ----------
    data : (z, y, x) or (frame, z, y, x)
        Real values in internal order (see `mrviewer.geometry`), arbitrary units.
    geometry
        The grid.
    modality
        ``FLAIR``, ``T1``, ``T1Gd``, ``T2``, ``PD``, ``DWI``, ``ADC``, ``T2*``, ``labels``, or ``unknown``.
    path
        The file, if there is one.
    missing
        Slices along `Geometry.slice_axis` that the files lack; they are 0 in `data`.
    kind
        What the values are, as the file says: ``magnitude``, ``phase``, ``water``, ...; empty where it does not say.
    frame_axis
        Along what the volumes of a series differ; `None` if the file does not say.
    frame_names
        What tells each volume of a series apart; empty where nothing but its number does.
    parts
        All files, where the image comes from more than `path` alone.
    frame_of_reference
        Identifier of the position of the patient in the scanner; empty if the file does not have one. Never shown.
    """

    data: LazyArray
    geometry: Geometry
    modality: str
    path: Path | None = None
    missing: tuple[int, ...] = ()
    kind: str = ""
    frame_axis: FrameAxis | None = None
    frame_names: tuple[str, ...] = ()
    parts: tuple[Path, ...] = ()
    frame_of_reference: str = field(default="", repr=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that the image comes from; none for one that was simulated."""
        return self.parts or (() if self.path is None else (self.path,))

    @property
    def frames(self) -> tuple[str, ...]:
        """What tells each volume apart, one entry for a single volume."""
        if len(self.frame_names) == self.n_frames:
            return self.frame_names
        if self.n_frames == 1:
            return ("the only volume",)
        return tuple(f"volume {number}" for number in range(1, self.n_frames + 1))

    @property
    def n_frames(self) -> int:
        """Number of volumes in the series; 1 for a single volume."""
        return self.data.shape[0] if len(self.data.shape) == 4 else 1

    def shares_reference(self, other: "Image") -> bool:
        """Whether both lie in one frame of reference, as far as they state one."""
        return len({self.frame_of_reference, other.frame_of_reference} - {""}) < 2

    def volume(self, frame: int = 0) -> NDArray[np.generic]:
        """Return one volume ``(z, y, x)`` in memory."""
        array = np.asarray(self.data)
        return array[frame] if array.ndim == 4 else array


class RawData(Protocol):
    """K-space of a stack of slices, as a scanner gave it or as we simulate it.

    Slices are cut along `slice_axis` of the study's grid; the two other axes are y and x, in this order. Phase encoding
    of Cartesian line masks runs along x.
    """

    @property
    def modality(self) -> str:
        """Modality of the image that this k-space makes."""
        ...

    @property
    def origin(self) -> Origin:
        """Where this k-space comes from."""
        ...

    @property
    def geometry(self) -> Geometry:
        """Grid of the image that this k-space makes."""
        ...

    @property
    def slice_axis(self) -> int:
        """Axis of the study's grid along which slices are counted."""
        ...

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        ...

    @property
    def acquired(self) -> NDArray[np.bool_] | None:
        """Pattern ``(y | 1, x)`` on which a scan was really acquired; `None` when it is fully sampled."""
        ...

    def kspace(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice, DC at the centre, zero where nothing was acquired."""
        ...

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        """Normalised sensitivities ``(coil, y, x)`` of one slice."""
        ...


@dataclass(frozen=True, eq=False)
class Study:
    """One patient at one visit.

    Parameters
    ----------
    name
        What the person sees. Never a patient's name or id.
    images
        Fully sampled magnitude images by modality.
    labels
        Reference segmentation on the grid of the images, integers, 0 is background; `None` if there is none.
    raw
        Raw data by modality, where they exist. A modality without raw data is simulated from its magnitude.
    notes
        Sentences that a person must read to understand this study ("simulated", "labels resampled", ...). Each becomes
        a `mrviewer.notes.Note`; a plain sentence one of kind ``general``.
    diagnosis
        What the study as a whole is known to show, as methods that classify name it; empty if nobody said so.
    files
        Files of each modality, where there are any.
    """

    name: str
    images: Mapping[str, Image]
    labels: Image | None = None
    raw: Mapping[str, RawData] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    diagnosis: str = ""
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a study with nothing in it, and give each note a kind."""
        if not self.images and not self.raw:
            raise InputError(f"study {self.name!r} holds no image and no k-space; open at least one")
        object.__setattr__(self, "notes", tuple(map(as_note, self.notes)))

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities in the order in which they were opened."""
        return tuple(dict.fromkeys((*self.images, *self.raw)))

    def choose_modality(self, modality: str | None = None) -> str:
        """Return `modality` if the study has it; with `None` FLAIR if there is one, else the first.

        Raises
        ------
        UnknownNameError
            If the study does not have that modality.
        """
        if modality is None:
            return "FLAIR" if "FLAIR" in self.modalities else self.modalities[0]
        if modality not in self.modalities:
            raise UnknownNameError(
                f"study {self.name!r} has no {modality} image; it has {', '.join(self.modalities)}: choose one of these"
            )
        return modality

    def geometry(self, modality: str | None = None) -> Geometry:
        """Grid of one modality: that of its image, else that of its raw data."""
        chosen = self.choose_modality(modality)
        return self.images[chosen].geometry if chosen in self.images else self.raw[chosen].geometry

    @property
    def grid(self) -> Geometry:
        """Grid of labels: that of the images, which lie voxel for voxel, by the first that says how it is placed."""
        grids = [self.geometry(modality) for modality in self.images or self.raw]
        return next((grid for grid in grids if grid.is_placed), grids[0])

    def with_labels(self, labels: Image | None, *notes: str) -> "Study":
        """Return the same study with other reference labels."""
        return replace(self, labels=labels, notes=(*self.notes, *notes))
