"""SERANet on measured slices."""

from functools import partial

import numpy as np
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, measured_tensors, network_of_weights
from mrviewer_models.seranet.network import SERANet, SERANetShape

__all__ = ["infer", "load"]


load = partial(network_of_weights, SERANet, SERANetShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Segment, and keep what the segmenter looked at in every pass; it is no reconstruction to be measured."""
    assert isinstance(network, SERANet)
    with fast_inference(device, allow_bf16=False):
        images, logits = network(*measured_tensors(measurement, device))
        segmentation, probabilities = lesion_maps(logits[-1], images[-1].abs() > 0)
    names = ("before recurrence", *(f"recurrence {number}" for number in range(1, len(images))))
    return Result(
        segmentation=segmentation,
        probabilities=probabilities,
        steps=np.stack([image.cpu().numpy() for image in images]),
        step_names=names,
    )
