"""A run from its plan to its summary: prepare, measure, train, measure again."""

import contextlib
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mrviewer.database import Subject
from mrviewer.device import place_network
from mrviewer.errors import InputError, MrviewerError
from mrviewer.files.run_lock import hold_lock
from mrviewer.finetuning.lineage import known_to_parents
from mrviewer.finetuning.needs import fitted_card
from mrviewer.finetuning.new_model_name import named
from mrviewer.finetuning.phases.after import end_run, keep_weights
from mrviewer.finetuning.phases.before import measure_before
from mrviewer.finetuning.phases.preparing import DatabaseWatch, Prepared, prepare
from mrviewer.finetuning.phases.training import TrainingPhase
from mrviewer.finetuning.resolved_plan import (
    find_parent,
    fingerprint_of,
    require_possible,
    resolve_plan,
    split_database,
)
from mrviewer.finetuning.run_context import RunContext
from mrviewer.finetuning.run_control import RunControl, StopRequested
from mrviewer.finetuning.run_folder.file_names import CHECKPOINT, PLAN, SUMMARY, WEIGHTS
from mrviewer.finetuning.run_folder.journal import Journal, open_journal
from mrviewer.finetuning.run_folder.plan import FinetunePlan, write_plan
from mrviewer.finetuning.run_folder.record import RunState
from mrviewer.finetuning.run_folder.requests import clear_request
from mrviewer.finetuning.run_folder.result import FinetuneSummary, read_summary
from mrviewer.finetuning.run_folder.resuming import make_folder, require_right_folder, resumed_plan
from mrviewer.finetuning.run_folder.start_record import StartRecord, read_start_record, write_start_record
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.system.faults import explained, is_full_disk
from mrviewer.training.data.prefetch import Prefetched
from mrviewer.training.fitting import Fitting
from mrviewer.training.loop import require_examples, start_from
from mrviewer.training.parts import trainable_parameters
from mrviewer.training.recipe import BatchSource
from mrviewer.training.world import close_world, is_first_process, open_world

__all__ = ["run_plan"]


def run_plan(
    plan: FinetunePlan,
    *,
    resume: bool = False,
    obey_old_wishes: bool = False,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Generator[Progress, None, FinetuneSummary]:
    """Carry out a plan; see `mrviewer.finetuning.finetune`.

    Parameters
    ----------
    plan
        What to do.
    resume
        Go on with the run in its folder.
    obey_old_wishes
        Whether a request that is in the folder already is meant for this run.
    is_interrupted
        Whether the system wants this process to end.
    """
    folder, writes = plan.checked().folder, is_first_process()
    with contextlib.ExitStack() as stack:
        if writes:
            require_right_folder(folder, resume=resume)
            plan = plan if resume else named(plan)
            if not (folder / PLAN).is_file():
                require_possible(plan)
            make_folder(folder)
            stack.enter_context(hold_lock(folder))
            if not obey_old_wishes:
                clear_request(folder)
        journal = stack.enter_context(open_journal(folder, writes=writes))
        with _told(journal, folder):
            if resume:
                plan = resumed_plan(plan)
            if (folder / SUMMARY).is_file():
                return read_summary(folder)
            if writes and not resume:
                write_plan(plan)
            journal.event("start", resumed=resume, method=plan.method, database=plan.database_name, name=plan.name)
            return (yield from _run(plan, journal, is_interrupted))


@contextlib.contextmanager
def _told(journal: Journal, folder: Path) -> Iterator[None]:
    """Write into the journal how a run ends that does not come to its end."""
    try:
        yield
    except (GeneratorExit, KeyboardInterrupt):
        with contextlib.suppress(OSError):
            journal.event("stop", message="interrupted")
        journal.state(RunState.STOPPED, message="interrupted; resume to go on")
        raise
    except Exception as error:
        message = _in_words(error, folder)
        journal.state(RunState.FAILED, message=message)
        with contextlib.suppress(OSError):
            journal.event("failed", message=message)
        if isinstance(error, MrviewerError) and not is_full_disk(error):
            raise
        raise InputError(message) from error


def _in_words(error: Exception, folder: Path) -> str:
    if is_full_disk(error):
        return (
            f"the disk of run {folder.name} is full; make room and resume, what the last checkpoint holds is not lost"
        )
    if isinstance(error, MrviewerError):
        return " ".join(str(error).split())
    return f"run {folder.name} cannot go on: {explained(error, 'finetune')}"


def _run(
    plan: FinetunePlan, journal: Journal, is_interrupted: Callable[[], bool]
) -> Generator[Progress, None, FinetuneSummary]:
    """Look everything up, then go through the phases."""
    parent, watch = find_parent(plan), DatabaseWatch(plan.database)
    training, validation = split_database(plan)
    study = _first_study([*training, *validation], watch)
    resolved = resolve_plan(plan, parent, study)
    card = fitted_card(parent.card, resolved.recipe, study.modalities, study.choose_modality(plan.modality or None))
    world = open_world(plan.device, resolved.recipe.training.precision)
    control = RunControl(plan.folder, world, journal, is_interrupted)
    context = RunContext(resolved, world, journal, control, plan.folder, card, training, validation)
    journal.state(RunState.PREPARING, device=world.device)
    if known := known_to_parents(plan, [subject.name for subject in validation]):
        context.note(
            f"{len(known)} of {len(validation)} validation cases were trained on by {plan.method} or its parents, so "
            f"that figures of them are too good: {', '.join(known)}"
        )
    try:
        if world.is_first:
            # Written down, so that a patient who joins the database later moves nobody from one side to the other.
            write_plan(replace(plan, validation=tuple(subject.name for subject in validation)))
        return (yield from _phases(context, watch))
    finally:
        context.own_weights().unlink(missing_ok=True)
        close_world(world)


def _phases(context: RunContext, watch: DatabaseWatch) -> Generator[Progress, None, FinetuneSummary]:
    fitting: Fitting | None = None
    try:
        source = yield from _prepare(context, watch)
        with contextlib.closing(Prefetched(source)) as prefetched:
            fitting = _fitting(context, prefetched)
            before = yield from measure_before(context, fitting.network, watch)
            if (context.folder / CHECKPOINT).is_file():
                fitting.restore(context.folder / CHECKPOINT)
            yield from TrainingPhase(context, fitting).run()
        return (yield from end_run(context, fitting, before, watch))
    except StopRequested:
        context.journal.state(RunState.STOPPING)
        has_weights = fitting is not None and keep_weights(context, fitting, {})
        message = "stopped; the best weights are kept, resume to go on" if has_weights else "stopped before training"
        context.journal.event("stop", step=fitting.step if fitting else 0, message=message)
        context.journal.state(RunState.STOPPED, message=message)
        return FinetuneSummary(False, context.folder / WEIGHTS if has_weights else None, {})


def _first_study(subjects: Sequence[Subject], watch: DatabaseWatch) -> Study:
    """A study of the database, by whose modalities and voxels the recipe chooses options."""
    why: Exception | None = None
    for subject in subjects:
        try:
            return subject.load()
        except (MrviewerError, OSError) as error:
            watch.require()
            why = error
    raise InputError(f"no subject of the database can be opened; of the last one: {why}")


def _prepare(context: RunContext, watch: DatabaseWatch) -> Generator[Progress, None, BatchSource]:
    """Prepare the training subjects, the first process before the others, which then find everything prepared."""
    world, recipe = context.world, context.resolved.recipe
    prepared: Prepared | None = None
    for turn in range(1 if world.size == 1 else 2):
        mine = turn == 0 if world.is_first else turn == 1
        job = prepare(recipe, context.training, watch) if mine else _nothing()
        prepared = (yield from context.control.phase(job)) or prepared
        told = world.gather(_outcome(prepared))[0]
        context.training = [subject for subject in context.training if subject.name in told["training"]]
    assert prepared is not None
    context.skip(told["skipped"])
    context.hear(told["label_notes"])
    require_examples(prepared.source, recipe, context.resolved.plan.method)
    return prepared.source


def _nothing() -> Generator[Progress, None, None]:
    yield from ()


def _outcome(prepared: Prepared | None) -> dict[str, Any]:
    if prepared is None:
        return {}
    training = [subject.name for subject in prepared.training]
    return {"training": training, "skipped": prepared.skipped, "label_notes": prepared.label_notes}


def _note_start(context: RunContext, start: StartRecord | None) -> None:
    """Keep what the run starts with, or say that its database is another one by now."""
    fingerprint = fingerprint_of([*context.training, *context.validation])
    if start is not None and start.fingerprint != fingerprint:
        context.note("the database is not what it was when the run began, so that neither are its numbers")
    # Nobody writes before all have looked.
    context.world.largest(0)
    if start is None and context.world.is_first:
        write_start_record(context.folder, StartRecord(context.resolved.overrides, fingerprint))


def _fitting(context: RunContext, source: BatchSource) -> Fitting:
    """Network, optimiser and number of steps."""
    resolved, world, journal = context.resolved, context.world, context.journal
    options = resolved.recipe.training
    start = read_start_record(context.folder)
    if resolved.plan.epochs is not None and start is None:
        per_epoch = options.steps_per_epoch or math.ceil(len(source) / options.batch_size)
        context.resolved = resolved = resolved.lasting(max(round(resolved.plan.epochs * per_epoch), 1))
        options = resolved.recipe.training
    _note_start(context, start)
    if options.threads and world.device == "cpu":
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = place_network(resolved.recipe.network(), world.device)
    if options.start_from:
        start_from(network, Path(options.start_from))
    parameters = trainable_parameters(network, resolved.recipe, resolved.plan.parts)
    journal.event(
        "prepared",
        training=[subject.name for subject in context.training],
        validation=[subject.name for subject in context.validation],
        skipped=context.skipped,
        examples=len(source),
        total_steps=options.steps,
        batch_size=options.batch_size,
        processes=world.size,
        parts=list(resolved.plan.parts),
        trained_parameters=sum(parameter.numel() for parameter in parameters),
        device=world.device,
    )
    journal.state(total_steps=options.steps, message=f"prepared {len(context.training)} training subjects")
    return Fitting(world, resolved.recipe, network, source, parameters)
