"""What the axes of an array seem to be: proposed by its sizes, tried on its values, with the doubt that is left."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError, InputError
from mrviewer.physics import fft2c
from mrviewer.raw.arrays.array_kspace import StoredArray
from mrviewer.raw.arrays.array_layout import ArrayLayout, Domain, can_be_image
from mrviewer.raw.arrays.axis_evidence import axes_of_kspace, likeness, planes_differ_in_sampling, spread
from mrviewer.raw.arrays.axis_roles import COUNTED, AxisEvidence, assign_roles
from mrviewer.raw.arrays.axis_sizes import axes_by_size, has_clear_picture

__all__ = ["Guess", "guess_layout"]

BLOCK_EDGE = 128
LARGEST_BLOCK = 1 << 23
"""Values around the middle of an array that are looked at."""
MOST_ENTRIES = 24
"""Along an axis, that are compared."""

Complex = NDArray[np.complexfloating]


@dataclass(frozen=True)
class Guess:
    """What the axes of an array seem to be.

    Parameters
    ----------
    layout
        The proposal.
    doubt
        Why it may be wrong, as a clause; empty where the values bear it out.
    others
        What else it may be, the likeliest first.
    """

    layout: ArrayLayout
    doubt: str = ""
    others: tuple[ArrayLayout, ...] = ()


def guess_layout(stored: StoredArray, expected: Sequence[str] = ()) -> Guess:
    """Propose what the axes of an array mean.

    Parameters
    ----------
    stored
        Two to five axes; some of its middle is read.
    expected
        Axes that the format of the file gives to its arrays; they stand unless the values clearly say otherwise.

    Raises
    ------
    InputError
        If it cannot be an image.
    FileFormatError
        If its values are real and have to be complex.
    """
    shape = tuple(stored.shape)
    if not can_be_image(shape):
        raise InputError(f"an array of {shape} can be no image; give two to five axes")
    axes = tuple(expected) or axes_by_size(shape, is_complex=stored.dtype.kind == "c")
    if stored.dtype.kind != "c":
        return _of_real_values(stored, axes)
    block = _middle(stored)
    if not block.any():
        _require_numbers(stored)
        doubt = "" if expected or len(shape) < 3 else "all values around its middle are zero"
        return Guess(ArrayLayout(axes), doubt)
    central = axes_of_kspace(block)
    if len(central) in (2, 3):
        picture = _picture(central, axes)
        return _with_counted(stored, picture, ArrayLayout(axes), expected)
    layout, is_clear = _by_plane(stored, axes)
    own = _for_image(tuple(expected)) if layout.domain is Domain.IMAGE else expected
    found = _with_counted(stored, _picture(_flat(layout.axes), layout.axes), layout, own)
    if central:
        return replace(found, doubt=_half_transformed(central, found.layout))
    if layout.domain is Domain.IMAGE and not expected and not has_clear_picture(shape):
        return replace(found, doubt="more than two of its axes are long enough for those of the picture")
    if is_clear or found.doubt:
        return found
    other = replace(found.layout, domain=Domain.IMAGE if layout.domain is Domain.KSPACE else Domain.KSPACE)
    return replace(found, doubt="its values do not tell whether it is k-space or an image", others=(other,))


def _of_real_values(stored: StoredArray, axes: tuple[str, ...]) -> Guess:
    """An image, unless real and imaginary part lie along an axis of their own."""
    shape = stored.shape
    for axis in {0, len(shape) - 1}:
        if shape[axis] == 2 and stored.dtype.kind == "f" and len(shape) > 2:
            parts = np.moveaxis(_middle(stored), axis, 0)
            if len(axes_of_kspace(parts[0] + 1j * parts[1])) >= 2:
                raise FileFormatError(
                    f"{stored.file_name} seems to hold real and imaginary part of k-space along axis {axis + 1}, and "
                    "complex values were expected; save them as one complex array"
                )
    return Guess(ArrayLayout(_for_image(axes), Domain.IMAGE))


def _middle(stored: StoredArray) -> Complex:
    """Values around the middle of every axis."""
    return _finite(stored.part(_middle_of(stored.shape)))


def _middle_of(shape: tuple[int, ...]) -> tuple[slice, ...]:
    edges = [min(size, BLOCK_EDGE) for size in shape]
    while math.prod(edges) > LARGEST_BLOCK:
        edges[edges.index(max(edges))] //= 2
    starts = [size // 2 - edge // 2 for size, edge in zip(shape, edges, strict=True)]
    return tuple(slice(start, start + edge) for start, edge in zip(starts, edges, strict=True))


def _require_numbers(stored: StoredArray) -> None:
    """Refuse values around the middle of which none is a number; zeros may lie between the lines of a scan."""
    if not np.isfinite(stored.part(_middle_of(stored.shape))).any():
        raise FileFormatError(
            f"{stored.file_name} holds no number around its middle: all values are NaN or infinite; export it again"
        )


def _flat(axes: Sequence[str]) -> tuple[int, ...]:
    return tuple(axis for axis, name in enumerate(axes) if name in ("y", "x"))


def _picture(found: Sequence[int], proposed: Sequence[str]) -> dict[int, str]:
    """Names of the axes of the picture: as proposed if that names the same axes, else in their order."""
    names = {axis: proposed[axis] for axis in found}
    if set(names.values()) in ({"y", "x"}, {"z", "y", "x"}):
        return names
    return dict(zip(found, "zyx"[-len(found) :], strict=True))


def _by_plane(stored: StoredArray, axes: tuple[str, ...]) -> tuple[ArrayLayout, bool]:
    """K-space or image by one plane of the picture, where DC lies, and whether that is clear."""
    index = tuple(
        slice(None) if name in ("y", "x") else slice(size // 2, size // 2 + 1)
        for name, size in zip(axes, stored.shape, strict=True)
    )
    plane = _finite(np.squeeze(stored.part(index), tuple(n for n, name in enumerate(axes) if name not in ("y", "x"))))
    power = np.abs(plane) ** 2
    # K-space is its own transform's opposite: the more concentrated of the two is k-space, wherever its DC lies.
    as_stored, transformed = spread(power), spread(np.abs(fft2c(plane)) ** 2)
    is_clear = not 0.5 < as_stored / transformed < 2
    if as_stored > transformed:
        return ArrayLayout(_for_image(axes), Domain.IMAGE), is_clear
    middle = tuple(slice(size // 4, size // 4 + size // 2) for size in power.shape)
    return ArrayLayout(axes, Domain.KSPACE, corner=bool(power[middle].sum() < 0.5 * power.sum())), is_clear


def _for_image(axes: tuple[str, ...]) -> tuple[str, ...]:
    """The same axes for an image: its third axis counts slices."""
    return tuple("slice" if axis == "z" else axis for axis in axes)


def _half_transformed(central: Sequence[int], layout: ArrayLayout) -> str:
    if len(central) > 1:
        return "it looks like k-space along more than three axes"
    other = next((axis for axis in _flat(layout.axes) if axis not in central), central[0])
    return (
        f"it is k-space along axis {central[0] + 1} and not along axis {other + 1}, as if it were transformed along "
        "one of them, or radial, which has to be gridded first"
    )


def _with_counted(
    stored: StoredArray, picture: Mapping[int, str], layout: ArrayLayout, expected: Sequence[str]
) -> Guess:
    """Name the axes beside those of the picture by what is counted along them."""
    allowed = tuple(name for name in COUNTED if name != "slice" or "z" not in picture.values())
    counted = [axis for axis, size in enumerate(stored.shape) if axis not in picture and size > 1]
    evidence = {axis: _evidence(stored, axis, picture, layout) for axis in counted}
    wanted = dict(enumerate(expected))
    roles = assign_roles(evidence, allowed, wanted)
    n_short = len(stored.shape) - len(picture) - len(counted)
    if roles is None or n_short > len(allowed) - len(counted):
        return Guess(layout, "it has more axes than a scan of slices, coils and times")

    def named(names: Mapping[int, str]) -> ArrayLayout:
        spare = [name for name in allowed if name not in names.values()]
        short = {}
        for axis in range(len(stored.shape)):
            if axis not in picture and axis not in names:
                short[axis] = wanted[axis] if wanted.get(axis) in spare else spare[0]
                spare.remove(short[axis])
        told = {**picture, **names, **short}
        return replace(layout, axes=tuple(told[axis] for axis in range(len(stored.shape))))

    found = [named(names) for names in (roles.names, *roles.others)]
    if len(found) == 1:
        return Guess(found[0])
    # Where nothing is clear the usual order is proposed.
    found.sort(key=lambda candidate: candidate.axes != layout.axes)
    sizes = " and ".join(f"axis {axis + 1} ({stored.shape[axis]} long)" for axis in counted)
    return Guess(found[0], f"its values do not tell whether {sizes} counts coils, slices or times", tuple(found[1:]))


def _evidence(stored: StoredArray, axis: int, picture: Mapping[int, str], layout: ArrayLayout) -> AxisEvidence:
    """Compare the pictures along an axis, in the middle of all others."""
    flat = [place for place, name in sorted(picture.items()) if name != "z"]
    index = [slice(size // 2, size // 2 + 1) for size in stored.shape]
    index[axis] = slice(0, None, -(-stored.shape[axis] // MOST_ENTRIES))
    for place in flat:
        index[place] = slice(None)
    part = np.moveaxis(stored.part(tuple(index)), (axis, *flat), (0, -2, -1))
    planes = _finite(part.reshape(part.shape[0], *part.shape[-2:]))
    is_kspace = layout.domain is Domain.KSPACE
    differs = is_kspace and planes_differ_in_sampling(planes)
    if layout.corner:
        planes = np.fft.fftshift(planes, axes=(1, 2))
    found = likeness(planes, is_kspace=is_kspace)
    return AxisEvidence() if found is None else AxisEvidence(found.coil_score, 1 - found.whole, differs)


def _finite(values: NDArray[np.generic]) -> Complex:
    """Values below 1, whose squares can be added; damaged files hold any number."""
    with np.errstate(over="ignore", invalid="ignore"):
        kind = np.complex64 if values.dtype.kind == "c" else np.float32
        finite = np.nan_to_num(values.astype(kind), posinf=0, neginf=0)
    largest = max(float(np.abs(finite.real).max(initial=0)), float(np.abs(finite.imag).max(initial=0)))
    # Real values are compared like complex ones.
    return finite / np.float32(largest) / 2 if largest > 0 else finite  # type: ignore[return-value]
