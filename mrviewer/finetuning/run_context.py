"""What every phase of a run works with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from mrviewer.database import Subject
from mrviewer.finetuning.lineage import about_weights, base_method
from mrviewer.finetuning.needs import changed_needs
from mrviewer.finetuning.resolved_plan import Finetunable, ResolvedPlan
from mrviewer.finetuning.run_control import RunControl
from mrviewer.finetuning.run_folder.journal import Journal
from mrviewer.method import Card
from mrviewer.methods.installed import installed_method
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.training.loop import compact
from mrviewer.training.world import World

__all__ = ["RunContext"]

MOST_HEARD = 20
"""Different notes on labels that a run tells one by one."""


@dataclass(eq=False)
class RunContext:
    """One run, from its plan to its result; phases fill in what the next ones need.

    Parameters
    ----------
    resolved
        Its plan, looked up.
    world
        Processes that do it.
    journal
        Where it is told.
    control
        Who may stop it.
    folder
        Of the run.
    card
        Of the method as it is on this database.
    training, validation
        Subjects that are trained on, and measured.
    skipped
        Subjects that could not be used, and why.
    notes
        Sentences that belong into the summary.
    """

    resolved: ResolvedPlan
    world: World
    journal: Journal
    control: RunControl
    folder: Path
    card: Card
    training: Sequence[Subject] = ()
    validation: Sequence[Subject] = ()
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        """Tell something now, and in the summary."""
        self.notes.append(message)
        self.journal.note(message)

    def skip(self, subjects: Mapping[str, str]) -> None:
        """Leave subjects out, and say why."""
        for name, why in subjects.items():
            if name not in self.skipped:
                self.skipped[name] = why
                self.note(f"left out {name}: {why}")

    def hear(self, notes: Mapping[str, Sequence[str]]) -> None:
        """Tell what labels say of themselves: what many say is said once, with the number of subjects."""
        subjects: dict[str, list[str]] = {}
        for name, said in notes.items():
            for note in said:
                subjects.setdefault(note, []).append(name)
        for note, names in list(subjects.items())[:MOST_HEARD]:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self.note(f"{names[0]}{more}: {note}")
        if len(subjects) > MOST_HEARD:
            self.note(f"{len(subjects) - MOST_HEARD} more notes on labels; the window of the database lists them")

    def share(self, subjects: Sequence[Subject]) -> list[Subject]:
        """Subjects that this process takes over."""
        return list(subjects[self.world.rank :: self.world.size])

    def parent(self) -> Finetunable:
        """The method as it was, with the needs that it has on this database."""
        return self.resolved.method.with_card(self.card)

    def method_with(self, weights: Path) -> Finetunable:
        """The method with other weights."""
        method = self.parent().with_weights(weights)
        assert isinstance(method, Finetunable)
        return method

    def about(self) -> dict[str, Any]:
        """Metadata of weights trained here."""
        installed = installed_method(base_method(self.resolved.plan.method))
        needs = changed_needs(installed.card.needs, self.card.needs)
        return about_weights(self.resolved, [subject.name for subject in self.training], needs)

    def own_weights(self) -> Path:
        """File for the weights of now, one for each process."""
        return self.folder / f".now-{self.world.rank}.safetensors"

    def save_now(self, network: nn.Module) -> Path:
        """Write the weights of now, as they would be shipped."""
        save_weights(self.own_weights(), Weights(compact(network), self.about()))
        return self.own_weights()
