"""The steps on the way to the shown slice, and when there are others; what the chooser of steps is handed."""

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.method_choice import MethodChoice
from mrviewer_napari.panel_state import StepChoice

__all__ = ["ShownSteps"]


class ShownSteps(QObject):
    """Steps of the methods that are ticked and fit.

    Signals
    -------
    changed
        Other methods give steps of the shown slice, or the selected ones have come.

    Parameters
    ----------
    computation
        Knows the steps.
    choice
        Says which methods are shown.
    current_slice
        Says which slice is shown.
    """

    changed = Signal()

    def __init__(
        self,
        computation: Computation,
        choice: MethodChoice,
        current_slice: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._computation, self._choice, self._current_slice = computation, choice, current_slice
        choice.changed.connect(self.changed)

    @property
    def methods(self) -> list[str]:
        """Names of the methods that give steps, in their order."""
        return [method.card.name for method in self._choice.shown if self.names(method.card.name)]

    def names(self, method: str) -> tuple[str, ...]:
        """Names of the steps of a method; empty for one that gives none."""
        return self._computation.step_names(method)

    def is_known(self, step: StepChoice) -> bool:
        """Whether a step of the shown slice has come."""
        return self._computation.step_of(step.method, self._current_slice(), step.number) is not None
