"""SegNetMRI: blocks that reconstruct, each with a segmenter on the features of its encoder."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.coil_stack import from_coil_channels, to_coil_channels
from mrviewer_models.blocks.coil_unet_shape import CoilUNetShape
from mrviewer_models.blocks.data_consistency import CoilConsistency, MeasuredData
from mrviewer_models.blocks.unet import Head, UNetDecoder, UNetEncoder

__all__ = ["PRESETS", "SegNetMRI", "SegNetMRIOutput", "SegNetMRIShape"]


@dataclass(frozen=True)
class SegNetMRIShape(CoilUNetShape):
    """Sizes and switches of `CoilUNetShape`, the same for all blocks, and those of the whole.

    Parameters
    ----------
    blocks
        Encoders, each with its two decoders; a learned weight of the consistency is shared between them.
    merge_kernel
        Edge of the convolution that merges the segmentations: 3 (reference implementation) or 1.
    residual
        Whether a block gives a correction to its input (ours) or the image itself.
    """

    blocks: int = 5
    merge_kernel: int = 3
    residual: bool = False

    @property
    def head(self) -> Head:
        """What the first decoder of a block gives."""
        return "correction" if self.residual else "values"


PRESETS = {
    "paper": SegNetMRIShape(),
    "small": SegNetMRIShape(blocks=3, base=16, max_coils=8, residual=True),
    "tiny": SegNetMRIShape(blocks=2, base=4, max_coils=4, residual=True),
}


class SegNetMRIOutput(NamedTuple):
    """Images ``(batch, y, x)`` after every block, and logits ``(batch, class, y, x)`` of every block and merged."""

    images: list[Tensor]
    logits: list[Tensor]


class Block(nn.Module):
    """One encoder for two tasks."""

    def __init__(self, shape: SegNetMRIShape) -> None:
        super().__init__()
        self.encoder = UNetEncoder(shape.reconstruction)
        self.reconstruction = UNetDecoder(shape.reconstruction)
        self.segmentation = UNetDecoder(shape.segmentation)


class SegNetMRI(nn.Module):
    """Joint reconstruction and segmentation with shared encoders.

    The images of all coils are the channels of the network, so that it needs sensitivities at the end alone. Each scan
    is divided by the largest magnitude of its zero-filled image (ours).

    References
    ----------
    Sun L et al. (2019), Joint CS-MRI reconstruction and segmentation with a unified deep network, IPMI,
    LNCS 11492:492-504, doi:10.1007/978-3-030-20351-1_38.
    """

    def __init__(self, shape: SegNetMRIShape) -> None:
        super().__init__()
        self.shape = shape
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.consistency = CoilConsistency(shape.consistency)
        self.merge = nn.Conv2d(
            shape.blocks * shape.classes, shape.classes, shape.merge_kernel, padding=shape.merge_kernel // 2
        )
        _begin_with_the_mean(self.merge, shape)

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor, *, segment: bool = True) -> SegNetMRIOutput:
        """Images and logits of every block; the last of each is the result.


        The measurement is that of `MeasuredData.from_kspace`; `segment` says whether logits are wanted.

        Raises
        ------
        DoesNotFitError
            If the network has not as many channels as that.
        """
        data, _, scale = MeasuredData.scaled(kspace, pattern, maps)
        coils, size = data.coil_images, kspace.shape[-2:]
        images, logits = [], []
        for block in self.blocks:
            assert isinstance(block, Block)
            levels = block.encoder(to_coil_channels(coils, self.shape.max_coils))
            if segment:
                logits.append(block.segmentation(levels, size).float())
            estimate = from_coil_channels(block.reconstruction(levels, size), kspace.shape[1])
            coils = self.consistency(data, coils + estimate if self.shape.residual else estimate)
            images.append(data.combined(coils) * scale)
        if segment:
            logits.append(self.merge(torch.cat(logits, dim=1)))
        return SegNetMRIOutput(images, logits)

    def reconstruction_parts(self) -> list[nn.Module]:
        """What the reconstruction runs through."""
        halves = [getattr(block, name) for block in self.blocks for name in ("encoder", "reconstruction")]
        return [*halves, self.consistency]

    def segmentation_parts(self) -> list[nn.Module]:
        """What the segmentation runs through, but the encoders."""
        return [*(block.get_submodule("segmentation") for block in self.blocks), self.merge]


def _begin_with_the_mean(merge: nn.Conv2d, shape: SegNetMRIShape) -> None:
    """Let the merged logits begin as the mean of all (ours)."""
    middle = shape.merge_kernel // 2
    with torch.no_grad():
        merge.weight.zero_()
        merge.get_parameter("bias").zero_()
        for block in range(shape.blocks):
            for kind in range(shape.classes):
                merge.weight[kind, block * shape.classes + kind, middle, middle] = 1 / shape.blocks
