"""The phase that trains: steps, with a quick look at the validation cases in between, the best weights kept."""

import math
import time
from collections.abc import Generator, Mapping
from contextlib import closing, nullcontext

import numpy as np
from numpy.typing import NDArray
from PIL import Image as CasePicture

from mrviewer.errors import InputError
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.phases import checking
from mrviewer.finetuning.phases.checking import check_cases, chosen_cases, means_of, score_of
from mrviewer.finetuning.run_context import RunContext
from mrviewer.finetuning.run_control import StopRequested
from mrviewer.finetuning.run_folder.file_names import BEST, CHECKPOINT, VALIDATION
from mrviewer.finetuning.run_folder.journal import memory_bytes
from mrviewer.finetuning.run_folder.record import RunState
from mrviewer.progress import Progress
from mrviewer.training.cutting import StepCut, cuttable
from mrviewer.training.fitting import Fitting, StepReport, take_steps
from mrviewer.training.parts import start_learning

__all__ = ["TrainingPhase"]

_COSTS = 6.0
"""Time of training between two validations, in times of a validation. They are to take a fifth of it at most, and
later ones may take longer than the first."""
_MOST = 40
_TIMED_STEPS = 5
_WEIGHT = 0.9


class TrainingPhase:
    """Trains a network to its end, or until somebody wants otherwise.

    Parameters
    ----------
    context
        The run.
    fitting
        Network, optimiser and batches, at the step to go on with.
    """

    def __init__(self, context: RunContext, fitting: Fitting) -> None:
        self._context, self._fitting = context, fitting
        self._total = fitting.recipe.training.steps
        self._started = time.monotonic()
        self._step_seconds = self._check_seconds = 0.0
        self._n_timed = 0
        self._pieces = fitting.pieces
        self._failed: set[str] = set()
        fitting.notes.setdefault("every", context.resolved.plan.validate_every)

    def run(self) -> Generator[Progress, None, None]:
        """Train.

        Raises
        ------
        StopRequested
            If somebody wants the run to end now.
        """
        # Several processes agree between steps; one alone need not wait for the end of a step.
        alone = self._context.world.size == 1
        cut = cuttable(self._fitting.network, self._context.control.wants_stop) if alone else nullcontext()
        try:
            with cut:
                yield from self._train()
        except StepCut:
            raise StopRequested from None
        finally:
            self._context.method_with(self._context.own_weights()).release()

    def _train(self) -> Generator[Progress, None, None]:
        context, fitting = self._context, self._fitting
        context.journal.state(RunState.TRAINING, step=fitting.step, total_steps=self._total)
        start_learning(fitting.network)
        with closing(take_steps(fitting, context.folder / CHECKPOINT)) as steps:
            while True:
                yield from self._validate_if_due()
                if (yield from context.control.between_steps()):
                    context.note(f"training was ended by hand after {fitting.step} of {self._total} steps")
                    break
                start = time.monotonic()
                report = next(steps, None)
                if report is None:
                    return
                self._time_step(time.monotonic() - start)
                yield self._tell(report)
                self._require_finite(report)
        if fitting.notes.get("validated") != fitting.step:
            yield from self._validate()

    def _time_step(self, seconds: float) -> None:
        self._n_timed += 1
        # The first step also prepares what later ones use.
        weight = _WEIGHT if self._n_timed > 2 else 0.0
        self._step_seconds = weight * self._step_seconds + (1 - weight) * seconds

    def _tell(self, report: StepReport) -> Progress:
        journal, done = self._context.journal, self._fitting.step
        if report.pieces != self._pieces:
            self._pieces = report.pieces
            message = f"out of memory: each batch is now taken in {report.pieces} pieces, with the same result"
            journal.event("memory", pieces=report.pieces, message=message)
            journal.state(message=message)
        left, memory = self._seconds_left(), memory_bytes(self._context.world.device)
        journal.event(
            "step",
            step=done,
            loss=_finite(report.loss),
            losses={name: _finite(value) for name, value in report.losses.items()},
            learning_rate=report.learning_rate,
            seconds=round(time.monotonic() - self._started, 2),
            seconds_left=left,
            memory_bytes=memory,
        )
        journal.state(now=False, step=done, seconds_left=left, memory_bytes=memory, message=f"loss {report.loss:.4g}")
        journal.curve("training", {"loss": report.loss, **report.losses}, done)
        return Progress(done, self._total, f"loss {report.loss:.4g}")

    def _require_finite(self, report: StepReport) -> None:
        if self._context.world.largest(not math.isfinite(report.loss)):
            raise InputError(
                f"the loss at step {report.step + 1} is no number any more; begin a new run with a smaller "
                "learning_rate (the best weights before that are kept)"
            )

    def _seconds_left(self) -> float:
        left = self._total - self._fitting.step
        every = self._fitting.notes["every"] or max(left, 1)
        return round(left * self._step_seconds + math.ceil(left / every) * self._check_seconds, 1)

    def _validate_if_due(self) -> Generator[Progress, None, None]:
        notes, step = self._fitting.notes, self._fitting.step
        if not notes["every"] and self._n_timed >= min(_TIMED_STEPS, self._total):
            notes["every"] = self._context.world.largest(self._interval())
            self._context.journal.event("note", message=f"validating every {notes['every']} steps")
        is_due = step in (0, self._total) or (notes["every"] and step % notes["every"] == 0)
        if is_due and notes.get("validated") != step:
            yield from self._validate()

    def _interval(self) -> int:
        """Steps between validations that take a fifth of the time at most."""
        by_time = math.ceil(_COSTS * self._check_seconds / max(self._step_seconds, 1e-6))
        return min(max(by_time, math.ceil(self._total / _MOST), 1), self._total)

    def _validate(self) -> Generator[Progress, None, None]:
        context, fitting = self._context, self._fitting
        start = time.monotonic()
        weights = context.save_now(fitting.network)
        cases, resolved = context.share(chosen_cases(context.validation)), context.resolved
        check = yield from context.control.phase(
            check_cases(
                context.method_with(weights), cases, resolved.sampling, resolved.plan.modality, context.world.device
            )
        )
        shares = context.world.gather({"cases": list(check.cases), "failures": dict(check.failures)})
        self._tell_failures({name: why for share in shares for name, why in share["failures"].items()})
        means = means_of([case for share in shares for case in share["cases"]])
        self._keep_best(score_of(means), fitting.step)
        self._check_seconds = time.monotonic() - start
        picture = self._draw(check.picture)
        notes = fitting.notes
        context.journal.event(
            "validation",
            step=fitting.step,
            metrics={name: round(value, 6) for name, value in means.items()},
            score=score_of(means),
            best=notes.get("best"),
            best_step=notes.get("best_step"),
            picture=picture,
            seconds=round(self._check_seconds, 2),
        )
        context.journal.state(best=notes.get("best"))
        context.journal.curve("validation", means, fitting.step)

    def _tell_failures(self, failures: Mapping[str, str]) -> None:
        for name, why in failures.items():
            if name not in self._failed:
                self._failed.add(name)
                self._context.note(f"not validated on {name}: {why}")

    def _keep_best(self, score: float | None, step: int) -> None:
        notes = self._fitting.notes
        notes["validated"] = step
        if score is None or (notes.get("best") is not None and score <= notes["best"]):
            return
        notes["best"], notes["best_step"] = score, step
        if self._context.world.is_first:
            self._context.own_weights().replace(self._context.folder / BEST)

    def _draw(self, picture: checking.CasePicture | None) -> str:
        """Write the picture of a validation; its name in the folder of the run."""
        if picture is None or not self._context.world.is_first:
            return ""
        folder = self._context.folder / VALIDATION
        folder.mkdir(exist_ok=True)
        name = f"step-{self._fitting.step}"
        arrays = {"image": picture.image, "truth": picture.truth, "prediction": picture.prediction}
        with whole_file(folder / f"{name}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        drawn = np.concatenate([_grey(values) for values in arrays.values()], axis=1)
        with whole_file(folder / f"{name}.png") as temporary:
            CasePicture.fromarray(drawn).save(temporary)
        return f"{VALIDATION}/{name}.npz"


def _grey(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    scaled = np.asarray(values, np.float32)
    shades: NDArray[np.uint8] = (255 * np.clip(scaled / max(float(scaled.max(initial=0)), 1e-12), 0, 1)).astype(
        np.uint8
    )
    return shades


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
