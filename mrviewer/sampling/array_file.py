"""One array out of a .npy, .png or .mat file, as it is stored."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError, MaskError

__all__ = ["read_array"]

_MATLAB_HDF5 = "a MATLAB 7.3 file needs the package h5py; install it, or save the mask with save -v7"


def read_array(file: Path) -> NDArray[np.generic]:
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
        raise MaskError(f"{file.name} is no mask file; give a .npy, .png or .mat file with one mask")
    if not file.is_file():
        raise MaskError(f"there is no mask file {file}; check the path")
    return readers[suffix](file)


def _read_npy(file: Path) -> NDArray[np.generic]:
    # A memory map checks the size of the file before memory is taken, and refuses pickled objects.
    try:
        mapped = np.lib.format.open_memmap(file, mode="r")
    except (ValueError, EOFError, OSError, OverflowError) as error:
        raise FileFormatError(f"{file.name} is no readable .npy array of numbers ({error}); save it again") from error
    return mapped


def _read_png(file: Path) -> NDArray[np.generic]:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=["PNG"]) as image:
                pixels = np.asarray(image.convert("RGBA") if image.mode in ("P", "PA") else image)
    except (UnidentifiedImageError, OSError, SyntaxError, struct.error) as error:
        raise FileFormatError(f"{file.name} is no readable PNG image; save it again") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise MaskError(f"{file.name} is too large an image for a mask; masks up to 4096 x 4096 are read") from error
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
    from scipy import io

    try:
        variables = io.loadmat(file)
    except NotImplementedError:
        variables = _read_mat_hdf5(file)
    except (
        ValueError,
        TypeError,
        OSError,
        EOFError,
        KeyError,
        IndexError,
        struct.error,
        zlib.error,
        io.matlab.MatReadError,
    ) as error:
        raise FileFormatError(f"{file.name} is no readable .mat file; save it again") from error
    arrays = {name: value for name, value in variables.items() if not name.startswith(("__", "#"))}
    chosen = [name for name in arrays if name.lower() == "mask"] if len(arrays) > 1 else list(arrays)
    if len(chosen) != 1:
        names = ", ".join(sorted(arrays)) or "no variable"
        raise MaskError(f"{file.name} holds {names}; save one variable, or name it mask")
    return _dense(arrays[chosen[0]])


def _dense(value: object) -> NDArray[np.generic]:
    from scipy import sparse

    return np.asarray(sparse.coo_array(value).toarray() if sparse.issparse(value) else value)


def _read_mat_hdf5(file: Path) -> dict[str, object]:
    """Variables of a MATLAB 7.3 file, which stores axes in the opposite order."""
    try:
        import h5py
    except ImportError:
        raise MaskError(f"{file.name}: {_MATLAB_HDF5}") from None
    from mrviewer.readers.hdf5_file import opened

    with opened(file) as handle:
        return {name: np.asarray(item).T for name, item in handle.items() if isinstance(item, h5py.Dataset)}
