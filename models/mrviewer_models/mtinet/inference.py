"""MTI-Net on a whole study: a mask for each slice, one enhancement curve and one class for the volume."""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mrviewer.images.dynamic import PHASES
from mrviewer.method import Measurement, Result
from mrviewer.progress import Progress
from mrviewer_models.blocks.inference import fast_inference, network_of_weights
from mrviewer_models.mtinet.network import MTINet
from mrviewer_models.mtinet.preparation import grid_size, phase_stack, resized, to_tensor
from mrviewer_models.mtinet.shape import MTIShape
from mrviewer_models.mtinet.targets import relative

__all__ = ["infer_volume", "load"]

_SLICES_AT_ONCE = {"cpu": 2, "cuda": 16, "mps": 8}


load = partial(network_of_weights, MTINet, MTIShape)
"""Network of the size that the weights in a file say, filled with them."""


@dataclass(frozen=True, eq=False)
class _Slices:
    """Answers for some slices: probability ``(slice, y, x)``, regressed values, probabilities of the classes."""

    probability: NDArray[np.float32]
    regression: NDArray[np.float32]
    classes: NDArray[np.float32]


def infer_volume(network: nn.Module, measurement: Measurement, device: str) -> Generator[Progress, None, Result]:
    """Segment every slice; curve and class are means over slices with tumour, weighted by its area.

    Where no tumour is found there is no curve and no class.
    """
    assert isinstance(network, MTINet)
    stack = phase_stack(measurement.images)
    rows, columns = stack.raw.shape[-2:]
    phases, size = stack.normalised(), grid_size((rows, columns), measurement.voxel_size_mm[1:], network.shape.pixel_mm)
    filled = np.flatnonzero(stack.raw.any(axis=(1, 2, 3)))
    probability = np.zeros((len(phases), rows, columns), np.float32)
    regression = np.zeros((len(phases), network.shape.n_values), np.float32)
    classes = np.zeros((len(phases), network.shape.n_classes), np.float32)
    at_once = _SLICES_AT_ONCE[device.partition(":")[0]]
    for first in range(0, len(filled), at_once):
        chosen = filled[first : first + at_once]
        answers = _infer(network, phases[chosen], size, device)
        probability[chosen], regression[chosen], classes[chosen] = (
            answers.probability, answers.regression, answers.classes,
        )  # fmt: skip
        yield Progress(int(chosen[-1]) + 1, len(phases), f"slice {chosen[-1] + 1} of {len(phases)}")
    found = probability > 0.5
    area = np.count_nonzero(found, axis=(1, 2)).astype(np.float64)
    curve, shares = _weighted(regression, area), _weighted(classes, area)
    return Result(
        segmentation=found.astype(np.uint8),
        probabilities=probability[None],
        regression=None if curve is None else _as_enhancement(curve, network.shape),
        classes=shares,
        modalities_used=PHASES,
    )


def _infer(network: MTINet, phases: NDArray[np.float32], size: tuple[int, int], device: str) -> _Slices:
    rows, columns = phases.shape[-2:]
    with fast_inference(device, allow_bf16=False):
        prediction = network(to_tensor(phases, size, device))
        answers = prediction.tasks()
        return _Slices(
            resized(answers.mask, (rows, columns))[:, 0].clamp(0, 1).cpu().numpy(),
            answers.regression.cpu().numpy(),
            answers.classes.cpu().numpy(),
        )


def _weighted(values: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """Weighted mean over slices; `None` if no slice has a weight."""
    if not weights.any():
        return None
    mean: NDArray[np.float32] = np.average(values, axis=0, weights=weights).astype(np.float32)
    return mean


def _as_enhancement(values: NDArray[np.float32], shape: MTIShape) -> NDArray[np.float32]:
    """The three enhancements among the regressed values; means of the phases are turned into them."""
    enhancements = values[: shape.n_enhancements]
    if shape.target != "mean":
        return enhancements
    turned: NDArray[np.float32] = relative(torch.from_numpy(enhancements)[None])[0].numpy()
    return turned
