"""Data consistency: what was measured is put back into the estimate."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["MeasuredData"]


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
            Zero where not measured, DC at the centre.
        pattern : real, (batch | 1, 1, y | 1, x)
            DC at the centre.
        maps : complex, (batch, coil, y, x)

        Returns
        -------
        data : MeasuredData
        image : complex, (batch, y, x)
        """
        axes = (-2, -1)
        coils = torch.fft.ifft2(torch.fft.ifftshift(kspace, dim=axes), norm="ortho")
        coils = torch.fft.fftshift(coils, dim=axes)
        line_mask = pattern.shape[-2] == 1
        spectrum = torch.fft.fft(coils, norm="ortho") if line_mask else torch.fft.fft2(coils, norm="ortho")
        shifted = torch.fft.ifftshift(pattern, dim=(-1,) if line_mask else axes)
        image = (maps.conj() * coils).sum(dim=1)
        return cls(spectrum, shifted.to(kspace.real.dtype), maps, line_mask), image

    def residual(self, image: Tensor) -> Tensor:
        """``A^H (y - A x)``: what the measurement still asks of the image ``(batch, y, x)``.

        For one coil ``x + residual(x)`` is the hard layer ``F^-1((1 - M) F x + M y)``; for many it is its projection on
        the coil model, ``R F^-1((1 - M) F S x + M y)``.

        References
        ----------
        Schlemper J et al. (2018), A deep cascade of convolutional neural networks for dynamic MR image reconstruction,
        IEEE Trans Med Imaging 37:491-503, doi:10.1109/TMI.2017.2760978.
        """
        coils = self.maps * image[:, None]
        if self.line_mask:
            missing = (self.spectrum - torch.fft.fft(coils, norm="ortho")) * self.pattern
            asked = torch.fft.ifft(missing, norm="ortho")
        else:
            missing = (self.spectrum - torch.fft.fft2(coils, norm="ortho")) * self.pattern
            asked = torch.fft.ifft2(missing, norm="ortho")
        return torch.sum(self.maps.conj() * asked, dim=1)

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
