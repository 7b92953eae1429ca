"""The sampling mask: from a wish to a mask that exists, with a sentence where it does not. No Qt."""

from dataclasses import replace

from mrviewer.errors import MrviewerError
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.reconstruction.acquisition import within_acquired
from mrviewer.sampling import Mask, make_mask
from mrviewer.study import RawData

__all__ = ["MaskChoice"]


class MaskChoice:
    """The mask that is used; where the wished one is impossible, the last possible one.

    A scan that was acquired undersampled has the mask that it was acquired on, whatever is wished: how another one
    would have looked cannot be known.

    Attributes
    ----------
    mask
        `None` while nothing is open.
    error
        Why the wish could not be met; `None` if it was.
    """

    def __init__(self) -> None:
        self.mask: Mask | None = None
        self.error: MrviewerError | None = None
        self._possible = SamplingCondition()

    @property
    def problem(self) -> str:
        """Why the wish could not be met; empty if it was."""
        return "" if self.error is None else str(self.error)

    def forget(self) -> None:
        """Drop the mask: another study has another size."""
        self.mask = None

    def follow(self, wish: SamplingCondition, shape: tuple[int, int], raw: RawData | None = None) -> bool:
        """Make what is wished for slices ``(y, x)``, or take what was acquired; says whether it changed."""
        before = self.mask
        if raw is not None and raw.acquired is not None:
            self.mask, self.error = _acquired_mask(shape, raw), None
            return self.mask != before
        try:
            self.mask = wish.mask(shape)
            self.error, self._possible = None, wish
        except MrviewerError as error:
            self.error = error
            if self.mask is None:
                self.mask = self._last_possible(shape)
        return self.mask != before

    def _last_possible(self, shape: tuple[int, int]) -> Mask | None:
        try:
            return self._possible.mask(shape)
        except MrviewerError:
            return None


def _acquired_mask(shape: tuple[int, int], raw: RawData) -> Mask:
    """All that was acquired, which is what ``--mask full`` gives on the command line."""
    return replace(within_acquired(make_mask("full", shape), raw), note="")
