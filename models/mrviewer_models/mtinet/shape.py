"""Sizes and switches of MTI-Net."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["N_PHASES", "PRESETS", "Classes", "MTIShape", "Norm", "Pooling", "Region", "Spectrum", "Target"]

N_PHASES = 4

Target = Literal["relative", "mean", "liver_relative"]
Classes = Literal["types", "binary"]
Spectrum = Literal["fourier", "haar"]
Norm = Literal["instance", "study"]
Pooling = Literal["mean", "region"]
Region = Literal["decoder", "phases"]


@dataclass(frozen=True)
class MTIShape:
    """Everything that must be known to build the network and to prepare its input.

    Parameters
    ----------
    base
        Channels of the first of four stages; each stage below has twice as many. Tokens are as wide as the last stage,
        the discriminator and the hidden layers of the heads half as wide.
    n_classes
        Classes of the tumour.
    target, quant
        What is regressed: see `mrviewer_models.mtinet.targets`.
    with_mdief
        Fusion by entropy and high frequencies; else the mean of the phases.
    with_phase_transformer
        Whether phases see each other before they are fused.
    with_tim
        Whether segmentation and regression see each other.
    with_tdd
        Whether there is a discriminator.
    spectrum
        How high frequencies are told: outside a box in Fourier space, or in the Haar sub-bands.
    norm
        The encoder's instance normalisation. ``instance``: statistics of each phase. ``study``: of the four phases of a
        study together, which leaves the differences between them as they are.
    pooling
        What regression and classes see of the deepest features: their mean over the slice, or over the coarse mask
        (``region``, of which no gradient goes to the mask).
    region
        What the token of the region is made of: features of the ``decoder`` inside the coarse mask, or these and the
        first features of each of the ``phases``, which fusion has not yet mixed.
    sharpness
        Power of the coarse probabilities that weigh the region. At 1 a faint haze over the whole slice outweighs a
        small tumour until the mask is good, and nothing is learned of the tumour till then.
    pixel_mm
        Pixel size that slices are resampled to.
    """

    base: int = 32
    n_classes: int = 2
    target: Target = "relative"
    quant: bool = False
    with_mdief: bool = True
    with_phase_transformer: bool = True
    with_tim: bool = True
    with_tdd: bool = True
    spectrum: Spectrum = "fourier"
    norm: Norm = "instance"
    pooling: Pooling = "mean"
    region: Region = "decoder"
    sharpness: float = 1.0
    pixel_mm: float = 1.375

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels of the four stages."""
        return self.base, 2 * self.base, 4 * self.base, 8 * self.base

    @property
    def n_enhancements(self) -> int:
        """Regressed values that tell the enhancement."""
        return N_PHASES if self.target == "mean" else N_PHASES - 1

    @property
    def n_values(self) -> int:
        """All regressed values."""
        return self.n_enhancements + (4 if self.quant else 0)


PRESETS = {
    "paper": MTIShape(),
    "small": MTIShape(base=8, norm="study", pooling="region", region="phases", sharpness=3.0, pixel_mm=4.125),
    "tiny": MTIShape(base=4, norm="study", pooling="region", region="phases", sharpness=3.0, pixel_mm=5.5),
}
