"""What the weights of a method saw in training, and in what an image differs from it."""

from collections.abc import Iterator
from dataclasses import dataclass

from mrviewer.geometry import Geometry
from mrviewer.images.image_look import ImageKind, ImageLook

__all__ = ["Seen", "unlike_grid", "unlike_look"]

_TOLERANCE = 1.4
"""A network of slices bears pixels that are so many times finer or coarser than those that it saw."""
_MATRIX_TOLERANCE = 1.5
_SLICE_TOLERANCE = 2.0
_FLUID_BRIGHT = {"FLAIR": False, "T1": False, "T1Gd": False, "T2": True}
"""Whether fluid is the brightest in a brain that was cut out."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Seen:
    """What training images had in common; empty for what does not matter to a method.

    Parameters
    ----------
    whole_heads
        Whether there were heads with skull among them, or the method takes the skull away by itself.
    pixel_mm
        Smallest and largest edge of a pixel within slices; `None` for a method that resamples.
    matrix
        Smallest and largest number of pixels along an edge of a slice.
    slice_mm
        Smallest and largest distance of slices.
    """

    whole_heads: bool = True
    pixel_mm: Range | None = None
    matrix: Range | None = None
    slice_mm: Range | None = None


def unlike_grid(seen: Seen, geometry: Geometry) -> tuple[str, ...]:
    """Say in what a grid differs from those that were seen, as parts of a sentence about what the method saw."""
    axis = geometry.slice_axis
    pixels = [size for place, size in enumerate(geometry.voxel_size_mm) if place != axis]
    counts = [count for place, count in enumerate(geometry.shape) if place != axis]
    told = []
    if seen.pixel_mm is not None and not _within(pixels, seen.pixel_mm, _TOLERANCE):
        told.append(f"pixels of {_range(seen.pixel_mm)} mm, and these are {pixels[1]:.3g} x {pixels[0]:.3g} mm")
    if seen.matrix is not None and not _within(counts, seen.matrix, _MATRIX_TOLERANCE):
        told.append(f"slices of {_range(seen.matrix)} pixels an edge, and these have {counts[1]} x {counts[0]}")
    thickness = geometry.voxel_size_mm[axis]
    if seen.slice_mm is not None and not _within([thickness], seen.slice_mm, _SLICE_TOLERANCE):
        told.append(f"slices {_range(seen.slice_mm)} mm apart, and these are {thickness:.3g} mm apart")
    return tuple(told)


def unlike_look(seen: Seen, modality: str, look: ImageLook) -> tuple[str, ...]:
    """Say in what an image differs from those that were seen, as parts of a sentence about what the method saw."""
    return tuple(_unlike(seen, modality, look))


def _unlike(seen: Seen, modality: str, look: ImageLook) -> Iterator[str]:
    if look.kind is ImageKind.HOUNSFIELD:
        yield "MR images, and values far below 0 as these are Hounsfield units of CT"
    if look.kind is ImageKind.NOISE:
        yield "images, and neighbouring pixels of this one have nothing in common: it may be noise"
    if look.kind is ImageKind.EMPTY:
        yield "images, and this one has the same value everywhere"
    if look.is_cut_out is False and not seen.whole_heads:
        yield (
            "brains without skull, and this looks like a whole head: what it gives outside the brain is not to be "
            "trusted (brain-mask finds the brain)"
        )
    expected = _FLUID_BRIGHT.get(modality)
    if expected is not None and look.fluid_is_bright is not None and look.fluid_is_bright is not expected:
        how = "brighter than tissue, as in T2" if look.fluid_is_bright else "dark"
        yield f"{modality}, and fluid is {how} in this image: it may be of another contrast"


def _within(values: list[float] | list[int], seen: Range, tolerance: float) -> bool:
    return all(seen[0] / tolerance <= value <= seen[1] * tolerance for value in values)


def _range(seen: Range) -> str:
    return f"{seen[0]:g}" if seen[0] == seen[1] else f"{seen[0]:g} to {seen[1]:g}"
