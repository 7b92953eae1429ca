"""Images of all coils as the channels of one network, without sensitivities."""

import torch
from torch import Tensor
from torch.nn import functional as F

from mrviewer.errors import DoesNotFitError

__all__ = ["from_coil_channels", "to_coil_channels"]


def to_coil_channels(coils: Tensor, max_coils: int) -> Tensor:
    """Complex ``(batch, coil, y, x)`` to real ``(batch, 2 max_coils, y, x)``, missing coils zero.

    Real and imaginary part of a coil are neighbours.

    Raises
    ------
    DoesNotFitError
        If there are more coils than channels.
    """
    n_coils = coils.shape[1]
    if n_coils > max_coils:
        raise DoesNotFitError(
            f"this network takes {max_coils} coil(s) at most and this scan has {n_coils};"
            " choose another method or compress the coils"
        )
    channels = torch.view_as_real(coils).permute(0, 1, 4, 2, 3).flatten(1, 2)
    return F.pad(channels, (0, 0, 0, 0, 0, 2 * (max_coils - n_coils)))


def from_coil_channels(channels: Tensor, n_coils: int) -> Tensor:
    """Real ``(batch, 2 max_coils, y, x)`` to the first coils, complex ``(batch, coil, y, x)``."""
    parts = channels[:, : 2 * n_coils].unflatten(1, (n_coils, 2)).float()
    return torch.complex(parts[:, :, 0], parts[:, :, 1])
