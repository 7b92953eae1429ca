"""A scan of many coils as one of fewer virtual coils, which take less time and memory and hold nearly all signal."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils.compression import compress, compression_matrix
from mrviewer.errors import InputError
from mrviewer.images.redescribed import RedescribedRawData
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.cartesian import CartesianRawData, KspaceSource
from mrviewer.raw.magnitude import MagnitudeVolume
from mrviewer.raw.slice_cache import SliceCache
from mrviewer.study import Image, RawData, Study

__all__ = ["with_virtual_coils"]

_MOST_SLICES = 5
"""So many slices, evenly spread, decide which directions are kept, the same ones in every slice."""


@dataclass(frozen=True, eq=False)
class VirtualCoils:
    """K-space of another source, its coils mixed into virtual ones; see `mrviewer.raw.KspaceSource`."""

    source: KspaceSource
    matrix: NDArray[np.complex64]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, virtual coil, y, x)``."""
        n_slices, _, height, width = self.source.shape
        return n_slices, len(self.matrix), height, width

    def read(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(virtual coil, y, x)`` of one slice."""
        return _mixed(self.source.read(index), self.matrix)

    def calibration(self, index: int) -> NDArray[np.complex64] | None:
        """Calibration scan of one slice in virtual coils."""
        measured = self.source.calibration(index)
        return None if measured is None else _mixed(measured, self.matrix)


def with_virtual_coils(study: Study, n_virtual: int) -> Study:
    """Compress the coils of every scan of a study that has more.

    Sensitivities, and the image of a fully sampled scan, are those of the virtual coils. A note says how much of the
    signal they hold. Scans with fewer coils stay as they are.

    Raises
    ------
    InputError
        If no scan of the study comes from a scanner with several coils, or fewer than one coil is asked for.
    """
    found = {name: _scan_of(raw) for name, raw in study.raw.items()}
    scans = {name: scan for name, scan in found.items() if scan is not None and scan.shape[1] > 1}
    if not scans or n_virtual < 1:
        lacking = "is no number of coils" if scans else "virtual coils need measured k-space of several coils"
        raise InputError(f"{n_virtual} {lacking}; leave the coils as they are, or open a raw scan and give 1 or more")
    raw: dict[str, RawData] = dict(study.raw)
    images, notes = dict(study.images), list(study.notes)
    for name, scan in scans.items():
        if scan.shape[1] <= n_virtual:
            continue
        matrix, share = _directions(scan, n_virtual)
        compressed = replace(scan, source=VirtualCoils(scan.source, matrix), _maps=SliceCache(), _finite_slices=set())
        raw[name] = compressed
        if name in images and isinstance(images[name].data, MagnitudeVolume):
            images[name] = Image(MagnitudeVolume(compressed), images[name].geometry, name, images[name].path)
        sizes = f"from {scan.shape[1]} to {n_virtual}"
        said = f"{name}: coils were compressed {sizes}, with {share:.1%} of the signal"
        notes.append(Note(said, NoteKind.RAW_DATA))
    return replace(study, raw=raw, images=images, notes=tuple(notes))


def _scan_of(raw: RawData) -> CartesianRawData | None:
    """The scan itself, under what is said of it; `None` for raw data of another kind."""
    if isinstance(raw, RedescribedRawData):
        scan = _scan_of(raw.original)
        return None if scan is None else replace(scan, modality=raw.modality, geometry=raw.geometry)
    return raw if isinstance(raw, CartesianRawData) else None


def _directions(scan: CartesianRawData, n_virtual: int) -> tuple[NDArray[np.complex64], float]:
    """Matrix of the compression, and the part of the signal's energy that it keeps."""
    samples = np.concatenate(list(_samples(scan)), axis=1)
    matrix = compression_matrix(samples, n_virtual)
    energy = float(np.vdot(samples, samples).real)
    kept = matrix @ samples
    return matrix, float(np.vdot(kept, kept).real) / energy if energy > 0 else 1.0


def _samples(scan: CartesianRawData) -> Iterator[NDArray[np.complex64]]:
    n_slices, n_coils = scan.shape[:2]
    for index in np.unique(np.linspace(0, n_slices - 1, _MOST_SLICES).round().astype(int)):
        kspace = scan.kspace(int(index)).reshape(n_coils, -1)
        yield kspace[:, np.any(kspace, axis=0)]


def _mixed(kspace: NDArray[np.complex64], matrix: NDArray[np.complex64]) -> NDArray[np.complex64]:
    return compress(kspace, matrix).astype(np.complex64, copy=False)
