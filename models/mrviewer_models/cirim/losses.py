"""The loss of a cascade of recurrent inference machines: every estimate counts, late ones most."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

__all__ = ["Growth", "Normalisation", "growing_weights", "weighted_l1"]

Growth = Literal["exponential", "uniform"]
Normalisation = Literal["target", "each"]


def growing_weights(count: int, growth: Growth) -> list[float]:
    """``w_i = 10^(-(n - i) / (n - 1))`` for i = 1 to n = `count`, from 0.1 to 1; or 1 for each (``uniform``)."""
    if growth == "uniform" or count == 1:
        return [1.0] * count
    return [10 ** ((number - count) / (count - 1)) for number in range(1, count + 1)]


def weighted_l1(
    steps: Sequence[Tensor],
    target: Tensor,
    *,
    cascades: int,
    step_weights: Growth = "exponential",
    cascade_weights: Growth = "uniform",
    normalisation: Normalisation = "target",
) -> Tensor:
    """``1/(K T) sum_k v_k sum_t w_t mean ||x_kt| - |x||``, magnitudes with a largest value of 1.

    Parameters
    ----------
    steps : complex, (batch, y, x) each
        Estimates in the order in which they were made.
    target : complex, (batch, y, x)
        Fully sampled image.
    cascades
        K, of which `steps` has T each.
    step_weights, cascade_weights
        See `growing_weights`.
    normalisation
        What magnitudes are divided by: ``target`` the largest of the target, ``each`` the largest of each image itself,
        as in the paper of MTLRS. The latter leaves the scale of the reconstruction free.

    References
    ----------
    Karkalousos D et al. (2022), doi:10.1088/1361-6560/ac6cc2; Karkalousos D et al. (2023), MultiTask learning for
    accelerated-MRI reconstruction and segmentation of brain lesions in multiple sclerosis, PMLR 227:991-1005, equation
    8.
    """
    n_steps = len(steps) // cascades
    weights = [
        outer * inner
        for outer in growing_weights(cascades, cascade_weights)
        for inner in growing_weights(n_steps, step_weights)
    ]
    reference = target.abs()
    largest = _largest(reference)
    reference = reference / largest
    total = target.real.new_zeros(())
    for weight, step in zip(weights, steps, strict=True):
        magnitude = step.abs()
        scaled = magnitude / (_largest(magnitude) if normalisation == "each" else largest)
        total = total + weight * (scaled - reference).abs().mean()
    return total / len(steps)


def _largest(magnitude: Tensor) -> Tensor:
    return magnitude.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
