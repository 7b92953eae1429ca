"""Training from the command line: it reads from top to bottom like a recipe, and yields progress."""

import json
import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from mrviewer.database import Subject, open_database, split_subjects
from mrviewer.device import place_network
from mrviewer.errors import InputError, WeightsError
from mrviewer.progress import Progress, Skipped, retold
from mrviewer.registry import get_method
from mrviewer.training.evaluate import evaluate_subjects
from mrviewer.training.fitting import Fitting, take_steps
from mrviewer.training.recipe import BatchSource, Recipe, Trainable
from mrviewer.training.world import World, close_world, open_world
from mrviewer.weights import Weights, load_weights, save_weights
from mrviewer.writers.whole import whole_file

__all__ = ["cli_train", "compact", "require_examples", "start_from", "without_folders"]


def cli_train(
    recipe: str,
    database: Sequence[str],
    output: Path,
    device: str = "auto",
    overrides: Mapping[str, str] | None = None,
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

    Returns
    -------
    Path
        The weights.
    """
    method = get_method(recipe)
    if not isinstance(method, Trainable):
        raise InputError(f"method {recipe!r} has nothing to train; choose one with a recipe, such as d5c5")
    plan = method.recipe(overrides or {})
    training, held_out = split_subjects(open_database(database), plan.training.held_out)
    world = open_world(device, plan.training.precision)
    try:
        if plan.training.threads and world.device == "cpu":
            torch.set_num_threads(plan.training.threads)
        output.mkdir(parents=True, exist_ok=True)
        skipped: list[Skipped] = []
        source = yield from _prepare(plan, training, world, skipped)
        require_examples(source, plan, recipe)
        network = yield from _fit(plan, source, output, world)
        weights = output / "weights.safetensors"
        if world.is_first:
            save_weights(weights, Weights(compact(network), _about(recipe, plan, training, skipped)))
            if held_out:
                figures = yield from evaluate_subjects(method.with_weights(weights), held_out, world.device)
                with whole_file(output / "evaluation.json") as temporary:
                    temporary.write_text(json.dumps(figures, indent=1, allow_nan=False))
        world.largest(0)
        return weights
    finally:
        close_world(world)


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


def _fit(plan: Recipe, source: BatchSource, output: Path, world: World) -> Generator[Progress, None, nn.Module]:
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
    with events.open("a", buffering=1) as log, closing(take_steps(fitting, checkpoint)) as steps:
        for report in steps:
            event = {"step": report.step, "seconds": round(time.monotonic() - started, 2), **report.losses}
            log.write(json.dumps(event) + "\n")
            yield Progress(fitting.step, options.steps, _describe(report.losses), event)
    return network


def _about(method: str, plan: Recipe, training: Sequence[Subject], skipped: Sequence[Skipped]) -> dict[str, object]:
    left_out = {subject.subject for subject in skipped}
    return {
        "method": method,
        "recipe": without_folders({**asdict(plan.training), **asdict(plan.options)}),
        "trained_on": [subject.name for subject in training if subject.name not in left_out],
        "torch": torch.__version__,
    }


def _describe(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in parts.items())


def without_folders(options: Mapping[str, object]) -> dict[str, object]:
    """Options in which a path is shortened to its last two names: weights travel, and folders are nobody's business."""
    paths = {"start_from", "lesion_masks", "reconstruction_from", "segmentation_from", "adapt_from", "diagnoses"}
    return {
        name: "/".join(Path(value).parts[-2:]) if name in paths and isinstance(value, str) else value
        for name, value in options.items()
    }


def compact(network: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters in half precision, which keeps the repository small and loses nothing that a figure shows."""
    return {
        name: tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor
        for name, tensor in network.state_dict().items()
    }
