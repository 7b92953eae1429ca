"""Methods: tick what to see; what it is, whether it fits, how far it is, and how well it did."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.method_choice import MethodChoice
from mrviewer_napari.computing.method_status import MethodStatus, Phase
from mrviewer_napari.facts.method_facts import MethodFacts, MethodKind, card_html, kind_of, short_reason
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.own_model_menus import NO_ARROW, OwnModelMenu, OwnModelsMenu
from mrviewer_napari.sections.own_models import OwnModels
from mrviewer_napari.widgets.controls import ElidedLabel, choice_box, group_label, quiet_label, show_if, signals_blocked
from mrviewer_napari.widgets.plain_widgets import key_text, set_rich_tip, set_tip

__all__ = ["ChainChooser", "MethodRow", "MethodsSection"]

_INDENT = 22
"""Under the name of a method, past its box."""


class MethodRow(QWidget):
    """One method."""

    def __init__(
        self, choice: MethodChoice, own_models: OwnModels, fact: MethodFacts, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._choice, self.method, self.card = choice, fact.name, fact.card
        self.box = QCheckBox(key_text(fact.name))
        title = ElidedLabel(fact.card.title)
        for widget in (self.box, title):
            set_rich_tip(widget, card_html(fact.card))
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(5)
        self.text = quiet_label()
        self.text.setIndent(_INDENT)
        self._head = QHBoxLayout()
        self._head.setSpacing(8)
        self._head.addWidget(self.box)
        self._head.addWidget(title, 1)
        self.remove = self._remove_button() if kind_of(fact.card) is MethodKind.CHAIN else None
        self.menu = self._menu_button(own_models) if kind_of(fact.card) is MethodKind.OWN else None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(self._head)
        layout.addWidget(self.bar)
        layout.addWidget(self.text)
        self.box.toggled.connect(self._tick)

    def _remove_button(self) -> QToolButton:
        button = QToolButton(text="✕")
        button.setAutoRaise(True)
        set_tip(button, f"Take {self.method} out of the list")
        button.clicked.connect(self._remove)
        self._head.addWidget(button)
        return button

    def _menu_button(self, own_models: OwnModels) -> QToolButton:
        button = QToolButton(text="⋯")
        button.setAutoRaise(True)
        button.setToolTip("Card, export, remove")
        button.setStyleSheet(NO_ARROW)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(OwnModelMenu(own_models, self.card, button))
        self._head.addWidget(button)
        return button

    def _remove(self) -> None:
        self._choice.remove_chain(self.method)

    def _tick(self, on: bool) -> None:
        self._choice.tick(self.method, on)

    def show_fact(self, fact: MethodFacts, ticked: bool, status: MethodStatus) -> None:
        """Show whether it fits, is ticked, and how far it is."""
        with signals_blocked(self.box):
            self.box.setChecked(ticked and fact.fit.ok)
        self.box.setEnabled(fact.fit.ok)
        show_if(self.bar, status.phase is Phase.RUNNING)
        self.bar.setRange(0, max(status.total, 1))
        self.bar.setValue(status.done)
        text = "\n".join(part for part in (status.text if fact.fit.ok else "", short_reason(fact)) if part)
        self.text.setText(text)
        set_tip(self.text, "\n".join(filter(None, (status.details or fact.fit.reason, fact.fit.caution))))
        show_if(self.text, bool(text))


class ChainChooser(QWidget):
    """Makes a chain: one method's image, segmented by another."""

    def __init__(self, choice: MethodChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self.first = choice_box("The method that reconstructs")
        self.second = choice_box("The method that segments its image")
        self.button = QPushButton("Add")
        self.button.setToolTip("Have both as one method in the list")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(1, 1)
        layout.addWidget(quiet_label("Take the image of"), 0, 0)
        layout.addWidget(self.first, 0, 1, 1, 2)
        layout.addWidget(quiet_label("segment it with"), 1, 0)
        layout.addWidget(self.second, 1, 1)
        layout.addWidget(self.button, 1, 2)
        self.button.clicked.connect(self._add)
        self.refresh()

    def refresh(self) -> None:
        """Offer the methods that there are."""
        catalogue = self._choice.catalogue
        trained = [name for name in catalogue.reconstructors if catalogue.methods[name].card.weights is not None]
        for box, names, usual in (
            (self.first, catalogue.reconstructors, trained),
            (self.second, catalogue.segmenters, catalogue.segmenters),
        ):
            chosen = box.currentText() or next(iter(usual), "")
            box.clear()
            box.addItems(list(names))
            box.setCurrentText(chosen if chosen in names else next(iter(usual), ""))

    @property
    def is_useful(self) -> bool:
        """Whether there is anything to make a chain of."""
        return bool(self.first.count() and self.second.count())

    def _add(self) -> None:
        self._choice.add_chain(self.first.currentText(), self.second.currentText())


class MethodsSection(QWidget):
    """All installed methods in groups, the chooser of chains, and one button that stops or starts them.

    Signals
    -------
    stop_chosen
        Whatever runs is to stop.
    resume_chosen
        What was stopped, or failed, is to go on.
    message : text
    failed : Exception
    """

    stop_chosen = Signal()
    resume_chosen = Signal()
    message = Signal(str)
    failed = Signal(object)

    def __init__(
        self,
        choice: MethodChoice,
        shown_scan: ShownScan,
        computation: Computation,
        state: PanelState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._choice, self._computation, self._state = choice, computation, state
        self.own_models = OwnModels(choice, self)
        self.own_models.message.connect(self.message)
        self.own_models.failed.connect(self.failed)
        self.rows: dict[str, MethodRow] = {}
        self.headings: dict[MethodKind, QLabel] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(3)
        self.chooser = ChainChooser(choice)
        self.button = QPushButton()
        self._is_working = False
        self.ticked_only = QCheckBox("list the ticked ones only")
        self.more = QToolButton(text="⋯")
        self.more.setAutoRaise(True)
        self.more.setToolTip("Import a model, restore a removed one")
        self.more.setStyleSheet(NO_ARROW)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(OwnModelsMenu(self.own_models, self.more))
        self.ticked_only.toggled.connect(self._wish_ticked_only)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(self.ticked_only, 1)
        head.addWidget(self.more)
        layout.addLayout(head)
        layout.addLayout(self._list)
        layout.addWidget(self.chooser)
        layout.addWidget(self.button)
        self.button.clicked.connect(self._stop_or_go_on)
        shown_scan.changed.connect(self.refresh)
        choice.changed.connect(self.refresh)
        choice.changed.connect(self.chooser.refresh)
        state.events.methods.connect(self._refresh_all)
        state.events.ticked_only.connect(self._refresh_all)
        computation.status_changed.connect(self._show_status)
        self.refresh()

    def refresh(self) -> None:
        """Show every row afresh; rows of new chains come, those of old ones go."""
        facts = self._choice.catalogue.facts
        cards = {fact.name: fact.card for fact in facts}
        for name in [name for name, row in self.rows.items() if row.card != cards.get(name)]:
            self._drop(self.rows.pop(name))
        for kind in set(self.headings) - {kind_of(fact.card) for fact in facts}:
            self._drop(self.headings.pop(kind))
        place = 0
        for fact in facts:
            place = self._place(fact, place)
            self._show_fact(fact)
        self._show_listed()
        self.show_button()

    def _place(self, fact: MethodFacts, place: int) -> int:
        """Have a row, and the heading of its group before the first one, at a place; returns the next place."""
        kind = kind_of(fact.card)
        if kind not in self.headings:
            self.headings[kind] = group_label(kind.value)
            self._list.insertWidget(place, self.headings[kind])
        place += self._list.indexOf(self.headings[kind]) == place
        if fact.name not in self.rows:
            self.rows[fact.name] = MethodRow(self._choice, self.own_models, fact)
            self._list.insertWidget(place, self.rows[fact.name])
        return place + 1

    def _drop(self, widget: QWidget) -> None:
        self._list.removeWidget(widget)
        widget.hide()
        widget.deleteLater()

    def _show_fact(self, fact: MethodFacts) -> None:
        status = self._computation.status(fact.name)
        self.rows[fact.name].show_fact(fact, fact.name in self._state.methods, status)

    def _refresh_all(self, value: object) -> None:
        del value
        self.refresh()

    def _wish_ticked_only(self, on: bool) -> None:
        self._state.ticked_only = on

    def _show_listed(self) -> None:
        """Show all rows, or those that are ticked and their headings."""
        state = self._state
        with signals_blocked(self.ticked_only):
            self.ticked_only.setChecked(state.ticked_only)
        listed = set()
        for fact in self._choice.catalogue.facts:
            wanted = not state.ticked_only or fact.name in state.methods
            show_if(self.rows[fact.name], wanted)
            listed |= {kind_of(fact.card)} if wanted else set()
        for kind, heading in self.headings.items():
            show_if(heading, kind in listed)
        show_if(self.chooser, self.chooser.is_useful and not state.ticked_only)

    def _show_status(self, method: str) -> None:
        for fact in self._choice.catalogue.facts:
            if fact.name == method and method in self.rows:
                self._show_fact(fact)
        self.show_button()

    def show_button(self) -> None:
        """Offer to stop what runs, or to go on with what was stopped."""
        phases = {self._computation.status(method.card.name).phase for method in self._choice.shown}
        halted = bool(phases & {Phase.STOPPED, Phase.FAILED})
        working = bool(phases & {Phase.RUNNING, Phase.WAITING})
        self._is_working = working
        self.button.setText("Cancel" if working else "Go on")
        show_if(self.button, working or halted)

    def _stop_or_go_on(self) -> None:
        (self.stop_chosen if self._is_working else self.resume_chosen).emit()
