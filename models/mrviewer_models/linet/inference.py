"""LI-Net on measured slices."""

from functools import partial

from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, measured_tensors, network_of_weights
from mrviewer_models.linet.network import LINet, LINetShape

__all__ = ["infer", "load"]


load = partial(network_of_weights, LINet, LINetShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Segment by the code that is guessed from the zero-filled image."""
    assert isinstance(network, LINet)
    with fast_inference(device, allow_bf16=False):
        _, zero_filled = MeasuredData.from_kspace(*measured_tensors(measurement, device))
        segmentation, probabilities = lesion_maps(network.segment(zero_filled), zero_filled.abs() > 0)
    return Result(segmentation=segmentation, probabilities=probabilities)
