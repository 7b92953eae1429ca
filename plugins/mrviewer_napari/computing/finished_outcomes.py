"""The volumes that are finished on the present mask, and when there are others; what a section of results is handed."""

from qtpy.QtCore import QObject, Signal

from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.method_choice import MethodChoice
from mrviewer_napari.computing.outcomes import Outcome

__all__ = ["FinishedOutcomes"]


class FinishedOutcomes(QObject):
    """Outcomes of the methods that are ticked and fit.

    Signals
    -------
    changed
        A volume is finished, or another set of volumes is shown.

    Parameters
    ----------
    computation
        Knows the outcomes.
    choice
        Says which methods are shown.
    """

    changed = Signal()

    def __init__(self, computation: Computation, choice: MethodChoice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._computation, self._choice = computation, choice

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Finished volumes on the present mask, in the order of the methods."""
        found = (self._computation.outcome(method.card.name) for method in self._choice.shown)
        return tuple(outcome for outcome in found if outcome is not None)
