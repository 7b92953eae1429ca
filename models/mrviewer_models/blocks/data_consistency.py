"""Data consistency: what was measured is put back into the estimate."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from mrviewer.torch_fft import ifft2c

__all__ = ["CoilConsistency", "Consistency", "MeasuredData"]

Consistency = Literal["learned", "hard"]


@dataclass(frozen=True)
class MeasuredData:
    """What was measured, in the form in which data consistency is quickest.

    For a mask of whole lines the Fourier transform along y cancels in every data-consistency step, so that one along x
    is enough; and no shift of k-space is needed when mask and data are kept in FFT order once and for all.

    Parameters
    ----------
    spectrum : complex, (batch, coil, y, x)
        Transform of the zero-filled coil images in FFT order, over x alone (`line_mask`) or over y and x.
    pattern : real, (batch | 1, 1, y | 1, x)
        Sampling pattern in FFT order.
    maps : complex, (batch, coil, y, x)
        Normalised sensitivities.
    line_mask
        Whether only x is undersampled.
    """

    spectrum: Tensor
    pattern: Tensor
    maps: Tensor
    line_mask: bool

    @classmethod
    def from_kspace(cls, kspace: Tensor, pattern: Tensor, maps: Tensor) -> tuple["MeasuredData", Tensor]:
        """Prepare centred k-space, and give the zero-filled image.

        Parameters
        ----------
        kspace : complex, (batch, coil, y, x)
            Zero where not measured, DC at the centre; times the pattern where that is relaxed.
        pattern : real, (batch | 1, 1, y | 1, x)
            Sampling pattern, DC at the centre: 0 and 1, or between them while it learns.
        maps : complex, (batch, coil, y, x)
            Normalised sensitivities.

        Returns
        -------
        data : MeasuredData
        image : complex, (batch, y, x)
        """
        coils = ifft2c(kspace)
        line_mask = pattern.shape[-2] == 1
        spectrum = torch.fft.fft(coils, norm="ortho") if line_mask else torch.fft.fft2(coils, norm="ortho")
        shifted = torch.fft.ifftshift(pattern, dim=(-1,) if line_mask else (-2, -1)).to(kspace.real.dtype)
        spectrum = spectrum * (shifted > 0)  # transforms there and back leave rounding where nothing was measured
        image = (maps.conj() * coils).sum(dim=1)
        return cls(spectrum, shifted, maps, line_mask), image

    @classmethod
    def scaled(cls, kspace: Tensor, pattern: Tensor, maps: Tensor) -> tuple["MeasuredData", Tensor, Tensor]:
        """Prepare as `from_kspace` does, and divide as `normalised` does: what most networks do at their door."""
        data, image = cls.from_kspace(kspace, pattern, maps)
        return data.normalised(image)

    def normalised(self, image: Tensor) -> tuple["MeasuredData", Tensor, Tensor]:
        """Divide measurement and images ``(batch, y, x)`` by the largest magnitude of each image.

        A network that does so at its door does not depend on the units of the measurement.

        Returns
        -------
        data : MeasuredData
        image : complex, (batch, y, x)
        scale : real, (batch, 1, 1)
            What they were divided by, to give the units back.
        """
        scale = image.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        return replace(self, spectrum=self.spectrum / scale[:, None]), image / scale, scale

    @property
    def coil_images(self) -> Tensor:
        """Zero-filled image of each coil, ``(batch, coil, y, x)``."""
        return self._inverse(self.spectrum)

    def coil_residual(self, coils: Tensor) -> Tensor:
        """``F^-1 (y - M F x_c)`` of coil images ``(batch, coil, y, x)``; the sensitivities are not looked at.

        y holds M already, so that a relaxed mask, between 0 and 1, counts once.
        """
        return self._inverse(self.spectrum - self._transform(coils) * self.pattern)

    def combined(self, coils: Tensor) -> Tensor:
        """Merge coil images ``(batch, coil, y, x)`` by their sensitivities, ``sum_c conj(s_c) x_c``."""
        return torch.sum(self.maps.conj() * coils, dim=1)

    def residual(self, image: Tensor) -> Tensor:
        """``A^H (y - A x)``: what the measurement still asks of the image ``(batch, y, x)``.

        For one coil ``x + residual(x)`` is the hard layer ``F^-1((1 - M) F x + M y)``; for many it is its projection on
        the coil model, ``R F^-1((1 - M) F S x + M y)``.

        References
        ----------
        Schlemper J et al. (2018), A deep cascade of convolutional neural networks for dynamic MR image reconstruction,
        IEEE Trans Med Imaging 37:491-503, doi:10.1109/TMI.2017.2760978.
        """
        return self.combined(self.coil_residual(self.maps * image[:, None]))

    def enforce(self, image: Tensor, noise_weight: float | None = None) -> Tensor:
        """Hard data consistency, or the soft layer ``k + M (lambda / (1 + lambda)) (y - k)`` if a weight is given.

        Parameters
        ----------
        image : complex, (batch, y, x)
        noise_weight
            lambda of the soft layer, the inverse noise level; `None` trusts the measurement fully.
        """
        trust = 1.0 if noise_weight is None else noise_weight / (1 + noise_weight)
        return image + trust * self.residual(image)

    def _transform(self, images: Tensor) -> Tensor:
        transform = torch.fft.fft if self.line_mask else torch.fft.fft2
        spectrum: Tensor = transform(images, norm="ortho")
        return spectrum

    def _inverse(self, spectrum: Tensor) -> Tensor:
        transform = torch.fft.ifft if self.line_mask else torch.fft.ifft2
        images: Tensor = transform(spectrum, norm="ortho")
        return images


class CoilConsistency(nn.Module):
    """Data consistency of coil images, ``k' = (y + w k) / (M + w)``, w > 0 learned and 1 at first, or hard.

    Where nothing was measured k stays; elsewhere it is ``k + (y - k) / (1 + w)``, which is the hard layer for w = 0.
    The logarithm of w is what is learned, so that w stays positive (ours).

    Parameters
    ----------
    kind
        ``learned`` or ``hard``.

    References
    ----------
    Pramanik A et al. (2021), Joint calibrationless reconstruction and segmentation of parallel MRI, arXiv:2105.09220.
    """

    def __init__(self, kind: Consistency = "learned") -> None:
        super().__init__()
        self.log_weight = nn.Parameter(torch.zeros(1)) if kind == "learned" else None

    @property
    def weight(self) -> Tensor:
        """Trust w in the network, against 1 in the measurement."""
        return torch.zeros(1) if self.log_weight is None else self.log_weight.exp()

    def forward(self, data: MeasuredData, coils: Tensor) -> Tensor:
        """Coil images ``(batch, coil, y, x)`` drawn towards what was measured."""
        asked = data.coil_residual(coils)
        return coils + (asked if self.log_weight is None else asked / (1 + self.weight))
