"""Real and imaginary part of one array in two arrays of a file, as ``kspace_real`` and ``kspace_imag``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.raw.arrays.array_kspace import StoredArray

__all__ = ["ComplexPair", "pair_parts", "with_pairs"]

Shape = tuple[int, ...]
_REAL = re.compile(r"(?i)(?<![a-z])(real|re|r)(?![a-z])|(?<=[a-z])(Real|Re|R)(?![a-z])")
_IMAGINARY = {"real": ("imag", "imaginary", "im"), "re": ("im", "imag"), "r": ("i",)}
_JOIN = "+"


def with_pairs(arrays: Mapping[str, Shape], file_name: str) -> dict[str, Shape]:
    """Arrays of a file, where two that are real and imaginary part of one are one: ``kspace_real+kspace_imag``.

    Raises
    ------
    FileFormatError
        If two that are called so have different sizes.
    """
    found = dict(arrays)
    for real, shape in arrays.items():
        imaginary = _partner(real, arrays)
        if not imaginary:
            continue
        if arrays[imaginary] != shape:
            raise FileFormatError(
                f"{file_name} holds {real} of {shape} and {imaginary} of {arrays[imaginary]}, and real and imaginary "
                "part of an array have equal sizes; save them as one complex array"
            )
        del found[real], found[imaginary]
        found[f"{real}{_JOIN}{imaginary}"] = shape
    return found


def pair_parts(name: str) -> tuple[str, str]:
    """Names of real and imaginary part of an array that `with_pairs` made; the second is empty for any other."""
    real, joined, imaginary = name.partition(_JOIN)
    return (real, imaginary) if joined and imaginary in _candidates(real) else (name, "")


def _partner(real: str, arrays: Mapping[str, Shape]) -> str:
    """Name of the imaginary part that belongs to a real one; empty if there is none."""
    return next((name for name in _candidates(real) if name in arrays and len(arrays[real]) > 1), "")


def _candidates(real: str) -> list[str]:
    """What the imaginary part may be called: as the real one, with the other word in the same letters."""
    folder, slash, name = real.rpartition("/")
    names: list[str] = []
    for match in _REAL.finditer(name):
        for word in _IMAGINARY[match[0].lower()]:
            spelled = word.upper() if match[0].isupper() else word.capitalize() if match[0][0].isupper() else word
            names.append(folder + slash + name[: match.start()] + spelled + name[match.end() :])
    return names


@dataclass(frozen=True)
class ComplexPair:
    """Complex values of which a file holds the two parts apart.

    Parameters
    ----------
    real, imaginary
        The parts, of one size.
    """

    real: StoredArray
    imaginary: StoredArray

    @property
    def file_name(self) -> str:
        """The file."""
        return self.real.file_name

    @property
    def shape(self) -> Shape:
        """Size of every axis."""
        return self.real.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Single-precision complex numbers."""
        return np.dtype(np.complex64)

    def part(self, selection: tuple[slice, ...]) -> NDArray[np.generic]:
        """Some of it."""
        real = self.real.part(selection)
        values = np.empty(real.shape, np.complex64)
        values.real = real
        values.imag = self.imaginary.part(selection)
        return values
