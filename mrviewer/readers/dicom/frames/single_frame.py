"""The frame of a classic file: one plane, one header."""

import numpy as np

from mrviewer.errors import FileFormatError
from mrviewer.readers.dicom.files.header import Header
from mrviewer.readers.dicom.files.tags import Tag
from mrviewer.readers.dicom.frames.components import component_of
from mrviewer.readers.dicom.frames.frame import AcquisitionTime, Frame, Kind, PixelStore, Place
from mrviewer.readers.dicom.frames.times import seconds_of, seconds_of_moment, zone_seconds

__all__ = ["classic_frame", "orthonormal_place", "pixel_store"]

LARGEST_PLANE = 1 << 26
"""Pixels of the largest plane that is decoded: 8192 x 8192."""
_BIG = "1.2.840.10008.1.2.2"
_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", _BIG)
_PIXEL_DATA, _FLOAT, _DOUBLE = 0x7FE00010, 0x7FE00008, 0x7FE00009


def classic_frame(header: Header) -> Frame:
    """Frame of a file that holds one plane, or one mosaic as a plane.

    Raises
    ------
    FileFormatError
        If the file holds no pixels that can be shown, or fewer than it announces.
    """
    pixels = pixel_store(header)
    place = _place(header)
    return Frame(
        file=header.file,
        pixels=pixels,
        number=0,
        corner=(0, 0),
        shape=(pixels.rows, pixels.columns),
        place=place,
        height_mm=place.height_mm if place else header.number(Tag.SLICE_LOCATION),
        spacing_mm=_spacing_mm(header),
        slope=header.number(Tag.RESCALE_SLOPE) or 1.0,
        intercept=header.number(Tag.RESCALE_INTERCEPT) or 0.0,
        moment=_moment(header),
        kind=_kind(header),
        reference=header.text(Tag.FRAME_OF_REFERENCE),
    )


def pixel_store(header: Header) -> PixelStore:
    """How the pixels are stored.

    Raises
    ------
    FileFormatError
        If there are none, they are coloured, or the file is too short for what it announces.
    """
    name, elements = header.file.name, header.elements
    rows, columns = header.short(Tag.ROWS), header.short(Tag.COLUMNS)
    if not elements.pixel_tag or not rows * columns:
        raise FileFormatError(f"{name} holds a header and no pixels; give the file of an image")
    if (samples := header.short(Tag.SAMPLES_PER_PIXEL)) > 1 or header.text(Tag.PHOTOMETRIC) == "PALETTE COLOR":
        raise FileFormatError(
            f"{name} is a picture in colour ({max(samples, 3)} channels); an MR image has grey values"
        )
    if rows * columns > LARGEST_PLANE:
        raise FileFormatError(f"{name} announces a plane of {rows} x {columns} pixels, larger than any MR image")
    store = PixelStore(
        rows,
        columns,
        _stored_type(header),
        header.short(Tag.BITS_STORED) or header.short(Tag.BITS_ALLOCATED),
        header.text(Tag.PHOTOMETRIC) == "MONOCHROME1",
        elements.pixel_start if header.transfer_syntax in _NATIVE and elements.pixel_count is not None else None,
    )
    if store.start is not None:
        n_frames = max(1, int(header.number(Tag.NUMBER_OF_FRAMES) or 1))
        found = min(header.file.size - store.start, elements.pixel_count or 0)
        if found < store.n_bytes * n_frames:
            raise FileFormatError(
                f"{name} is cut short or has a wrong header: {n_frames} x {rows} x {columns} pixels need "
                f"{store.n_bytes * n_frames:,} bytes and it holds {max(found, 0):,}; copy or export it again"
            )
    return store


def orthonormal_place(position: tuple[float, ...] | None, orientation: tuple[float, ...] | None) -> Place | None:
    """Place of a plane whose row and column stand at a right angle; `None` if the vectors are no such."""
    if position is None or orientation is None:
        return None
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    if abs(row @ row - 1) > 0.01 or abs(column @ column - 1) > 0.01 or abs(row @ column) > 0.01:
        return None
    return Place(position, orientation)


def _stored_type(header: Header) -> str:
    order = ">" if header.transfer_syntax == _BIG else "<"
    if header.elements.pixel_tag in (_FLOAT, _DOUBLE):
        return order + ("f4" if header.elements.pixel_tag == _FLOAT else "f8")
    bits = header.short(Tag.BITS_ALLOCATED)
    if bits not in (8, 16, 32):
        raise FileFormatError(f"{header.file.name} stores {bits} bits per pixel; 8, 16 and 32 open here")
    kind = "i" if header.short(Tag.PIXEL_REPRESENTATION) == 1 else "u"
    # A type without byte order is what numpy itself uses, so that equal types compare equal.
    return np.dtype(f"{order}{kind}{bits // 8}").str


def _place(header: Header) -> Place | None:
    return orthonormal_place(header.numbers(Tag.POSITION, 3), header.numbers(Tag.ORIENTATION, 6))


def _spacing_mm(header: Header) -> tuple[float, float, float]:
    rows, columns = header.numbers(Tag.PIXEL_SPACING, 2) or (0.0, 0.0)
    across = header.number(Tag.SPACING_BETWEEN_SLICES) or header.number(Tag.SLICE_THICKNESS) or 0.0
    return abs(across), max(rows, 0.0), max(columns, 0.0)


def _kind(header: Header) -> Kind:
    maker = header.text(Tag.MANUFACTURER).upper()
    words = [header.text(Tag.COMPLEX_COMPONENT), *header.texts(Tag.IMAGE_TYPE)[2:]]
    if maker.startswith("PHILIPS") or not maker:
        words.append(header.text(Tag.PHILIPS_COMPONENT))
    number = header.binary(Tag.GE_COMPONENT, "h") if maker.startswith("GE") or not maker else None
    coil = header.text(Tag.SIEMENS_COIL) if maker.startswith("SIEMENS") or not maker else ""
    return Kind(
        component_of(words, None if number is None else int(number), header.text(Tag.SERIES_DESCRIPTION)),
        coil or header.text(Tag.RECEIVE_COIL),
        header.number(Tag.ECHO_TIME) or 0.0,
        header.number(Tag.ECHO_NUMBER) or 0.0,
        header.number(Tag.FLIP_ANGLE) or 0.0,
        header.number(Tag.INVERSION_TIME) or 0.0,
    )


def _moment(header: Header) -> AcquisitionTime:
    written = header.text(Tag.ACQUISITION_DATETIME)
    of_day = seconds_of(header.text(Tag.ACQUISITION_DATE), header.text(Tag.ACQUISITION_TIME))
    zone = zone_seconds(header.text(Tag.TIMEZONE_OFFSET))
    own_zone = zone_seconds(written) if of_day in (0, seconds_of_moment(written)) else None
    direction = [header.binary(Tag.DIFFUSION_DIRECTION, "d", place) for place in range(3)]
    return AcquisitionTime(
        temporal_position=header.number(Tag.TEMPORAL_POSITION) or 0,
        b_value=max(_b_value(header), 0),
        direction=tuple(value for value in direction if value is not None),
        trigger_ms=header.number(Tag.TRIGGER_TIME) or 0,
        acquisition=header.number(Tag.ACQUISITION_NUMBER) or 0,
        acquired_s=of_day or seconds_of_moment(written),
        created_s=seconds_of(header.text(Tag.CONTENT_DATE), header.text(Tag.CONTENT_TIME)),
        instance=header.number(Tag.INSTANCE_NUMBER) or 0,
        acquired_zone_s=zone if own_zone is None else own_zone,
        created_zone_s=zone,
    )


def _b_value(header: Header) -> float:
    """Diffusion weighting, from the standard's element or the vendor's own."""
    if (value := header.binary(Tag.B_VALUE, "d")) is not None:
        return value
    maker = header.text(Tag.MANUFACTURER).upper()
    if maker.startswith("SIEMENS"):
        return header.number(Tag.SIEMENS_B_VALUE) or 0
    if maker.startswith("PHILIPS"):
        return header.binary(Tag.PHILIPS_B_VALUE, "f") or 0
    if maker.startswith("GE"):
        # GE adds 10^9 for some protocols.
        return (header.number(Tag.GE_B_VALUE) or 0) % 1_000_000_000
    if maker.startswith("UIH"):
        return header.binary(Tag.UIH_B_VALUE, "d") or 0
    return 0
