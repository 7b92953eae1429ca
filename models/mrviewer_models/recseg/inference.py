"""RecSeg on measured slices."""

from functools import partial

import torch
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, measured_tensors, network_of_weights
from mrviewer_models.recseg.network import RecSeg, RecSegShape

__all__ = ["infer", "load"]


load = partial(network_of_weights, RecSeg, RecSegShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct and segment; the image is a magnitude and has no phase."""
    with fast_inference(device, allow_bf16=False):
        magnitude, logits = network(*measured_tensors(measurement, device))
        segmentation, probabilities = lesion_maps(logits, magnitude > 0)
    image = magnitude.to(torch.complex64).cpu().numpy()
    return Result(image=image, segmentation=segmentation, probabilities=probabilities)
