"""IDSLR on measured slices."""

from pathlib import Path

import numpy as np
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, measured_tensors, network_of_weights
from mrviewer_models.idslr.network import IDSLR, IDSLRShape

__all__ = ["infer", "load"]


def load(path: Path) -> nn.Module:
    """Network of the size that the weights say, filled with them."""
    return network_of_weights(IDSLR, IDSLRShape, path)


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct and segment; the estimate after every iteration is kept."""
    with fast_inference(device, allow_bf16=False):
        images, logits = network(*measured_tensors(measurement, device))
        segmentation, probabilities = lesion_maps(logits, images[-1].abs() > 0)
    estimates = [image.cpu().numpy() for image in images]
    return Result(
        image=estimates[-1],
        segmentation=segmentation,
        probabilities=probabilities,
        steps=np.stack(estimates),
        step_names=tuple(f"iteration {number}" for number in range(1, len(estimates) + 1)),
    )
