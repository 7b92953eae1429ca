"""The convolutional part of one cascade."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import from_channels, to_channels

__all__ = ["CascadeCNN"]


class CascadeCNN(nn.Module):
    """``x + CNN(x)`` on complex images: `depth` convolutions 3 x 3, ReLU after all but the last.

    He initialisation, zero bias (ours; the source is silent).

    Parameters
    ----------
    depth
        Convolutions, at least two.
    features
        Channels between them.
    """

    def __init__(self, depth: int, features: int) -> None:
        super().__init__()
        widths = [2, *[features] * (depth - 1), 2]
        self.convolutions = nn.ModuleList(nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths))
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
        # A cascade begins as the identity plus a little, so that five of them do not explode.
        with torch.no_grad():
            self.get_parameter(f"convolutions.{depth - 1}.weight").mul_(0.1)

    def forward(self, image: Tensor, *, exact: bool = False) -> Tensor:
        """Complex ``(batch, y, x)`` to the same.

        Where autocast computes in bfloat16, an evaluated (not training) network keeps its first and last convolution in
        single precision, and all of them if `exact`: they cost little, and rounding there is seen in the image.
        """
        last = len(self.convolutions) - 1
        features = to_channels(image).contiguous(memory_format=torch.channels_last)
        for index, convolution in enumerate(self.convolutions):
            keep = not self.training and (exact or index in (0, last))
            features = _in_single_precision(convolution, features) if keep else convolution(features)
            if index < last:
                features = torch.relu_(features)
        return image + from_channels(features)


def _in_single_precision(convolution: nn.Module, features: Tensor) -> Tensor:
    with torch.autocast(features.device.type, enabled=False):
        result: Tensor = convolution(features.float())
        return result
