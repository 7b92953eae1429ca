"""Sampling patterns that learn: probabilities at an exact rate, and masks drawn from them with a gradient.

References
----------
Bahadir CD et al. (2020), Deep-learning-based optimization of the under-sampling pattern in MRI, IEEE Trans Comput
Imaging 6:1139-1152, doi:10.1109/TCI.2020.3006727.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrviewer_models.semunet.sampling_shape import SamplerShape

__all__ = ["FixedSampler", "Gradient", "LearnedSampler", "exact_draw", "relaxed_draw", "scaled_to_rate"]

Gradient = Literal["relaxed", "straight_through", "topk_st"]

_EDGE = 1e-4


def scaled_to_rate(probability: Tensor, rate: float) -> Tensor:
    """`mrviewer.sampling.probability_map.at_rate` with a gradient: the mean becomes the rate, the order stays."""
    mean = probability.mean()
    if float(mean.detach()) >= rate:
        return probability * (rate / mean)
    return 1 - (1 - probability) * ((1 - rate) / (1 - mean))


def relaxed_draw(probability: Tensor, uniform: Tensor, steepness: float) -> Tensor:
    """``sigmoid(s (P' - U))``, nearly 1 where a sample is drawn and nearly 0 elsewhere.

    It lets through more than the rate: about 0.153 for a rate of 0.125 at s = 10.
    """
    return torch.sigmoid(steepness * (probability - uniform))


def exact_draw(probability: Tensor, uniform: Tensor, count: int) -> Tensor:
    """Draw exactly `count` samples, each with about its probability, from the numbers that ``1[P' > U]`` would use.

    A sample is drawn at ``P' > U`` just when ``log(1 - P') / log(1 - U) > 1``. Taking the `count` largest of these
    ratios instead moves that threshold until the count is exact. It is a Gumbel top-k draw with the weights
    ``-log(1 - P')``, for minus the logarithm of an exponential variable is a Gumbel variable (ours; LOUPE rejects).

    Parameters
    ----------
    probability : real, (y, x) or (1, x)
        Its sum should be near `count`.
    uniform : real, (batch, 1, y | 1, x)
        Uniform random numbers between 0 and 1.
    count
        Samples of each draw.

    Returns
    -------
    real, as `uniform`
        0 and 1; without a gradient.

    References
    ----------
    Efraimidis PS and Spirakis PG (2006), Weighted random sampling with a reservoir, Inf Process Lett 97:181-185,
    doi:10.1016/j.ipl.2005.11.003.
    """
    safe = uniform.clamp(1e-6, 1 - 1e-6)
    ratio = (torch.log1p(-probability.detach()) / torch.log1p(-safe)).flatten(1)
    drawn = torch.zeros_like(ratio).scatter_(1, ratio.topk(count, dim=1).indices, 1.0)
    return drawn.view_as(uniform)


class LearnedSampler(nn.Module):
    """One pattern O that learns.

    Parameters
    ----------
    shape
        Grid, rate and slope. The probabilities begin uniformly distributed.
    steepness
        s of `relaxed_draw`.
    """

    fixed: Tensor

    def __init__(self, shape: SamplerShape, steepness: float = 10.0) -> None:
        super().__init__()
        self.shape, self.steepness = shape, steepness
        begin = torch.rand(shape.size) * (1 - 2 * _EDGE) + _EDGE
        # In one axis: weights with more are saved in half precision, which would make equals of neighbours.
        self.logits = nn.Parameter(torch.logit(begin) / shape.slope)
        self.register_buffer("fixed", torch.from_numpy(shape.fixed.ravel()), persistent=False)

    def probability(self) -> Tensor:
        """Probabilities P' ``(y, x)`` or ``(1, x)``, whose mean is the rate."""
        probability = torch.sigmoid(self.shape.slope * self.logits)
        free = scaled_to_rate(probability[~self.fixed], self.shape.free_rate)
        return torch.ones_like(probability).masked_scatter(~self.fixed, free).view(self.shape.grid)

    def forward(self, uniform: Tensor, gradient: Gradient) -> Tensor:
        """Masks ``(batch, 1, y | 1, x)`` through which a gradient reaches the parameters.

        Parameters
        ----------
        uniform : real, (batch, 1, y | 1, x)
            Uniform random numbers, new ones for every sample and every pass.
        gradient
            ``relaxed``: `relaxed_draw`. ``straight_through``: `exact_draw`, with the derivative of the relaxed one.
            ``topk_st``: the most probable samples, with the derivative of a relaxed draw whose random number is the
            probability of the last one taken (ours).
        """
        probability = self.probability()
        if gradient == "relaxed":
            return relaxed_draw(probability, uniform, self.steepness)
        if gradient == "straight_through":
            soft = relaxed_draw(probability, uniform, self.steepness)
            hard = exact_draw(probability, uniform, self.shape.count)
        else:
            threshold = probability.detach().flatten().topk(self.shape.count).values[-1]
            soft = relaxed_draw(probability, threshold, self.steepness).expand_as(uniform)
            hard = self.binary().expand_as(uniform)
        return hard + (soft - soft.detach())

    def binary(self) -> Tensor:
        """The most probable samples, ``(1, 1, y | 1, x)`` of 0 and 1: the mask for deployment."""
        chosen = self.shape.most_probable(self.logits.detach().cpu().numpy())
        return torch.from_numpy(chosen.astype(np.float32)).to(self.logits.device)[None, None]


class FixedSampler(nn.Module):
    """A mask that is given and does not learn, in the place of a `LearnedSampler`.

    Parameters
    ----------
    shape
        Grid and rate.
    """

    pattern: Tensor

    def __init__(self, shape: SamplerShape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("pattern", torch.ones(shape.size))

    def fill(self, pattern: NDArray[np.bool_]) -> None:
        """Take a pattern ``(y, x)`` or ``(1, x)``."""
        self.pattern.copy_(torch.from_numpy(pattern.astype(np.float32).ravel()))

    def forward(self, uniform: Tensor, gradient: Gradient) -> Tensor:
        """The mask, ``(batch, 1, y | 1, x)``."""
        del gradient
        return self.binary().expand_as(uniform)

    def binary(self) -> Tensor:
        """The mask, ``(1, 1, y | 1, x)`` of 0 and 1."""
        return self.pattern.view(1, 1, *self.shape.grid)
