"""What a plan comes to: the method, its weights and the recipe that they go on training with."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from mrviewer.database import DatabaseMapping, Subject, open_database, split_by_patient
from mrviewer.errors import InputError
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.finetuning.run_folder.plan import FinetunePlan
from mrviewer.finetuning.run_folder.start_record import read_start_record
from mrviewer.methods.own import Adaptable
from mrviewer.methods.registry import get_method
from mrviewer.sampling import family_of
from mrviewer.study import Study
from mrviewer.training.recipe import Recipe, Trainable
from mrviewer.training.starting import finetune_defaults
from mrviewer.training.world import require_fabric

__all__ = [
    "Finetunable",
    "ResolvedPlan",
    "find_parent",
    "fingerprint_of",
    "require_possible",
    "resolve_plan",
    "split_database",
]


@runtime_checkable
class Finetunable(Trainable, Adaptable, Protocol):
    """A trained method that takes other weights, and says where its own are."""

    @property
    def weights_file(self) -> Path:
        """File that its weights are read from."""
        ...

    def release(self) -> None:
        """Let go of the network in memory."""
        ...


@dataclass(frozen=True, eq=False)
class ResolvedPlan:
    """A plan, looked up.

    Parameters
    ----------
    plan
        What is to be done.
    method
        Parent, with the weights to start from.
    recipe
        How it is trained; its number of steps is final once the database is prepared.
    overrides
        Options that the recipe was made with.
    """

    plan: FinetunePlan
    method: Finetunable
    recipe: Recipe
    overrides: dict[str, str]

    @property
    def sampling(self) -> SamplingCondition:
        """How the validation cases are sampled."""
        plan = self.plan
        return SamplingCondition(plan.mask, plan.acceleration, self.recipe.training.center_fraction)

    def lasting(self, steps: int) -> "ResolvedPlan":
        """Return the same plan for a number of steps."""
        overrides = {**self.overrides, "steps": str(steps)}
        return replace(self, recipe=self.method.recipe(overrides), overrides=overrides)


def find_parent(plan: FinetunePlan) -> Finetunable:
    """Return the method of a plan, with the weights to start from.

    Raises
    ------
    InputError
        If it has nothing to train.
    WeightsError
        If the weights are missing, damaged or of another architecture.
    """
    method = get_method(plan.method)
    if not isinstance(method, Finetunable):
        raise InputError(f"method {plan.method!r} has nothing to train; choose one with a recipe, such as multiunet")
    if plan.weights:
        method.check_weights(Path(plan.weights))
        given = method.with_weights(Path(plan.weights))
        assert isinstance(given, Finetunable)
        method = given
    return method


def resolve_plan(plan: FinetunePlan, parent: Finetunable, study: Study) -> ResolvedPlan:
    """Look up how a plan is carried out.

    Parameters
    ----------
    plan
        What is to be done.
    parent
        From `find_parent`.
    study
        One of the database, by whose modalities and voxels some recipes choose their options.

    A run that was started before keeps the options that it started with, whatever has become of the defaults.

    Raises
    ------
    InputError
        If an option is not known, or cannot be read.
    """
    start = read_start_record(plan.folder)
    if start is not None:
        return ResolvedPlan(plan, parent, parent.recipe(start.options), start.options)
    overrides = _overrides(plan, parent, study)
    return ResolvedPlan(plan, parent, parent.recipe(overrides), overrides)


def require_possible(plan: FinetunePlan) -> None:
    """Look at a plan before anything is written for it.

    Raises
    ------
    InputError
        If what trains is not installed, the method has nothing to train, or an option is not known, cannot be read, or
        trains nothing.
    WeightsError
        If the weights are missing, damaged or of another architecture.
    """
    require_fabric()
    _seed(plan)
    parent = find_parent(plan)
    parent.recipe(_overrides(plan, parent, None))


def _overrides(plan: FinetunePlan, parent: Finetunable, study: Study | None) -> dict[str, str]:
    """Options of the recipe: usual ones for the weights and the study, under what the plan says."""
    overrides = dict(finetune_defaults(parent, parent.weights_file, study, plan.parts))
    overrides |= {"main_acceleration": f"{plan.acceleration:g}"}
    if plan.modality:
        overrides["modality"] = plan.modality
    if family_of(plan.mask).is_drawn:
        overrides["main_family"] = plan.mask
    return overrides | dict(plan.options)


def split_database(plan: FinetunePlan) -> tuple[list[Subject], list[Subject]]:
    """Subjects to train on and to validate on; a patient is never on both sides.

    Raises
    ------
    InputError
        If there is no validation case, or a database is missing.
    """
    mapping = None if plan.mapping is None else DatabaseMapping.from_json(plan.mapping)
    needs = get_method(plan.method).card.needs
    if plan.modality:
        needs = replace(needs, modalities=(plan.modality,))
    subjects = open_database(plan.database, mapping, needs=needs)
    return split_by_patient(subjects, plan.validation or plan.validation_share, _seed(plan))


def fingerprint_of(subjects: Sequence[Subject]) -> str:
    """Short hash of subjects and their files, which changes when one of them does."""
    text = json.dumps(sorted((subject.name, subject.fingerprint or str(subject.seed)) for subject in subjects))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _seed(plan: FinetunePlan) -> int:
    text = plan.options.get("seed", "1")
    if not text.isdigit():
        raise InputError(f"option seed is {text!r}; give a whole number")
    return int(text)
