"""The 3-D U-Net of residual units whose residual path has no weights.

References
----------
Xu W et al. (2024), Feasibility and benefits of joint learning from MRI databases with different brain diseases and
modalities for segmentation, MIDL, PMLR 250:1771-1784, arXiv:2405.18511.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Conv3d", "Decoder3D", "Encoder3D", "ResUNet3D", "conv3d", "pad_to_fit"]

_STRIDES = (2, 2, 2, 2, 1)
_MULTIPLE = prod(_STRIDES)
_HAS_ONEDNN = torch.backends.mkldnn.is_available()


class Conv3d(nn.Conv3d):
    """A convolution that is quick for a single small volume too.

    For these torch takes a kernel that is several times slower than oneDNN's, which gives the same but for rounding; so
    oneDNN is called by name where nothing has to be remembered for gradients.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(batch, inputs, z, y, x)``."""
        single = features.device.type == "cpu" and features.dtype == self.weight.dtype == torch.float32
        if torch.is_grad_enabled() or not single or torch.is_autocast_enabled("cpu") or not _HAS_ONEDNN:
            return super().forward(features)
        result: Tensor = torch.ops.aten.mkldnn_convolution(
            features, self.weight, self.bias, self.padding, self.stride, self.dilation, self.groups
        )
        return result


def conv3d(inputs: int, outputs: int, dropout: float, stride: int = 1) -> nn.Sequential:
    """Convolution 3 x 3 x 3, instance normalisation without weights, dropout, PReLU with one weight."""
    return nn.Sequential(
        Conv3d(inputs, outputs, 3, stride, padding=1), nn.InstanceNorm3d(outputs), nn.Dropout(dropout), nn.PReLU()
    )


class ResidualUnit3D(nn.Module):
    """Two convolutions, the first strided, and the averaged input added to as many channels as it has.

    The averaging takes 3 x 3 x 3 voxels at the unit's stride; at stride 1 the input is added as it is. More inputs than
    outputs are possible, and then the last ones take the convolutions alone.

    Parameters
    ----------
    inputs, outputs, stride, dropout
        Of the convolutions.
    lateral
        Channels of another network that the first convolution sees too.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float, lateral: int = 0) -> None:
        super().__init__()
        self.stride = stride
        self.first = conv3d(inputs + lateral, outputs, dropout, stride)
        self.second = conv3d(outputs, outputs, dropout)

    def forward(self, features: Tensor, lateral: Tensor | None = None) -> Tensor:
        """Features ``(batch, inputs, z, y, x)`` to ``(batch, outputs, z / stride, y / stride, x / stride)``."""
        result: Tensor = self.second(self.first(_beside(features, lateral)))
        residual = features if self.stride == 1 else F.avg_pool3d(features, 3, self.stride, padding=1)
        shared = min(residual.shape[1], result.shape[1])
        return torch.cat([result[:, :shared] + residual[:, :shared], result[:, shared:]], dim=1)


class UpStep3D(nn.Module):
    """Twice as large by repetition, then one convolution that keeps the channels and one that reduces them.

    Parameters
    ----------
    inputs, outputs, dropout
        Of the convolutions.
    bare
        Whether the second convolution stands alone, as the last of a network that gives logits.
    lateral
        Channels of another network that the first convolution sees too.
    """

    def __init__(self, inputs: int, outputs: int, dropout: float, *, bare: bool = False, lateral: int = 0) -> None:
        super().__init__()
        self.keep = conv3d(inputs + lateral, inputs, dropout)
        self.reduce = Conv3d(inputs, outputs, 3, padding=1) if bare else conv3d(inputs, outputs, dropout)

    def forward(self, features: Tensor, lateral: Tensor | None = None) -> Tensor:
        """Features ``(batch, inputs, z, y, x)`` to ``(batch, outputs, 2 z, 2 y, 2 x)``."""
        larger = F.interpolate(_beside(features, lateral), scale_factor=2.0, mode="nearest")
        result: Tensor = self.reduce(self.keep(larger))
        return result


class Encoder3D(nn.Module):
    """Five residual units of strides 2, 2, 2, 2, 1; each has twice the channels of the one before.

    Parameters
    ----------
    inputs, base, dropout
        Channels of the volume and of the first unit; dropout of every convolution.
    lateral
        Whether each unit but the first sees the features that enter the same unit of another network.
    """

    def __init__(self, inputs: int, base: int, dropout: float, *, lateral: bool = False) -> None:
        super().__init__()
        widths = [inputs, *(base * 2**level for level in range(len(_STRIDES)))]
        self.units = nn.ModuleList(
            ResidualUnit3D(before, after, stride, dropout, before if lateral and number else 0)
            for number, ((before, after), stride) in enumerate(zip(pairwise(widths), _STRIDES, strict=True))
        )

    def forward(self, volume: Tensor, laterals: Sequence[Tensor] = ()) -> list[Tensor]:
        """Output of each unit, the finest first, for volumes ``(batch, inputs, z, y, x)``."""
        outputs = []
        features = volume
        for number, unit in enumerate(self.units):
            features = unit(features, laterals[number - 1] if laterals and number else None)
            outputs.append(features)
        return outputs


class Decoder3D(nn.Module):
    """Four steps up, each of which first takes the encoder's output of its size beside what came from below.

    Parameters
    ----------
    base, dropout
        Like those of the encoder.
    outputs
        Channels of the logits; `None` gives features of `base` channels in their place.
    lateral
        Whether each step sees the features that enter the same step of another network.
    """

    def __init__(self, base: int, outputs: int | None, dropout: float, *, lateral: bool = False) -> None:
        super().__init__()
        entering = [24 * base, 8 * base, 4 * base, 2 * base]
        leaving = [4 * base, 2 * base, base, base if outputs is None else outputs]
        self.steps = nn.ModuleList(
            UpStep3D(
                before,
                after,
                dropout,
                bare=outputs is not None and number == len(leaving) - 1,
                lateral=before if lateral else 0,
            )
            for number, (before, after) in enumerate(zip(entering, leaving, strict=True))
        )

    def forward(self, encoded: Sequence[Tensor], laterals: Sequence[Tensor] = ()) -> tuple[Tensor, list[Tensor]]:
        """Logits or features ``(batch, channel, z, y, x)``, and what entered each step."""
        features, entered = encoded[-1], []
        for number, step in enumerate(self.steps):
            merged = torch.cat([features, encoded[-2 - number]], dim=1)
            entered.append(merged)
            features = step(merged, laterals[number] if laterals else None)
        return features, entered


class ResUNet3D(nn.Module):
    """Encoder and decoder: 8,900,930 parameters for six inputs, one output and 16 channels at first.

    Extents must be multiples of 16, see `pad_to_fit`. There is no skip at full resolution.

    Parameters
    ----------
    inputs, base, dropout
        See `Encoder3D`.
    outputs
        See `Decoder3D`.
    lateral
        Whether it listens to another network of the same size at every step but the first.
    """

    def __init__(self, inputs: int, outputs: int | None, base: int, dropout: float, *, lateral: bool = False) -> None:
        super().__init__()
        self.encoder = Encoder3D(inputs, base, dropout, lateral=lateral)
        self.decoder = Decoder3D(base, outputs, dropout, lateral=lateral)

    def forward(self, volume: Tensor) -> Tensor:
        """Volumes ``(batch, inputs, z, y, x)`` to logits or features ``(batch, channel, z, y, x)``."""
        result: Tensor = self.decoder(self.encoder(volume))[0]
        return result


def pad_to_fit(volume: Tensor) -> Tensor:
    """Repeat the far faces ``(batch, channel, z, y, x)`` up to multiples of 16, at least 32.

    Smaller, one voxel would be left at the lowest level, and instance normalisation knows no statistics of one.
    """
    sizes = [max(-(-size // _MULTIPLE) * _MULTIPLE, 2 * _MULTIPLE) for size in volume.shape[2:]]
    widths = [part for size, full in zip(volume.shape[:1:-1], sizes[::-1], strict=True) for part in (0, full - size)]
    return F.pad(volume, widths, mode="replicate") if any(widths) else volume


def _beside(features: Tensor, lateral: Tensor | None) -> Tensor:
    return features if lateral is None else torch.cat([features, lateral], dim=1)
