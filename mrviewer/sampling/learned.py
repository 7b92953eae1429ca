"""Learned masks: patterns that a method designed together with its network, found among the installed methods.

A method with `Task.SAMPLE` offers `LearnedPattern` records; they are probabilities, from which a mask of any size and
rate is made. Reading them must not need a network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import MaskError, ShapeError, WeightsError
from mrviewer.mask import Mask
from mrviewer.sampling.family import MaskFamily, MaskSetting
from mrviewer.sampling.probability_map import at_rate, ranking, resampled
from mrviewer.sampling.request import MaskRequest

__all__ = [
    "LEARNED_LINES",
    "LEARNED_SAMPLES",
    "LearnedPattern",
    "OffersPatterns",
    "installed_patterns",
    "learned_mask",
    "learned_probability",
    "mask_of_patterns",
]


@dataclass(frozen=True, eq=False)
class LearnedPattern:
    """How likely each sample of k-space is acquired, as a method learned it for one acceleration.

    Parameters
    ----------
    method
        Name of the method that learned it.
    dimensions
        1 when whole lines along y are chosen, 2 when single samples are.
    acceleration
        Factor that it was learned for.
    probability : float32, (1, x) or (y, x)
        Between 0 and 1, DC at index ``N // 2``; read-only.

    Raises
    ------
    ShapeError
        If the map has not one row for lines, and two axes.
    """

    method: str
    dimensions: Literal[1, 2]
    acceleration: float
    probability: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Make the map read-only."""
        probability = np.array(self.probability, dtype=np.float32, copy=True)
        if probability.ndim != 2 or (self.dimensions == 1) != (probability.shape[0] == 1):
            raise ShapeError(
                f"a probability map of {self.method} is {probability.shape}; give (1, x) for lines, (y, x) for samples"
            )
        probability.setflags(write=False)
        object.__setattr__(self, "probability", probability)


@runtime_checkable
class OffersPatterns(Protocol):
    """A method that has learned where to sample."""

    def learned_patterns(self) -> tuple[LearnedPattern, ...]:
        """Every pattern that it learned; raises `WeightsError` if it has not been trained."""
        ...


def installed_patterns(name: str) -> tuple[LearnedPattern, ...]:
    """Patterns behind a mask name, those of one method: the named one, or the first that offers any.

    Parameters
    ----------
    name
        ``learned`` or ``learned-2d``, or either with ``:METHOD``.

    Raises
    ------
    MaskError
        If no installed method offers any, or none that does has been trained.
    UnknownNameError
        If the named method is not installed.
    """
    # Methods know masks, so that masks may meet methods only when asked.
    from mrviewer.methods.registry import method_names

    _, _, wanted = name.partition(":")
    dimensions = next(family.dimensions for family in (LEARNED_LINES, LEARNED_SAMPLES) if family.matches(name))
    untrained = []
    for candidate in (wanted,) if wanted else method_names():
        try:
            patterns = _patterns_of(candidate)
        except WeightsError:
            untrained.append(candidate)
            continue
        fitting = tuple(pattern for pattern in patterns if pattern.dimensions == dimensions)
        if fitting:
            return fitting
    if untrained:
        raise MaskError(
            f"the mask {name!r} is learned by {' or '.join(untrained)}, whose weights are not there; train it with "
            "`mrviewer train`, or choose another mask"
        )
    who = f"{wanted} offers none" if wanted else "none of the installed ones offers it"
    raise MaskError(f"a learned mask belongs to a method and {who}; choose another mask")


def learned_mask(name: str, request: MaskRequest) -> Mask:
    """Make the mask of a learned family: the most probable samples, at exactly the rate that is asked for.

    The pattern that was learned for the nearest acceleration is taken, resampled to the size, and cut at
    ``round(W / R)`` lines or ``round(H W / R)`` samples. Centre and seed are not looked at: where the centre is
    sampled was learned, and nothing is drawn.

    Raises
    ------
    MaskError
        See `installed_patterns`; or if the rate leaves nothing.
    UnknownNameError
        See `installed_patterns`.
    """
    return mask_of_patterns(installed_patterns(name), name, request)


def mask_of_patterns(patterns: Sequence[LearnedPattern], name: str, request: MaskRequest) -> Mask:
    """`learned_mask` of patterns that are at hand, one or more, all of lines or all of samples."""
    return _mask(_nearest(patterns, request.acceleration), name, request.height, request.width, request.acceleration)


def learned_probability(name: str, shape: tuple[int, int], acceleration: float) -> NDArray[np.float32]:
    """Return the probabilities behind a learned mask, their mean scaled to ``1 / R``.

    Parameters
    ----------
    name
        See `installed_patterns`.
    shape : (y, x)
        Size of k-space.
    acceleration
        All samples divided by acquired samples.

    Returns
    -------
    float32, (1, x) or (y, x)
        DC at index ``N // 2``; read-only.

    Raises
    ------
    MaskError
        See `learned_mask`.
    """
    request = MaskRequest(int(shape[0]), int(shape[1]), float(acceleration))
    return _probability(_nearest(installed_patterns(name), acceleration), request.height, request.width, acceleration)


def _patterns_of(method: str) -> tuple[LearnedPattern, ...]:
    """Patterns of a method; none if it learns none, or cannot be imported, of which the list of methods tells."""
    from mrviewer.method import Task
    from mrviewer.methods.registry import get_method

    try:
        found = get_method(method)
    except ImportError:
        return ()
    if Task.SAMPLE not in found.card.tasks or not isinstance(found, OffersPatterns):
        return ()
    return found.learned_patterns()


def _nearest(patterns: Sequence[LearnedPattern], acceleration: float) -> LearnedPattern:
    """Pattern whose acceleration is nearest as a factor; of equals the less accelerated."""
    return min(patterns, key=lambda one: (abs(np.log(one.acceleration / acceleration)), one.acceleration))


@lru_cache(maxsize=128)
def _probability(pattern: LearnedPattern, height: int, width: int, acceleration: float) -> NDArray[np.float32]:
    """Map on a grid, at a rate; kept, because a slider that is dragged comes back to the same ones."""
    probability = at_rate(_on_grid(pattern, height, width)[0], 1 / acceleration).astype(np.float32)
    probability.setflags(write=False)
    return probability


@lru_cache(maxsize=128)
def _mask(pattern: LearnedPattern, name: str, height: int, width: int, acceleration: float) -> Mask:
    request = MaskRequest(height, width, acceleration)
    count = request.n_lines if pattern.dimensions == 1 else request.n_samples
    chosen = _on_grid(pattern, height, width)[1] < count
    return Mask(chosen, name, acceleration, note=_note(pattern, height, width, acceleration))


@lru_cache(maxsize=16)
def _on_grid(pattern: LearnedPattern, height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Map on a grid and the ranking of its samples, which are the same at every rate."""
    probability = resampled(pattern.probability, (height, width))
    return probability, ranking(probability)


def _note(pattern: LearnedPattern, height: int, width: int, acceleration: float) -> str:
    rows, columns = pattern.probability.shape
    lines = pattern.dimensions == 1
    same_size = columns == width and (lines or rows == height)
    told = [f"learned by {pattern.method} for acceleration {pattern.acceleration:g}"]
    if acceleration != pattern.acceleration:
        told.append(f"cut at {acceleration:g}")
    if not same_size:
        told.append(
            f"resampled from {columns} to {width} lines"
            if lines
            else f"resampled from {rows} x {columns} to {height} x {width} samples"
        )
    return ", ".join(told)


LEARNED_LINES = MaskFamily(
    name="learned",
    title="Learned lines",
    dimensions=1,
    description="Whole lines that a method found most useful for what it does; learned:METHOD picks the method.",
    citation="Bahadir CD et al. (2020), Deep-learning-based optimization of the under-sampling pattern in MRI, IEEE "
    "Trans Comput Imaging 6:1139-1152, doi:10.1109/TCI.2020.3006727",
    settings=frozenset({MaskSetting.ACCELERATION}),
    is_learned=True,
    argument="METHOD",
    make=learned_mask,
)

LEARNED_SAMPLES = MaskFamily(
    name="learned-2d",
    title="Learned samples",
    dimensions=2,
    description="Single samples that a method found most useful for what it does; learned-2d:METHOD picks the method.",
    citation=LEARNED_LINES.citation,
    settings=LEARNED_LINES.settings,
    is_learned=True,
    argument=LEARNED_LINES.argument,
    make=learned_mask,
)
