"""One modality of a study, ready to be sampled and shown: raw data, reference and labels on one grid. No Qt."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.images.renaming import renamed
from mrviewer.images.voxel_size import with_true_voxel_size
from mrviewer.reconstruction.acquisition import raw_data
from mrviewer.study import Image, RawData, Study

Scalar = TypeVar("Scalar", bound=np.generic)

__all__ = ["Scan", "Series", "labels_of", "with_labels", "with_modality", "with_true_size"]


@dataclass(frozen=True, eq=False)
class Series:
    """A study with a series of volumes.

    Parameters
    ----------
    study
        As it was opened.
    image
        The series, in memory.
    brightest
        Largest value of all its frames, so that they can share one window.
    """

    study: Study
    image: Image
    brightest: float


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
    series
        The series that the image is one frame of; `None` for a single volume.
    frame
        Which frame it is.
    """

    study: Study
    modality: str
    raw: RawData
    geometry: Geometry
    reference: NDArray[np.float32] | None
    labels: NDArray[np.bool_] | None
    data_range: float
    series: Series | None = None
    frame: int = 0

    @property
    def patient(self) -> Study:
        """The study as it was opened, with all its frames."""
        return self.study if self.series is None else self.series.study

    @property
    def n_frames(self) -> int:
        """Frames of the series; 1 for a single volume."""
        return 1 if self.series is None else self.series.image.n_frames

    @property
    def frame_names(self) -> tuple[str, ...]:
        """What tells the frames of the series apart; empty where its file does not say."""
        return () if self.series is None else self.series.image.frame_names

    @property
    def window(self) -> tuple[float, float]:
        """Gray values from black to white; those of all frames of a series, so that a rising signal looks brighter."""
        return 0.0, self.data_range if self.series is None else self.series.brightest

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

    def is_missing(self, index: int) -> bool:
        """Whether the files lack a slice."""
        image = self.study.images.get(self.modality)
        return image is not None and index in image.missing

    def plane(self, volume: NDArray[Scalar], index: int) -> NDArray[Scalar]:
        """View of one slice ``(y, x)`` of a volume."""
        view: NDArray[Scalar] = np.moveaxis(volume, self.slice_axis, 0)[index]
        return view


def with_labels(scan: Scan, labels: Image, *notes: str) -> Scan:
    """Return the same scan with other reference labels, and notes on them."""
    study = scan.study.with_labels(labels, *notes)
    series = scan.series
    if series is not None:
        series = replace(series, study=series.study.with_labels(labels, *notes))
    return replace(scan, study=study, series=series, labels=labels_of(study))


def with_modality(scan: Scan, modality: str) -> Scan:
    """Return the same scan under another modality; nothing is read again.

    Raises
    ------
    InputError
        If another image of the study has that modality.
    """
    study, series = renamed(scan.study, scan.modality, modality), scan.series
    if series is not None:
        patient = renamed(series.study, scan.modality, modality)
        series = replace(series, study=patient, image=replace(series.image, modality=modality))
    return replace(scan, study=study, modality=modality, raw=raw_data(study, modality), series=series)


def with_true_size(scan: Scan, voxel_mm: tuple[float, float, float]) -> Scan:
    """Return the same scan with another voxel size ``(z, y, x)``; nothing is read again."""
    study, series = with_true_voxel_size(scan.study, voxel_mm), scan.series
    if series is not None:
        patient = with_true_voxel_size(series.study, voxel_mm)
        series = replace(series, study=patient, image=replace(series.image, geometry=study.geometry(scan.modality)))
    raw, geometry = raw_data(study, scan.modality), study.geometry(scan.modality)
    return replace(scan, study=study, raw=raw, geometry=geometry, series=series)


def labels_of(study: Study) -> NDArray[np.bool_] | None:
    """Reference lesions ``(z, y, x)`` of a study; `None` if nobody drew any."""
    if study.labels is None:
        return None
    positive: NDArray[np.bool_] = np.greater(study.labels.volume(), 0)
    return positive
