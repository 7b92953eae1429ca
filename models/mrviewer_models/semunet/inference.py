"""SemuNet on measured slices."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, measured_tensors, network_of_weights
from mrviewer_models.semunet.network import SemuNet, SemuNetShape

__all__ = ["class_maps", "infer", "load"]


load = partial(network_of_weights, SemuNet, SemuNetShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct and segment; the zero-filled image and what came after it are kept."""
    assert isinstance(network, SemuNet)
    with fast_inference(device, allow_bf16=True):
        estimate = network.reconstruct(*measured_tensors(measurement, device))
    with fast_inference(device, allow_bf16=False):
        magnitude = estimate.steps[-1].abs()
        segmentation, probabilities = class_maps(network.segment(magnitude), estimate.steps[0].abs() > 0)
    steps = np.stack([step.cpu().numpy() for step in estimate.steps])
    return Result(
        image=steps[-1],
        steps=steps,
        step_names=estimate.names,
        segmentation=segmentation,
        probabilities=probabilities,
    )


def class_maps(logits: Tensor, object_mask: Tensor) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Class per pixel ``(slice, y, x)`` and probability ``(class, slice, y, x)`` of logits whose classes may overlap.

    Of the classes above one half, the first if it is a lesion, else the most probable; 0 where none is.
    """
    probability = torch.sigmoid(logits.float())
    highest, number = probability[:, 1:].max(dim=1)
    tissue = torch.where(highest > 0.5, number + 2, 0)
    classes = torch.where(probability[:, 0] > 0.5, 1, tissue) * object_mask
    return classes.to(torch.uint8).cpu().numpy(), probability.transpose(0, 1).contiguous().cpu().numpy()
