"""The figures before: what the parent gives on the validation cases, measured once and first."""

import hashlib
import json
from collections.abc import Generator, Mapping
from dataclasses import asdict

from torch import nn

from mrviewer.errors import InputError
from mrviewer.evaluation.measuring import mean_groups
from mrviewer.files.json_text import read_json_object
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.lineage import file_hash
from mrviewer.finetuning.phases.preparing import DatabaseWatch
from mrviewer.finetuning.phases.validation_scores import Figures, measure_subjects, merged
from mrviewer.finetuning.resolved_plan import Finetunable, fingerprint_of
from mrviewer.finetuning.run_context import RunContext
from mrviewer.finetuning.run_folder.file_names import BEFORE
from mrviewer.finetuning.run_folder.record import RunState
from mrviewer.metrics.metric_list import flat
from mrviewer.progress import Progress

__all__ = ["known_figures", "measure_all", "measure_before"]


def measure_all(context: RunContext, method: Finetunable) -> Generator[Progress, None, Figures]:
    """Measure a method on all validation cases, each process its share."""
    resolved = context.resolved
    cases = context.share(context.validation)
    job = measure_subjects(method, cases, resolved.sampling, resolved.plan.modality, context.world.device)
    try:
        share = yield from context.control.phase(job)
    finally:
        method.release()
    return merged(context.world.gather(share))


def measure_before(context: RunContext, network: nn.Module, watch: DatabaseWatch) -> Generator[Progress, None, Figures]:
    """Measure the parent, unless that was done before; cases that cannot be measured are left out from now on.

    Where the parent cannot be run on the database, such as for a modality that it does not know, the network that
    training starts with is measured in its place.

    Raises
    ------
    InputError
        If no case can be measured, or none has the labels that the recipe learns from.
    """
    key = _key(context)
    figures: Figures | None = context.world.gather(_stored(context, key))[0]
    if figures is None:
        context.journal.state(RunState.ZERO_SHOT)
        figures = yield from measure_all(context, context.parent())
        if figures["failures"]:
            watch.require()
        if not figures["subjects"]:
            why = next(iter(figures["failures"].values()))
            context.note(
                f"{context.card.name} cannot be run here as it is ({why}); measured is what training starts with"
            )
            figures = yield from measure_all(context, context.method_with(context.save_now(network)))
        _require_measured(context, figures)
        _store(context, key, figures)
    context.skip(figures["failures"])
    context.validation = [subject for subject in context.validation if subject.name in figures["subjects"]]
    means = known_figures(mean_groups(figures["subjects"].values()))
    context.journal.event("zero_shot", step=0, metrics=means, subjects=len(figures["subjects"]))
    return figures


def known_figures(means: Mapping[str, Mapping[str, float | None]]) -> dict[str, float]:
    """Figures that are known, by their keys."""
    return {key: value for key, value in flat(means).items() if value is not None}


def _require_measured(context: RunContext, figures: Figures) -> None:
    if not figures["subjects"]:
        name, why = next(iter(figures["failures"].items()))
        raise InputError(f"no validation case can be measured; of {name!r}: {why}")
    dice = [one["segmentation"].get("dice") for one in figures["subjects"].values()]
    if context.resolved.recipe.needs_labels and all(value is None for value in dice):
        raise InputError(
            f"none of the validation cases has labels that {context.card.name} could be held against; choose others"
        )


def _key(context: RunContext) -> str:
    facts = [
        file_hash(context.resolved.method.weights_file),
        [context.resolved.plan.modality, asdict(context.resolved.sampling)],
        fingerprint_of(context.validation),
    ]
    return json.dumps(facts)


def _stored(context: RunContext, key: str) -> Figures | None:
    try:
        stored = read_json_object(context.folder / BEFORE, "it is measured again")
    except (OSError, ValueError):
        return None
    figures: Figures = stored.get("figures", {})
    return figures if stored.get("key") == [key, _digest(figures)] else None


def _digest(figures: Figures) -> str:
    """Checksum of figures as they are kept, so that a damaged file is noticed."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()


def _store(context: RunContext, key: str, figures: Figures) -> None:
    if context.world.is_first:
        with whole_file(context.folder / BEFORE) as temporary:
            temporary.write_text(json.dumps({"key": [key, _digest(figures)], "figures": figures}), encoding="utf-8")
    context.world.largest(0)
