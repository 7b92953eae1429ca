"""Multi-Unet over a whole study, with whatever modalities it has."""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrviewer.method import Measurement, Result
from mrviewer.progress import Progress
from mrviewer_models.blocks.inference import fast_inference, network_of_weights
from mrviewer_models.multiunet.grid import CubicGrid
from mrviewer_models.multiunet.network import MultiUNet
from mrviewer_models.multiunet.shape import MultiUNetShape
from mrviewer_models.multiunet.volumes import Channels, brain_box, channels_of
from mrviewer_models.multiunet.windows import sliding_windows

__all__ = ["infer_volume", "load"]


def load(path: Path) -> nn.Module:
    """Network of the kind, size and channels that the weights say, filled with them."""
    return network_of_weights(MultiUNet, MultiUNetShape, path)


def infer_volume(network: nn.Module, measurement: Measurement, device: str) -> Generator[Progress, None, Result]:
    """Segment the lesions of a stack of slices, looking at every image that the network has a channel for."""
    assert isinstance(network, MultiUNet)
    shape = network.shape
    axis = measurement.slice_axis
    images = {name: np.moveaxis(stack, 0, axis) for name, stack in measurement.images.items()}
    depth, height, width = images[measurement.modality].shape
    grid = CubicGrid((depth, height, width), measurement.grid_voxel_size_mm, shape.voxel_mm)
    channels = channels_of(images, grid, shape)
    probability = np.zeros(grid.shape, np.float32)
    if channels.present.any():
        cubes = yield from _probability(network, channels, device)
        head = np.any([images[name] > 0 for name in _used(shape, channels)], axis=0)
        probability = grid.to_study(cubes) * head
    stack: NDArray[np.float32] = np.ascontiguousarray(np.moveaxis(probability, axis, 0))
    return Result(
        segmentation=(stack > 0.5).astype(np.uint8),
        probabilities=stack[None],
        modalities_used=_used(shape, channels),
    )


def _probability(network: MultiUNet, channels: Channels, device: str) -> Generator[Progress, None, NDArray[np.float32]]:
    """Probability of a lesion in every cube; none outside the box of the brain."""
    present = torch.from_numpy(channels.present)[None].to(device)

    def predict(window: Tensor) -> Tensor:
        # Entered anew for each window, because between two of them the thread may do something else.
        with fast_inference(device, allow_bf16=False):
            logits: Tensor = network(window, present)
            return logits

    box = brain_box(channels)
    volume = torch.from_numpy(np.ascontiguousarray(channels.volume[(slice(None), *box)])).to(device)
    air = torch.from_numpy(channels.air).to(device)
    logits = yield from sliding_windows(predict, volume, air, network.shape.window)
    probability = np.zeros(channels.volume.shape[1:], np.float32)
    probability[box] = torch.sigmoid(logits).cpu().numpy()
    return probability


def _used(shape: MultiUNetShape, channels: Channels) -> tuple[str, ...]:
    return tuple(name for name, there in zip(shape.channels, channels.present, strict=True) if there)
