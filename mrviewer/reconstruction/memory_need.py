"""How much memory a method will take on a study, estimated from sizes alone."""

from typing import Protocol, runtime_checkable

import numpy as np

from mrviewer.method import Method, Task
from mrviewer.study import Image, RawData, Study

__all__ = ["memory_need"]

_PER_SAMPLE = 48
"""Bytes for each sample of the slices that are worked on at once: k-space, sensitivities, and those of transforms."""
_PER_PIXEL_OF_NETWORK = 1500
"""Bytes for each pixel of a slice in a network on the processor; measured on the shipped ones."""
_PER_VOXEL_OF_OBJECT = 4
"""Bytes for each voxel while the object is found in a reference."""
_PER_VOXEL_OF_LESIONS = 16
"""Bytes for each voxel while lesions are labelled and held against each other."""


@runtime_checkable
class _ReadLater(Protocol):
    """An array that knows whether it is in memory."""

    @property
    def is_read(self) -> bool: ...


def memory_need(study: Study, method: Method, raw: RawData, at_once: int, *, keep_reference: bool, on_cpu: bool) -> int:
    """Bytes that `reconstruct`, and the figures after it, take besides what is in memory already.

    Parameters
    ----------
    study, method, raw
        What runs on what.
    at_once
        Slices that are worked on together.
    keep_reference
        Whether the fully sampled volume is held.
    on_cpu
        Whether a network shares this memory.
    """
    card = method.card
    n_slices, n_coils, height, width = raw.shape
    pixels, voxels = height * width, n_slices * height * width
    names = {raw.modality, *card.needs.companions} & set(study.images)
    need = sum(_unread(study.images[name]) for name in names)
    need += at_once * pixels * (n_coils * _PER_SAMPLE * card.needs.kspace + 4 * len(names))
    need += 4 * voxels * (Task.RECONSTRUCT in card.tasks)
    need += _PER_VOXEL_OF_OBJECT * voxels * (Task.RECONSTRUCT in card.tasks and raw.acquired is None)
    need += 4 * voxels * (keep_reference and raw.acquired is None and Task.RECONSTRUCT in card.tasks)
    if Task.SEGMENT in card.tasks:
        need += voxels * (1 + 4 * (len(card.classes) + 1))
        need += voxels * _PER_VOXEL_OF_LESIONS * (study.labels is not None)
    if card.weights is not None and on_cpu:
        need += pixels * _PER_PIXEL_OF_NETWORK
    return need


def _unread(image: Image) -> int:
    """Bytes of an image that is not in memory yet."""
    data = image.data
    if isinstance(data, np.ndarray) or (isinstance(data, _ReadLater) and data.is_read):
        return 0
    return int(np.prod(data.shape)) * data.dtype.itemsize
