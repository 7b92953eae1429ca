"""The brain mask of a volume: every slice of three orientations, averaged."""

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer.method import Measurement, Result
from mrviewer.metrics.boxes import bounding_box, with_margin
from mrviewer.progress import Progress
from mrviewer_models.blocks.inference import fast_inference, load_network
from mrviewer_models.brain_mask.cubes import Cubes
from mrviewer_models.brain_mask.network import BrainShape, BrainUNet
from mrviewer_models.brain_mask.regions import is_cut_out, one_piece
from mrviewer_models.brain_mask.scaling import scaled
from mrviewer_models.shapes import shape_of_weights

__all__ = ["infer_volume", "load"]

FloatArray = NDArray[np.float32]
_PIXELS_AT_ONCE = 16 * 96 * 96
_DARKEST = 0.02
_MARGIN = 2
_LEAST_EDGE = 24
"""Cubes along the shorter edge of a plane that is looked at, unless no plane has as many."""


def load(path: Path) -> nn.Module:
    """Network of the size that the weights say, filled with them."""
    return load_network(BrainUNet(shape_of_weights(path, BrainShape)), path)


def infer_volume(network: nn.Module, measurement: Measurement, device: str) -> Generator[Progress, None, Result]:
    """Find the brain in a stack of slices of any orientation."""
    assert isinstance(network, BrainUNet)
    axis = measurement.slice_axis
    stack = np.nan_to_num(measurement.images[measurement.modality], nan=0.0, posinf=0.0, neginf=0.0)
    image = np.moveaxis(stack, 0, axis)
    depth, height, width = image.shape
    grid = Cubes((depth, height, width), measurement.grid_voxel_size_mm, network.shape.voxel_mm)
    cubes = scaled(grid.to_cubes(image))
    probability = yield from _probability(network, cubes, device)
    found = grid.to_volume(_one_brain(probability)) > 0.5
    sure = np.clip(grid.to_volume(probability), 0, 1)
    whole = is_cut_out(image, found)
    if whole is not None:
        # Whoever cut it out knew: there is nothing left to doubt.
        found, sure = whole, whole.astype(np.float32)
    return Result(
        segmentation=np.ascontiguousarray(np.moveaxis(found, axis, 0), np.uint8),
        probabilities=np.ascontiguousarray(np.moveaxis(sure, axis, 0))[None],
        modalities_used=(measurement.modality,),
    )


def _one_brain(probability: FloatArray) -> FloatArray:
    """Probabilities that are above a half in one piece without holes alone."""
    piece = one_piece(probability > 0.5)
    outside = np.where(probability > 0.5, 0, probability)
    return np.where(piece, np.maximum(probability, 0.6), outside).astype(np.float32)


def _probability(network: BrainUNet, cubes: FloatArray, device: str) -> Generator[Progress, None, FloatArray]:
    """Mean of the orientations in the part of a volume in which there is something."""
    result = np.zeros(cubes.shape, np.float32)
    found = bounding_box(cubes > _DARKEST)
    if found is None:
        return result
    box = with_margin(found, _MARGIN, cubes.shape)
    part = torch.from_numpy(np.ascontiguousarray(cubes[box])).to(device)
    axes = _planes_to_look_at(part.shape)
    total = sum(part.shape[axis] for axis in axes)
    mean, done = torch.zeros_like(part), 0
    for axis in axes:
        stack, into = part.movedim(axis, 0), mean.movedim(axis, 0)
        at_once = max(_PIXELS_AT_ONCE // (stack.shape[1] * stack.shape[2]), 1)
        for first in range(0, len(stack), at_once):
            places = torch.arange(first, min(first + at_once, len(stack)))
            # Entered anew for each batch, because between two of them the thread may do something else.
            with fast_inference(device, allow_bf16=False):
                into[places] += _in_slices(network, stack, places) / len(axes)
            done += len(places)
            yield Progress(done, total, f"slice {done} of {total} in {len(axes)} orientations")
    result[box] = mean.cpu().numpy()
    return result


def _planes_to_look_at(shape: Sequence[int]) -> list[int]:
    """Axes across which slices are large enough to show a brain; the one of the largest slices in any case."""
    edges = {axis: sorted(size for other, size in enumerate(shape) if other != axis) for axis in range(3)}
    largest = max(edges, key=lambda axis: (edges[axis][0], edges[axis][1]))
    return [axis for axis, (shorter, _) in edges.items() if shorter >= _LEAST_EDGE or axis == largest]


def _in_slices(network: BrainUNet, stack: Tensor, places: Tensor) -> Tensor:
    """Probability ``(slice, y, x)`` in some slices of a stack."""
    apart, last = network.shape.apart, len(stack) - 1
    near = torch.stack([stack[(places + step).clamp(0, last)] for step in (-apart, 0, apart)], dim=1)
    height, width = near.shape[-2:]
    multiple = 2 ** (network.shape.unet.levels - 1)
    # With zeros, which training images have outside their field of view; the network by itself would mirror the head.
    padded = F.pad(near, (0, -width % multiple, 0, -height % multiple))
    return torch.sigmoid(network(padded).float())[:, :height, :width]
