"""Which axis of an array is what: what somebody says of it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from mrviewer.errors import InputError

__all__ = ["AXES", "ArrayLayout", "Domain", "can_be_image"]

AXES = ("frame", "slice", "coil", "z", "y", "x")
"""Names of axes. ``slice`` counts images; ``z`` is a third axis of k-space, of a three-dimensional scan."""
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

    def text(self) -> str:
        """The words that `parse` reads, but for the domain, which stands before the path.

        Raises
        ------
        InputError
            If the array has a name that cannot stand among them.
        """
        words = [*self.axes]
        if self.corner:
            words.append("corner")
        if self.voxel_size_mm != (1.0, 1.0, 1.0):
            words.append("voxel=" + "x".join(f"{edge:g}" for edge in self.voxel_size_mm))
        if self.name:
            if "," in self.name or self.name != self.name.strip():
                raise InputError(f"the array is called {self.name!r}; save it under a name without commas")
            words.append(f"array={self.name}")
        return ",".join(words)

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


def can_be_image(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape may hold images: two to five axes, two of them long enough."""
    return 2 <= len(shape) <= 5 and min(shape) > 0 and sum(size >= SMALLEST_EDGE for size in shape) >= 2
