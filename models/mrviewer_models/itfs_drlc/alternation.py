"""Iterative teacher forcing (ITFS): when the segmenter sees the fully sampled image, when the reconstruction."""

import math
from typing import Literal

import numpy as np

from mrviewer.training.recipe import Moment

__all__ = ["Alternation", "segmenter_inputs"]

Alternation = Literal["iteration", "epoch", "random", "both", "teacher_only", "free_only"]


def segmenter_inputs(
    alternation: Alternation, moment: Moment, *, probability: float = 0.5, seed: int = 0
) -> tuple[bool, ...]:
    """What the segmenter is trained on in this step: `True` is the teacher image, `False` the reconstruction.

    The paper alternates without saying by what; by the optimiser step is ours (``iteration``). ``epoch`` alternates by
    whole epochs, ``random`` draws the teacher with `probability`, ``both`` takes both in one step; ``free_only`` is
    plain joint training and ``teacher_only`` classic teacher forcing.

    References
    ----------
    Qi K et al. (2020), arXiv:2011.13614.
    """
    if alternation == "both":
        return (True, False)
    if alternation == "teacher_only":
        return (True,)
    if alternation == "free_only":
        return (False,)
    if alternation == "random":
        return (bool(np.random.default_rng([seed, moment.step]).uniform() < probability),)
    count = moment.step if alternation == "iteration" else math.floor(moment.epoch)
    return (count % 2 == 0,)
