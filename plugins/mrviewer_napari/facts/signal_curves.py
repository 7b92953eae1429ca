"""Curves over time: what a region or a point of a dynamic study does, measured in the images. No Qt."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.images.dynamic import ENHANCED_PHASES, PHASES, measured_enhancement, signal_curve
from mrviewer.progress import Progress
from mrviewer.reconstruction.reconstruct import Reconstruction
from mrviewer_napari.facts.scan import Scan

__all__ = ["SignalCurve", "enhancement_of_labels", "has_time", "predicted_curve", "read_signal"]


def enhancement_of_labels(scan: Scan, made: Reconstruction) -> tuple[float, ...] | None:
    """Measure in the reference labels what a method predicts; `None` for a method that predicts no enhancement."""
    if scan.labels is None or not set(ENHANCED_PHASES) <= set(made.regression_names):
        return None
    values = measured_enhancement(scan.study, scan.labels)
    return None if values is None else tuple(map(float, values))


def predicted_curve(made: Reconstruction) -> tuple[float, ...] | None:
    """Predicted enhancement in the order of `ENHANCED_PHASES`; `None` for a method that regresses something else."""
    if made.regression is None or not set(ENHANCED_PHASES) <= set(made.regression_names):
        return None
    values = dict(zip(made.regression_names, map(float, made.regression), strict=True))
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
