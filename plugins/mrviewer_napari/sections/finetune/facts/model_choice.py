"""The model of the Fine-tune section: which one to start from, what of it to train, and with which options."""

from collections.abc import Mapping

from qtpy.QtCore import QObject, QTimer, Signal

from mrviewer.database import DatabaseMapping
from mrviewer.method import Card, Method
from mrviewer_napari.sections.finetune.facts.starting_models import ALL_PARTS, OptionForm, check_options, read_form
from mrviewer_napari.widgets.jobs import Slot

__all__ = ["ModelChoice"]

_REST_MS = 250
"""Pause after a key before what was typed is tried."""


class ModelChoice(QObject):
    """The chosen model and everything that was chosen for it.

    Signals
    -------
    form_changed
        Another model, or its options have come.
    checked
        What was typed has been tried.
    failed : Exception
    """

    form_changed = Signal()
    checked = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.method: Method | None = None
        self.form: OptionForm | None = None
        self.parts: tuple[str, ...] = (ALL_PARTS,)
        self.typed: dict[str, str] = {}
        self.problems: Mapping[str, str] = {}
        self._source: tuple[str, DatabaseMapping] | None = None
        self._read, self._check = Slot(self), Slot(self)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._try)
        self._read.returned.connect(self._on_form)
        self._read.failed.connect(self.failed)
        self._check.returned.connect(self._on_checked)
        self._check.failed.connect(self.failed)
        self._check.idle.connect(self.checked)

    @property
    def busy(self) -> bool:
        """Whether options are being read or tried."""
        return self._read.busy or self.is_checking

    @property
    def is_checking(self) -> bool:
        """Whether what was typed is still to be tried."""
        return self._check.busy or self._rest.isActive()

    @property
    def card(self) -> Card | None:
        """What the chosen model says of itself."""
        return None if self.method is None else self.method.card

    @property
    def problem(self) -> str:
        """Why this cannot be trained, in one sentence; empty if it can."""
        if self.method is None:
            return "Choose a model to start from."
        if not self.parts:
            return "Tick at least one part to train."
        return next(iter(self.problems.values()), "")

    def choose(self, method: Method) -> None:
        """Start from another model; its options follow from a thread."""
        if self.method is method:
            return
        self.method, self.form, self.parts = method, None, (ALL_PARTS,)
        self.typed, self.problems = {}, {}
        self._reread()
        self.form_changed.emit()

    def learn_from(self, database: str, mapping: DatabaseMapping) -> None:
        """Take the defaults for another database; what was typed stays."""
        if (database, mapping) != self._source:
            self._source = (database, mapping)
            self._reread()

    def set_parts(self, parts: tuple[str, ...]) -> None:
        """Train these parts alone; the defaults may be others for them."""
        if parts != self.parts:
            self.parts = parts
            self.checked.emit()
            if parts:
                self._reread()

    def _reread(self) -> None:
        method, source, parts = self.method, self._source, self.parts
        if method is not None and source is not None:
            self._read.request(lambda: read_form(method, *source, parts))

    def type(self, name: str, text: str) -> None:
        """Take what was typed for an option; the default is nothing typed."""
        if self.form is None:
            return
        default = next(item.text for item in self.form.fields if item.name == name)
        if text == default:
            self.typed.pop(name, None)
        else:
            self.typed[name] = text
        self._rest.start()
        self.checked.emit()

    def close(self, wait_s: float) -> bool:
        """Stop for good; says whether the threads have ended."""
        self._rest.stop()
        return all([self._read.close(wait_s), self._check.close(wait_s)])

    def _try(self) -> None:
        method, form, typed = self.method, self.form, dict(self.typed)
        if method is not None and form is not None:
            self._check.request(lambda: check_options(method, form, typed))

    def _on_form(self, form: OptionForm) -> None:
        self.form = form
        known = {item.name for item in form.fields}
        self.typed = {name: text for name, text in self.typed.items() if name in known}
        self.form_changed.emit()

    def _on_checked(self, problems: Mapping[str, str]) -> None:
        self.problems = problems
        self.checked.emit()
