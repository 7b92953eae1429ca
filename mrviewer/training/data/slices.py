"""Training slices: studies turned once into stacks of slices on disk, which are read one by one."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from mrviewer.database import SIMULATED_MS, Subject
from mrviewer.errors import InputError
from mrviewer.progress import Progress
from mrviewer.training.data.prepared_subjects import keep_prepared, prepare_each
from mrviewer.training.data.slice_stacks import SliceStack, real_stack, simulated_stack

__all__ = ["LARGEST", "SliceFiles", "SliceOptions", "SlicePool", "prepare_slices"]

LARGEST = 384
"""Rows and columns that slices have at most, where no size is asked for."""

_MULTIPLE = 16
_VERSION = 6

Flags = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)


class SlicePool(Protocol):
    """Slices of many subjects, of one size."""

    def __len__(self) -> int:
        """Number of slices."""
        ...

    @property
    def labelled(self) -> Flags:
        """Whether lesions are known, by slice."""
        ...

    @property
    def tissues_known(self) -> Flags:
        """Whether tissues are known, by slice."""
        ...

    @property
    def real(self) -> Flags:
        """Whether the subject is real, by slice."""
        ...

    @property
    def has_lesion(self) -> Flags:
        """Whether at least four pixels are lesion, by slice."""
        ...

    def read(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """Image ``(y, x)`` of one slice, and its codes: lesion plus twice the tissue."""
        ...


@dataclass(frozen=True)
class SliceOptions:
    """How slices are made.

    Parameters
    ----------
    modality, coarsen, size
        See `TrainingOptions.modality`, `coarsen` and `slice_size`.
    """

    modality: str = ""
    coarsen: int = 1
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class SliceFiles:
    """Slices on disk, a file for each subject. In memory are a few numbers a slice.

    Parameters
    ----------
    files
        One a subject.
    size : (y, x)
        That slices are cropped or padded to.
    file, place : int32, (slice,)
        Number of the file, and of the slice in it.
    labelled, tissues_known, real, has_lesion : bool, (slice,)
        See `SlicePool`.
    """

    files: tuple[Path, ...]
    size: tuple[int, int]
    file: NDArray[np.int32]
    place: NDArray[np.int32]
    labelled: Flags
    tissues_known: Flags
    real: Flags
    has_lesion: Flags

    @classmethod
    def opened(cls, files: Sequence[Path], size: tuple[int, int]) -> Self:
        """Look up what slices some files hold; a size of 0 is that of the files, see `prepare_slices`."""
        flags: dict[str, list[Flags]] = {name: [] for name in _FLAGS}
        counts, shapes, simulated = [], [], []
        for path in files:
            with safe_open(path, framework="numpy") as file:
                for name in _FLAGS:
                    flags[name].append(file.get_tensor(name))
                count, *shape = file.get_slice("images").get_shape()
            counts.append(count)
            shapes.append((int(shape[0]), int(shape[1])))
            simulated.append(not flags["real"][-1].any())
        joined = {name: np.concatenate(parts) for name, parts in flags.items()}
        owner = np.repeat(np.arange(len(files), dtype=np.int32), counts)
        place = np.concatenate([np.arange(count, dtype=np.int32) for count in counts])
        return cls(tuple(files), _common_size(shapes, simulated, size), owner, place, **joined)

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.place)

    def read(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """See `SlicePool.read`."""
        place = slice(int(self.place[number]), int(self.place[number]) + 1)
        # Opened anew each time: pages of a file that stays open count as memory of this process.
        with safe_open(self.files[self.file[number]], framework="numpy") as file:
            image, codes = file.get_slice("images")[place][0], file.get_slice("codes")[place][0]
        return _fit(image, self.size), _fit(codes, self.size)


_FLAGS = ("labelled", "tissues_known", "real", "has_lesion")


def prepare_slices(
    subjects: Sequence[Subject], masks_folder: Path | None, options: SliceOptions | None = None
) -> Generator[Progress, None, SlicePool]:
    """Turn subjects into slices, one after the other; each is kept on disk and not made twice.

    Slices keep their subject's own size on disk. When they are read they are cropped or padded to one size: the one
    that is asked for; else that of simulated patients, if there are any; else the largest of the database, rounded up
    to 16 and at most `LARGEST`.

    Parameters
    ----------
    subjects
        Real or simulated.
    masks_folder
        Lesion masks in MNI space (``*.nii.gz``): every other simulated patient gets one of them, and real subjects with
        labels are repeated with lesions of others added.
    options
        How slices are made; `None` for all defaults.

    Raises
    ------
    InputError
        If no subject has anything to train on.
    """
    wanted = options or SliceOptions()
    masks = sorted(masks_folder.glob("*.nii*")) if masks_folder is not None else []
    if not subjects:
        raise InputError("there is no subject to train on; add some")
    files = yield from prepare_each(subjects, lambda subject: _kept(subject, masks, wanted))
    return SliceFiles.opened(files, wanted.size)


def _kept(subject: Subject, masks: Sequence[Path], options: SliceOptions) -> Path:
    """File of one subject."""
    is_simulated = subject.seed is not None and subject.database == SIMULATED_MS
    kind = [_VERSION, [path.name for path in masks], "" if is_simulated else options.modality, options.coarsen]
    make = partial(_stack, subject, masks, options)
    return keep_prepared(subject, kind, lambda: make().coarser(options.coarsen).tensors())


def _stack(subject: Subject, masks: Sequence[Path], options: SliceOptions) -> SliceStack:
    if subject.seed is not None and subject.database == SIMULATED_MS:
        return simulated_stack(subject.seed, masks)
    return real_stack(subject.load(), masks, options.modality)


def _common_size(
    shapes: Sequence[tuple[int, int]], simulated: Sequence[bool], wanted: tuple[int, int]
) -> tuple[int, int]:
    if all(wanted):
        return wanted
    of_phantoms = [shape for shape, is_simulated in zip(shapes, simulated, strict=True) if is_simulated]
    rows, columns = (max(sizes) for sizes in zip(*(of_phantoms or shapes), strict=True))
    if of_phantoms:
        return rows, columns
    return min(-(-rows // _MULTIPLE) * _MULTIPLE, LARGEST), min(-(-columns // _MULTIPLE) * _MULTIPLE, LARGEST)


def _fit(plane: NDArray[Scalar], size: tuple[int, int]) -> NDArray[Scalar]:
    """Crop or pad around the centre; mirrored at the border, because not every image ends in air."""
    for axis, edge in enumerate(size):
        extra = plane.shape[axis] - edge
        if extra > 0:
            plane = plane.take(np.arange(extra // 2, extra // 2 + edge), axis)
        elif extra < 0:
            widths = [(0, 0), (0, 0)]
            widths[axis] = (-extra // 2, -extra - (-extra // 2))
            plane = np.pad(plane, widths, mode="symmetric")
    return plane
