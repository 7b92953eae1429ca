"""Attention over modalities, and the two networks that fuse by it: the paper's comparison with Multi-Unet.

References
----------
Xu W et al. (2024), arXiv:2405.18511. The paper does not give the kernels of the fusion; ours are 3 x 3 x 3,
then 1 x 1 x 1.
"""

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.res_unet3d import Conv3d, Decoder3D, Encoder3D, ResUNet3D
from mrviewer_models.multiunet.shape import MultiUNetShape

__all__ = ["LateFusionUNet", "ModalityFusion", "MultiScaleFusionUNet"]


class ModalityFusion(nn.Module):
    """``z = sum_i a_i z_i`` with ``a = softmax_i conv(conv([z_1 .. z_C]))``, one weight for each voxel and modality.

    Parameters
    ----------
    modalities
        Number of feature volumes.
    features
        Channels of each.
    mask_absent
        Whether absent modalities get exactly no attention.
    """

    def __init__(self, modalities: int, features: int, *, mask_absent: bool) -> None:
        super().__init__()
        self.mask_absent = mask_absent
        self.score = nn.Sequential(
            Conv3d(modalities * features, features, 3, padding=1), nn.PReLU(), Conv3d(features, modalities, 1)
        )

    def attention(self, features: Tensor, present: Tensor) -> Tensor:
        """Weights ``(batch, modality, z, y, x)`` of features ``(batch, modality, channel, z, y, x)``."""
        scores: Tensor = self.score(features.flatten(1, 2))
        if self.mask_absent:
            # Where nothing at all is there, nothing can be left out.
            absent = ~present & present.any(dim=1, keepdim=True)
            scores = scores.masked_fill(absent[:, :, None, None, None], -torch.inf)
        return scores.softmax(dim=1)

    def forward(self, features: Tensor, present: Tensor) -> Tensor:
        """Fused features ``(batch, channel, z, y, x)``; `present` is bool ``(batch, modality)``."""
        return (self.attention(features, present)[:, :, None] * features).sum(dim=1)


class LateFusionUNet(nn.Module):
    """LFUnet: the same U-Net on each modality, fused before the last convolution."""

    def __init__(self, shape: MultiUNetShape) -> None:
        super().__init__()
        self.single = ResUNet3D(1, None, shape.base, shape.dropout)
        self.fusion = ModalityFusion(len(shape.channels), shape.base, mask_absent=shape.mask_absent)
        self.head = Conv3d(shape.base, 1, 3, padding=1)

    def forward(self, volume: Tensor, present: Tensor) -> Tensor:
        """Volumes ``(batch, modality, z, y, x)`` to logits ``(batch, 1, z, y, x)``."""
        features = self.single(volume.flatten(0, 1)[:, None]).unflatten(0, volume.shape[:2])
        logits: Tensor = self.head(self.fusion(features, present))
        return logits


class MultiScaleFusionUNet(nn.Module):
    """MAFUnet: an encoder for each modality, fused at each of the five scales, one decoder."""

    def __init__(self, shape: MultiUNetShape) -> None:
        super().__init__()
        modalities, base = len(shape.channels), shape.base
        self.encoders = nn.ModuleList(Encoder3D(1, base, shape.dropout) for _ in range(modalities))
        self.fusions = nn.ModuleList(
            ModalityFusion(modalities, base * 2**level, mask_absent=shape.mask_absent) for level in range(5)
        )
        self.decoder = Decoder3D(base, 1, shape.dropout)

    def forward(self, volume: Tensor, present: Tensor) -> Tensor:
        """Volumes ``(batch, modality, z, y, x)`` to logits ``(batch, 1, z, y, x)``."""
        encoded = [encoder(volume[:, [index]]) for index, encoder in enumerate(self.encoders)]
        scales = zip(self.fusions, zip(*encoded, strict=True), strict=True)
        fused = [fusion(torch.stack(features, dim=1), present) for fusion, features in scales]
        logits: Tensor = self.decoder(fused)[0]
        return logits
