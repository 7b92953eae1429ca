"""Examples of a step: which of them a piece of the batch holds, and the chance that belongs to each.

The batch of a step is always the same, however it is cut. So what all examples share is drawn from seed and step, and
what is an example's own from seed, step and its number in the batch.
"""

from collections.abc import Iterable

import numpy as np

__all__ = ["example_rngs", "examples_of_piece", "step_rng"]


def examples_of_piece(count: int, piece: int, pieces: int) -> range:
    """Numbers of the examples in one of so many pieces, which are as even as can be; perhaps none.

    Raises
    ------
    ValueError
        If there is no such piece.
    """
    if not 0 <= piece < pieces:
        raise ValueError(f"piece {piece} of {pieces} was asked for; give one from 0 to {pieces - 1}")
    return range(count * piece // pieces, count * (piece + 1) // pieces)


def step_rng(seed: int, step: int) -> np.random.Generator:
    """Source of chance of what all examples of a step share."""
    return np.random.default_rng([seed, step])


def example_rngs(seed: int, step: int, numbers: Iterable[int]) -> list[np.random.Generator]:
    """Source of chance of each of some examples."""
    # From 1, because numpy takes a 0 at the end for nothing at all: the first would draw what the step draws.
    return [np.random.default_rng([seed, step, number + 1]) for number in numbers]
