"""The five ways of the paper to train a reconstruction and a segmentation, from separately to coupled."""

from typing import Literal

from torch import Tensor

from mrviewer.training.data.batches import Batch
from mrviewer.training.recipe import Moment
from mrviewer.training.stages import stage_of, train_only
from mrviewer_models.mtlrs.network import MTLRS

__all__ = ["Arm", "estimates_and_logits"]

Arm = Literal["pretrained", "sequential", "end_to_end", "joint", "mtlrs"]


def estimates_and_logits(
    arm: Arm, network: MTLRS, batch: Batch, moment: Moment, *, fine_tuning: float
) -> tuple[list[Tensor], Tensor]:
    """What an arm compares with the truth in this step; what must not learn has its gradients switched off.

    ``pretrained``: the reconstruction learns to reconstruct, the segmenter to segment fully sampled images; they meet
    at test time only. ``sequential``: the same, then the segmenter goes on with the frozen reconstruction as its input.
    ``end_to_end``, ``joint`` and ``mtlrs``: both learn together; which losses count, and whether they are coupled, is
    up to the recipe and to the network.

    Parameters
    ----------
    arm, network, batch, moment
        What is trained, on what, when.
    fine_tuning
        Share of a ``sequential`` run that is its second stage.

    Returns
    -------
    steps : complex, (batch, y, x) each
        Estimates of the reconstruction; empty where it does not learn.
    logits : (batch, class, y, x)
    """
    measured = (batch.kspace, batch.pattern, batch.maps)
    if arm == "sequential" and stage_of(moment, (1 - fine_tuning, fine_tuning)) == 1:
        train_only(network, network.segmentation)
        return [], network.segment(network.reconstruction(*measured)[-1])
    train_only(network, network)
    if arm in ("pretrained", "sequential"):
        return network.reconstruction(*measured), network.segment(batch.image)
    steps, logits = network(*measured)
    return steps, logits
