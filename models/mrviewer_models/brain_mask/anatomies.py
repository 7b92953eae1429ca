"""Whole heads as label maps: structures put into groups of like tissue, and what of them is brain."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from scipy import ndimage

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.metrics.boxes import bounding_box
from mrviewer.progress import Progress
from mrviewer.training.data.prepared_subjects import keep_prepared, prepare_each

__all__ = [
    "BONE",
    "CSF",
    "N_GROUPS",
    "SOFT",
    "TISSUE",
    "VENTRICLES",
    "Anatomy",
    "brain_of",
    "groups_of",
    "prepare_anatomies",
]

_VERSION = 1
_CLOSING_MM = 5.0
_LEAST_ML = 300.0

_STRUCTURES = (
    (2, 41),  # white matter
    (3, 42),  # cortex
    (4, 43, 5, 44, 14, 15, 72),  # ventricles
    (7, 46),  # white matter of the cerebellum
    (8, 47),  # its cortex
    (10, 49, 28, 60),  # thalamus and what lies below
    (11, 50, 12, 51, 26, 58),  # striatum
    (13, 52),  # pallidum
    (17, 53, 18, 54),  # hippocampus and amygdala
    (16,),  # brain stem
    (30, 62, 31, 63),  # vessels and choroid plexus
    (24,),  # CSF around the brain
    (502,), (506,), (507,), (508,), (509,), (511,), (512,), (514,), (515,), (516,), (530,),  # the rest of the head
)  # fmt: skip
"""FreeSurfer numbers of each group, from group 1; group 0 is air."""

N_GROUPS = len(_STRUCTURES) + 1
TISSUE = tuple(range(1, 12))
"""Groups that are brain, its ventricles and vessels included."""
VENTRICLES, CSF = 3, 12
BONE = (21, 22)
"""Groups of the skull (515, 516)."""
SOFT = tuple(group for group in range(13, N_GROUPS) if group not in BONE)
"""Groups of the head outside the brain that are not bone: one label stands for several tissues there."""
_OTHER_BRAIN, _OTHER_HEAD = 1, 15
_FIRST_OUTSIDE = 500


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One head on disk, in voxels of 1 mm.

    Parameters
    ----------
    path
        The file: ``groups`` uint8 and ``brain`` uint8 ``(z, y, x)``, the box of the head.
    name
        Of the subject.
    """

    path: Path
    name: str

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Groups and brain."""
        with safe_open(self.path, framework="numpy") as file:
            return file.get_tensor("groups"), file.get_tensor("brain")


def prepare_anatomies(subjects: Sequence[Subject]) -> Generator[Progress, None, list[Anatomy]]:
    """Turn label maps into groups, and keep them on disk."""
    return (yield from prepare_each(subjects, _prepared))


def groups_of(labels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Group of every voxel; unknown structures count as brain below 500, and as head from there on."""
    numbers = np.asarray(np.rint(labels), np.int64)
    table = np.full(max(int(numbers.max(initial=0)) + 1, _FIRST_OUTSIDE + 1), _OTHER_HEAD, np.uint8)
    table[1:_FIRST_OUTSIDE] = _OTHER_BRAIN
    table[0] = 0
    for group, members in enumerate(_STRUCTURES, 1):
        for number in members:
            if number < len(table):
                table[number] = group
    return np.asarray(table[np.maximum(numbers, 0)])


def brain_of(groups: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Brain with ventricles and the CSF of sulci that are narrower than 1 cm, without holes, at 1 mm."""
    tissue: NDArray[np.bool_] = np.isin(groups, TISSUE)
    box = bounding_box(tissue)
    if box is None:
        return tissue
    reach = int(_CLOSING_MM) + 1
    padded = np.pad(tissue[box], reach)
    grown = ndimage.distance_transform_edt(~padded) <= _CLOSING_MM
    closed = ndimage.distance_transform_edt(grown) > _CLOSING_MM
    inside = tuple(slice(reach, -reach) for _ in range(3))
    tissue[box] |= closed[inside] & (groups[box] == CSF)
    tissue[box] = ndimage.binary_fill_holes(tissue[box])
    return tissue


def _prepared(subject: Subject) -> Anatomy:
    return Anatomy(keep_prepared(subject, [_VERSION, "anatomy"], lambda: _made(subject)), subject.name)


def _made(subject: Subject) -> dict[str, NDArray[np.generic]]:
    image = next(iter(subject.load().images.values()))
    labels = image.volume()
    voxel_mm = image.geometry.voxel_size_mm
    if not np.array_equal(labels, np.rint(labels)) or not np.allclose(voxel_mm, 1, atol=0.05):
        raise InputError(
            f"{subject.name} is not a label map of whole numbers in voxels of 1 mm (its voxels are "
            f"{', '.join(f'{size:.2g}' for size in voxel_mm)} mm); give whole heads with the labels of FreeSurfer"
        )
    groups = groups_of(labels)
    if np.isin(groups, TISSUE).sum() < _LEAST_ML * 1000:
        raise InputError(f"{subject.name} has less than {_LEAST_ML:g} ml of brain; give whole heads")
    box = bounding_box(groups > 0)
    assert box is not None
    groups = np.ascontiguousarray(groups[box])
    return {"groups": groups, "brain": brain_of(groups).astype(np.uint8)}
