"""A quick walk over the elements of a DICOM file: which bytes belong to which tag, and where the pixels begin.

pydicom builds an object for each of the hundred and more elements of a slice, which takes most of the time of opening a
series. Here unwanted elements are stepped over. Anything unusual (big endian, deflated, unknown representation) is left
to pydicom. Encoding: DICOM PS3.5, sections 7.1 and 7.5, and PS3.10, section 7.
"""

import struct
from collections.abc import Container
from dataclasses import dataclass

__all__ = ["EXPLICIT_LITTLE", "IMPLICIT_LITTLE", "Elements", "IrregularError", "walk"]

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_BIG_OR_DEFLATED = ("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
_PREAMBLE = 132
_TRANSFER_SYNTAX = 0x00020010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_UNDEFINED = 0xFFFFFFFF
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_DEEPEST = 16
_explicit = struct.Struct("<HH2sH").unpack_from
_implicit = struct.Struct("<HHI").unpack_from
_length = struct.Struct("<I").unpack_from


class IrregularError(Exception):
    """This walk does not know how to go on; pydicom may."""


@dataclass(frozen=True)
class Elements:
    """What a walk found.

    Parameters
    ----------
    transfer_syntax
        UID of the encoding.
    values
        Tag -> stored bytes, of the wanted tags that are there.
    pixel_tag, pixel_start, pixel_count
        Tag of the pixel data, byte at which they begin, and their bytes; `None` for the count of encapsulated pixels.
        The tag is 0 if there are none.
    """

    transfer_syntax: str
    values: dict[int, bytes]
    pixel_tag: int = 0
    pixel_start: int = 0
    pixel_count: int | None = 0


def walk(data: bytes, wanted: Container[int]) -> Elements:
    """Find elements of the first level up to the pixel data.

    Parameters
    ----------
    data
        The first bytes of a file, at least up to where its pixel data begin.
    wanted
        Tags whose bytes are kept.

    Raises
    ------
    IrregularError
        If the bytes end too early, or hold anything unusual.
    """
    if data[128:_PREAMBLE] != b"DICM":
        raise IrregularError
    try:
        return _walk(data, wanted)
    except (struct.error, UnicodeDecodeError) as error:
        raise IrregularError from error


def _walk(data: bytes, wanted: Container[int]) -> Elements:
    meta, at = _file_meta(data)
    syntax = meta.rstrip(b"\0 ").decode("ascii")
    if not syntax or syntax in _BIG_OR_DEFLATED:
        raise IrregularError
    explicit = syntax != IMPLICIT_LITTLE
    values: dict[int, bytes] = {}
    previous, end = 0, len(data)
    while at < end:
        tag, representation, count, at = _element(data, at, explicit=explicit)
        if tag <= previous:
            raise IrregularError
        previous = tag
        if tag in _PIXELS:
            return Elements(syntax, values, tag, at, None if count == _UNDEFINED else count)
        if count == _UNDEFINED:
            at = _sequence_end(data, at, representation, explicit=explicit)
            continue
        if tag in wanted:
            if at + count > end:
                raise IrregularError
            values[tag] = data[at : at + count]
        at += count
    if at > end:
        raise IrregularError
    return Elements(syntax, values)


def _file_meta(data: bytes) -> tuple[bytes, int]:
    """Transfer syntax, and where the data set begins; the group of the file meta information is always explicit."""
    syntax, at = b"", _PREAMBLE
    while data[at : at + 2] == b"\x02\0":
        tag, _, count, at = _element(data, at, explicit=True)
        if tag == _TRANSFER_SYNTAX:
            syntax = data[at : at + count]
        at += count
    return syntax, at


def _element(data: bytes, at: int, *, explicit: bool) -> tuple[int, bytes, int, int]:
    """Tag, representation, length, and where the value begins."""
    if not explicit:
        group, element, count = _implicit(data, at)
        return group << 16 | element, b"", count, at + 8
    group, element, representation, count = _explicit(data, at)
    if representation in _SHORT:
        return group << 16 | element, representation, count, at + 8
    if representation in _LONG:
        return group << 16 | element, representation, _length(data, at + 8)[0], at + 12
    raise IrregularError


def _sequence_end(data: bytes, at: int, representation: bytes, *, explicit: bool, depth: int = 0) -> int:
    """First byte behind a sequence of undefined length."""
    if depth > _DEEPEST or representation not in (b"SQ", b""):
        raise IrregularError
    while True:
        group, element, count = _implicit(data, at)
        at += 8
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise IrregularError
        at = _item_end(data, at, explicit=explicit, depth=depth) if count == _UNDEFINED else at + count


def _item_end(data: bytes, at: int, *, explicit: bool, depth: int) -> int:
    """First byte behind an item of undefined length."""
    while True:
        group, element, _ = _implicit(data, at)
        if group << 16 | element == _ITEM_END:
            return at + 8
        _, representation, count, at = _element(data, at, explicit=explicit)
        if count == _UNDEFINED:
            at = _sequence_end(data, at, representation, explicit=explicit, depth=depth + 1)
        else:
            at += count
