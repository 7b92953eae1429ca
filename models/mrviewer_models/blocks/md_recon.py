"""MD-Recon: convolutions on k-space and on the image side by side, each seeing the other's result.

References
----------
Ran M et al. (2021), MD-Recon-Net: a parallel dual-domain convolutional neural network for compressed sensing MRI, IEEE
Trans Radiat Plasma Med Sci 5:120-135, doi:10.1109/TRPMS.2020.2991877.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer.torch_fft import fft2c, ifft2c
from mrviewer_models.blocks.complex_channels import from_channels, to_channels
from mrviewer_models.blocks.data_consistency import MeasuredData

__all__ = ["MDRecon", "MDReconShape"]

_DEPTH = 5
_BEGIN = 0.1


@dataclass(frozen=True)
class MDReconShape:
    """Size of MD-Recon.

    Parameters
    ----------
    blocks
        Pairs of networks, one on k-space and one on the image.
    features
        Channels between the five convolutions of each.
    batch_norm
        Whether the first four convolutions are followed by batch normalisation.
    activate_output
        Whether the last activation is there, after the skip. It bends what is negative, as real and imaginary part of
        an image with phase are; without it (ours) they pass as they are.
    """

    blocks: int = 5
    features: int = 32
    batch_norm: bool = False
    activate_output: bool = True


class DomainNetwork(nn.Module):
    """Five convolutions 3 x 3 with leaky ReLU; what came in is added before the last activation."""

    def __init__(self, shape: MDReconShape) -> None:
        super().__init__()
        widths = [2, *[shape.features] * (_DEPTH - 1), 2]
        self.convolutions = nn.ModuleList(nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm2d(shape.features) for _ in range(_DEPTH - 1) if shape.batch_norm)
        self.activate_output = shape.activate_output
        # Each begins as the identity plus a little, so that five of them do not explode (ours).
        with torch.no_grad():
            self.get_parameter(f"convolutions.{_DEPTH - 1}.weight").mul_(0.1)
            self.get_parameter(f"convolutions.{_DEPTH - 1}.bias").zero_()

    def forward(self, values: Tensor) -> Tensor:
        """Complex ``(batch, y, x)`` to the same, image or centred k-space."""
        channels = to_channels(values)
        features = channels.contiguous(memory_format=torch.channels_last)
        for index, convolution in enumerate(self.convolutions):
            features = convolution(features)
            if index < _DEPTH - 1:
                features = self.norms[index](features) if self.norms else features
                features = F.leaky_relu(features)
        summed = channels + features
        return from_channels(F.leaky_relu(summed) if self.activate_output else summed)


class MDReconBlock(nn.Module):
    """Both networks, data consistency of each, and what they learn from each other.

    Parameters
    ----------
    shape
        Size.
    last
        Whether it is the last block, which gives an image alone.
    """

    def __init__(self, shape: MDReconShape, *, last: bool) -> None:
        super().__init__()
        self.on_kspace, self.on_image = DomainNetwork(shape), DomainNetwork(shape)
        self.noise_weights = nn.Parameter(torch.full((2,), _BEGIN))
        self.fusion = nn.Parameter(torch.full((1 if last else 2,), _BEGIN))

    def forward(self, data: MeasuredData, kspace: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Centred k-space and image ``(batch, y, x)``, complex, to better ones; the last block leaves k-space alone."""
        trust = self.noise_weights / (1 + self.noise_weights)
        seen_in_kspace = ifft2c(self.on_kspace(kspace))
        seen_in_kspace = seen_in_kspace + trust[0] * data.residual(seen_in_kspace)
        seen_in_image = self.on_image(image)
        seen_in_image = seen_in_image + trust[1] * data.residual(seen_in_image)
        fused = _fused(seen_in_image, seen_in_kspace, self.fusion[0])
        if len(self.fusion) == 1:
            return kspace, fused
        return fft2c(_fused(seen_in_kspace, seen_in_image, self.fusion[1])), fused


class MDRecon(nn.Module):
    """Reconstruction from undersampled k-space; 289,319 parameters with 5 blocks of 32 features.

    The published network takes one coil. Of many coils it sees the combined image and its transform, and data
    consistency goes through the coil model (ours), which for one coil is the published layer.

    Parameters
    ----------
    shape
        Size.
    """

    def __init__(self, shape: MDReconShape) -> None:
        super().__init__()
        self.shape = shape
        self.blocks = nn.ModuleList(
            MDReconBlock(shape, last=number == shape.blocks) for number in range(1, shape.blocks + 1)
        )

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> list[Tensor]:
        """Estimates ``(batch, y, x)`` after every block; the last is the reconstruction.


        The measurement is that of `MeasuredData.from_kspace`.
        """
        data, image, scale = MeasuredData.scaled(kspace, pattern, maps)
        spectrum = fft2c(image)
        steps = []
        for block in self.blocks:
            spectrum, image = block(data, spectrum, image)
            steps.append(image * scale)
        return steps


def _fused(own: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    return (own + weight * other) / (1 + weight)
