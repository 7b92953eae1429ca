"""Models of the user's own: export, removal that can be undone, and import; the list of methods follows."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from mrviewer.errors import MrviewerError
from mrviewer.finetuning import remove_model
from mrviewer.methods.own import export_model, import_model, restore_model
from mrviewer_napari.computing.method_choice import MethodChoice

__all__ = ["OwnModels"]


class OwnModels(QObject):
    """Works with the files of models.

    Signals
    -------
    message : text
        What was done.
    failed : Exception
    """

    message = Signal(str)
    failed = Signal(object)

    def __init__(self, choice: MethodChoice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice = choice

    def export(self, name: str, file: Path, *, replace_file: bool = False) -> None:
        """Write a model as one file."""
        self._report(lambda: f"Exported {name} to {export_model(name, file, replace_file=replace_file).name}")

    def remove(self, name: str) -> None:
        """Take a model out of the list; `restore` brings it back."""

        def act() -> str:
            remove_model(name)
            return f"Removed {name}; Restore in the menu above the methods brings it back"

        self._report(act)
        self._choice.reload()

    def restore(self, name: str) -> None:
        """Put a removed model back."""
        self._bring(lambda: restore_model(name).card.name, "Restored")

    def take(self, file: Path) -> None:
        """Put a model from a file among one's own."""
        self._bring(lambda: import_model(file).card.name, "Imported")

    def _bring(self, act: Callable[[], str], word: str) -> None:
        """Put a model among the methods, unticked: nothing says that what is open is like what it learned from."""
        self._report(lambda: f"{word} {act()}")
        self._choice.reload()

    def _report(self, act: Callable[[], str]) -> None:
        """Do something with the files of models, and say how it went."""
        try:
            self.message.emit(act())
        except (MrviewerError, OSError) as error:
            self.failed.emit(error)
