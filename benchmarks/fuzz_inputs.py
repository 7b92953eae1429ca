"""Damaged files for the fuzzing run: sound ones, made here or real, and what may happen to their bytes."""

import gzip
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import h5py
import nibabel
import numpy as np
from nibabel.filename_parser import splitext_addext
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage, generate_uid
from scipy.io import savemat

__all__ = ["Seed", "endless", "made_seeds", "mutated", "real_seeds"]

LARGEST_REAL = 3 << 20
SEEDS_A_FOLDER = 4
HEADER = 4096
"""Bytes at the start in which most damage is done, since headers decide what memory is taken."""
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF)
NUMBERS = (0, 1, -1, 2**15 - 1, -(2**15), 2**31 - 1, -(2**31), 30000, 2**16 + 1)
REAL_NUMBERS = (0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan"))
PATTERNS = {
    "nifti": ("*.nii", "*.nii.gz", "*.img.gz"),
    "dicom": ("*.dcm", "*.IMA"),
    "hdf5": ("*.h5",),
    "bart": ("*.cfl",),
    "numpy": ("*.npy",),
    "matlab": ("*.mat",),
    "twix": ("*.dat",),
}
_SHARE_OF_CARDS = 0.7
_PRINTABLE = frozenset({9, 10, 13, *range(32, 127)})
_TOKEN = re.compile(rb'"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[A-Za-z_~./-]+')
_HOSTILE = (
    b"null", b"true", b"[]", b"{}", b'""', b"-1", b"0", b"1e400", b"NaN", b"-Infinity", b"9" * 5000, b"1" + b"0" * 400,
    b'"~nouser/x"', b'"\\u0000"', b'"\\ud800"', b"\x00", b"\xff", b"\xc3\xa9", b"[" * 100_000, b"{" + b'"a":[' * 80,
    b"[[[[[[[[1]]]]]]]]", b'{"a": {"a": 1}}', b'"' + b"x" * 70_000 + b'"', b'"../../../etc/passwd"', b'"/dev/zero"',
    b'"=1+1"', b"10000000", b'"\\n\\t"', b"'", b'"', b",,,,", b"~", b"..", b'[1, "a", null]', b"1.5", b"False",
)  # fmt: skip
"""What no sound file holds where it stands."""
_PARTNERS = {".img": ".hdr", ".cfl": ".hdr"}


@dataclass(frozen=True)
class Seed:
    """A sound input: one file, or the two of a pair.

    Parameters
    ----------
    kind
        Format, as the table of the run names it.
    files
        Bytes by ending, or by name if that does not begin with a dot; the first one is opened, and one is damaged.
    intact
        Bytes by name of what lies around them and stays as it is.
    """

    kind: str
    files: dict[str, bytes]
    intact: dict[str, bytes] = field(default_factory=dict)


def made_seeds() -> list[Seed]:
    """Small sound files of every format, for a checkout without real data."""
    rng = np.random.default_rng(0)
    volume = rng.integers(0, 900, (9, 8, 6)).astype(np.int16)
    kspace = (rng.normal(size=(2, 2, 16, 12)) + 1j * rng.normal(size=(2, 2, 16, 12))).astype(np.complex64)
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    first, second = nibabel.Nifti1Image(volume, affine), nibabel.Nifti2Image(volume.astype(np.float32), affine)
    pair = nibabel.Nifti1Pair(volume, affine)
    holders = {name: nibabel.FileHolder(fileobj=BytesIO()) for name in ("header", "image")}
    pair.to_file_map(holders)
    header, image = (holder.fileobj.getvalue() for holder in holders.values())
    return [
        Seed("nifti", {".nii": first.to_bytes()}),
        Seed("nifti", {".nii": second.to_bytes()}),
        Seed("nifti", {".nii.gz": gzip.compress(first.to_bytes(), mtime=0)}),
        Seed("nifti", {".img": image, ".hdr": header}),
        Seed("dicom", {".dcm": _dicom(explicit=True)}),
        Seed("dicom", {".dcm": _dicom(explicit=False)}),
        Seed("matlab", {".mat": _matlab({"data": volume, "t": np.arange(6.0)})}),
        Seed("matlab", {".mat": _matlab({"x": kspace[0]}, compress=True)}),
        Seed("numpy", {".npy": _saved(lambda stream: np.save(stream, kspace[0]))}),
        Seed("bart", {".cfl": kspace[0].tobytes(), ".hdr": b"# Dimensions\n12 16 1 2 1 1 1 1 1 1 1 1 1 1 1 1\n"}),
        Seed("hdf5", {".h5": _fastmri(kspace)}),
    ]


def real_seeds(folder: Path) -> list[Seed]:
    """A few files of each sub-folder and format, none large: breadth is in their writers."""
    seeds: list[Seed] = []
    for kind, patterns in PATTERNS.items():
        by_folder: dict[Path, int] = {}
        for path in sorted({one for pattern in patterns for one in folder.rglob(pattern)}):
            taken = by_folder.get(path.parent, 0)
            if path.stat().st_size > LARGEST_REAL or taken >= SEEDS_A_FOLDER:
                continue
            by_folder[path.parent] = taken + 1
            _, ending, compressed = splitext_addext(path.name)
            partner = path.with_suffix(_PARTNERS.get(ending, ".nothing"))
            files = {ending + compressed: path.read_bytes()}
            seeds.append(Seed(kind, files | ({partner.suffix: partner.read_bytes()} if partner.is_file() else {})))
    return seeds


def mutated(seed: Seed, others: list[Seed], rng: np.random.Generator) -> Seed:
    """The same input with one to four things done to one of its files."""
    ending = str(rng.choice(list(seed.files)))
    content = seed.files[ending]
    if ending.endswith(".safetensors") and rng.random() < _SHARE_OF_CARDS:
        return replace(seed, files={**seed.files, ending: _with_other_card(content, others, rng)})
    inside = ending.endswith(".gz") and rng.random() < 0.7
    if inside:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            inside = False
    is_text = _is_text(content)
    for _ in range(int(rng.integers(1, 5))):
        actions = _TEXT_ACTIONS if is_text and rng.random() < 0.7 else _ACTIONS
        content = actions[int(rng.integers(len(actions)))](content, others, rng)
    if inside:
        content = gzip.compress(content, compresslevel=1, mtime=0)
    return replace(seed, files={**seed.files, ending: content})


def _place(content: bytes, rng: np.random.Generator) -> int:
    """Somewhere in the file, mostly in its header."""
    end = min(len(content), HEADER) if rng.random() < 0.8 else len(content)
    return int(rng.integers(max(end, 1)))


def _flip(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9)) if content else 0):
        changed[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _set(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    place = _place(content, rng)
    return content[:place] + bytes([int(rng.choice(EXTREMES))]) * int(rng.integers(1, 17)) + content[place + 1 :]


def _number(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """An extreme number over what stands there, in one of the widths and byte orders of headers."""
    place = _place(content, rng) & ~1
    order = "<" if rng.random() < 0.8 else ">"
    if rng.random() < 0.25:
        value = struct.pack(order + "f", float(rng.choice(REAL_NUMBERS)))
    else:
        number, width = int(rng.choice(NUMBERS)), int(rng.choice([2, 4, 8]))
        value = (number % 256**width).to_bytes(width, "little" if order == "<" else "big")
    return content[:place] + value + content[place + len(value) :]


def _digits(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """Another digit where there is one: sizes in text headers."""
    places = [index for index, byte in enumerate(content[:HEADER]) if 0x30 <= byte <= 0x39]
    if not places:
        return _flip(content, others, rng)
    place = places[int(rng.integers(len(places)))]
    return content[:place] + rng.choice([b"-", b"9" * 12, b"0", b"1e9", b"nan"]) + content[place + 1 :]


def _truncate(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def _extend(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    return content + rng.bytes(int(rng.integers(1, 2048)))


def _cut_out(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    place = _place(content, rng)
    return content[:place] + content[place + int(rng.integers(1, 64)) :]


def _repeat(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    place, length = _place(content, rng), int(rng.integers(1, 256))
    return content[: place + length] + content[place:]


def _splice(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """The start of this file, and the rest of another one."""
    other = next(iter(others[int(rng.integers(len(others)))].files.values()))
    place = _place(content, rng)
    return content[:place] + other[place:]


_ACTIONS: tuple[Callable[[bytes, list[Seed], np.random.Generator], bytes], ...] = (
    _flip, _flip, _set, _number, _number, _number, _digits, _truncate, _extend, _cut_out, _repeat, _splice,
)  # fmt: skip


def _is_text(content: bytes) -> bool:
    return bool(content) and all(byte in _PRINTABLE for byte in content[:200])


def _token(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """Something hostile in place of one word, number or text."""
    tokens = list(_TOKEN.finditer(content))
    if not tokens:
        return _flip(content, others, rng)
    chosen = tokens[int(rng.integers(len(tokens)))]
    hostile = _HOSTILE[int(rng.integers(len(_HOSTILE)))]
    return content[: chosen.start()] + hostile + content[chosen.end() :]


def _with_other_card(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """A safetensors file that is sound, but for what it says of itself."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    card = header["__metadata__"]
    key = list(card)[int(rng.integers(len(card)))]
    text = str(card[key]).encode()
    for _ in range(int(rng.integers(1, 4))):
        text = _TEXT_ACTIONS[int(rng.integers(len(_TEXT_ACTIONS)))](text, others, rng)
    card[key] = text.decode(errors="replace")
    packed = json.dumps(header).encode()
    return len(packed).to_bytes(8, "little") + packed + content[8 + length :]


def _line(content: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """A line twice, gone, or in another place."""
    lines = content.splitlines(keepends=True) or [b"\n"]
    place = int(rng.integers(len(lines)))
    moved = lines.pop(place)
    if rng.random() < 0.7:
        lines[int(rng.integers(len(lines) + 1)) : 0] = [moved] * int(rng.integers(1, 3))
    return b"".join(lines) or content


_TEXT_ACTIONS = (_token, _token, _token, _digits, _line)


def _saved(write: Callable[[BytesIO], object]) -> bytes:
    stream = BytesIO()
    write(stream)
    return stream.getvalue()


def _matlab(arrays: dict[str, np.ndarray], *, compress: bool = False) -> bytes:
    content = _saved(lambda stream: savemat(stream, arrays, do_compression=compress))
    # The first line tells the time of writing; without it the same seed gives the same inputs on another day.
    return b"MATLAB 5.0 MAT-file".ljust(116) + content[116:]


def _fastmri(kspace: np.ndarray) -> bytes:
    def write(stream: BytesIO) -> None:
        with h5py.File(stream, "w") as file:
            file["kspace"] = kspace
            file["reconstruction_rss"] = np.abs(kspace).sum(1).astype(np.float32)
            file.attrs["acquisition"] = "AXFLAIR"

    return _saved(write)


def _dicom(*, explicit: bool) -> bytes:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = MRImageStorage, generate_uid(entropy_srcs=["fuzz"])
    header.StudyInstanceUID, header.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    header.FrameOfReferenceUID, header.Modality = "1.2.3.5", "MR"
    header.PatientName, header.PatientID, header.SeriesDescription = "A^B", "1", "FLAIR"
    header.SeriesNumber, header.InstanceNumber = 1, 1
    header.ImagePositionPatient, header.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.SliceThickness, header.RepetitionTime, header.EchoTime = [1, 1], 2, 9000, 100
    header.Rows, header.Columns, header.SamplesPerPixel = 12, 10, 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 12, 11, 0
    header.RescaleSlope, header.RescaleIntercept = 2, 0
    header.PixelData = np.arange(120, dtype="<u2").tobytes()
    return _saved(lambda stream: header.save_as(stream, enforce_file_format=True))


def endless(seeds: list[Seed], seed: int) -> Iterator[tuple[int, Seed]]:
    """Mutations without end, each known by its number and the seed of the run; formats take turns."""
    kinds = sorted({one.kind for one in seeds})
    by_kind = {kind: [one for one in seeds if one.kind == kind] for kind in kinds}
    number = 0
    while True:
        rng = np.random.default_rng((seed, number))
        pool = by_kind[kinds[number % len(kinds)]]
        yield number, mutated(pool[int(rng.integers(len(pool)))], seeds, rng)
        number += 1
