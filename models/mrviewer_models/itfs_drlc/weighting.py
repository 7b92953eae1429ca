"""Dynamic re-weighting of the two losses (DRLC): reconstruction first, segmentation later."""

import math
from typing import Literal

import torch
from torch import Tensor

from mrviewer.training.recipe import Moment

__all__ = ["Weighting", "reconstruction_weight", "uncertainty_weighted"]

Weighting = Literal["fixed", "linear", "exp", "exp_scaled", "learned"]

_FIRST, _FLOOR = 0.8, 0.05


def reconstruction_weight(
    weighting: Weighting, moment: Moment, *, fixed: float = 0.5, time_scale: float = 1.0
) -> float:
    """Weight alpha of the reconstruction loss; the segmentation loss takes ``1 - alpha``.

    ``exp``: ``max(exp(-t) - 0.2, 0.05)`` with t the epoch counted in whole epochs from 0, as printed. ``exp_scaled``:
    the same with ``t / time_scale``. ``linear``: 0.8 to 0.05 over all epochs. ``fixed``: `fixed`.

    The text of the paper says that alpha increases; its equation 5 and its motivation need it to decrease, as here.

    References
    ----------
    Qi K et al. (2020), arXiv:2011.13614, equations 2, 5, 6 and table 2.
    """
    epoch = math.floor(moment.epoch)
    if weighting == "fixed":
        return fixed
    if weighting == "linear":
        last = max(math.ceil(moment.n_epochs) - 1, 1)
        return _FIRST + (_FLOOR - _FIRST) * min(epoch / last, 1)
    if weighting == "exp":
        return max(math.exp(-epoch) - 0.2, _FLOOR)
    if weighting == "exp_scaled":
        return max(math.exp(-epoch / time_scale) - 0.2, _FLOOR)
    raise ValueError(f"{weighting!r} has no weight that is known beforehand")


def uncertainty_weighted(reconstruction: Tensor, segmentation: Tensor, log_variance: Tensor) -> Tensor:
    """Both losses weighted by learned homoscedastic uncertainty, ``sum_i exp(-s_i) L_i + s_i``. Ours, not the paper's.

    References
    ----------
    Kendall A, Gal Y, Cipolla R (2018), Multi-task learning using uncertainty to weigh losses, CVPR,
    doi:10.1109/CVPR.2018.00781.
    """
    losses = torch.stack([reconstruction, segmentation])
    return (torch.exp(-log_variance) * losses + log_variance).sum()
