"""One array out of a .npy, .png or .mat file, as it is stored: looked at before memory is taken for it."""

import math
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError, MaskError

__all__ = ["read_pattern_array"]

MOST_SAMPLES = 1 << 26
"""Of all masks of a file; four of the largest size that is looked at."""
_LARGEST_IMAGE = 4096 * 4096
_SIZES = "masks up to 4096 x 4096 are read"
_DAMAGED_PNG = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, MemoryError,
    NotImplementedError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises, depending on which byte is wrong."""


def read_pattern_array(file: Path) -> NDArray[np.generic]:
    """Read the array of a mask file.

    Raises
    ------
    MaskError
        If there is no such file, it is of another type, or it does not hold one array.
    FileFormatError
        If the file is damaged, or not what its name says.
    """
    readers = {".npy": _read_npy, ".png": _read_png, ".mat": _read_mat}
    suffix = file.suffix.lower()
    if suffix not in readers:
        raise MaskError(f"{file.name} is not a mask file; give a .npy, .png or .mat file with one mask")
    if not file.is_file():
        raise MaskError(f"there is no mask file {file.name}; check the path")
    if not file.stat().st_size:
        raise FileFormatError(f"{file.name} is an empty file; copy or download it again")
    return readers[suffix](file)


def _read_npy(file: Path) -> NDArray[np.generic]:
    # It is mapped: the size of the file is compared with its header before memory is taken, and pickles are refused.
    from mrviewer.array_files.stored_arrays import NpyArray

    return NpyArray(file).open()


def _read_png(file: Path) -> NDArray[np.generic]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=["PNG"]) as image:
                if math.prod(image.size) > _LARGEST_IMAGE:
                    raise MaskError(f"{file.name} is too large an image for a mask; {_SIZES}")
                pixels = np.asarray(image.convert("RGBA") if image.mode in ("P", "PA") else image)
    except Image.DecompressionBombError as error:
        raise MaskError(f"{file.name} is too large an image for a mask; {_SIZES}") from error
    except _DAMAGED_PNG as error:
        if isinstance(error, MaskError):
            raise
        raise FileFormatError(f"{file.name} is not a readable PNG image; save it again") from error
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] in (2, 4):
        if (pixels[..., -1] != 255).any():
            raise MaskError(f"{file.name} has transparent pixels; save the mask as a black and white image")
        pixels = pixels[..., :-1]
    if (pixels != pixels[..., :1]).any():
        raise MaskError(f"{file.name} has colours; save the mask as a black and white image")
    grey: NDArray[np.generic] = pixels[..., 0]
    return grey


def _read_mat(file: Path) -> NDArray[np.generic]:
    from mrviewer.array_files.stored_arrays import is_matlab_hdf5, list_arrays, mat_array
    from mrviewer.array_files.stored_matrices import list_matrices, read_matrix

    if is_matlab_hdf5(file):
        arrays = list_arrays(file)
        name = _mask_of(arrays, file)
        return mat_array(file, name).part(())
    matrices = list_matrices(file)
    return read_matrix(file, _mask_of(matrices, file))


def _mask_of(arrays: dict[str, tuple[int, ...]], file: Path) -> str:
    """Name of the one array that can be the mask, if it is not too large."""
    chosen = [name for name in arrays if name.lower() == "mask"] if len(arrays) > 1 else list(arrays)
    if len(chosen) != 1:
        names = ", ".join(sorted(arrays)) or "no array of numbers"
        raise MaskError(f"{file.name} holds {names}; save one variable, or name it mask")
    if math.prod(arrays[chosen[0]]) > MOST_SAMPLES:
        raise MaskError(f"{file.name} holds an array of shape {arrays[chosen[0]]}; {_SIZES}")
    return chosen[0]
