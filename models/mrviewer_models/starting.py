"""Networks that begin with trained weights: their size, and the parts that may learn by themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from mrviewer.study import Study
from mrviewer_models.shapes import shape_of_weights

__all__ = ["TunedAlike", "TunedInLastStage", "cascade_parts", "shape_to_start_from", "unet_parts"]

Shape = TypeVar("Shape")


class TunedAlike:
    """A recipe whose options are the same whether its network is trained anew or goes on learning."""

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """See `mrviewer.training.recipe.Tunable.finetuning`: nothing differs."""
        del study, parts
        return {}


class TunedInLastStage:
    """A recipe of three stages, of which only the last goes on learning: the others begin with nothing learned."""

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """See `mrviewer.training.recipe.Tunable.finetuning`: the last of the stages alone."""
        del study, parts
        return {"stage_shares": "0,0,1"}


def shape_to_start_from(
    start_from: str, overrides: Mapping[str, str], structure: Sequence[str], kind: type[Shape]
) -> Shape | None:
    """Size of the weights to start from; `None` without any, or where the options that decide the size are typed."""
    if not start_from or set(overrides) & set(structure):
        return None
    return shape_of_weights(Path(start_from), kind)


def cascade_parts(cascades: int) -> dict[str, tuple[str, ...]]:
    """The first and the last of several cascades."""
    return {"first-cascade": ("cascades.0.",), "last-cascade": (f"cascades.{cascades - 1}.",)}


def unet_parts(prefix: str, name: str) -> dict[str, tuple[str, ...]]:
    """Parts of a `mrviewer_models.blocks.unet.UNet`.

    Parameters
    ----------
    prefix
        Of its parameters in the network, with a dot at its end.
    name
        Of the whole of it.
    """
    return {
        name: (prefix,),
        f"{name}-head": (f"{prefix}decoder.head.",),
        f"{name}-decoder": (f"{prefix}decoder.",),
        f"{name}-first-layer": (f"{prefix}encoder.down.0.",),
    }
