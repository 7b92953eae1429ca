"""D5C5, then the U-Net on its magnitude, on measured slices."""

from functools import partial

import numpy as np
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, measured_tensors, network_of_weights
from mrviewer_models.itfs_drlc.network import JointNetwork, JointShape

__all__ = ["infer", "load"]


load = partial(network_of_weights, JointNetwork, JointShape, ignore=("task_log_variance",))
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct and segment; the estimate after every cascade is kept."""
    assert isinstance(network, JointNetwork)
    with fast_inference(device, allow_bf16=True):
        steps = network.reconstruct(*measured_tensors(measurement, device))
    with fast_inference(device, allow_bf16=False):
        segmentation, probabilities = lesion_maps(network.segment(steps[-1]), steps[-1].abs() > 0)
    estimates = [step.cpu().numpy() for step in steps]
    return Result(
        image=estimates[-1], steps=np.stack(estimates), segmentation=segmentation, probabilities=probabilities
    )
