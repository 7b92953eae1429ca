"""Names of new models."""

from dataclasses import replace

from mrviewer.finetuning.run_folder.plan import FinetunePlan
from mrviewer.methods.own import check_model_name, suggest_model_name

__all__ = ["named"]


def named(plan: FinetunePlan) -> FinetunePlan:
    """Return the plan of a new run with a name that its model can have.

    Raises
    ------
    InputError
        If the name is taken or cannot be one.
    """
    if not plan.name:
        return replace(plan, name=suggest_model_name(plan.method, plan.database_name))
    if plan.add:
        check_model_name(plan.name)
    return plan
