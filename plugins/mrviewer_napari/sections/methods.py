"""Methods: tick what to see; what it is, whether it fits, how far it is, and how well it did."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from mrviewer_napari.derived import MethodFacts, card_html, task_words
from mrviewer_napari.sections.parts import quiet_label, show_if, signals_blocked
from mrviewer_napari.session import Session
from mrviewer_napari.status import MethodStatus, Phase

__all__ = ["MethodRow", "MethodsSection"]


class MethodRow(QWidget):
    """One method."""

    def __init__(self, session: Session, fact: MethodFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self.method = session, fact.name
        self.box = QCheckBox(fact.name)
        self.box.setToolTip(card_html(fact.card))
        title = QLabel(fact.card.title)
        title.setStyleSheet("color: #a0a4ab;")
        title.setToolTip(self.box.toolTip())
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(5)
        self.text = quiet_label()
        self.text.setIndent(22)
        head = QHBoxLayout()
        head.addWidget(self.box, 1)
        head.addWidget(title, 0, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.bar)
        layout.addWidget(self.text)
        self.box.toggled.connect(self._tick)

    def _tick(self, on: bool) -> None:
        self._session.state.tick(self.method, on, self._session.methods)

    def show_fact(self, fact: MethodFacts, ticked: bool, status: MethodStatus) -> None:
        """Show whether it fits, is ticked, and how far it is."""
        with signals_blocked(self.box):
            self.box.setChecked(ticked and fact.fit.ok)
        self.box.setEnabled(fact.fit.ok)
        show_if(self.bar, status.phase is Phase.RUNNING)
        self.bar.setRange(0, max(status.total, 1))
        self.bar.setValue(status.done)
        self.text.setText((status.text or task_words(fact.card)) if fact.fit.ok else fact.fit.reason)


class MethodsSection(QWidget):
    """All installed methods, and one button that stops or starts them."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.rows = {fact.name: MethodRow(session, fact) for fact in session.facts}
        for row in self.rows.values():
            layout.addWidget(row)
        self.button = QPushButton()
        layout.addWidget(self.button)
        self.button.clicked.connect(self._stop_or_go_on)
        session.scan_changed.connect(self.refresh)
        session.busy_changed.connect(self._show_button)
        session.state.events.methods.connect(self._refresh_all)
        session.computation.status_changed.connect(self._show_status)
        self.refresh()

    def refresh(self) -> None:
        """Show every row afresh."""
        for fact in self._session.facts:
            status = self._session.computation.status(fact.name)
            self.rows[fact.name].show_fact(fact, fact.name in self._session.state.methods, status)
        self._show_button()

    def _refresh_all(self, names: tuple[str, ...]) -> None:
        del names
        self.refresh()

    def _show_status(self, method: str) -> None:
        fact = next(fact for fact in self._session.facts if fact.name == method)
        status = self._session.computation.status(method)
        self.rows[method].show_fact(fact, method in self._session.state.methods, status)
        self._show_button()

    def _show_button(self) -> None:
        phases = {self._session.computation.status(method.card.name).phase for method in self._session.shown}
        halted = bool(phases & {Phase.STOPPED, Phase.FAILED})
        working = bool(phases & {Phase.RUNNING, Phase.WAITING})
        self.button.setText("Cancel" if working else "Go on")
        show_if(self.button, working or halted)

    def _stop_or_go_on(self) -> None:
        if self.button.text() == "Cancel":
            self._session.stop()
        else:
            self._session.computation.resume()
