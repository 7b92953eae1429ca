"""Every recipe, where mypy looks whether it satisfies the Protocols; run by `test_recipes.py`."""

from typing import Protocol

from mrviewer.training.recipe import Recipe, Tunable
from mrviewer_models.brain_mask.recipe import recipe as brain_mask
from mrviewer_models.cirim.recipe import recipe as cirim
from mrviewer_models.d5c5.recipe import recipe as d5c5
from mrviewer_models.idslr.recipe import recipe as idslr
from mrviewer_models.itfs_drlc.recipe import recipe as itfs_drlc
from mrviewer_models.linet.recipe import recipe as linet
from mrviewer_models.mtinet.recipe import recipe as mtinet
from mrviewer_models.mtlrs.recipe import recipe as mtlrs
from mrviewer_models.multiunet.recipe import recipe as multiunet
from mrviewer_models.recseg.recipe import recipe as recseg
from mrviewer_models.segnetmri.recipe import recipe as segnetmri
from mrviewer_models.semunet.recipe import recipe as semunet
from mrviewer_models.seranet.recipe import recipe as seranet
from mrviewer_models.synnet.recipe import recipe as synnet
from mrviewer_models.unet_full.recipe import recipe as unet_full

__all__ = ["TunableRecipe", "all_recipes"]


class TunableRecipe(Recipe, Tunable, Protocol):
    """What training and fine-tuning ask of a recipe."""


def all_recipes() -> dict[str, TunableRecipe]:
    """Each recipe with its usual options, by the name of its method."""
    return {
        "brain-mask": brain_mask({}),
        "cirim": cirim({}),
        "d5c5": d5c5({}),
        "idslr": idslr({}),
        "itfs-drlc": itfs_drlc({}),
        "linet": linet({}),
        "mtinet": mtinet({}),
        "mtlrs": mtlrs({}),
        "multiunet": multiunet({}),
        "recseg": recseg({}),
        "segnetmri": segnetmri({}),
        "semunet": semunet({}),
        "seranet": seranet({}),
        "synnet": synnet({}),
        "unet-full": unet_full({}),
    }
