"""Recipes in several stages: which one a step lies in, and what learns in it."""

from collections.abc import Sequence

from torch import nn

from mrviewer.training.recipe import Moment

__all__ = ["let_rest", "rests", "stage_of", "train_only"]

_RESTS = "rests_in_this_run"


def stage_of(moment: Moment, shares: Sequence[float]) -> int:
    """Number of the stage that a moment lies in, from 0.

    Parameters
    ----------
    moment
        Step of the run.
    shares
        Length of each stage in proportion to the others; a stage of length 0 is skipped.

    Raises
    ------
    ValueError
        If no stage has a length.
    """
    whole = float(sum(shares))
    if whole <= 0 or min(shares) < 0:
        raise ValueError(
            f"stages of lengths {tuple(shares)} were asked for; one must be longer than 0 and none shorter"
        )
    part = moment.epoch / moment.n_epochs if moment.n_epochs else 0.0
    end, last = 0.0, max(number for number, share in enumerate(shares) if share > 0)
    for number, share in enumerate(shares):
        end += share / whole
        if share > 0 and part < end - 1e-9:
            return number
    return last


def train_only(network: nn.Module, *parts: nn.Module) -> None:
    """Let these parts of a network learn and nothing else.

    Called at every step, from nothing but the moment, so that a run goes on after an interruption as it was. The
    optimiser leaves alone what has no gradient. What rests in this run (`let_rest`) does not learn in any stage.
    """
    chosen = {id(parameter) for part in parts for parameter in part.parameters()}
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in chosen and not rests(parameter))


def let_rest(parameter: nn.Parameter) -> None:
    """Keep a parameter as it is for all of a run."""
    parameter.requires_grad_(False)
    # Kept on the parameter: stages switch gradients on and off, and know nothing of what a person chose to train.
    setattr(parameter, _RESTS, True)


def rests(parameter: nn.Parameter) -> bool:
    """Whether `let_rest` was called."""
    return bool(getattr(parameter, _RESTS, False))
