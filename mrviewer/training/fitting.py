"""Steps of training: batch, loss, gradient, Adam. `train` and `finetune` both take their steps here.

A batch may be built and differentiated in pieces, one after the other or in several processes. The gradients of pieces
are added with the number of their examples, so that they are those of the whole batch for losses that are means over
examples.
"""

import gc
import json
import logging
import math
import time
from collections.abc import Generator, Mapping, Sequence, Sized
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mrviewer.errors import InputError
from mrviewer.training.checkpoint import load_checkpoint, read_notes, save_checkpoint
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Moment, Recipe
from mrviewer.training.world import World

__all__ = ["Fitting", "StepReport", "learning_rate", "take_steps"]

_logger = logging.getLogger(__name__)
_CHECKPOINT_SECONDS = 60.0
_WARM_UP = 0.1
"""Part of a run in which the rate of `inverse_sqrt` rises."""


@dataclass(frozen=True)
class StepReport:
    """What a step gave.

    Parameters
    ----------
    step
        Its number, from 0.
    loss, losses
        Loss and its parts; in several processes those of each process's share.
    learning_rate
        Of this step.
    pieces
        In how many the batch was cut; 1 for a whole one.
    """

    step: int
    loss: float
    losses: Mapping[str, float]
    learning_rate: float
    pieces: int


class Fitting:
    """A network in training: all that a checkpoint holds, and what a step needs besides.

    Parameters
    ----------
    world
        Processes that train together.
    recipe
        Loss and options.
    network
        On the device of the world.
    source
        Of batches.
    parameters
        What learns; all of the network by default.
    """

    def __init__(
        self,
        world: World,
        recipe: Recipe,
        network: nn.Module,
        source: BatchSource,
        parameters: Sequence[nn.Parameter] | None = None,
    ) -> None:
        self.world, self.recipe, self.network, self.source = world, recipe, network, source
        options = recipe.training
        self.parameters = list(network.parameters() if parameters is None else parameters)
        self.optimiser = torch.optim.Adam(
            self.parameters, lr=options.learning_rate, betas=options.betas, weight_decay=options.weight_decay
        )
        self.per_epoch = options.steps_per_epoch or math.ceil(len(source) / options.batch_size)
        self.step = 0
        self.pieces = 1
        self.is_whole = True
        """Whether network and optimiser stand between two steps, and not in the middle of a change."""
        self.notes: dict[str, Any] = {}
        self._count = 0

    @property
    def settings(self) -> str:
        """What a checkpoint must agree in."""
        return json.dumps([asdict(self.recipe.training), asdict(self.recipe.options)], sort_keys=True, default=str)

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        notes = {**self.notes, "pieces": self.pieces}
        save_checkpoint(path, self.network, self.optimiser, self.step, self.settings, notes)

    def restore(self, path: Path) -> None:
        """Go back to a checkpoint."""
        self.step = load_checkpoint(path, self.network, self.optimiser, self.settings)
        self.notes = read_notes(path)
        self.pieces = int(self.notes.pop("pieces", 1))

    def take_step(self) -> StepReport:
        """Take one step of the optimiser.

        Raises
        ------
        InputError
            If not even one example fits into the memory.
        StepCut
            If the network is `cuttable` and the step was broken off; all is then as it was before the step.
        """
        options, number = self.recipe.training, self.step
        moment = Moment(number, number / self.per_epoch, options.steps / self.per_epoch)
        rate = learning_rate(options, moment)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses = self._try(moment)
        while losses is None:
            self._halve()
            losses = self._try(moment)
        if options.largest_norm > 0:
            torch.nn.utils.clip_grad_norm_(self.parameters, options.largest_norm)
        self.is_whole = False
        self.optimiser.step()
        self.step += 1
        self.is_whole = True
        loss, parts = losses
        return StepReport(number, loss, parts, rate, self.pieces)

    def _try(self, moment: Moment) -> tuple[float, Mapping[str, float]] | None:
        """Take gradients, or leave everything as it was; `None` if a process was out of memory."""
        # What a network draws depends on the step alone, and not on what was measured in between.
        torch.manual_seed((self.recipe.training.seed << 32) + moment.step)
        kept = [buffer.clone() for buffer in self.network.buffers()]
        losses = None
        try:
            losses = self._gradients(moment)
        finally:
            if losses is None:
                self.optimiser.zero_grad(set_to_none=True)
                for buffer, before in zip(self.network.buffers(), kept, strict=True):
                    buffer.copy_(before)
        return losses

    def _gradients(self, moment: Moment) -> tuple[float, Mapping[str, float]] | None:
        """Gradients of the whole batch, the loss and its parts; `None` if a process was out of memory."""
        is_out_of_memory = False
        try:
            n_examples, loss, parts = self._local_gradients(moment)
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            is_out_of_memory = True
        # Outside of the handler, whose traceback keeps the tensors alive.
        if self.world.largest(is_out_of_memory):
            self.optimiser.zero_grad(set_to_none=True)
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            return None
        if self.world.size * self.pieces > 1:
            self.world.average(self.network, self.parameters, n_examples)
        return loss, parts

    def _local_gradients(self, moment: Moment) -> tuple[int, float, Mapping[str, float]]:
        """Sum the gradients of this process's examples; their number, their mean loss, and its parts."""
        self.optimiser.zero_grad(set_to_none=True)
        n_pieces = self.world.size * self.pieces
        sums: dict[str, float] = {}
        total, loss = 0, 0.0
        for piece in range(self.world.rank * self.pieces, (self.world.rank + 1) * self.pieces):
            made = self.source.batch(moment.step, piece, n_pieces) if n_pieces > 1 else self.source.batch(moment.step)
            self._count = count = _count_examples(made)
            if not count:
                continue
            batch = made.to(self.world.device)
            with self.world.autocast():
                losses = self.recipe.losses(self.network, batch, moment)
            (losses.total * count if n_pieces > 1 else losses.total).backward()
            total += count
            loss += float(losses.total.detach()) * count
            for name, value in losses.parts.items():
                sums[name] = sums.get(name, 0.0) + value * count
        return total, loss / max(total, 1), {name: value / total for name, value in sums.items()}

    def _halve(self) -> None:
        """Cut batches into twice as many pieces."""
        if self.world.largest(self._count) <= 1:
            raise InputError(
                f"one example does not fit into the memory of {self.world.device}; choose smaller crops or a smaller "
                "network, or another device"
            )
        self.pieces *= 2
        _logger.warning("out of memory: batches are cut into %d pieces", self.pieces)


def take_steps(fitting: Fitting, checkpoint: Path) -> Generator[StepReport, None, None]:
    """Train to the end, with a checkpoint every minute, and one when the generator ends or is closed.

    What breaks off in the middle of a change of the network leaves the checkpoint before.
    """
    first, saved = fitting.step, time.monotonic()
    try:
        while fitting.step < fitting.recipe.training.steps:
            report = fitting.take_step()
            if fitting.world.is_first and time.monotonic() - saved > _CHECKPOINT_SECONDS:
                fitting.save(checkpoint)
                saved = time.monotonic()
            yield report
    finally:
        if fitting.world.is_first and fitting.step > first and fitting.is_whole:
            fitting.save(checkpoint)


def learning_rate(options: TrainingOptions, moment: Moment) -> float:
    """Learning rate of a step; see `TrainingOptions.schedule`."""
    part = moment.step / max(options.steps, 1)
    if options.schedule == "one_cycle":
        if part < 0.05:
            return options.learning_rate * (0.05 + 0.95 * part / 0.05)
        return options.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (part - 0.05) / 0.95)))
    if options.schedule == "step":
        times = moment.epoch // options.decay_epochs
        return float(options.learning_rate * options.decay ** min(times, options.decay_times or times))
    if options.schedule == "inverse_sqrt":
        begun = (moment.step + 1) / max(options.steps, 1) / _WARM_UP
        return options.learning_rate * (begun if begun < 1 else begun**-0.5)
    return options.learning_rate


def _count_examples(batch: Any) -> int:  # noqa: ANN401 - every recipe has batches of its own
    """Number of examples: the length of a batch, or of its first tensor; 1 for what does not tell."""
    if isinstance(batch, Sized):
        return len(batch)
    tensors = [getattr(batch, item.name) for item in fields(batch)] if is_dataclass(batch) else []
    return next((len(one) for one in tensors if isinstance(one, Tensor) and one.ndim), 1)


def _is_out_of_memory(error: BaseException) -> bool:
    words = ("DefaultCPUAllocator", "out of memory", "can't allocate memory")
    is_named = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return is_named or any(word in str(error) for word in words)
