"""IDSLR on measured slices."""

from functools import partial

from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, joint_result, measured_tensors, network_of_weights
from mrviewer_models.idslr.network import IDSLR, IDSLRShape

__all__ = ["infer", "load"]


load = partial(network_of_weights, IDSLR, IDSLRShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct and segment; the estimate after every iteration is kept."""
    with fast_inference(device, allow_bf16=False):
        images, logits = network(*measured_tensors(measurement, device))
        return joint_result(images, logits, "iteration")
