"""The U-Net on fully sampled images, in three directions through the whole volume."""

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrviewer.method import Measurement, Result
from mrviewer.metrics.components import find_components
from mrviewer.progress import Progress
from mrviewer_models.blocks.inference import fast_inference, network_of_weights
from mrviewer_models.blocks.resampling import FineGrid
from mrviewer_models.blocks.scaling import white_matter_level
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.brain_mask import METHOD as BRAIN_MASK
from mrviewer_models.shapes import record_of_weights
from mrviewer_models.unet_full.calibration import Calibration
from mrviewer_models.unet_full.network import ImageUNet
from mrviewer_models.unet_full.planes import normals

__all__ = ["infer_volume", "lesions_in", "load", "probability_of"]

_SLICES_AT_ONCE = 4
_LEAST_EDGE = 32
"""Voxels along the shorter edge of slices that are looked at beside those of another direction."""


def load(path: Path) -> nn.Module:
    """Network of the size that the weights say, filled with them."""
    calibration = record_of_weights(path, Calibration, "calibration") or Calibration()
    return network_of_weights(lambda shape: ImageUNet(shape, calibration), UNetShape, path)


def infer_volume(network: nn.Module, measurement: Measurement, device: str) -> Generator[Progress, None, Result]:
    """Segment the fully sampled image of the measured modality; its k-space is not looked at."""
    assert isinstance(network, ImageUNet)
    stack = measurement.images[measurement.modality]
    axis = measurement.slice_axis
    inside = yield from _brain(measurement, device)
    volume = np.moveaxis(np.where(inside, stack, 0), 0, axis)
    depth, height, width = volume.shape
    grid = FineGrid((depth, height, width), measurement.grid_voxel_size_mm)
    fine = grid.to_fine(volume / white_matter_level(volume))
    found = yield from probability_of(network, fine, grid.spacing, device)
    probability = grid.to_study(found) * (volume > 0)
    lesions = lesions_in(probability, network.calibration, float(np.prod(measurement.voxel_size_mm)))
    return Result(
        segmentation=np.ascontiguousarray(np.moveaxis(lesions, axis, 0)),
        probabilities=np.ascontiguousarray(np.moveaxis(probability, axis, 0))[None],
    )


def probability_of(
    network: ImageUNet, volume: NDArray[np.float32], spacing: tuple[float, float, float], device: str
) -> Generator[Progress, None, NDArray[np.float32]]:
    """Probability of a lesion: the mean of all directions that the calibration asks for.

    Parameters
    ----------
    network
        Of single slices, or of slices with their neighbours.
    volume : float32, (z, y, x)
        White matter at 1.
    spacing : (z, y, x)
        Millimetres.
    device
        Of the network.
    """
    axes = _large_enough(volume.shape, normals(spacing) if network.calibration.planes else (int(np.argmax(spacing)),))
    total, done, n_slices = np.zeros(volume.shape, np.float32), 0, sum(volume.shape[axis] for axis in axes)
    for axis in axes:
        slices = np.moveaxis(volume, axis, 0)
        summed = np.moveaxis(total, axis, 0)
        for first in range(0, len(slices), _SLICES_AT_ONCE):
            numbers = np.arange(first, min(first + _SLICES_AT_ONCE, len(slices)))
            if slices[numbers].any():
                summed[numbers] += _of_slices(network, slices, numbers, device) / len(axes)
            done += len(numbers)
            yield Progress(done, n_slices, f"slice {done} of {n_slices}")
    return total


def lesions_in(probability: NDArray[np.float32], calibration: Calibration, voxel_mm3: float) -> NDArray[np.uint8]:
    """Lesions ``(z, y, x)`` as 1: what is probable enough, without components that are too small."""
    found = find_components(probability > calibration.threshold, calibration.smallest_mm3 / voxel_mm3)
    lesions = np.zeros(probability.shape, np.uint8)
    lesions[tuple(found.voxels)] = 1
    return lesions


def _large_enough(shape: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
    """Those axes across which slices are not narrow strips; the one of the widest slices in any case."""
    narrowest = {axis: min(size for other, size in enumerate(shape) if other != axis) for axis in range(3)}
    return tuple(axis for axis in axes if narrowest[axis] >= _LEAST_EDGE) or (
        max(narrowest, key=narrowest.__getitem__),
    )


def _brain(measurement: Measurement, device: str) -> Generator[Progress, None, NDArray[np.bool_]]:
    """Where the brain is ``(slice, y, x)``; where none can be found, whatever is not dark is looked at."""
    stack = measurement.images[measurement.modality]
    found = (yield from BRAIN_MASK.run(measurement, device)).segmentation
    return found > 0 if found is not None and found.any() else np.asarray(stack > 0)


def _of_slices(
    network: ImageUNet, slices: NDArray[np.float32], numbers: NDArray[np.intp], device: str
) -> NDArray[np.float32]:
    """Probability ``(slice, y, x)`` in some slices, straight on and in the mirror."""
    reach = network.shape.inputs // 2
    around = np.clip(numbers[:, None] + np.arange(-reach, reach + 1), 0, len(slices) - 1) if reach else numbers
    image = torch.from_numpy(np.ascontiguousarray(slices[around])).to(device)
    with fast_inference(device, allow_bf16=False):
        probability = _lesion_probability(network, image)
        if network.calibration.mirror:
            mirrored = _lesion_probability(network, image.flip(-1)).flip(-1)
            probability = (probability + mirrored) / 2
        return probability.cpu().numpy()


def _lesion_probability(network: ImageUNet, image: Tensor) -> Tensor:
    return torch.softmax(network(image).float(), dim=1)[:, 1]
