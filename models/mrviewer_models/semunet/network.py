"""SemuNet: samplers, a reconstruction, and a segmentation of what it gives."""

from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import smooth_magnitude, standardise
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.md_recon import MDRecon, MDReconShape
from mrviewer_models.blocks.unet import UNet, UNetShape
from mrviewer_models.blocks.unet_presets import unet_bn, unet_bn_t
from mrviewer_models.d5c5.network import D5C5, D5C5Shape
from mrviewer_models.semunet.sampler import FixedSampler, LearnedSampler
from mrviewer_models.semunet.sampling_shape import SamplingShape

__all__ = ["CLASSES", "PRESETS", "Estimate", "SemuNet", "SemuNetShape"]

CLASSES = ("lesion", "csf", "grey matter", "white matter")


@dataclass(frozen=True)
class SemuNetShape:
    """Sizes of the three modules, and which ones they are.

    Parameters
    ----------
    sampling
        The samplers.
    reconstruction, segmentation
        The U-Nets.
    masks
        ``learned``; ``fixed``: given and kept; ``full``: everything is acquired.
    steepness
        See `relaxed_draw`.
    recon
        ``unet`` adds what it finds to the zero-filled magnitude; ``mdrecon`` and ``d5c5`` work on the complex image;
        ``none`` leaves the zero-filled image.
    dc
        ``soft``: data consistency after the U-Net, on its magnitude with the phase of the zero-filled image; how far
        the measurement is trusted is learned.
    mdrecon, d5c5
        Sizes of these reconstructions.
    """

    sampling: SamplingShape = field(default_factory=SamplingShape)
    reconstruction: UNetShape = field(default_factory=lambda: replace(unet_bn(1, 1), head="correction"))
    segmentation: UNetShape = field(default_factory=lambda: replace(unet_bn_t(1, len(CLASSES)), head="values"))
    masks: Literal["learned", "fixed", "full"] = "learned"
    steepness: float = 10.0
    recon: Literal["unet", "mdrecon", "d5c5", "none"] = "unet"
    dc: Literal["none", "soft"] = "none"
    mdrecon: MDReconShape = field(default_factory=MDReconShape)
    d5c5: D5C5Shape = field(default_factory=D5C5Shape)


def _preset(base: int, levels: int, mdrecon: MDReconShape, d5c5: D5C5Shape) -> SemuNetShape:
    """Smaller U-Nets, with instance normalisation for batches of few slices."""
    shape = SemuNetShape(mdrecon=mdrecon, d5c5=d5c5)
    return replace(
        shape,
        reconstruction=replace(shape.reconstruction, base=base, levels=levels, norm="instance"),
        segmentation=replace(shape.segmentation, base=base, levels=levels, norm="instance"),
    )


PRESETS = {
    "paper": SemuNetShape(),
    "small": _preset(16, 4, MDReconShape(features=16), D5C5Shape(features=32)),
    "tiny": _preset(4, 3, MDReconShape(blocks=2, features=4), D5C5Shape(2, 3, 8)),
}


@dataclass(frozen=True)
class Estimate:
    """What a reconstruction gives.

    Parameters
    ----------
    magnitude : real, (batch, y, x)
        In the units of the measurement; while a U-Net trains, it may be negative.
    steps : complex, (batch, y, x) each
        From the zero-filled image to the result.
    names
        What each of them is.
    """

    magnitude: Tensor
    steps: tuple[Tensor, ...]
    names: tuple[str, ...]


class SemuNet(nn.Module):
    """Sample, reconstruct, segment: three modules that learn together.

    Each image is scaled by the largest magnitude of its zero-filled reconstruction at the door of the U-Net and scaled
    back at the end, and the segmenter sees a standardised magnitude, so that units do not matter (ours).

    References
    ----------
    Wang Z et al. (2021), One network to solve them all: a sequential multi-task joint learning network framework for MR
    imaging pipeline, MLMIR, LNCS 12964:76-85, doi:10.1007/978-3-030-88552-6_8.
    """

    def __init__(self, shape: SemuNetShape) -> None:
        super().__init__()
        self.shape = shape
        self.samplers = nn.ModuleDict(
            {
                name: LearnedSampler(part, shape.steepness) if shape.masks == "learned" else FixedSampler(part)
                for name, part in shape.sampling.parts().items()
            }
        )
        self.reconstruction = _reconstruction(shape)
        self.segmentation = UNet(shape.segmentation)
        if shape.dc == "soft":
            self.log_noise_weight = nn.Parameter(torch.zeros(1))
        # Training begins at what is nearly always true, no class (ours).
        with torch.no_grad():
            self.segmentation.get_parameter("decoder.head.bias").fill_(-3)

    def sampler(self, name: str) -> LearnedSampler | FixedSampler:
        """Sampler by its name, see `SamplingShape.parts`."""
        sampler = self.samplers[name]
        assert isinstance(sampler, LearnedSampler | FixedSampler)
        return sampler

    def reconstruct(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> Estimate:
        """Reconstruct what was sampled.

        Parameters
        ----------
        kspace : complex, (batch, coil, y, x)
            Zero where not measured, DC at the centre; times the mask where that is relaxed.
        pattern : real, (batch | 1, 1, y | 1, x)
            Sampling pattern, DC at the centre.
        maps : complex, (batch, coil, y, x)
            Normalised sensitivities.
        """
        data, image = MeasuredData.from_kspace(kspace, pattern, maps)
        if self.shape.recon == "unet":
            return self._corrected(data, image)
        if self.shape.recon == "none":
            return Estimate(_magnitude(image), (image,), ("zero-filled",))
        steps = tuple(self.reconstruction(kspace, pattern, maps))
        part = "cascade" if self.shape.recon == "d5c5" else "block"
        names = tuple(f"{part} {number}" for number in range(1, len(steps) + 1))
        return Estimate(_magnitude(steps[-1]), (image, *steps), ("zero-filled", *names))

    def segment(self, magnitude: Tensor) -> Tensor:
        """Logits ``(batch, class, y, x)`` of magnitudes ``(batch, y, x)``; a pixel may be of several classes."""
        logits: Tensor = self.segmentation(standardise(magnitude)[:, None])
        return logits

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> tuple[Estimate, Tensor]:
        """Estimate and logits of a measurement; what happens at test time."""
        estimate = self.reconstruct(kspace, pattern, maps)
        return estimate, self.segment(estimate.magnitude)

    def _corrected(self, data: MeasuredData, image: Tensor) -> Estimate:
        """Zero-filled magnitude and what the U-Net adds to it."""
        scale = image.detach().abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        zero_filled = smooth_magnitude(image / scale)
        corrected = zero_filled + self.reconstruction(zero_filled[:, None])[:, 0].float()
        # Without a gradient, which would be boundless where there is nothing.
        phase = torch.where(image == 0, 1, torch.sgn(image.detach()))
        steps, names = (image, corrected.clamp(min=0) * phase * scale), ("zero-filled", "U-Net")
        if self.shape.dc == "none":
            return Estimate(corrected * scale, steps, names)
        trust = torch.sigmoid(self.log_noise_weight)
        scaled = replace(data, spectrum=data.spectrum / scale[:, None])
        consistent = corrected * phase
        consistent = consistent + trust * scaled.residual(consistent)
        return Estimate(
            smooth_magnitude(consistent) * scale, (*steps, consistent * scale), (*names, "data consistency")
        )


def _reconstruction(shape: SemuNetShape) -> nn.Module:
    if shape.recon == "unet":
        return UNet(shape.reconstruction)
    if shape.recon == "mdrecon":
        return MDRecon(shape.mdrecon)
    return D5C5(shape.d5c5) if shape.recon == "d5c5" else nn.Identity()


def _magnitude(image: Tensor) -> Tensor:
    """Magnitude in the units of the image, whose gradient is finite where the image is zero."""
    scale = image.detach().abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    return smooth_magnitude(image / scale) * scale
