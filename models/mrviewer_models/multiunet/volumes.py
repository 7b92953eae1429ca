"""Images of a study as the channels that the network sees."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.metrics.boxes import bounding_box, with_margin
from mrviewer_models.multiunet.grid import CubicGrid
from mrviewer_models.multiunet.shape import MultiUNetShape

__all__ = ["Channels", "brain_box", "channels_of"]

FloatArray = NDArray[np.float32]

_BRIGHTEST = 10.0
_TISSUE = 0.1


@dataclass(frozen=True, eq=False)
class Channels:
    """What a study has of the modalities that a network knows, on cubic voxels.

    Parameters
    ----------
    volume : float32, (channel, z, y, x)
        Standardised inside the brain; zeros where the modality is absent.
    present : bool, (channel,)
        Whether there is an image that is not constant.
    air : float32, (channel,)
        Value outside the head, to pad with.
    """

    volume: FloatArray
    present: NDArray[np.bool_]
    air: FloatArray


def channels_of(images: Mapping[str, NDArray[np.generic]], grid: CubicGrid, shape: MultiUNetShape) -> Channels:
    """Resample and standardise the images of one study.

    Each modality gets mean 0 and deviation 1 inside the brain. So the background becomes minus mean over deviation,
    unlike the zeros of an absent modality; with `background_zero` it is 0 too.

    Parameters
    ----------
    images : (z, y, x) each
        Magnitudes by modality, skull-stripped or nearly; values below 0 count as 0.
    grid
        From the study's voxels to the network's.
    shape
        Which modality goes into which channel.
    """
    volume = np.zeros((len(shape.channels), *grid.cubic_shape), np.float32)
    present, air = np.zeros(len(volume), bool), np.zeros(len(volume), np.float32)
    for channel, name in enumerate(shape.channels):
        if name in images:
            finite = np.nan_to_num(np.asarray(images[name], np.float32), nan=0.0, posinf=0.0, neginf=0.0)
            cubes = grid.to_cubes(np.maximum(finite, 0))
            brain = _brain(cubes)
            inside = cubes[brain]
            deviation = float(inside.std()) if inside.size else 0.0
            if deviation > 1e-6 * float(np.abs(inside).max(initial=0)):
                present[channel] = True
                air[channel] = 0 if shape.background_zero else -inside.mean() / deviation
                volume[channel] = np.minimum((cubes - inside.mean()) / deviation, _BRIGHTEST)
                if shape.background_zero:
                    volume[channel][~brain] = 0
    return Channels(volume, present, air)


def brain_box(channels: Channels, margin: int = 4) -> tuple[slice, slice, slice]:
    """Smallest box that holds the brain in every modality, with a margin; everything if there is none."""
    above = channels.volume > channels.air[:, None, None, None] + 0.3
    inside: NDArray[np.bool_] = np.asarray(above[channels.present].any(axis=0))
    box = bounding_box(inside) or bounding_box(np.ones(inside.shape, bool))
    assert box is not None
    return with_margin(box, margin, inside.shape)


def _brain(cubes: FloatArray) -> NDArray[np.bool_]:
    """Where the image is brighter than a tenth of its bright parts: images are expected without a skull."""
    bright = cubes[cubes > 0]
    level = np.percentile(bright, 98) if bright.size else 0.0
    return cubes > _TISSUE * level
