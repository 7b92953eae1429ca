"""The U-Net family as one class with switches; the members that the papers use are in `unet_presets`.

References
----------
Ronneberger O, Fischer P, Brox T (2015), U-Net: convolutional networks for biomedical image segmentation, MICCAI,
LNCS 9351:234-241, doi:10.1007/978-3-319-24574-4_28.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer_models.blocks.attention_gate import AttentionGate
from mrviewer_models.blocks.instance_norm import InstanceNorm

__all__ = [
    "ConvBlock",
    "Head",
    "SeparateBatchNorm",
    "UNet",
    "UNetDecoder",
    "UNetEncoder",
    "UNetShape",
    "pad_to_multiple",
]

Head = Literal["classes", "correction", "values"]


@dataclass(frozen=True)
class UNetShape:
    """Everything that tells one member of the family from another.

    The defaults are those of the first networks of this package, whose saved shapes lack the later switches.

    Parameters
    ----------
    inputs, outputs
        Channels in and out.
    base
        Channels of the first level; each level below has twice as many.
    levels
        Resolutions, the first included; one more than there are poolings.
    norm
        ``batch``; ``instance`` with a learned scale and offset, ``instance_plain`` without; ``batch_separate``: batch
        statistics kept apart for two kinds of input.
    negative_slope
        Of the leaky ReLU.
    order
        ``conv_act_norm`` or ``conv_norm_act``.
    bias
        Whether the 3 x 3 convolutions have one.
    down
        2 x 2 pooling by the maximum or by the average.
    up
        ``transposed``: 2 x 2 transposed convolution of stride 2. ``transposed_norm_act``: the same without bias,
        normalised and activated. ``nearest``: each pixel four times; all channels are kept.
    dropout
        Share of the channels dropped after each convolution while training.
    attention
        Whether attention gates sit on the skips.
    head
        ``classes``: the first output is the background, and training begins there. ``correction``: the output is added
        to something good already, and training begins with little of it. ``values``: nothing is assumed.
    widest
        Channels that no level exceeds; 0 for no limit.
    """

    inputs: int = 1
    outputs: int = 2
    base: int = 64
    levels: int = 5
    norm: Literal["batch", "instance", "instance_plain", "batch_separate"] = "batch"
    negative_slope: float = 0.01
    order: Literal["conv_act_norm", "conv_norm_act"] = "conv_act_norm"
    bias: bool = True
    down: Literal["max", "average"] = "max"
    up: Literal["transposed", "transposed_norm_act", "nearest"] = "transposed"
    dropout: float = 0.0
    attention: bool = False
    head: Head = "classes"
    widest: int = 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each level, finest first."""
        widths = (self.base * 2**level for level in range(self.levels))
        return tuple(min(width, self.widest) if self.widest else width for width in widths)


class SeparateBatchNorm(nn.Module):
    """Batch normalisation whose statistics and scale are kept apart for teacher images and for reconstructions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kinds = nn.ModuleList([nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)])

    def forward(self, features: Tensor, *, teacher: bool = False) -> Tensor:
        """Normalise ``(batch, channel, y, x)`` with the statistics of its kind."""
        normalised: Tensor = self.kinds[int(teacher)](features)
        return normalised


class ConvBlock(nn.Module):
    """Twice: convolution 3 x 3, leaky ReLU and normalisation in the order of the shape, dropout."""

    def __init__(self, inputs: int, outputs: int, shape: UNetShape) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, outputs, 3, padding=1, bias=shape.bias) for before in (inputs, outputs)
        )
        self.norms = nn.ModuleList([_norm(outputs, shape), _norm(outputs, shape)])
        self.shape = shape

    def forward(self, features: Tensor, *, teacher: bool = False) -> Tensor:
        """Features ``(batch, channel, y, x)``."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            features = convolution(features)
            if self.shape.order == "conv_norm_act":
                features = _activate(_run(norm, features, teacher), self.shape)
            else:
                features = _run(norm, _activate(features, self.shape), teacher)
            if self.shape.dropout:
                features = F.dropout2d(features, self.shape.dropout, self.training)
        return features


class NormalisedUpsampling(nn.Module):
    """Transposed convolution 2 x 2 of stride 2 without bias, normalisation, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, shape: UNetShape) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(inputs, outputs, 2, stride=2, bias=False)
        self.norm = _norm(outputs, shape)
        self.shape = shape

    def forward(self, features: Tensor, *, teacher: bool = False) -> Tensor:
        """Features ``(batch, channel, y, x)`` to twice the size."""
        return _activate(_run(self.norm, self.convolution(features), teacher), self.shape)


class UNetEncoder(nn.Module):
    """The way down: convolutions and 2 x 2 pooling."""

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        before = (shape.inputs, *shape.widths[:-1])
        self.down = nn.ModuleList(
            ConvBlock(inputs, outputs, shape) for inputs, outputs in zip(before, shape.widths, strict=True)
        )

    def forward(self, image: Tensor, *, teacher: bool = False) -> list[Tensor]:
        """Features of every level of images ``(batch, inputs, y, x)``, finest first.

        Any image size: it is padded at its lower and right border, by reflection (by zeros where too small to reflect),
        to a multiple of what the poolings need. The finest features have the padded size.
        """
        features = pad_to_multiple(image, 2 ** (self.shape.levels - 1)).contiguous(memory_format=torch.channels_last)
        pool = F.max_pool2d if self.shape.down == "max" else F.avg_pool2d
        levels: list[Tensor] = []
        for block in self.down:
            features = block(pool(features, 2) if levels else features, teacher=teacher)
            levels.append(features)
        return levels


class UNetDecoder(nn.Module):
    """The way up: up-sampling, skips by concatenation, convolutions, and a 1 x 1 convolution as the head."""

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        pairs = list(zip(shape.widths[:0:-1], shape.widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_upsampling(below, above, shape) for below, above in pairs)
        wider = [below + above if shape.up == "nearest" else 2 * above for below, above in pairs]
        self.merge = nn.ModuleList(
            ConvBlock(inputs, above, shape) for inputs, (_, above) in zip(wider, pairs, strict=True)
        )
        self.gates = nn.ModuleList(AttentionGate(above, below) for below, above in pairs if shape.attention)
        self.head = nn.Conv2d(shape.base, shape.outputs, 1)
        _begin(self.head, shape.head)

    def forward(self, levels: Sequence[Tensor], size: Sequence[int] | None = None, *, teacher: bool = False) -> Tensor:
        """Output ``(batch, outputs, y, x)`` of the features of an encoder, finest first.

        Parameters
        ----------
        levels
            One tensor ``(batch, channel, y, x)`` per level.
        size
            Rows and columns to crop to, those of the image that the encoder padded; `None` does not crop.
        teacher
            See `SeparateBatchNorm`.
        """
        features, above = levels[-1], list(levels[:-1])
        for level, (upsample, merge) in enumerate(zip(self.up, self.merge, strict=True)):
            skip = above.pop()
            if self.shape.attention:
                skip = self.gates[level](skip, features)
            features = merge(torch.cat([skip, _run(upsample, features, teacher)], dim=1), teacher=teacher)
        output: Tensor = self.head(features)
        return output if size is None else output[..., : size[0], : size[1]]


class UNet(nn.Module):
    """An encoder and its decoder, for images of any size."""

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = UNetEncoder(shape)
        self.decoder = UNetDecoder(shape)
        self.register_load_state_dict_pre_hook(_rename_flat)  # type: ignore[no-untyped-call]

    def forward(self, image: Tensor, *, teacher: bool = False) -> Tensor:
        """Images ``(batch, inputs, y, x)`` to logits or values ``(batch, outputs, y, x)``."""
        output: Tensor = self.decoder(self.encoder(image, teacher=teacher), image.shape[-2:], teacher=teacher)
        return output


def _begin(head: nn.Conv2d, kind: Head) -> None:
    """Begin training where the output is likely to be (ours)."""
    weight, bias = head.get_parameter("weight"), head.get_parameter("bias")
    with torch.no_grad():
        if kind == "classes":
            bias.copy_(torch.tensor([4.0] + [0.0] * (head.out_channels - 1)))
        elif kind == "correction":
            weight.mul_(0.1)
            bias.zero_()


def _rename_flat(_module: nn.Module, state: dict[str, Tensor], prefix: str, *_rest: object) -> None:
    """Read weights of the time when encoder and decoder were one module."""
    owners = {"down": "encoder", "up": "decoder", "merge": "decoder", "head": "decoder"}
    for name in [name for name in state if name.startswith(prefix)]:
        inside = name.removeprefix(prefix)
        owner = owners.get(inside.partition(".")[0])
        if owner:
            state[f"{prefix}{owner}.{inside}"] = state.pop(name)


def _norm(channels: int, shape: UNetShape) -> nn.Module:
    if shape.norm.startswith("instance"):
        return InstanceNorm(channels, affine=shape.norm == "instance")
    return SeparateBatchNorm(channels) if shape.norm == "batch_separate" else nn.BatchNorm2d(channels)


def _upsampling(below: int, above: int, shape: UNetShape) -> nn.Module:
    if shape.up == "nearest":
        return nn.Upsample(scale_factor=2)
    if shape.up == "transposed_norm_act":
        return NormalisedUpsampling(below, above, shape)
    return nn.ConvTranspose2d(below, above, 2, stride=2)


def _run(module: nn.Module, features: Tensor, teacher: bool) -> Tensor:
    """Run a module, telling it the kind of input if it keeps the two apart."""
    if isinstance(module, SeparateBatchNorm | NormalisedUpsampling):
        kept_apart: Tensor = module(features, teacher=teacher)
        return kept_apart
    result: Tensor = module(features)
    return result


def _activate(features: Tensor, shape: UNetShape) -> Tensor:
    return F.leaky_relu(features, shape.negative_slope, inplace=True)


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Pad images ``(batch, channel, y, x)`` below and on the right, by reflection where they are large enough to."""
    height, width = image.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if height <= multiple and width <= multiple:
        # One pixel at the lowest level would have no statistics to be normalised by.
        right += multiple
    if not below and not right:
        return image
    mode = "reflect" if below < height and right < width else "constant"
    return F.pad(image, (0, right, 0, below), mode=mode)
