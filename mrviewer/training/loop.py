"""The training loop: it reads from top to bottom like a recipe, and yields progress."""

import json
import logging
import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mrviewer.database import open_database, split_subjects
from mrviewer.device import is_quick_in_bfloat16, place_network, resolve_device
from mrviewer.errors import InputError, WeightsError
from mrviewer.method import get_method
from mrviewer.progress import Progress
from mrviewer.training.checkpoint import load_checkpoint, save_checkpoint
from mrviewer.training.evaluate import evaluate_subjects
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment, Recipe, Trainable
from mrviewer.weights import Weights, load_weights, save_weights
from mrviewer.writers.whole import whole_file

__all__ = ["cli_train"]

_logger = logging.getLogger(__name__)
_CHECKPOINT_SECONDS = 60.0


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
    options = plan.training
    device = resolve_device(device)
    if options.threads and device == "cpu":
        torch.set_num_threads(options.threads)
    training, held_out = split_subjects(open_database(database), options.held_out)
    output.mkdir(parents=True, exist_ok=True)
    source = yield from plan.source(training)
    if not len(source):
        lacking = "learns from labels and the database has none; add subjects with labels"
        raise InputError(f"{recipe} {lacking if plan.needs_labels else 'found nothing to learn from in the database'}")
    network = yield from _fit(plan, source, output, device)
    weights = output / "weights.safetensors"
    about = {
        "method": recipe,
        "recipe": _without_folders({**asdict(plan.training), **asdict(plan.options)}),
        "trained_on": [subject.name for subject in training],
        "torch": torch.__version__,
    }
    save_weights(weights, Weights(_compact(network), about))
    if held_out:
        figures = yield from evaluate_subjects(method.with_weights(weights), held_out, device)
        with whole_file(output / "evaluation.json") as temporary:
            temporary.write_text(json.dumps(figures, indent=1, allow_nan=False))
    return weights


def _fit(plan: Recipe, source: BatchSource, output: Path, device: str) -> Generator[Progress, None, nn.Module]:
    """Train from the last checkpoint, or from the beginning; stopping the generator leaves a checkpoint too."""
    options = plan.training
    torch.manual_seed(options.seed)
    network = place_network(plan.network(), device)
    if options.start_from:
        _start_from(network, Path(options.start_from))
    optimiser = torch.optim.Adam(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    settings = json.dumps([asdict(options), asdict(plan.options)], sort_keys=True)
    checkpoint = output / "checkpoint.safetensors"
    first = load_checkpoint(checkpoint, network, optimiser, settings) if checkpoint.is_file() else 0
    per_epoch = options.steps_per_epoch or math.ceil(len(source) / options.batch_size)
    network.train()
    saved = started = time.monotonic()
    done = first
    try:
        with (output / "events.jsonl").open("a") as log:
            for step in range(first, options.steps):
                moment = Moment(step, step / per_epoch, options.steps / per_epoch)
                losses = _step(plan, network, optimiser, source.batch(step).to(device), moment)
                done = step + 1
                event = {"step": step, "seconds": round(time.monotonic() - started, 2), **losses.parts}
                log.write(json.dumps(event) + "\n")
                if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                    log.flush()
                    save_checkpoint(checkpoint, network, optimiser, done, settings)
                    saved = time.monotonic()
                yield Progress(done, options.steps, _describe(losses.parts), event)
    finally:
        if done > first:
            save_checkpoint(checkpoint, network, optimiser, done, settings)
    return network


def _step(plan: Recipe, network: nn.Module, optimiser: torch.optim.Optimizer, batch: Any, moment: Moment) -> Losses:  # noqa: ANN401
    for group in optimiser.param_groups:
        group["lr"] = _learning_rate(plan.training, moment)
    device = next(network.parameters()).device.type
    in_bf16 = plan.training.precision == "bf16" and is_quick_in_bfloat16(device)
    with torch.autocast(device, torch.bfloat16, enabled=in_bf16):
        losses = plan.losses(network, batch, moment)
    optimiser.zero_grad(set_to_none=True)
    losses.total.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return losses


def _start_from(network: nn.Module, path: Path) -> None:
    tensors = load_weights(path).tensors
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"{path.name} belongs to another architecture; start from weights of this method") from error


def _learning_rate(options: TrainingOptions, moment: Moment) -> float:
    part = moment.step / max(options.steps, 1)
    if options.schedule == "one_cycle":
        if part < 0.05:
            return options.learning_rate * (0.05 + 0.95 * part / 0.05)
        return options.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (part - 0.05) / 0.95)))
    if options.schedule == "step":
        times = moment.epoch // options.decay_epochs
        return float(options.learning_rate * options.decay ** min(times, options.decay_times or times))
    return options.learning_rate


def _describe(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in parts.items())


def _without_folders(options: Mapping[str, object]) -> dict[str, object]:
    """Options in which a path is shortened to its last two names: weights travel, and folders are nobody's business."""
    paths = {"start_from", "lesion_masks", "reconstruction_from", "segmentation_from", "adapt_from", "diagnoses"}
    return {
        name: "/".join(Path(value).parts[-2:]) if name in paths and isinstance(value, str) else value
        for name, value in options.items()
    }


def _compact(network: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters in half precision, which keeps the repository small and loses nothing that a figure shows."""
    return {
        name: tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor
        for name, tensor in network.state_dict().items()
    }
