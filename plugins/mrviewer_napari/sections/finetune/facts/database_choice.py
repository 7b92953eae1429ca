"""The database of the Fine-tune section: read in a thread, mapped and split as the person wishes."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from qtpy.QtCore import QObject, Signal

from mrviewer.database import DatabaseMapping, Survey, propose_mapping, survey_database
from mrviewer.method import Needs
from mrviewer.progress import Progress
from mrviewer_napari.sections.finetune.facts.subject_rows import (
    Role,
    SubjectRow,
    proposed_validation,
    split_text,
    subject_rows,
    toggle_validation,
)
from mrviewer_napari.widgets.jobs import Slot, gathered

__all__ = ["DatabaseChoice", "OpenedDatabase"]


@dataclass(frozen=True, eq=False)
class OpenedDatabase:
    """A database that was looked through.

    Parameters
    ----------
    specification
        Folder or file, as it was named.
    survey
        What is in it.
    """

    specification: str
    survey: Survey


class DatabaseChoice(QObject):
    """Which database is open, how it is mapped, and who is held out.

    Signals
    -------
    changed
        Another database, mapping or split.
    progressed : Progress
        How far the reading is.
    busy_changed
    failed : Exception
    """

    changed = Signal()
    progressed = Signal(object)
    busy_changed = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.opened: OpenedDatabase | None = None
        self.mapping = DatabaseMapping()
        self.validation: tuple[str, ...] = ()
        self._needs: Needs | None = None
        self._needs_labels = False
        self._touched = self._split_by_hand = False
        self._slot = Slot(self)
        self._slot.yielded.connect(self._on_progress)
        self._slot.returned.connect(self._install)
        self._slot.failed.connect(self.failed)
        self._slot.idle.connect(self.busy_changed)

    @property
    def busy(self) -> bool:
        """Whether a database is being read."""
        return self._slot.busy

    @property
    def survey(self) -> Survey | None:
        """What is in the database; `None` while none is open."""
        return None if self.opened is None else self.opened.survey

    @property
    def rows(self) -> tuple[SubjectRow, ...]:
        """Every subject under the mapping and the split."""
        if self.survey is None:
            return ()
        return subject_rows(self.survey, self.mapping, self.validation, needs_labels=self._needs_labels)

    @property
    def used_mapping(self) -> DatabaseMapping:
        """The mapping without every subject that the table does not count in."""
        unused = (row.name for row in self.rows if row.role in (Role.LEFT_OUT, Role.UNUSABLE))
        return replace(self.mapping, excluded=tuple(dict.fromkeys((*self.mapping.excluded, *unused))))

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that at least one subject has."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.modalities))

    @property
    def labelled(self) -> bool:
        """Whether at least one subject has the chosen label."""
        return any(row.labelled for row in self.rows)

    @property
    def held_out(self) -> tuple[str, ...]:
        """Names of the subjects that validate."""
        return tuple(row.name for row in self.rows if row.role is Role.VALIDATION)

    @property
    def problem(self) -> str:
        """Why nothing can be trained on it, in one sentence; empty if something can."""
        roles = [row.role for row in self.rows]
        if self.opened is None:
            return "Choose a database first."
        if not any(role in (Role.TRAINING, Role.VALIDATION) for role in roles):
            word = "an image and the chosen label" if self._needs_labels else "a mapped image"
            return f"No subject has {word}; look at the mapping in the window Database."
        if Role.VALIDATION not in roles:
            return "Nobody is held out; tick at least one patient for validation in the window Database."
        if Role.TRAINING not in roles:
            return "Everybody is held out; leave at least one patient to train on in the window Database."
        return ""

    @property
    def summary(self) -> str:
        """The database in one line."""
        return "" if self.survey is None else f"{_facts(self.survey, self.rows)}; {split_text(self.rows)}"

    @property
    def facts(self) -> str:
        """What holds for the database as a whole."""
        return "" if self.survey is None else _facts(self.survey, self.rows)

    def open(self, specification: str) -> None:
        """Look through a folder, a ``dataset.json`` or a table; what is open stays until that is done."""
        self._slot.request(lambda: gathered(_read(specification)))
        self.busy_changed.emit()

    def cancel(self) -> None:
        """Stop reading."""
        self._slot.cancel()

    def close(self, wait_s: float) -> bool:
        """Stop for good; says whether the thread has ended."""
        return self._slot.close(wait_s)

    def serve(self, needs: Needs | None, *, needs_labels: bool) -> None:
        """Propose what a method needs; what a person changed by hand stays."""
        if (needs, needs_labels) == (self._needs, self._needs_labels):
            return
        self._needs, self._needs_labels = needs, needs_labels
        if self.survey is not None:
            if not self._touched:
                self.mapping = propose_mapping(self.survey, needs)
            self._propose_split()
            self.changed.emit()

    def set_mapping(self, mapping: DatabaseMapping) -> None:
        """Take a mapping that a person made."""
        self.mapping, self._touched = mapping, True
        self._propose_split()
        self.changed.emit()

    def set_use(self, name: str, on: bool) -> None:
        """Take a subject in, or leave it out."""
        others = tuple(other for other in self.mapping.excluded if other != name)
        self.mapping = replace(self.mapping, excluded=others if on else (*others, name))
        self._touched = True
        self._propose_split()
        self.changed.emit()

    def set_validation(self, name: str, on: bool) -> None:
        """Hold a patient out, or train on them."""
        self.validation = toggle_validation(self.rows, name, on, self.validation)
        self._split_by_hand = True
        self.changed.emit()

    def propose_split(self) -> None:
        """Forget the split that a person made."""
        self._split_by_hand = False
        self._propose_split()
        self.changed.emit()

    def _propose_split(self) -> None:
        if not self._split_by_hand:
            self.validation = proposed_validation(self.rows)

    def _install(self, opened: OpenedDatabase) -> None:
        self.opened = opened
        self._touched = self._split_by_hand = False
        self.mapping = propose_mapping(opened.survey, self._needs)
        self.validation = ()
        self._propose_split()
        self.changed.emit()

    def _on_progress(self, records: list[Progress]) -> None:
        self.progressed.emit(records[-1])


def _read(specification: str) -> Generator[Progress, None, OpenedDatabase]:
    yield Progress(0, 1, "looking for subjects")
    survey = yield from survey_database(specification)
    return OpenedDatabase(specification, survey)


def _facts(survey: Survey, rows: Sequence[SubjectRow]) -> str:
    labelled = sum(row.labelled for row in rows)
    modalities = list(dict.fromkeys(name for row in rows for name in row.modalities))
    odd = sum(bool(row.oddities) and not row.harmless for row in rows)
    parts = [
        f"{len(rows)} subjects ({survey.layout})",
        ", ".join(modalities) or "no modality mapped",
        f"{labelled} with labels",
    ]
    gone = [f"{len(survey.skipped)} cannot be opened"] if survey.skipped else []
    return ", ".join(parts + gone + ([f"{odd} odd"] if odd else []))
