"""What sizes alone say of the axes of an array: little, and right for most files."""

__all__ = ["axes_by_size", "has_clear_picture"]

USUAL_COILS = (4, 8, 12, 15, 16, 20, 24, 28, 30, 32, 48, 64)
"""Channels of usual receivers; an axis of this many beside one of another number holds the coils."""
MOST_COILS_GUESSED = 128
CLEARLY_LONGER = 1.5


def axes_by_size(shape: tuple[int, ...], *, is_complex: bool) -> tuple[str, ...]:
    """Propose names for the axes of an array that can be an image, by its sizes alone."""
    picture = _picture(shape)
    others = [axis for axis in range(len(shape)) if axis not in picture]
    is_first = picture == (0, 1) and len(shape) > 2
    told = _guess_others(tuple(shape[axis] for axis in others), is_complex=is_complex, is_first=is_first)
    names = dict(zip(picture, ("y", "x"), strict=True)) | dict(zip(others, told, strict=True))
    return tuple(names[axis] for axis in range(len(shape)))


def has_clear_picture(shape: tuple[int, ...]) -> bool:
    """Whether two axes are so much longer than the others that they are those of the picture."""
    if len(shape) < 3:
        return True
    second, third = sorted(shape, reverse=True)[1:3]
    return second >= CLEARLY_LONGER * third


def _picture(shape: tuple[int, ...]) -> tuple[int, int]:
    """The two axes of the picture: clearly the longest, else the last ones."""
    if has_clear_picture(shape):
        first, second = sorted(sorted(range(len(shape)), key=lambda axis: shape[axis])[-2:])
        return first, second
    # Libraries of C put the image last, MATLAB puts it first.
    return (0, 1) if min(shape[:2]) > max(shape[2:]) else (len(shape) - 2, len(shape) - 1)


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
