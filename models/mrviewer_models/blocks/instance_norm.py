"""Instance normalisation that is quick on a processor."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["InstanceNorm"]


class InstanceNorm(nn.InstanceNorm2d):
    """`torch.nn.InstanceNorm2d` as a batch normalisation of one image after the other, which is the same.

    On a CPU the layer of torch copies features whose channels lie last in memory to another layout and the following
    convolution copies them back, which takes longer than the convolution; batch normalisation takes them as they are.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(batch, channel, y, x)``."""
        if features.device.type != "cpu":
            return super().forward(features)
        images = [
            F.batch_norm(image, None, None, self.weight, self.bias, training=True, eps=self.eps)
            for image in features.split(1)
        ]
        return images[0] if len(images) == 1 else torch.cat(images)
