"""SynNet on measured slices."""

from functools import partial

from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import network_of_weights, segment_zero_filled
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.synnet.network import SynNet

__all__ = ["infer", "load"]


load = partial(network_of_weights, SynNet, UNetShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Segment the zero-filled image."""
    assert isinstance(network, SynNet)
    return segment_zero_filled(network.segment, measurement, device)
