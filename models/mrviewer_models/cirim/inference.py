"""CIRIM on measured slices."""

from functools import partial

import numpy as np
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, measured_tensors, network_of_weights
from mrviewer_models.cirim.network import CIRIM, CIRIMShape, step_names

__all__ = ["infer", "load"]


load = partial(network_of_weights, CIRIM, CIRIMShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct, and keep the estimate after every time step of every cascade."""
    assert isinstance(network, CIRIM)
    with fast_inference(device, allow_bf16=True):
        estimates = [step.cpu().numpy() for step in network(*measured_tensors(measurement, device))]
    return Result(image=estimates[-1], steps=np.stack(estimates), step_names=step_names(network.shape))
