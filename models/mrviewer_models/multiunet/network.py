"""The network of joint learning over databases, in its published variants behind one door."""

import logging

import torch
from torch import Tensor, nn

from mrviewer.errors import InputError
from mrviewer_models.blocks.res_unet3d import ResUNet3D, pad_to_fit
from mrviewer_models.multiunet.fusion import LateFusionUNet, MultiScaleFusionUNet
from mrviewer_models.multiunet.progressive import ProgressiveUNet
from mrviewer_models.multiunet.shape import MultiUNetShape

__all__ = ["MultiUNet"]

_logger = logging.getLogger(__name__)


class MultiUNet(nn.Module):
    """Segment lesions in whatever modalities a volume has; absent ones are volumes of zeros.

    Any extent: it is padded by repetition to multiples of 16 and cropped back.

    Raises
    ------
    InputError
        If a variant with attention over modalities is asked for a progressive column, which the paper gives to
        Multi-Unet alone.
    """

    def __init__(self, shape: MultiUNetShape) -> None:
        super().__init__()
        self.shape = shape
        inputs, base, dropout = len(shape.channels), shape.base, shape.dropout
        if shape.progressive and shape.kind != "multi":
            raise InputError(
                f"the kind is {shape.kind} and a progressive column belongs to multi; set kind=multi or column=none"
            )
        if inputs > base:
            _logger.warning(
                "%d input channels but %d features: the residual path adds the first %d inputs only", inputs, base, base
            )
        if shape.kind == "lf":
            self.body: nn.Module = LateFusionUNet(shape)
        elif shape.kind == "maf":
            self.body = MultiScaleFusionUNet(shape)
        elif shape.progressive:
            self.body = ProgressiveUNet(inputs, base, dropout)
        else:
            self.body = ResUNet3D(inputs, 1, base, dropout)

    def forward(self, volume: Tensor, present: Tensor | None = None) -> Tensor:
        """Logits of lesions.

        Parameters
        ----------
        volume : (batch, channel, z, y, x)
            Standardised volumes in the order of `MultiUNetShape.channels`, zeros where there is none.
        present : bool, (batch, channel)
            Which of them are there; `None` takes all that are not zero.

        Returns
        -------
        (batch, 1, z, y, x)
        """
        padded = pad_to_fit(volume)
        if self.shape.kind == "multi":
            logits: Tensor = self.body(padded)
        else:
            logits = self.body(padded, _not_zero(volume) if present is None else present)
        depth, height, width = volume.shape[2:]
        return logits[..., :depth, :height, :width]


def _not_zero(volume: Tensor) -> Tensor:
    return torch.ne(volume, 0).flatten(2).any(dim=2)
