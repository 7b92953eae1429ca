"""D5C5 on measured slices."""

from functools import partial

import numpy as np
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, measured_tensors, network_of_weights
from mrviewer_models.d5c5.network import D5C5, D5C5Shape

__all__ = ["infer", "load"]


load = partial(network_of_weights, D5C5, D5C5Shape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct, and keep the estimate after every cascade."""
    with fast_inference(device, allow_bf16=True):
        estimates = [step.cpu().numpy() for step in network(*measured_tensors(measurement, device))]
    return Result(image=estimates[-1], steps=np.stack(estimates))
