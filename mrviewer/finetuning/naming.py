"""Names of new models."""

from dataclasses import replace

from mrviewer.finetuning.plan import FinetunePlan
from mrviewer.own_models import check_model_name, suggest_model_name

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
