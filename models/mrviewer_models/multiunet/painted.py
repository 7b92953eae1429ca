"""Lesions of other patients painted into a real one, in all modalities at once."""

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer_models.multiunet.shape import MultiUNetShape
from mrviewer_models.multiunet.volumes import Channels

__all__ = ["paint_lesions"]

_CHANGE = MappingProxyType({"FLAIR": 1.0, "T2": 0.8, "T1": -0.35, "T1Gd": -0.35})
"""How the signal of a lesion of multiple sclerosis changes by modality, where FLAIR gains 1; ours."""
_GAINS = (0.15, 0.5)


def paint_lesions(
    channels: Channels, fraction: NDArray[np.float32], shape: MultiUNetShape, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Brighten or darken lesions in place, each by a gain of its own; return where they are.

    Nothing is painted outside the brain, nor in a modality of which it is not known how a lesion looks.

    Parameters
    ----------
    channels
        Of the patient; changed.
    fraction : float32, (z, y, x)
        Part of each voxel that belongs to a lesion.
    shape
        Which modality is in which channel.
    rng
        Draws the gains.
    """
    signal = channels.volume - channels.air[:, None, None, None]
    brain = (signal[channels.present] > 1).all(axis=0)
    part = fraction * brain
    components, count = ndimage.label(part > 0)
    gain = np.concatenate([[0.0], rng.uniform(*_GAINS, count)]).astype(np.float32)[components]
    for channel, name in enumerate(shape.channels):
        if channels.present[channel] and name in _CHANGE:
            channels.volume[channel] += _CHANGE[name] * gain * part * signal[channel]
    return np.asarray(part > 0.5)
