"""The header of a NIfTI file: what it announces, checked before anybody believes it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from mrviewer.array_files.recognising import NIFTI, told_by_content
from mrviewer.array_files.stored_bytes import StoredBytes, require_own_values
from mrviewer.errors import FileFormatError
from mrviewer.readers.nifti_position import stored_affine

__all__ = ["NiftiHeader", "read_nifti_header"]

HEADER_SIZES = {348: Nifti1Header, 540: Nifti2Header}
LARGEST_HEADER = 540
SINGLE_MAGIC, PAIR_MAGIC = b"n+", b"ni"


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What has to be known to read the pixels of a NIfTI file.

    Parameters
    ----------
    pixels, offset
        Where the pixels lie: file, and first byte in its (decompressed) content.
    dtype
        Type of one stored element, byte order included.
    shape : (i, j, k) or (i, j, k, frame)
        As stored, first axis fastest; a single slice has ``k == 1``.
    slope, intercept
        ``value = stored * slope + intercept``.
    affine : (4, 4)
        Stored index to RAS+ millimetres.
    is_placed
        Whether the header states that.
    notes
        What is unusual, as sentences.
    frame_step_s
        Seconds from one volume of a series to the next; 0 where the header does not state them.
    """

    pixels: StoredBytes
    offset: int
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    slope: float
    intercept: float
    affine: NDArray[np.float64]
    is_placed: bool
    notes: tuple[str, ...]
    frame_step_s: float = 0

    @property
    def n_bytes(self) -> int:
        """Size of the pixels as stored."""
        count = self.dtype.itemsize
        for size in self.shape:
            count *= size
        return count

    @property
    def is_scaled(self) -> bool:
        """Whether stored elements are not the values themselves."""
        return (self.slope, self.intercept) != (1.0, 0.0)


_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}
"""Seconds of each unit of time that a header can name."""


def _frame_step_s(header: Nifti1Header) -> float:
    step = float(header["pixdim"][4]) * _SECONDS.get(int(header["xyzt_units"]) & 0x38, 0.0)
    return step if 0 < step < np.inf else 0.0


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read and check the header of ``.nii``, ``.nii.gz``, or of a ``.hdr`` and ``.img`` pair; no pixel is read.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If the file is damaged, is no NIfTI, or holds something that is no image.
    """
    header_path, pixel_path = _pair(path)
    if pixel_path != header_path:
        require_own_values(pixel_path, (".img", ".img.gz"))
    source = StoredBytes.of(header_path)
    block = source.head(LARGEST_HEADER)
    header = _parse(block, header_path.name)
    pixels = source if pixel_path == header_path else StoredBytes.of(pixel_path)
    affine, is_placed, notes = stored_affine(header)
    slope, intercept = _scaling(header)
    found = NiftiHeader(
        pixels=pixels,
        offset=_offset(header, header_path.name, single=pixel_path == header_path),
        dtype=_dtype(header, header_path.name),
        shape=_shape(header, header_path.name),
        slope=slope,
        intercept=intercept,
        affine=affine,
        is_placed=is_placed,
        notes=notes,
        frame_step_s=_frame_step_s(header),
    )
    found.pixels.require(found.offset + found.n_bytes)
    return found


def _pair(path: Path) -> tuple[Path, Path]:
    """Header and pixel file; the same one unless the name says ``.hdr`` or ``.img``."""
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() == ".gz" else path.suffix
    if ending.lower() not in (".hdr", ".img", ".hdr.gz", ".img.gz"):
        return path, path
    wanted = "hdr" if ".img" in ending.lower() else "img"
    stem = path.name[: -len(ending)]
    for other in (f".{wanted}", f".{wanted}.gz", f".{wanted.upper()}", f".{wanted.upper()}.GZ"):
        partner = path.with_name(stem + other)
        if partner.is_file():
            return (partner, path) if wanted == "hdr" else (path, partner)
    raise FileFormatError(f"{path.name} has no {stem}.{wanted} beside it; a NIfTI pair needs both files")


def _parse(block: bytes, name: str) -> Nifti1Header:
    """Header of the version and byte order that the block shows."""
    for order, code in (("little", "<"), ("big", ">")):
        kind = HEADER_SIZES.get(int.from_bytes(block[:4], order))  # type: ignore[arg-type]
        if kind is None:
            continue
        size = kind.sizeof_hdr
        if len(block) < size:
            raise FileFormatError(f"{name} ends within its header; copy or download it again")
        header = kind(block[:size], code, check=False)
        if bytes(header["magic"])[:2] not in (SINGLE_MAGIC, PAIR_MAGIC):
            raise FileFormatError(f"{name} lacks the mark of NIfTI (it may be ANALYZE 7.5); convert it to NIfTI")
        return header
    if (told := told_by_content(block)) not in ("", NIFTI):
        raise FileFormatError(f"{name} is {told}")
    announced = int.from_bytes(block[:4], "little")
    raise FileFormatError(
        f"{name} is no NIfTI file: it announces a header of {announced:,} bytes and NIfTI has 348 or 540; "
        "check what it is, or convert it to NIfTI"
    )


def _shape(header: Nifti1Header, name: str) -> tuple[int, ...]:
    """Sizes of three axes, and of a fourth if there is a series."""
    n_axes = int(header["dim"][0])
    if not 1 <= n_axes <= 7:
        raise FileFormatError(f"{name} announces {n_axes} axes and NIfTI has 1 to 7; its header is damaged")
    sizes = [int(size) for size in header["dim"][1 : n_axes + 1]]
    if min(sizes) < 1:
        raise FileFormatError(f"{name} announces {_times(sizes)} voxels; its header is damaged")
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > 4:
        raise FileFormatError(
            f"{name} holds {_times(sizes)} values, vectors or several series; give one image or one series of images"
        )
    if len(sizes) == 1 or sizes[:2] == [1, 1]:
        raise FileFormatError(f"{name} holds {_times(sizes)} values, which is no image; give an image")
    return (*sizes, 1) if len(sizes) == 2 else tuple(sizes)


def _dtype(header: Nifti1Header, name: str) -> np.dtype[np.generic]:
    """Type of stored elements, if they are numbers."""
    code = int(header["datatype"])
    try:
        dtype: np.dtype[np.generic] = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise FileFormatError(
            f"{name} has elements of a type that NIfTI does not know (code {code}); its header is damaged"
        ) from None
    if dtype.fields:
        raise FileFormatError(f"{name} is a colour picture, not a measured image; give the grey-scale image")
    if dtype.kind not in "iufc" or dtype.itemsize == 0:
        raise FileFormatError(f"{name} has elements that are no numbers (code {code}); give an image of numbers")
    return dtype


def _offset(header: Nifti1Header, name: str, *, single: bool) -> int:
    """First byte of the pixels."""
    stated = float(header["vox_offset"])
    least = int(header.sizeof_hdr) + 4 if single else 0
    if stated == 0:
        return least
    if not (np.isfinite(stated) and stated >= least):
        raise FileFormatError(
            f"{name} says its pixels start at byte {stated:g} and they cannot before {least}; its header is damaged"
        )
    return int(stated)


def _scaling(header: Nifti1Header) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where the header asks for none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0:
        return 1.0, 0.0
    return slope, intercept if np.isfinite(intercept) else 0.0


def _times(sizes: list[int]) -> str:
    return " x ".join(map(str, sizes))
