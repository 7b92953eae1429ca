"""The encoder that the four phases share."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer_models.blocks.instance_norm import InstanceNorm
from mrviewer_models.mtinet.shape import N_PHASES, MTIShape, Norm

__all__ = ["SLOPE", "Encoder", "Residual", "conv_norm", "normalisation"]

SLOPE = 0.01
EPSILON = 1e-5


class StudyNorm(nn.Module):
    """Instance normalisation whose statistics are those of all phases of a study together."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Normalise ``(study * phase, channel, y, x)``."""
        by_study = features.unflatten(0, (-1, N_PHASES))
        variance, mean = torch.var_mean(by_study.float(), dim=(1, 3, 4), keepdim=True, correction=0)
        scale = self.weight * torch.rsqrt(variance + EPSILON)
        normalised: Tensor = by_study * scale + (self.bias - mean * scale)
        return normalised.flatten(0, 1)


def normalisation(channels: int, norm: Norm) -> nn.Module:
    """Instance normalisation with scale and shift, by phase or by study."""
    return StudyNorm(channels) if norm == "study" else InstanceNorm(channels, affine=True)


def conv_norm(inputs: int, outputs: int, norm: nn.Module, stride: int = 1) -> nn.Sequential:
    """Convolution 3 x 3 and normalisation; a bias would be taken away again by the normalisation."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), norm)


class Residual(nn.Module):
    """Two convolutions 3 x 3 beside a skip."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.first = conv_norm(channels, channels, normalisation(channels, norm))
        self.second = conv_norm(channels, channels, normalisation(channels, norm))

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(batch, channel, y, x)``."""
        inner = self.second(F.leaky_relu(self.first(features), SLOPE))
        return F.leaky_relu(features + inner, SLOPE)


class Encoder(nn.Module):
    """Four stages, each at half the resolution of the one before, applied to every phase alike."""

    def __init__(self, shape: MTIShape) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        for number, (before, width) in enumerate(zip((1, *shape.widths), shape.widths, strict=False)):
            entry = conv_norm(before, width, normalisation(width, shape.norm), stride=2 if number else 1)
            self.stages.append(nn.Sequential(entry, nn.LeakyReLU(SLOPE), Residual(width, shape.norm)))

    def forward(self, phases: Tensor) -> list[Tensor]:
        """Phases ``(batch, phase, y, x)`` to features ``(batch, phase, channel, y, x)`` of all stages, finest first."""
        features = phases.flatten(0, 1)[:, None]
        stages = []
        for stage in self.stages:
            features = stage(features)
            stages.append(features.unflatten(0, (-1, N_PHASES)))
        return stages
