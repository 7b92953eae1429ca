"""The XML header of ISMRMRD, which fastMRI files carry too: matrix, field of view, and how k-space was encoded.

Source: Inati SJ et al. (2017), ISMRM Raw data format: a proposed standard for MRI raw datasets, Magn Reson Med
77:411-421, doi:10.1002/mrm.26089.
"""

import math
from dataclasses import dataclass
from xml.etree import ElementTree

from mrviewer.errors import FileFormatError
from mrviewer.system.reasons import reason_of

__all__ = ["Encoding", "RawHeader", "Space", "parse_header"]


@dataclass(frozen=True)
class Space:
    """A grid: samples and field of view along readout (x), phase (y) and partition (z)."""

    matrix: tuple[int, int, int]
    field_of_view_mm: tuple[float, float, float]


@dataclass(frozen=True)
class Encoding:
    """How one part of a scan was encoded.

    Parameters
    ----------
    encoded, image
        Grid of the samples, and of the image that the scanner makes of them.
    center
        Index of the encoding steps 1 and 2 at which DC lies; `None` where the header does not tell.
    trajectory
        ``cartesian``, ``radial``, ...
    last
        Largest number of the encoding steps 1 and 2 and of the slices; `None` where the header does not tell.
    """

    encoded: Space
    image: Space
    center: tuple[int | None, int | None]
    trajectory: str
    last: tuple[int | None, int | None, int | None] = (None, None, None)

    @property
    def voxel_size_mm(self) -> tuple[float, float, float]:
        """Edges along z, y and x of the encoded samples, oversampling left out; 1 where the header does not tell."""
        edges = [fov / size if fov > 0 else 1.0 for size, fov in zip(*_fields(self.encoded), strict=True)]
        return edges[2], edges[1], edges[0]


@dataclass(frozen=True)
class RawHeader:
    """What the header tells.

    Parameters
    ----------
    encodings
        At least one.
    noise_bandwidth
        Relative bandwidth of the noise that the receiver lets through.
    protocol
        Name of the sequence as the scanner's operator wrote it; empty if it is not there.
    """

    encodings: tuple[Encoding, ...]
    noise_bandwidth: float = 1.0
    protocol: str = ""


def parse_header(text: bytes, name: str) -> RawHeader:
    """Read the header of a file called `name`.

    Raises
    ------
    FileFormatError
        If it is no XML of this kind, or its sizes are none of a scan.
    """
    try:
        root = ElementTree.fromstring(text)
        encodings = tuple(_encoding(element) for element in _all(root, "encoding"))
        bandwidth = float(_text(root, "acquisitionSystemInformation/relativeReceiverNoiseBandwidth") or 1)
    except (ElementTree.ParseError, ValueError, OverflowError, LookupError) as error:
        raise FileFormatError(
            f"the header of {name} cannot be read ({reason_of(error)}); convert the scan again"
        ) from error
    if not encodings:
        raise FileFormatError(f"the header of {name} describes no encoding; convert the scan again")
    protocol = _text(root, "measurementInformation/protocolName")
    return RawHeader(encodings, bandwidth if 0 < bandwidth <= 1 else 1.0, protocol)


def _encoding(element: ElementTree.Element) -> Encoding:
    steps = ("kspace_encoding_step_1", "kspace_encoding_step_2")
    center_1, center_2 = (_whole(element, f"encodingLimits/{step}/center") for step in steps)
    last_1, last_2, last_slice = (_whole(element, f"encodingLimits/{name}/maximum") for name in (*steps, "slice"))
    return Encoding(
        encoded=_space(element, "encodedSpace"),
        image=_space(element, "reconSpace"),
        center=(center_1, center_2),
        trajectory=_text(element, "trajectory").lower() or "cartesian",
        last=(last_1, last_2, last_slice),
    )


def _whole(element: ElementTree.Element, path: str) -> int | None:
    text = _text(element, path)
    return int(text) if text else None


def _space(element: ElementTree.Element, name: str) -> Space:
    matrix = [int(_text(element, f"{name}/matrixSize/{axis}")) for axis in "xyz"]
    field = [float(_text(element, f"{name}/fieldOfView_mm/{axis}")) for axis in "xyz"]
    if min(matrix) < 1 or max(matrix) > 1 << 15 or not all(math.isfinite(edge) for edge in field):
        raise ValueError(f"a matrix of {matrix[0]} x {matrix[1]} x {matrix[2]} in {field} mm is none of a scan")
    return Space((matrix[0], matrix[1], matrix[2]), (field[0], field[1], field[2]))


def _fields(space: Space) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    return space.matrix, space.field_of_view_mm


def _all(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Children of a name, whatever their namespace."""
    return [child for child in element if child.tag.rpartition("}")[2] == name]


def _text(element: ElementTree.Element, path: str) -> str:
    """Text at a path below an element; empty if there is none."""
    for name in path.split("/"):
        children = _all(element, name)
        if not children:
            return ""
        element = children[0]
    return (element.text or "").strip()
