"""The header of one DICOM file, quickly: the few elements that matter, as text and numbers."""

import math
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataelem import RawDataElement

from mrviewer.errors import FileFormatError
from mrviewer.readers.dicom.files.elements import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Elements, IrregularError, walk
from mrviewer.readers.dicom.files.library_faults import told_as
from mrviewer.readers.dicom.files.private_blocks import WANTED_OR_PRIVATE, in_usual_blocks
from mrviewer.readers.dicom.files.stored_file import StoredFile
from mrviewer.readers.dicom.files.tags import Tag

__all__ = ["Header", "read_dataset", "read_header"]

HEAD = 1 << 16
"""Bytes that hold the header of most files."""
MOST_INFLATED = 1 << 28
_BIG = "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_TEXT_ENDS = " \0"
_VALUE_ENDS = frozenset({0x5C})


@dataclass(frozen=True, eq=False)
class Header:
    """Elements of one file by tag; a value that is absent or no number is `None`, text is empty.

    Parameters
    ----------
    file
        Where it lies.
    elements
        What was found in it.
    """

    file: StoredFile
    elements: Elements

    @property
    def transfer_syntax(self) -> str:
        """UID of the encoding."""
        return self.elements.transfer_syntax

    def has(self, tag: Tag) -> bool:
        """Whether the file holds an element that is not empty."""
        return bool(self.elements.values.get(tag))

    def data(self, tag: Tag) -> bytes:
        """Bytes of an element."""
        return self.elements.values.get(tag, b"")

    def text(self, tag: Tag) -> str:
        """Text of an element in its character set; several values are joined by a backslash."""
        stored = self.data(tag)
        if stored.isascii():
            return stored.decode("ascii").strip(_TEXT_ENDS)
        names = self.data(Tag.SPECIFIC_CHARACTER_SET).decode("ascii", "replace").split("\\")
        with told_as(f"{self.file.name} holds text that cannot be decoded"):
            text: str = decode_bytes(stored, convert_encodings([name.strip() for name in names]), _VALUE_ENDS)
        return "".join(letter for letter in text if letter.isprintable()).strip(_TEXT_ENDS)

    def texts(self, tag: Tag) -> tuple[str, ...]:
        """Each value of a text element."""
        text = self.text(tag)
        return tuple(part.strip(_TEXT_ENDS) for part in text.split("\\")) if text else ()

    def numbers(self, tag: Tag, count: int) -> tuple[float, ...] | None:
        """The first `count` values of a decimal string (DS, IS); `None` unless all are finite numbers."""
        parts = self.data(tag).split(b"\\")
        if len(parts) < count:
            return None
        try:
            values = tuple(float(part.strip(b" \0")) for part in parts[:count])
        except ValueError:
            return None
        return values if all(map(math.isfinite, values)) else None

    def number(self, tag: Tag) -> float | None:
        """First value of a decimal string."""
        values = self.numbers(tag, 1)
        return values[0] if values else None

    def binary(self, tag: Tag, layout: str, place: int = 0) -> float | None:
        """One value of a binary element: `layout` is ``H`` for US, ``h`` for SS, ``d`` for FD, ``f`` for FL."""
        stored = self.data(tag)[place * struct.calcsize(layout) :]
        order = ">" if self.transfer_syntax == _BIG else "<"
        size = struct.calcsize(layout)
        if len(stored) < size:
            return None
        value = float(struct.unpack(order + layout, stored[:size])[0])
        return value if math.isfinite(value) else None

    def short(self, tag: Tag) -> int:
        """Value of an unsigned 16-bit element; 0 if it is not there."""
        return int(self.binary(tag, "H") or 0)


def read_header(file: StoredFile) -> Header | None:
    """Read what comes before the pixels of a file; `None` if it is no DICOM file.

    Raises
    ------
    FileFormatError
        If it says that it is DICOM, and is damaged.
    """
    head = file.read(0, HEAD)
    if not _may_be_dicom(head):
        return None
    try:
        return _header(file, walk(head, WANTED_OR_PRIVATE))
    except IrregularError:
        pass
    if len(head) == HEAD:
        # Most likely the header is longer than what was read.
        try:
            return _header(file, walk(file.read(), WANTED_OR_PRIVATE))
        except IrregularError:
            pass
    return _header(file, _by_pydicom(file))


def _header(file: StoredFile, elements: Elements) -> Header:
    return Header(file, in_usual_blocks(elements))


def read_dataset(file: StoredFile, *, pixels: bool) -> pydicom.Dataset:
    """Read a file with pydicom.

    Raises
    ------
    FileFormatError
        If pydicom cannot, or it would inflate to more than `MOST_INFLATED` bytes.
    """
    content = file.read()
    with told_as(f"{file.name} is damaged or cut short: it cannot be read as DICOM; copy or export it again"):
        _refuse_bomb(content, file.name)
        return pydicom.dcmread(BytesIO(content), force=True, stop_before_pixels=not pixels)


def _may_be_dicom(head: bytes) -> bool:
    """Whether a file has the mark of DICOM, or, as some old ones do, begins with an element of group 2 or 8."""
    if head[128:132] == b"DICM":
        return True
    return len(head) > 16 and head[:2] in (b"\x02\0", b"\x08\0") and head[3:4] == b"\0" and _has_length(head)


def _has_length(head: bytes) -> bool:
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    count = struct.unpack("<H", head[6:8])[0] if explicit else struct.unpack("<I", head[4:8])[0]
    return bool(count < len(head))


def _by_pydicom(file: StoredFile) -> Elements:
    """Let pydicom find the elements, and keep the bytes of the wanted ones."""
    content = file.read()
    with told_as(f"{file.name} is damaged or cut short: its header cannot be read as DICOM; copy or export it again"):
        _refuse_bomb(content, file.name)
        stream = BytesIO(content)
        dataset = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
        syntax = str(dataset.file_meta.get("TransferSyntaxUID", "")) or _guessed_syntax(dataset)
        values = {int(tag): _stored(dataset, tag) for tag in dataset.keys() if int(tag) in WANTED_OR_PRIVATE}  # noqa: SIM118
        if not {Tag.SOP_CLASS, Tag.MODALITY, Tag.ROWS} & values.keys():
            raise ValueError("no DICOM")
        at = stream.tell() if syntax != _DEFLATED else -1
        return _with_pixels(Elements(syntax, values), content, at)


def _guessed_syntax(dataset: pydicom.Dataset) -> str:
    """Encoding that pydicom saw, for a file that does not state it."""
    is_implicit, is_little_endian = dataset.original_encoding
    if is_implicit:
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if is_little_endian else _BIG


def _with_pixels(elements: Elements, content: bytes, at: int) -> Elements:
    """Where the pixels begin that pydicom stopped at; those of a deflated file are left to it."""
    if at < 0:
        return Elements(elements.transfer_syntax, elements.values, 0x7FE00010, 0, None)
    order = ">" if elements.transfer_syntax == _BIG else "<"
    if at + 12 > len(content):
        return elements
    group, element = struct.unpack_from(order + "HH", content, at)
    if group != 0x7FE0:
        return elements
    representation = content[at + 4 : at + 6]
    start = at + 12 if representation in (b"OW", b"OB", b"OF", b"OD", b"UN") else at + 8
    (count,) = struct.unpack_from(order + "I", content, start - 4)
    found = None if count == 0xFFFFFFFF else count
    return Elements(elements.transfer_syntax, elements.values, group << 16 | element, start, found)


def _stored(dataset: pydicom.Dataset, tag: int) -> bytes:
    element = dataset.get_item(tag)
    if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        return element.value
    return b""


def _refuse_bomb(content: bytes, name: str) -> None:
    """Refuse a deflated file that would fill the memory; the encoding is named within the first bytes."""
    if _DEFLATED.encode() not in content[:HEAD]:
        return
    unpacked, inflater = 0, zlib.decompressobj(-zlib.MAX_WBITS)
    start = _deflated_start(content)
    piece = inflater.decompress(content[start:], 1 << 20)
    while piece:
        unpacked += len(piece)
        if unpacked > MOST_INFLATED:
            raise FileFormatError(f"{name} would unpack to more than {MOST_INFLATED >> 20} MiB; export it uncompressed")
        piece = inflater.decompress(inflater.unconsumed_tail, 1 << 20)


def _deflated_start(content: bytes) -> int:
    """First byte behind the file meta information, whose length its first element states."""
    if content[132:136] != b"\x02\0\0\0":
        raise ValueError("no length of the file meta information")
    return 144 + int(struct.unpack_from("<I", content, 140)[0])
