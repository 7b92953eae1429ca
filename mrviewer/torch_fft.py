"""The centred Fourier transform of `mrviewer.physics` on tensors of torch, for networks and their training."""

import torch
from torch import Tensor

__all__ = ["fft2c", "ifft2c"]

_AXES = (-2, -1)


def fft2c(image: Tensor) -> Tensor:
    """Image to k-space over the last two axes, orthonormal, DC at index ``N // 2``; complex ``(..., y, x)``."""
    shifted = torch.fft.ifftshift(image, dim=_AXES)
    kspace: Tensor = torch.fft.fftshift(torch.fft.fft2(shifted, norm="ortho"), dim=_AXES)
    return kspace


def ifft2c(kspace: Tensor) -> Tensor:
    """K-space to image, the inverse of `fft2c`; complex ``(..., y, x)``."""
    shifted = torch.fft.ifftshift(kspace, dim=_AXES)
    image: Tensor = torch.fft.fftshift(torch.fft.ifft2(shifted, norm="ortho"), dim=_AXES)
    return image
