"""What can be run and what is ticked: installed methods, chains, models of the user's own."""

from collections.abc import Mapping, Sequence

from qtpy.QtCore import QObject, Signal

from mrviewer.errors import MrviewerError
from mrviewer.images.image_look import ImageLook
from mrviewer.method import Method
from mrviewer.methods.registry import list_methods
from mrviewer_napari.computing.method_catalogue import MethodCatalogue
from mrviewer_napari.panel_state import PanelState

__all__ = ["MethodChoice"]


class MethodChoice(QObject):
    """Keeps the ticked methods and the chains of the state in line with the methods that there are.

    Signals
    -------
    changed
        A chain or a model of the user's own came or went, or there is something to mind of one.
    failed : Exception
        A chain cannot be made.

    Parameters
    ----------
    state
        Says what is ticked, and which chains there are.
    methods
        What can be run; the installed methods if `None`.

    Attributes
    ----------
    catalogue
        Every method, and whether it fits what is open.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(
        self, state: PanelState, methods: Sequence[Method] | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self.catalogue = MethodCatalogue(list_methods() if methods is None else methods)
        state.events.chains.connect(self._follow_chains)
        if state.chains:
            self._follow_chains(state.chains)

    @property
    def methods(self) -> Mapping[str, Method]:
        """Every method and every chain by name, in their order."""
        return self.catalogue.methods

    @property
    def shown(self) -> tuple[Method, ...]:
        """Methods that are ticked and fit, in their order."""
        return self.catalogue.shown(self._state.methods)

    def tick(self, name: str, on: bool) -> None:
        """Tick or untick a method."""
        self._state.tick(name, on, self.methods)

    def add_chain(self, first: str, second: str) -> None:
        """Have `first` reconstruct and `second` segment its image, as one method that is ticked."""
        name = f"{first}+{second}"
        if name not in self._state.chains:
            self._state.chains = (*self._state.chains, name)
        if name in self.methods:
            self.tick(name, True)

    def remove_chain(self, name: str) -> None:
        """Take a chain out of the methods."""
        self.tick(name, False)
        self._state.chains = tuple(chain for chain in self._state.chains if chain != name)

    def see(self, look: ImageLook | None) -> None:
        """Know what the image looks like, which is read after it is shown."""
        before = self.catalogue.facts
        self.catalogue.see(look)
        if self.catalogue.facts != before:
            self.changed.emit()

    def reload(self) -> None:
        """Look again for methods: models of the user's own come and go while the window is open."""
        state = self._state
        lost = self.catalogue.set_installed(list_methods())
        if lost or any(name not in self.methods for name in (*state.methods, *state.chains)):
            state.methods = tuple(name for name in state.methods if name in self.methods)
            state.chains = tuple(name for name in state.chains if name in self.methods)
        self.changed.emit()

    def _follow_chains(self, names: tuple[str, ...]) -> None:
        try:
            self.catalogue.set_chains(names)
        except MrviewerError as error:
            self.failed.emit(error)
        self.changed.emit()
