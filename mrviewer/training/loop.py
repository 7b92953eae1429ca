"""Training from the command line: it reads from top to bottom like a recipe, and yields progress."""

import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from mrviewer.database import Subject, open_database, split_subjects
from mrviewer.device import place_network
from mrviewer.errors import InputError, WeightsError
from mrviewer.files.lines import open_lines
from mrviewer.files.run_lock import hold_lock
from mrviewer.files.whole_file import whole_file
from mrviewer.methods.registry import get_method
from mrviewer.methods.weights import Weights, load_weights, save_weights
from mrviewer.progress import Progress, Skipped, retold
from mrviewer.system.interruption import Interrupted, was_interrupted
from mrviewer.training.evaluate import evaluate_subjects
from mrviewer.training.fitting import Fitting, take_steps
from mrviewer.training.options import saved_options
from mrviewer.training.recipe import BatchSource, Recipe, Trainable
from mrviewer.training.world import World, close_world, is_first_process, open_world, require_fabric

__all__ = ["cli_train", "compact", "require_examples", "start_from"]

T = TypeVar("T")


def cli_train(
    recipe: str,
    database: Sequence[str],
    output: Path,
    device: str = "auto",
    overrides: Mapping[str, str] | None = None,
    is_interrupted: Callable[[], bool] = was_interrupted,
) -> Generator[Progress, None, Path]:
    """Train a method by its recipe, and evaluate it on the subjects that were held out.

    Leaves in `output`: ``weights.safetensors``, ``events.jsonl`` (one JSON object a line), ``evaluation.json`` if
    subjects were held out, and ``checkpoint.safetensors``, from which the same call goes on after an interruption.

    Parameters
    ----------
    recipe
        Name of a method that has one.
    database
        See `mrviewer.database.open_database`.
    output
        Folder of the run.
    device
        See `mrviewer.device.resolve_device`.
    overrides
        Options by name; see `TrainingOptions` and the recipe's own.
    is_interrupted
        Whether the system wants this process to end; asked between steps, where several processes agree.

    Returns
    -------
    Path
        The weights.

    Raises
    ------
    InputError
        If another process trains in `output`, or nothing can be learned from the database.
    Interrupted
        If the system wants an end; the checkpoint is written then.
    """
    method = get_method(recipe)
    if not isinstance(method, Trainable):
        raise InputError(f"method {recipe!r} has nothing to train; choose one with a recipe, such as d5c5")
    plan = method.recipe(overrides or {})
    require_fabric()
    training, held_out = split_subjects(open_database(database), plan.training.held_out)
    with ExitStack() as stack:
        if is_first_process():
            output.mkdir(parents=True, exist_ok=True)
            stack.enter_context(hold_lock(output))
        world = open_world(device, plan.training.precision)
        stack.callback(close_world, world)
        if plan.training.threads and world.device == "cpu":
            torch.set_num_threads(plan.training.threads)
        skipped: list[Skipped] = []
        try:
            source = yield from _until(is_interrupted, _prepare(plan, training, world, skipped))
            require_examples(source, plan, recipe)
            network = yield from _fit(plan, source, output, world, is_interrupted)
            weights = output / "weights.safetensors"
            if world.is_first:
                save_weights(weights, Weights(compact(network), _about(recipe, plan, training, skipped)))
                if held_out:
                    evaluation = evaluate_subjects(method.with_weights(weights), held_out, world.device)
                    figures = yield from _until(is_interrupted, evaluation)
                    with whole_file(output / "evaluation.json") as temporary:
                        temporary.write_text(json.dumps(figures, indent=1, allow_nan=False), encoding="utf-8")
            world.largest(0)
        except RuntimeError as error:
            if world.size > 1 and is_interrupted():
                # The others were asked to end as well, and one of them is gone already.
                raise Interrupted from error
            raise
        return weights


def _until(is_interrupted: Callable[[], bool], job: Generator[Progress, None, T]) -> Generator[Progress, None, T]:
    """Run a job that a process does by itself, to its end or until the system wants another one."""

    def look(step: Progress) -> Progress:
        if is_interrupted():
            raise Interrupted
        return step

    return retold(job, look)


def require_examples(source: BatchSource, recipe: Recipe, method: str) -> None:
    """Refuse a source of batches that has nothing to draw from.

    Raises
    ------
    InputError
        With what the database lacks.
    """
    if not len(source):
        lacking = "learns from labels and the database has none; add subjects with labels"
        raise InputError(
            f"{method} {lacking if recipe.needs_labels else 'found nothing to learn from in the database'}"
        )


def start_from(network: nn.Module, path: Path) -> None:
    """Fill a network with the weights of a file.

    Raises
    ------
    WeightsError
        If they are of another architecture, or cannot be read.
    """
    tensors = load_weights(path).tensors
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"{path.name} belongs to another architecture; start from weights of this method") from error


def _prepare(
    plan: Recipe, subjects: Sequence[Subject], world: World, skipped: list[Skipped]
) -> Generator[Progress, None, BatchSource]:
    """Prepare batches, the first process before the others, which then find everything prepared."""

    def note(step: Progress) -> Progress:
        if isinstance(step.detail, Skipped):
            skipped.append(step.detail)
        return step

    source = (yield from retold(plan.source(subjects), note)) if world.is_first else None
    world.largest(0)
    return source if source is not None else (yield from plan.source(subjects))


def _fit(
    plan: Recipe, source: BatchSource, output: Path, world: World, is_interrupted: Callable[[], bool]
) -> Generator[Progress, None, nn.Module]:
    """Train from the last checkpoint, or from the beginning; stopping the generator leaves a checkpoint too."""
    options = plan.training
    torch.manual_seed(options.seed)
    network = place_network(plan.network(), world.device)
    if options.start_from:
        start_from(network, Path(options.start_from))
    fitting = Fitting(world, plan, network, source)
    checkpoint = output / "checkpoint.safetensors"
    if checkpoint.is_file():
        fitting.restore(checkpoint)
    network.train()
    started = time.monotonic()
    events = output / "events.jsonl" if world.is_first else Path(os.devnull)
    with open_lines(events) as log, closing(take_steps(fitting, checkpoint)) as steps:
        for report in steps:
            event = {"step": report.step, "seconds": round(time.monotonic() - started, 2), **report.losses}
            log.write(json.dumps(event) + "\n")
            yield Progress(fitting.step, options.steps, _describe(report.losses), event)
            if world.largest(is_interrupted()):
                raise Interrupted
    return network


def _about(method: str, plan: Recipe, training: Sequence[Subject], skipped: Sequence[Skipped]) -> dict[str, object]:
    left_out = {subject.subject for subject in skipped}
    return {
        "method": method,
        "recipe": saved_options(plan),
        "trained_on": [subject.name for subject in training if subject.name not in left_out],
        "torch": torch.__version__,
    }


def _describe(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in parts.items())


def compact(network: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters in half precision, which keeps the repository small and loses nothing that a figure shows."""
    return {
        name: tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor
        for name, tensor in network.state_dict().items()
    }
