"""Fine-tune: a database, a model, a run in a process of its own, and what came of it."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from mrviewer.errors import MrviewerError
from mrviewer.finetuning import FinetunePlan, RunRecord
from mrviewer.methods.own import check_model_name, suggest_model_name
from mrviewer_napari.computing.method_choice import MethodChoice
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.sections.finetune.database_box import DatabaseBox
from mrviewer_napari.sections.finetune.facts.database_choice import DatabaseChoice
from mrviewer_napari.sections.finetune.facts.familiar_study import is_familiar
from mrviewer_napari.sections.finetune.facts.model_choice import ModelChoice
from mrviewer_napari.sections.finetune.facts.run_manager import RunManager
from mrviewer_napari.sections.finetune.facts.run_result import RunResult
from mrviewer_napari.sections.finetune.facts.starting_models import learns_labels, starting_models
from mrviewer_napari.sections.finetune.model_box import ModelBox
from mrviewer_napari.sections.finetune.result_window import ResultWindow
from mrviewer_napari.sections.finetune.run_list import RunList
from mrviewer_napari.sections.finetune.run_view import RunView
from mrviewer_napari.widgets.controls import choice_box, group_label, quiet_label, show_if, warning_label

__all__ = ["FinetuneSection"]

_DEVICES = ("auto", "cpu", "cuda", "mps")
_GOES_ON = "The run goes on if this window is closed; the next one shows it again."


class FinetuneSection(QWidget):
    """Everything about fine-tuning in one column.

    Signals
    -------
    runs_changed
    failed : Exception

    Parameters
    ----------
    choice
        The models to begin with; new ones are put there.
    shown_scan
        What is open.
    device
        Where to train, until another is chosen.
    runs
        Folder of the runs; the usual one if `None`.
    """

    runs_changed = Signal()
    failed = Signal(object)

    def __init__(
        self,
        choice: MethodChoice,
        shown_scan: ShownScan,
        device: str,
        runs: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._choice, self._shown_scan = choice, shown_scan
        self._named = False
        self.databases, self.models = DatabaseChoice(self), ModelChoice(self)
        self.manager = RunManager(runs, self)
        self.database, self.model = DatabaseBox(self.databases), ModelBox(self.models)
        self.name, self.device = QLineEdit(), choice_box("Where it trains")
        self.device.addItems(list(_DEVICES))
        self.device.setCurrentText(device)
        self.name.setToolTip("The new model stands under this name in the Methods section and on the command line")
        self.problem, self.start = warning_label(), QPushButton("Start")
        self.start.setToolTip("Train in a process of its own")
        self.runs, self.run = RunList(self.manager), RunView(self.manager)
        self.runs_title, self.hint = group_label("Runs"), quiet_label(_GOES_ON)
        self.result: ResultWindow | None = None
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        self.order = QWidget()
        form = QFormLayout(self.order)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("New model", self.name)
        form.addRow("Device", self.device)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.database, self.model, self.order, self.problem, self.start):
            layout.addWidget(widget)
        for widget in (self.runs_title, self.runs, self.hint, self.run):
            layout.addWidget(widget)

    def _connect(self) -> None:
        self.databases.changed.connect(self.refresh)
        self.model.model_wished.connect(self._choose)
        self.models.form_changed.connect(self._show_problem)
        self.models.checked.connect(self._show_problem)
        self.name.textEdited.connect(self._on_name)
        self.start.clicked.connect(self._start)
        self.manager.runs_changed.connect(self._show_runs)
        self.manager.ended.connect(self._on_ended)
        self.run.result_wished.connect(self._show_result)
        self._choice.changed.connect(self.refresh)
        for failing in (self.databases, self.models, self.manager, self.runs):
            failing.failed.connect(self.failed)

    @property
    def is_settled(self) -> bool:
        """Whether no thread of this section works; runs are processes, and count not."""
        return not (self.databases.busy or self.models.busy or self.manager.busy)

    def open_database(self, specification: str) -> None:
        """Look through a database."""
        self.databases.open(specification)

    def refresh(self) -> None:
        """Show what follows from the database: the models that fit it, and whether a run can start."""
        databases = self.databases
        show_if(self.model, databases.survey is not None)
        show_if(self.order, databases.survey is not None)
        if databases.survey is not None:
            if self.models.method is None or self.models.method.card.name not in self._choice.methods:
                self._choose_first()
            card = self.models.card
            self.database.set_classes(() if card is None else card.classes)
            if databases.opened is not None and not databases.problem:
                self.models.learn_from(databases.opened.specification, databases.mapping)
            self._show_models()
            self._suggest_name()
        self._show_problem()
        self._show_runs()

    def _show_models(self) -> None:
        databases = self.databases
        models = starting_models(self._choice.methods.values(), databases.modalities, labelled=databases.labelled)
        card = self.models.card
        self.model.show_models(models, "" if card is None else card.name, databases.modalities)

    def _choose_first(self) -> None:
        """Begin with the first model that fits and knows a modality, one that sees whole images if there is any."""
        databases = self.databases
        models = starting_models(self._choice.methods.values(), databases.modalities, labelled=databases.labelled)
        if models:
            self._choose(min(models, key=lambda model: model.rank(databases.modalities)).card.name)

    def _choose(self, name: str) -> None:
        method = self._choice.methods.get(name)
        if method is None:
            return
        self.models.choose(method)
        self.databases.serve(method.card.needs, needs_labels=learns_labels(method.card))
        self.refresh()

    def _suggest_name(self) -> None:
        survey, card = self.databases.survey, self.models.card
        if not self._named and survey is not None and card is not None:
            name = free = suggest_model_name(card.name, Path(survey.name).stem)
            taken = {run.plan.model_name for run in self.manager.active}
            number = 1
            while free in taken:
                number += 1
                free = f"{name}-{number}"
            self.name.setText(free)

    def _on_name(self, text: str) -> None:
        self._named = bool(text)
        self._show_problem()

    def _name_problem(self) -> str:
        try:
            check_model_name(self.name.text())
        except MrviewerError as error:
            return f"{error}."
        taken = {run.plan.model_name for run in self.manager.active}
        return "A run is making a model of this name; choose another." if self.name.text() in taken else ""

    def _show_problem(self) -> None:
        """Say what keeps a run from starting."""
        model = self.model.chosen
        unfit = "" if model is None or model.fit else f"{model.card.name} {model.fit.reason}"
        problem = self.databases.problem or unfit or self.models.problem or self._name_problem()
        opened = self.databases.survey is not None
        self.problem.setText(problem)
        show_if(self.problem, opened and bool(problem) and problem != self.model.reason.text())
        show_if(self.start, opened)
        is_known = self.models.form is not None and not self.models.is_checking
        self.start.setEnabled(not problem and is_known and not self.manager.starting)

    def plan(self) -> FinetunePlan:
        """What is wished, as the order for a run."""
        databases, card, opened = self.databases, self.models.card, self.databases.opened
        sampled = card is not None and card.needs.kspace
        return FinetunePlan(
            method="" if card is None else card.name,
            database=() if opened is None else (opened.specification,),
            output="",
            mapping=databases.used_mapping.to_json(),
            validation=databases.held_out,
            parts=self.models.parts,
            options=dict(self.models.typed),
            name=self.name.text(),
            device=self.device.currentText(),
            modality=self.model.measured.currentText() if sampled else "",
            acceleration=self.model.acceleration.value() if sampled else 4.0,
            mask=self.model.mask.currentData() if sampled else "random",
        )

    def _start(self) -> None:
        self._named = False
        self.manager.start(self.plan())

    def _show_runs(self) -> None:
        show_if(self.runs_title, bool(self.manager.runs))
        show_if(self.hint, bool(self.manager.active))
        self._suggest_name()
        self._show_problem()
        self.runs_changed.emit()

    def _on_ended(self, run: RunRecord) -> None:
        """Put a new model among the methods at once; ticked if what is open is of the database that it learned from."""
        self._choice.reload()
        if run.plan.model_name in self._choice.methods and is_familiar(run.plan, self._shown_scan.scan):
            self._choice.tick(run.plan.model_name, True)

    def _show_result(self, result: RunResult) -> None:
        self.result = ResultWindow(result, self.window())
        self.result.show()

    def close_jobs(self, wait_s: float = 10.0) -> bool:
        """Stop what runs here and wait; runs go on in their processes."""
        return all([self.databases.close(wait_s), self.models.close(wait_s), self.manager.close(wait_s)])
