"""The U-Net on fully sampled images."""

from pathlib import Path

import torch
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer_models.blocks.inference import fast_inference, lesion_maps, network_of_weights
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.unet_full.network import ImageUNet

__all__ = ["infer", "load"]


def load(path: Path) -> nn.Module:
    """Network of the size that the weights say, filled with them."""
    return network_of_weights(ImageUNet, UNetShape, path)


def infer(network: nn.Module, measurement: Measurement, device: str) -> Result:
    """Segment the fully sampled image of the measured modality; its k-space is not looked at."""
    image = torch.from_numpy(measurement.images[measurement.modality]).to(device)
    with fast_inference(device, allow_bf16=False):
        segmentation, probabilities = lesion_maps(network(image), image > 0)
    return Result(segmentation=segmentation, probabilities=probabilities)
