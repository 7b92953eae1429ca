"""D5C5 on measured slices."""

from pathlib import Path

import numpy as np
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, measured_tensors, network_of_weights
from mrviewer_models.d5c5.network import D5C5, D5C5Shape

__all__ = ["infer", "load"]


def load(path: Path) -> nn.Module:
    """Network of the size that the weights say, filled with them."""
    return network_of_weights(D5C5, D5C5Shape, path)


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct, and keep the estimate after every cascade."""
    with fast_inference(device, allow_bf16=True):
        estimates = [step.cpu().numpy() for step in network(*measured_tensors(measurement, device))]
    return Result(image=estimates[-1], steps=np.stack(estimates))
