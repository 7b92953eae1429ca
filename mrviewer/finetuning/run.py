"""A fine-tuning run in this process."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mrviewer.finetuning.plan import FinetunePlan
from mrviewer.progress import Progress

__all__ = ["FinetuneSummary", "finetune"]


@dataclass(frozen=True)
class FinetuneSummary:
    """What a run came to.

    Parameters
    ----------
    finished
        Whether it was trained and measured to its end; otherwise it can be resumed.
    weights
        Best weights; `None` if nothing was trained yet.
    summary
        What ``summary.json`` holds; empty if it was stopped before.
    model
        Name of the new model in the list of methods; empty if it was not added.
    """

    finished: bool
    weights: Path | None
    summary: Mapping[str, object]
    model: str = ""


def finetune(plan: FinetunePlan, *, resume: bool = False) -> Generator[Progress, None, FinetuneSummary]:
    """Fine-tune a method on a database: measure, train, measure again. Closing the generator leaves a checkpoint.

    Parameters
    ----------
    plan
        What to do; its folder takes all files of the run.
    resume
        Go on with the run in that folder.

    Raises
    ------
    InputError
        If the plan cannot be carried out; the message says why in one sentence.
    """
    # Imported here, because whoever only looks at runs needs no torch.
    from mrviewer.finetuning.engine import run_plan

    return (yield from run_plan(plan, resume=resume))
