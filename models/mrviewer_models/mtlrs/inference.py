"""MTLRS on measured slices."""

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, measured_tensors, network_of_weights
from mrviewer_models.cirim.network import step_names
from mrviewer_models.mtlrs.network import MTLRS, MTLRSShape

__all__ = ["infer", "load"]

_SHOWN = 2
"""Classes of the card: lesion and brain tissue."""


load = partial(network_of_weights, MTLRS, MTLRSShape)
"""Network of the size that the weights in a file say, filled with them."""


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Reconstruct and segment; the estimate after every time step of every cascade is kept."""
    assert isinstance(network, MTLRS)
    with fast_inference(device, allow_bf16=True):
        steps, logits = network(*measured_tensors(measurement, device))
        probabilities = _probabilities(logits)
        segmentation = _one_class_a_pixel(probabilities, steps[-1].abs() > 0)
    estimates = [step.cpu().numpy() for step in steps]
    return Result(
        image=estimates[-1],
        segmentation=segmentation.cpu().numpy(),
        probabilities=probabilities.transpose(0, 1).contiguous().cpu().numpy(),
        steps=np.stack(estimates),
        step_names=step_names(network.shape.reconstruction),
    )


def _probabilities(logits: Tensor) -> Tensor:
    """Of the classes shown ``(batch, class, y, x)``; 0 for one that was not learned."""
    shown = torch.sigmoid(logits[:, :_SHOWN].float())
    return nn.functional.pad(shown, (0, 0, 0, 0, 0, _SHOWN - shown.shape[1]))


def _one_class_a_pixel(probabilities: Tensor, inside: Tensor) -> Tensor:
    """1 for a lesion, 2 for brain tissue, 0 for neither; a lesion in the tissue is a lesion."""
    lesion, tissue = (probabilities[:, number] > 0.5 for number in range(_SHOWN))
    return torch.where(lesion, 1, torch.where(tissue, 2, 0)).mul(inside).to(torch.uint8)
