"""Under which condition a method is evaluated: how k-space is sampled."""

from dataclasses import dataclass

from mrviewer.errors import MaskError
from mrviewer.method import Method, Task
from mrviewer.sampling import LearnedPattern, Mask, family_of, make_mask, mask_of_patterns
from mrviewer.sampling.learned import OffersPatterns
from mrviewer.sampling.request import MaskRequest

__all__ = ["SamplingCondition", "learned_patterns_of"]


@dataclass(frozen=True)
class SamplingCondition:
    """How k-space is sampled, whatever the size of the study. The same condition gives the same mask everywhere.

    Parameters
    ----------
    family
        Name of a mask as on the command line: ``random``, ``poisson``, ``learned:METHOD``, ``file:PATH``, ...
    acceleration
        All samples divided by those that are acquired.
    center_fraction
        Part of k-space around DC that is always acquired. It is taken as it is: a centre that is larger than the
        acceleration allows is refused, never made smaller.
    seed
        Seed of the random draw.
    """

    family: str = "random"
    acceleration: float = 4.0
    center_fraction: float = 0.08
    seed: int = 0

    def mask(self, shape: tuple[int, int], method: Method | None = None) -> Mask:
        """Make the mask for slices of one size.

        Parameters
        ----------
        shape : (y, x)
            Size of k-space.
        method
            What will be run on it. A learned family that names no method is then the one that this method learned, with
            the weights that it has; that of the first installed method where it is not one that learns masks.

        Raises
        ------
        MaskError
            If no such mask exists, or the method learns masks and has learned none of this family.
        UnknownNameError
            If there is no such family.
        """
        height, width = (int(size) for size in shape)
        family = family_of(self.family)
        if (
            method is not None
            and family.is_learned
            and self.family == family.name
            and (learned := learned_patterns_of(method)) is not None
        ):
            patterns = [one for one in learned if one.dimensions == family.dimensions]
            if not patterns:
                raise MaskError(
                    f"{method.card.name} has learned no mask {family.name!r}; choose another mask, or name the method "
                    f"whose mask is meant, {family.named(family.argument)}"
                )
            return mask_of_patterns(patterns, self.family, MaskRequest(height, width, float(self.acceleration)))
        return make_mask(self.family, (height, width), self.acceleration, self.center_fraction, self.seed)


def learned_patterns_of(method: Method) -> tuple[LearnedPattern, ...] | None:
    """Patterns that a method learned, with the weights that it has; `None` if it is not one that learns any."""
    return (
        method.learned_patterns() if Task.SAMPLE in method.card.tasks and isinstance(method, OffersPatterns) else None
    )
