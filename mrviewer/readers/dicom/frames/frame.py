"""One plane of an image: where it lies in the scanner, how its pixels are stored, and when it was taken."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.readers.dicom.files.stored_file import StoredFile

__all__ = ["AcquisitionTime", "Frame", "Kind", "PixelStore", "Place"]


@dataclass(frozen=True)
class Place:
    """Where a plane lies, in the patient coordinates of DICOM (Left, Posterior, Superior).

    Parameters
    ----------
    position : (3,)
        Centre of the first pixel, in mm.
    orientation : (6,)
        Unit vectors along a row and along a column.
    """

    position: tuple[float, ...]
    orientation: tuple[float, ...]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector across the plane."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def height_mm(self) -> float:
        """Position along the normal."""
        return float(np.dot(self.position, self.normal))


@dataclass(frozen=True)
class PixelStore:
    """How the pixels of a file are stored.

    Parameters
    ----------
    rows, columns
        Size of a whole stored plane.
    type
        numpy type of one stored value, byte order included.
    bits_stored
        Bits of it that count.
    is_inverted
        Whether the smallest value is the brightest (MONOCHROME1).
    start
        Byte at which the first plane begins; `None` if the pixels are compressed.
    """

    rows: int
    columns: int
    type: str
    bits_stored: int
    is_inverted: bool
    start: int | None

    @property
    def n_bytes(self) -> int:
        """Bytes of one plane."""
        return self.rows * self.columns * np.dtype(self.type).itemsize


@dataclass(frozen=True)
class AcquisitionTime:
    """What tells repetitions of one plane apart; 0 where the file does not say.

    Parameters
    ----------
    temporal_position, acquisition, instance
        Numbers that the scanner counts.
    b_value
        Diffusion weighting in s/mm2.
    direction : (3,)
        Diffusion gradient; empty without one.
    trigger_ms
        Delay after the trigger.
    acquired_s, created_s
        Seconds of the acquisition, and of the image, from one day long ago; see `mrviewer.readers.dicom.frames.times`.
    acquired_zone_s, created_zone_s
        Seconds by which the clocks of the two are ahead of UTC; `None` where the file names no time zone.
    frame
        Number of the plane within its file, from 0.
    dimensions
        Numbers by which a multi-frame file tells frames of one place apart.
    """

    temporal_position: float = 0
    b_value: float = 0
    direction: tuple[float, ...] = ()
    trigger_ms: float = 0
    acquisition: float = 0
    acquired_s: float = 0
    created_s: float = 0
    instance: float = 0
    frame: int = 0
    acquired_zone_s: float | None = None
    created_zone_s: float | None = None
    dimensions: tuple[float, ...] = ()


@dataclass(frozen=True, order=True)
class Kind:
    """What tells volumes of different meaning in one series apart; 0 or empty where the file does not say.

    Parameters
    ----------
    component
        ``magnitude``, ``phase``, ``water``, ``field map``, ...: see `mrviewer.readers.dicom.frames.components`.
    coil
        Elements of the coil that received the image.
    echo_ms, echo_number
        Echo time in ms; number of the echo.
    flip_degrees, inversion_ms
        Flip angle; inversion time in ms.
    """

    component: str
    coil: str = ""
    echo_ms: float = 0
    echo_number: float = 0
    flip_degrees: float = 0
    inversion_ms: float = 0


@dataclass(frozen=True)
class Frame:
    """One plane.

    Parameters
    ----------
    file, pixels
        Where its pixels lie, and how.
    number
        Which plane of the file it is, from 0.
    corner, shape
        Row and column at which it begins in the stored plane, and its size; a mosaic holds several.
    place
        Where it lies; `None` if the file does not say.
    height_mm
        Position along the normal; without a place what `SliceLocation` says.
    spacing_mm
        Distance of slices, rows and columns; 0 where the file does not say.
    slope, intercept
        Stored value times slope plus intercept is the value.
    moment, kind, stack
        Which of the volumes of a series it belongs to.
    reference
        Frame of reference in which it lies.
    """

    file: StoredFile
    pixels: PixelStore
    number: int
    corner: tuple[int, int]
    shape: tuple[int, int]
    place: Place | None
    height_mm: float | None
    spacing_mm: tuple[float, float, float]
    slope: float
    intercept: float
    moment: AcquisitionTime
    kind: Kind
    stack: str = ""
    reference: str = ""

    @property
    def is_scaled(self) -> bool:
        """Whether values differ from what is stored."""
        return self.slope != 1 or self.intercept != 0
