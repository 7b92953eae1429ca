"""One modality of a study, ready to be sampled and shown: raw data, reference and labels on one grid. No Qt."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mrviewer.acquisition import raw_data, reference_slice, volume_from_slices
from mrviewer.geometry import Geometry
from mrviewer.progress import Progress
from mrviewer.study import Origin, RawData, Study

Scalar = TypeVar("Scalar", bound=np.generic)

__all__ = ["Scan", "load_scan", "with_labels"]


@dataclass(frozen=True, eq=False)
class Scan:
    """What the viewer holds of the chosen modality.

    Parameters
    ----------
    study, modality
        Where it comes from.
    raw
        Its k-space.
    geometry
        Grid of all volumes.
    reference : float32, (z, y, x)
        Fully sampled magnitude; `None` if the scan was acquired undersampled.
    labels : bool, (z, y, x)
        Reference lesions; `None` if nobody drew any.
    data_range
        Brightest reference value, the unit of all error scales; 1 without a reference.
    """

    study: Study
    modality: str
    raw: RawData
    geometry: Geometry
    reference: NDArray[np.float32] | None
    labels: NDArray[np.bool_] | None
    data_range: float

    @property
    def slice_axis(self) -> int:
        """Axis along which slices are counted."""
        return self.raw.slice_axis

    @property
    def n_slices(self) -> int:
        """Number of slices."""
        return self.raw.shape[0]

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Sizes ``(y, x)`` of one slice."""
        return self.raw.shape[2], self.raw.shape[3]

    def plane(self, volume: NDArray[Scalar], index: int) -> NDArray[Scalar]:
        """View of one slice ``(y, x)`` of a volume."""
        view: NDArray[Scalar] = np.moveaxis(volume, self.slice_axis, 0)[index]
        return view


def load_scan(study: Study, modality: str | None = None) -> Generator[Progress, None, Scan]:
    """Read what the viewer needs of one modality; `None` chooses as `Study.choose_modality` does."""
    chosen = study.choose_modality(modality)
    raw = raw_data(study, chosen)
    yield Progress(0, raw.shape[0], f"reading {chosen}")
    reference = yield from _reference(study, raw)
    return Scan(
        study=study,
        modality=chosen,
        raw=raw,
        geometry=_geometry(study, raw),
        reference=reference,
        labels=_labels(study),
        data_range=1.0 if reference is None else float(reference.max(initial=0.0)) or 1.0,
    )


def with_labels(scan: Scan, study: Study) -> Scan:
    """Return the same scan with the labels of `study`, which differs from its own in nothing else."""
    return Scan(study, scan.modality, scan.raw, scan.geometry, scan.reference, _labels(study), scan.data_range)


def _labels(study: Study) -> NDArray[np.bool_] | None:
    if study.labels is None:
        return None
    positive: NDArray[np.bool_] = np.greater(study.labels.volume(), 0)
    return positive


def _geometry(study: Study, raw: RawData) -> Geometry:
    if raw.modality in study.images:
        return study.images[raw.modality].geometry
    n_slices, _, height, width = raw.shape
    sizes = [height, width]
    sizes.insert(raw.slice_axis, n_slices)
    return Geometry.axial((sizes[0], sizes[1], sizes[2]), (1.0, 1.0, 1.0))


def _reference(study: Study, raw: RawData) -> Generator[Progress, None, NDArray[np.float32] | None]:
    if raw.acquired is not None:
        return None
    if raw.origin is not Origin.SCANNER and raw.modality in study.images:
        # A simulation's image is its reference; transforming there and back would give it again.
        image = np.asarray(study.images[raw.modality].volume(), np.float32)
        return np.abs(np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0))
    n_slices = raw.shape[0]
    planes = []
    for index in range(n_slices):
        plane = reference_slice(raw, index)
        if plane is None:
            return None
        planes.append(plane)
        yield Progress(index + 1, n_slices, f"reference slice {index + 1} of {n_slices}")
    return np.ascontiguousarray(volume_from_slices(np.stack(planes), raw.slice_axis))
