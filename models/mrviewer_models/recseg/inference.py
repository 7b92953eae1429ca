"""RecSeg on measured slices."""

from pathlib import Path

import torch
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, measured_tensors, network_of_weights
from mrviewer_models.recseg.network import RecSeg, RecSegShape

__all__ = ["infer", "load"]


def load(path: Path) -> nn.Module:
    """Network of the size that the weights say, filled with them."""
    return network_of_weights(RecSeg, RecSegShape, path)


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct and segment; the image is a magnitude and has no phase."""
    with fast_inference(device, allow_bf16=False):
        magnitude, logits = network(*measured_tensors(measurement, device))
        segmentation, probabilities = lesion_maps(logits, magnitude > 0)
    image = magnitude.to(torch.complex64).cpu().numpy()
    return Result(image=image, segmentation=segmentation, probabilities=probabilities)
