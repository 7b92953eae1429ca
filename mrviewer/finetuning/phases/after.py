"""The end of a run: figures after, held against those before; the weights, their lineage, and the new model."""

from collections.abc import Generator, Mapping
from typing import Any

from mrviewer.errors import InputError, MrviewerError
from mrviewer.evaluation.measuring import mean_groups
from mrviewer.files.json_text import json_text
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.lineage import file_hash, lineage_of
from mrviewer.finetuning.phases.before import known_figures, measure_all
from mrviewer.finetuning.phases.improvement import judge
from mrviewer.finetuning.phases.preparing import DatabaseWatch
from mrviewer.finetuning.phases.validation_scores import Figures
from mrviewer.finetuning.resolved_plan import fingerprint_of
from mrviewer.finetuning.run_context import RunContext
from mrviewer.finetuning.run_folder.file_names import BEST, SUMMARY, WEIGHTS
from mrviewer.finetuning.run_folder.record import RunState
from mrviewer.finetuning.run_folder.result import FinetuneSummary
from mrviewer.methods.own import add_model, check_model_name, suggest_model_name
from mrviewer.methods.weights import Weights, load_weights, save_weights
from mrviewer.progress import Progress
from mrviewer.system.reasons import reason_of
from mrviewer.training.fitting import Fitting

__all__ = ["end_run", "keep_weights"]


def keep_weights(context: RunContext, fitting: Fitting, figures: Mapping[str, Any]) -> bool:
    """Write the best weights, with their lineage, as the weights of the run; whether there are any.

    Parameters
    ----------
    context, fitting
        The run and its network.
    figures
        ``before``, ``after`` and ``verdict``, as far as they are known.
    """
    best = context.folder / BEST
    if fitting.step == 0 and not best.is_file():
        return False
    if context.world.is_first:
        if not best.is_file():
            context.save_now(fitting.network).replace(best)
        subjects = {
            "training": [subject.name for subject in context.training],
            "validation": [subject.name for subject in context.validation],
        }
        fingerprint = fingerprint_of([*context.training, *context.validation])
        parent = file_hash(context.resolved.method.weights_file)
        lineage = lineage_of(context.resolved, parent, fingerprint, subjects, figures)
        about = {**context.about(), "lineage": lineage}
        save_weights(context.folder / WEIGHTS, Weights(load_weights(best).tensors, about))
    context.world.largest(0)
    return True


def end_run(
    context: RunContext, fitting: Fitting, before: Figures, watch: DatabaseWatch
) -> Generator[Progress, None, FinetuneSummary]:
    """Measure the best weights and say what came of the run.

    Raises
    ------
    InputError
        If the database is gone; the run can be resumed when it is back.
    """
    folder, journal = context.folder, context.journal
    journal.state(RunState.EVALUATING)
    if fitting.step and fitting.notes.get("best_step") == 0:
        context.note("no step was better than the start on the validation cases, so that its weights are the result")
    keep_weights(context, fitting, {"before": mean_groups(before["subjects"].values())})
    after = yield from measure_all(context, context.method_with(folder / WEIGHTS))
    if after["failures"]:
        watch.require()
        context.skip(after["failures"])
    summary = _summarise(context, fitting, before, after)
    keep_weights(context, fitting, {name: summary[name] for name in ("before", "after", "verdict")})
    model = ""
    if context.world.is_first:
        model = _add(context)
        summary = {**summary, "model": model, "notes": context.notes}
        with whole_file(folder / SUMMARY) as temporary:
            temporary.write_text(json_text(summary, indent=1), encoding="utf-8")
    journal.event(
        "result",
        verdict=summary["verdict"],
        message=summary["sentence"],
        before=known_figures(summary["before"]),
        after=known_figures(summary["after"]),
        model=model,
    )
    journal.state(RunState.FINISHED, message=summary["sentence"], seconds_left=0.0)
    return FinetuneSummary(True, folder / WEIGHTS, summary, model)


def _summarise(context: RunContext, fitting: Fitting, before: Figures, after: Figures) -> dict[str, Any]:
    names = [name for name in before["subjects"] if name in after["subjects"]]
    early, late = ({name: figures["subjects"][name] for name in names} for figures in (before, after))
    plan = context.resolved.plan
    return {
        "method": plan.model_name,
        "parent": plan.method,
        "database": plan.database_name,
        "database_fingerprint": fingerprint_of([*context.training, *context.validation]),
        "subjects": {"training": [subject.name for subject in context.training], "validation": names},
        "skipped": context.skipped,
        "before": mean_groups(early.values()),
        "after": mean_groups(late.values()),
        **judge(early, late),
        "by_subject": {name: {"before": _plain(early[name]), "after": _plain(late[name])} for name in names},
        "by_lesion": [row for name in names for row in _lesions(name, early[name], late[name])],
        "false_lesions": {name: {"before": _n_false(early[name]), "after": _n_false(late[name])} for name in names},
        "findings": {"before": before["findings"], "after": after["findings"]},
        "steps": fitting.step,
        "best_step": fitting.notes.get("best_step", fitting.step),
        "parts": list(plan.parts),
    }


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name != "lesions"}


def _lesions(subject: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each lesion of the reference, whose number is the same on both sides."""
    late = {row["id"]: row for row in after["lesions"] if row["status"] != "false"}
    return [
        {
            "subject": subject,
            "lesion": row["id"],
            "volume_ml": row["volume_ml"],
            "before": {"status": row["status"], "dice": row["dice"]},
            "after": {"status": late[row["id"]]["status"], "dice": late[row["id"]]["dice"]},
        }
        for row in before["lesions"]
        if row["status"] != "false" and row["id"] in late
    ]


def _n_false(figures: Mapping[str, Any]) -> int:
    return sum(row["status"] == "false" for row in figures["lesions"])


def _add(context: RunContext) -> str:
    """Put the new model among the person's own; its name, or nothing if that was not wanted or not possible."""
    plan = context.resolved.plan
    if not plan.add:
        return ""
    name = plan.model_name
    try:
        check_model_name(name)
    except InputError as error:
        # Free when the run began; another run may have taken it since.
        name = suggest_model_name(name)
        context.note(f"the new model is called {name!r}: {reason_of(error)}")
    try:
        add_model(context.folder / WEIGHTS, name)
    except MrviewerError as error:
        context.note(
            f"the new model is not among the methods: {reason_of(error)}; its weights are in the folder of the run"
        )
        return ""
    return name
