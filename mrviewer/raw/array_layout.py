"""Which axis of an array is what: what a person says of it, and what can be guessed."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import InputError
from mrviewer.physics import fft2c

__all__ = ["AXES", "ArrayLayout", "Domain", "can_be_image", "guess_layout"]

AXES = ("frame", "slice", "coil", "z", "y", "x")
"""Names of axes. ``slice`` counts images; ``z`` is a third axis of k-space, of a three-dimensional scan."""
USUAL_COILS = (4, 8, 12, 15, 16, 20, 24, 28, 30, 32, 48, 64)
"""Channels of usual receivers; an axis of so many beside one of another number holds the coils."""
MOST_COILS_GUESSED = 128
SMALLEST_EDGE = 8


class Domain(StrEnum):
    """What the values are."""

    KSPACE = "kspace"
    IMAGE = "image"


@dataclass(frozen=True)
class ArrayLayout:
    """What the axes of an array mean.

    Parameters
    ----------
    axes
        Names out of `AXES`, one for each axis of the array, slowest first as numpy counts; ``y`` and ``x`` among them.
    domain
        Samples of k-space, or an image.
    corner
        Whether DC (of k-space) or the middle (of an image) lies at index 0 instead of ``N // 2``.
    voxel_size_mm : (z, y, x)
        Of the image.
    name
        Which array of the file; empty for the largest one.

    Raises
    ------
    InputError
        If an axis is unknown, missing or named twice, or a voxel is not larger than 0.
    """

    axes: tuple[str, ...]
    domain: Domain = Domain.KSPACE
    corner: bool = False
    voxel_size_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse axes that make no image."""
        unknown = [axis for axis in self.axes if axis not in AXES]
        if unknown:
            raise InputError(f"there is no axis {unknown[0]!r}; name the axes of an array by {', '.join(AXES)}")
        if len(set(self.axes)) < len(self.axes) or not {"y", "x"} <= set(self.axes):
            raise InputError(f"the axes {','.join(self.axes)} were given; name y and x and no axis twice")
        if {"slice", "z"} <= set(self.axes):
            raise InputError("an array has slices or a third axis z of k-space, not both; name one of them")
        if not all(0 < edge < 1000 for edge in self.voxel_size_mm):
            raise InputError(f"voxels of {self.voxel_size_mm} mm were given; give edges z, y, x above 0")

    @classmethod
    def parse(cls, text: str) -> "ArrayLayout":
        """Read ``coil,y,x`` with the words ``image``, ``corner``, ``voxel=ZxYxX`` and ``array=NAME`` where they apply.

        Raises
        ------
        InputError
            If a word is none of these.
        """
        axes: list[str] = []
        layout = cls(("y", "x"))
        for word in (part.strip() for part in text.split(",")):
            key, equals, value = word.partition("=")
            if word in tuple(Domain):
                layout = replace(layout, domain=Domain(word))
            elif word == "corner":
                layout = replace(layout, corner=True)
            elif key == "array" and equals:
                layout = replace(layout, name=value)
            elif key == "voxel" and equals:
                layout = replace(layout, voxel_size_mm=_voxel(value))
            else:
                axes.append(word)
        return replace(layout, axes=tuple(axes))

    def describe(self) -> str:
        """Axes and domain in words."""
        place = "at the corner" if self.corner else "in the middle"
        values = f"k-space with DC {place}" if self.domain is Domain.KSPACE else f"an image with its centre {place}"
        return f"{values}, axes {','.join(self.axes)}"


def _voxel(text: str) -> tuple[float, float, float]:
    try:
        z, y, x = (float(edge) for edge in text.split("x"))
    except ValueError:
        raise InputError(f"voxel={text} was given; give three edges in mm, as voxel=5x1x1") from None
    return z, y, x


def guess_layout(values: NDArray[np.generic]) -> ArrayLayout:
    """Propose what the axes of an array mean, from its sizes and from where its energy lies.

    Parameters
    ----------
    values
        Two to five axes; one plane of it is looked at.

    Raises
    ------
    InputError
        If it cannot be an image.
    """
    axes = _guess_axes(values.shape, is_complex=values.dtype.kind == "c")
    index = tuple(
        slice(None) if axis in ("y", "x") else size // 2 for axis, size in zip(axes, values.shape, strict=True)
    )
    plane = np.asarray(values[index])
    if plane.dtype.kind != "c":
        return ArrayLayout(axes, Domain.IMAGE)
    plane = _finite(plane)
    power = np.abs(plane) ** 2
    # K-space is its own transform's opposite: the more concentrated of the two is k-space, wherever its DC lies.
    if _spread(power) > _spread(np.abs(fft2c(plane)) ** 2):
        return ArrayLayout(axes, Domain.IMAGE)
    middle = tuple(slice(size // 4, size // 4 + size // 2) for size in power.shape)
    return ArrayLayout(axes, Domain.KSPACE, corner=bool(power[middle].sum() < 0.5 * power.sum()))


def _finite(plane: NDArray[np.complexfloating]) -> NDArray[np.complex64]:
    """Values below 1, whose squares can be added; damaged files hold any number."""
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.nan_to_num(plane.astype(np.complex64), posinf=0, neginf=0)
    largest = max(float(np.abs(finite.real).max()), float(np.abs(finite.imag).max()))
    return finite / np.float32(2 * largest) if largest > 0 else finite


def can_be_image(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape may hold images: two to five axes, two of them long enough."""
    return 2 <= len(shape) <= 5 and min(shape) > 0 and sum(size >= SMALLEST_EDGE for size in shape) >= 2


def _guess_axes(shape: tuple[int, ...], *, is_complex: bool) -> tuple[str, ...]:
    n_axes = len(shape)
    if not can_be_image(shape):
        raise InputError(f"an array of {shape} can be no image; give two to five axes")
    # Libraries of C put the image last, MATLAB puts it first.
    is_first = min(shape[:2]) > max(shape[2:], default=0) and n_axes > 2
    others = shape[2:] if is_first else shape[:-2]
    names = _guess_others(others, is_complex=is_complex, is_first=is_first)
    return ("y", "x", *names) if is_first else (*names, "y", "x")


def _guess_others(sizes: tuple[int, ...], *, is_complex: bool, is_first: bool) -> tuple[str, ...]:
    """Names of the axes that are not y and x.

    Of complex data the one next to the image holds the coils (the one after it, where the image comes first), unless
    only the other one has a usual number of them.
    """
    if not is_complex or not sizes:
        order = ("slice", "frame", "coil")[: len(sizes)]
        return order if is_first else order[::-1]
    if len(sizes) == 1:
        return ("coil" if sizes[0] <= MOST_COILS_GUESSED else "slice",)
    names = ("slice", "coil", "frame")[: len(sizes)] if is_first else ("frame", "slice", "coil")[-len(sizes) :]
    coil, slices = sizes[names.index("coil")], sizes[names.index("slice")]
    if slices in USUAL_COILS and coil not in USUAL_COILS:
        turned = {"slice": "coil", "coil": "slice"}
        return tuple(turned.get(name, name) for name in names)
    return names


def _spread(power: NDArray[np.floating]) -> float:
    """Part of the pixels over which energy is spread, by its participation ratio."""
    scaled = power.astype(np.float64) / max(float(power.max(initial=0)), np.finfo(np.float64).tiny)
    return float(scaled.sum() ** 2 / max(float((scaled**2).sum()), np.finfo(np.float64).tiny) / scaled.size)
