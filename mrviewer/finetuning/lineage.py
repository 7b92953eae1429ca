"""Where a model comes from, as its weights say it."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from mrviewer import __version__
from mrviewer.finetuning.resolved_plan import ResolvedPlan
from mrviewer.finetuning.run_folder.plan import FinetunePlan
from mrviewer.methods.installed import installed_names
from mrviewer.methods.own import find_own_model
from mrviewer.training.options import saved_options, without_folders

__all__ = ["about_weights", "base_method", "file_hash", "known_to_parents", "lineage_of"]


def about_weights(resolved: ResolvedPlan, training: Sequence[str], needs: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of weights that a run trained; `lineage_of` is added at its end."""
    return {
        "method": base_method(resolved.plan.method),
        "name": resolved.plan.model_name,
        "recipe": saved_options(resolved.recipe),
        "trained_on": list(training),
        "torch": torch.__version__,
        **({"needs": dict(needs)} if needs else {}),
    }


def lineage_of(
    resolved: ResolvedPlan,
    parent_hash: str,
    fingerprint: str,
    subjects: Mapping[str, Sequence[str]],
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    """Lineage of a model.

    Parameters
    ----------
    resolved
        What was done.
    parent_hash
        SHA-256 of the weights that it began with.
    fingerprint
        Of the database.
    subjects
        Names by ``training`` and ``validation``.
    figures
        ``before`` and ``after``, means over the validation subjects, and the ``verdict``.
    """
    plan = resolved.plan
    return {
        "parent": plan.method,
        "parent_sha256": parent_hash,
        "database": [Path(one).name for one in plan.database],
        "database_fingerprint": fingerprint,
        "subjects": {part: list(names) for part, names in subjects.items()},
        "options": without_folders(resolved.overrides, resolved.recipe),
        "parts": list(plan.parts),
        **figures,
        "made": datetime.now(UTC).date().isoformat(),
        "version": __version__,
    }


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def base_method(name: str) -> str:
    """Installed method behind a method or a model of one's own."""
    own = None if name in installed_names() else find_own_model(name)
    return name if own is None else own.method


def known_to_parents(plan: FinetunePlan, validation: Sequence[str]) -> list[str]:
    """Validation cases that a parent was trained on, as far as the lineages of one's own models tell.

    Parameters
    ----------
    plan
        Names the parent and the databases; subjects are the same if they have one name in databases of one name.
    validation
        Names of the validation cases.
    """
    databases, known, seen = {Path(one).name for one in plan.database}, set[str](), set[str]()
    name = plan.method
    while name not in seen and (model := find_own_model(name)):
        seen.add(name)
        subjects, trained_on = model.lineage.get("subjects"), model.lineage.get("database")
        if isinstance(subjects, dict) and databases & _names(trained_on):
            known |= _names(subjects.get("training"))
        name = model.parent
    return [one for one in validation if one in known]


def _names(value: object) -> set[str]:
    """Names in a list from a file, which may hold anything."""
    return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()
