"""The volumes that are finished on the present mask, and when there are others; what a section of results is handed."""

from qtpy.QtCore import QObject, Signal

from mrviewer.method import Method
from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.method_catalogue import MethodCatalogue
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.panel_state import PanelState

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
    catalogue
        Knows the methods.
    state
        Says which of them are ticked.
    """

    changed = Signal()

    def __init__(
        self, computation: Computation, catalogue: MethodCatalogue, state: PanelState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._computation, self._catalogue, self._state = computation, catalogue, state

    @property
    def methods(self) -> tuple[Method, ...]:
        """Methods that are ticked and fit, in their order."""
        return self._catalogue.shown(self._state.methods)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Finished volumes on the present mask, in the order of the methods."""
        found = (self._computation.outcome(method.card.name) for method in self.methods)
        return tuple(outcome for outcome in found if outcome is not None)
