"""LI-Net on measured slices."""

from functools import partial

from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import network_of_weights, segment_zero_filled
from mrviewer_models.linet.network import LINet, LINetShape

__all__ = ["infer", "load"]


load = partial(network_of_weights, LINet, LINetShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Segment by the code that is guessed from the zero-filled image."""
    assert isinstance(network, LINet)
    return segment_zero_filled(network.segment, measurement, device)
