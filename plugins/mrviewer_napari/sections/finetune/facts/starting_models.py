"""What a run may start from: trained methods and own models, whether a database fits them, parts and options. No Qt."""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mrviewer.database import DatabaseMapping, open_database
from mrviewer.errors import InputError, MrviewerError
from mrviewer.method import Card, Fit, Method, Needs, Task
from mrviewer.progress import Progress
from mrviewer.study import Study

if TYPE_CHECKING:
    from mrviewer.options import OptionField

__all__ = [
    "ALL_PARTS",
    "OptionForm",
    "StartingModel",
    "check_options",
    "fits_database",
    "learns_labels",
    "measured_modalities",
    "read_form",
    "starting_models",
]

ALL_PARTS = "all"
_ASKED_ABOVE = frozenset({"modality", "main_family", "main_acceleration"})
"""Options that the section asks for by boxes of their own."""

_LEARNS_LABELS = {Task.SEGMENT, Task.REGRESS, Task.CLASSIFY}


@dataclass(frozen=True)
class StartingModel:
    """One entry of the list of models to start from.

    Parameters
    ----------
    card
        What it says of itself.
    fit
        Whether the open database has what it learns from, and why not.
    """

    card: Card
    fit: Fit

    def rank(self, modalities: Collection[str]) -> tuple[bool, bool, bool]:
        """How far a model stands from what a database of some modalities needs; the least is proposed."""
        known = self.card.needs.modalities
        return not self.fit, bool(known) and not set(known) & set(modalities), self.card.needs.kspace


@dataclass(frozen=True, eq=False)
class OptionForm:
    """What can be chosen for one model.

    Parameters
    ----------
    method
        Its name.
    fields
        Options with their defaults for fine-tuning.
    parts
        Names of what can be trained by itself, ``all`` first.
    defaults
        Every option that the recipe is made with, as typed.
    """

    method: str
    fields: "tuple[OptionField, ...]"
    parts: tuple[str, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)


def starting_models(
    methods: Iterable[Method], modalities: Collection[str], *, labelled: bool
) -> tuple[StartingModel, ...]:
    """Every method that has weights, chains aside, with whether a database of these modalities fits it."""
    cards = (method.card for method in methods if not method.card.is_chain)
    return tuple(
        StartingModel(card, fits_database(card, modalities, labelled=labelled))
        for card in cards
        if card.weights is not None
    )


def fits_database(card: Card, modalities: Collection[str], *, labelled: bool) -> Fit:
    """Whether a database has what a method learns from."""
    if not modalities:
        return Fit(False, "needs images, and no channel of this database is mapped to a modality")
    if learns_labels(card) and not labelled:
        return Fit(False, "learns from labels, and no label of this database is chosen")
    missing = [name for name in card.needs.required if name not in modalities]
    if missing:
        return Fit(False, f"needs {', '.join(card.needs.required)}, and this database has no {missing[0]}")
    return Fit(True)


def learns_labels(card: Card) -> bool:
    """Whether a method learns from labels."""
    return bool(_LEARNS_LABELS & set(card.tasks))


def measured_modalities(needs: Needs, modalities: Collection[str]) -> tuple[str, ...]:
    """Modalities that may be the undersampled one, those that the method knows first; none if it sees images."""
    if not needs.kspace:
        return ()
    return tuple(sorted(modalities, key=lambda name: (name not in needs.modalities, name != "FLAIR", name)))


def read_form(
    method: Method, database: str, mapping: DatabaseMapping, parts: Sequence[str]
) -> Generator[Progress, None, OptionForm]:
    """Find out what can be chosen; the first time this loads torch, so it belongs into a thread.

    Parameters
    ----------
    method
        To start from.
    database, mapping
        By whose modalities and voxels some recipes choose their defaults.
    parts
        What is to learn.
    """
    yield Progress(0, 2, f"reading the options of {method.card.name}")
    from mrviewer.training.options import describe_options
    from mrviewer.training.parts import parts_of
    from mrviewer.training.recipe import Trainable
    from mrviewer.training.starting import finetune_defaults

    if not isinstance(method, Trainable):
        raise InputError(f"{method.card.name} has no recipe to train by; choose another model")
    study = _first_study(database, mapping)
    yield Progress(1, 2, f"reading the options of {method.card.name}")
    defaults = finetune_defaults(method, None, study, parts)
    recipe = method.recipe(defaults)
    fields = tuple(item for item in describe_options(recipe) if item.name not in _ASKED_ABOVE)
    return OptionForm(method.card.name, fields, tuple(parts_of(recipe)), defaults)


def _first_study(database: str, mapping: DatabaseMapping) -> Study | None:
    """A study of the database; `None` where none opens, which the run will say."""
    try:
        return open_database([database], mapping)[0].load()
    except (MrviewerError, OSError):
        return None


def check_options(
    method: Method, form: OptionForm, typed: Mapping[str, str]
) -> Generator[Progress, None, dict[str, str]]:
    """Try what was typed; returns a sentence for every option that cannot be used."""
    from mrviewer.training.recipe import Trainable

    problems: dict[str, str] = {}
    for number, (name, text) in enumerate(typed.items()):
        yield Progress(number, len(typed), "checking the options")
        if isinstance(method, Trainable):
            try:
                method.recipe({**form.defaults, name: text})
            except (MrviewerError, ValueError) as error:
                problems[name] = str(error)
    return problems
