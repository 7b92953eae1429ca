"""A fine-tuning run in this process."""

from collections.abc import Generator

from mrviewer.finetuning.run_folder.plan import FinetunePlan
from mrviewer.finetuning.run_folder.result import FinetuneSummary
from mrviewer.progress import Progress

__all__ = ["finetune"]


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
