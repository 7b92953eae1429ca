"""Curves over time: what a region or a point of a dynamic study does, measured in the images. No Qt."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.dynamic import ENHANCED_PHASES, PHASES, measured_enhancement, signal_curve
from mrviewer.method import Card
from mrviewer.progress import Progress
from mrviewer.reconstruct import Reconstruction
from mrviewer_napari.scan import Scan

__all__ = ["MeasuredCurves", "SignalCurve", "has_time", "measure_curves", "predicted_curve", "read_signal"]


@dataclass(frozen=True, eq=False)
class MeasuredCurves:
    """Relative enhancement in the order of `ENHANCED_PHASES`; `None` where there is no such region.

    Parameters
    ----------
    in_mask
        In what a method segmented.
    in_labels
        In the reference labels.
    """

    in_mask: tuple[float, ...] | None = None
    in_labels: tuple[float, ...] | None = None


def measure_curves(scan: Scan, made: Reconstruction) -> MeasuredCurves:
    """Measure the enhancement that a method should have predicted; nothing for a method that predicts none."""
    if made.regression is None and made.classes is None:
        return MeasuredCurves()
    return MeasuredCurves(_measured(scan, made.lesions), _measured(scan, scan.labels))


def _measured(scan: Scan, mask: NDArray[np.generic] | None) -> tuple[float, ...] | None:
    values = None if mask is None else measured_enhancement(scan.study, mask)
    return None if values is None else tuple(map(float, values))


def predicted_curve(card: Card, made: Reconstruction) -> tuple[float, ...] | None:
    """Predicted enhancement in the order of `ENHANCED_PHASES`; `None` for a method that regresses something else."""
    if made.regression is None or not set(ENHANCED_PHASES) <= set(card.regresses):
        return None
    values = dict(zip(card.regresses, map(float, made.regression), strict=True))
    return tuple(values[phase] for phase in ENHANCED_PHASES)


@dataclass(frozen=True, eq=False)
class SignalCurve:
    """Signal of one voxel over time.

    Parameters
    ----------
    voxel : (z, y, x)
        Where.
    values : float32, (time,)
        In the units of the images.
    names
        Of the times, if they have names.
    """

    voxel: tuple[int, int, int]
    values: NDArray[np.float32]
    names: tuple[str, ...] = ()


def has_time(scan: Scan) -> bool:
    """Whether a point of the study has a curve: it is a series, or has all four phases."""
    return scan.series is not None or all(name in scan.study.images for name in PHASES)


def read_signal(scan: Scan, voxel: tuple[int, int, int]) -> Generator[Progress, None, SignalCurve]:
    """Read the signal of a voxel at every time."""
    yield Progress(0, 1, "reading the signal over time")
    if scan.series is not None:
        return SignalCurve(voxel, signal_curve(scan.series.image, voxel))
    phases = [scan.study.images[name] for name in PHASES]
    return SignalCurve(voxel, np.concatenate([signal_curve(phase, voxel) for phase in phases]), PHASES)
