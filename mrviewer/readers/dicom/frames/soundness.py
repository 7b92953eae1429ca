"""Which of several copies of an image is sound, so that a damaged one never displaces a good one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.readers.dicom.frames.decoding import decode, value_type
from mrviewer.readers.dicom.frames.frame import Frame

__all__ = ["different_images", "soundest"]

Pixels = list[NDArray[np.generic]]


def soundest(copies: Sequence[Sequence[Frame]]) -> int:
    """Look at the pixels of copies of one image.

    Parameters
    ----------
    copies
        Planes of each; none where its file does not open.

    Returns
    -------
    Number of the first one that can be decoded and is not a cut version of another; 0 if none can.
    """
    found = [(number, pixels) for number, copy in enumerate(copies) if (pixels := _pixels(copy))]
    if not found:
        return 0
    best, chosen = found[0]
    for number, pixels in found[1:]:
        if _is_cut(chosen, pixels):
            best, chosen = number, pixels
    return best


def different_images(copies: Sequence[Sequence[Frame]]) -> tuple[list[int], bool]:
    """Tell copies of one image from images that are wrongly called one, by their pixels.

    Pixels that are equal and all of one value tell nothing; there kind and time must be equal too.

    Parameters
    ----------
    copies
        As in `soundest`.

    Returns
    -------
    Numbers of those that differ from each other, none if no pixels can be decoded; and whether a damaged copy is
    among the others.
    """
    kept: list[tuple[int, Pixels]] = []
    is_damaged = False
    for number, frames in enumerate(copies):
        pixels = _pixels(frames)
        if not pixels:
            is_damaged = True
            continue
        for place, (other, known) in enumerate(kept):
            if _shapes(pixels) == _shapes(known) and not _differing(pixels, known):
                if _are_one(frames, copies[other], is_blank=_is_blank(pixels)):
                    break
                continue
            if _is_cut(known, pixels):
                kept[place] = number, pixels
            elif not _is_cut(pixels, known):
                continue
            is_damaged = True
            break
        else:
            kept.append((number, pixels))
    return [number for number, _ in kept], is_damaged and bool(kept)


def _is_blank(pixels: Pixels) -> bool:
    return all(bool(np.all(plane == plane.flat[0])) for plane in pixels)


def _are_one(frames: Sequence[Frame], others: Sequence[Frame], *, is_blank: bool) -> bool:
    """Whether planes of equal pixels lie alike and, if nothing is to be seen on them, are of one kind and time."""
    if [frame.place for frame in frames] != [other.place for other in others]:
        return False
    facts = [[(frame.kind, frame.moment) for frame in planes] for planes in (frames, others)]
    return not is_blank or facts[0] == facts[1]


def _pixels(frames: Sequence[Frame]) -> Pixels:
    """Values of planes; none if they are damaged."""
    if not frames:
        return []
    try:
        return list(decode(frames, value_type(frames)))
    except FileFormatError:
        return []


def _shapes(pixels: Pixels) -> list[tuple[int, ...]]:
    return [plane.shape for plane in pixels]


def _differing(one: Pixels, other: Pixels) -> int:
    return sum(int(np.count_nonzero(a != b)) for a, b in zip(one, other, strict=True))


def _is_cut(one: Pixels, other: Pixels) -> bool:
    """Whether one image is the other with pixels that were never filled: they all hold the value of its last one."""
    if _shapes(one) != _shapes(other) or not _differing(one, other):
        return False
    last = one[-1].flat[-1]
    return all(bool(np.all(a[a != b] == last)) for a, b in zip(one, other, strict=True))
