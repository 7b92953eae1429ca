"""How the papers trained their networks: what ``preset=paper`` sets besides the size. What is typed takes its place.

What recipes always do and the papers do not say (mirrors, shifts, a little shading) stays; what the loop has not, such
as a rate that falls when the loss stands still, is left at a constant rate.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["PAPER_TRAINING"]

Settings = Mapping[str, str]

_UNTOUCHED = {
    "precision": "fp32",
    "largest_norm": "0",
    "contrast_spread": "0",
    "weight_decay": "0",
    "lesion_share": "0",
}
"""Single precision, no clipped gradients, grey scales and slices as they come."""
_ONE_COIL = {"phase_share": "0", "noise_share": "0", "coil_share": "0", "crop_rows": "0", "crop": "0"}

_QI = {
    **_UNTOUCHED,
    **_ONE_COIL,
    "steps": "70875",
    "batch_size": "16",
    "learning_rate": "0.0001",
    "schedule": "step",
    "decay": "0.2",
    "decay_epochs": "10",
    "main_family": "random",
    "main_share": "1",
    "main_acceleration": "4",
    "center_fraction": "0.08",
}
"""Qi K et al. (2020), arXiv:2011.13614: random lines at R = 4, batches of 16, 50 epochs of 120 subjects.

Each has 189 slices. On ATLAS its rate is 1e-6, which is ``preset=paper_atlas`` of `itfs-drlc`; else this one.
"""

_ITFS = {**_QI, "weighting": "exp", "alternation": "iteration", "reconstruction_scale": "1"}

_KARKALOUSOS = {
    **_UNTOUCHED,
    "steps": "525000",
    "batch_size": "1",
    "learning_rate": "0.0001",
    "betas": "0.9,0.98",
    "schedule": "inverse_sqrt",
    "main_family": "poisson",
    "main_share": "1",
    "main_acceleration": "7.5",
    "center_fraction": "0.04",
    "phase_share": "1",
    "noise_share": "0",
    "coil_share": "1",
    "crop_rows": "0",
}
"""Karkalousos D et al. (2023), PMLR 227:991-1005: Adam at 1e-4, single slices, Poisson disc at 7.5.

Momenta, schedule and 50 epochs are those of its public code; 15 volumes are some 700 slices each in three planes. Its
noise of 1e-5 is left out.
"""

PAPER_TRAINING: Mapping[str, Mapping[str, Settings]] = MappingProxyType(
    {
        "d5c5": {"paper": {**_QI, "learning_rate": "0.001", "schedule": "constant", "weight_decay": "0.000001"}},
        "unet-full": {"paper": {**_QI, "loss_seg": "dice_c", "paint_share": "0"}},
        "synnet": {"paper": {**_QI, "loss_seg": "ce"}},
        "linet": {"paper": {**_QI, "loss_seg": "ce"}},
        "seranet": {"paper": {**_QI, "loss_seg": "ce"}},
        "segnetmri": {"paper": {**_QI, "seg_weight": "0.01"}},
        "itfs-drlc": {"paper": _ITFS, "paper_atlas": {**_ITFS, "learning_rate": "0.000001"}},
        "cirim": {"paper": {**_KARKALOUSOS, "cascade_weights": "uniform"}},
        "mtlrs": {"paper": {**_KARKALOUSOS, "alpha": "0.9", "beta": "0.5", "reconstruction_scale": "1"}},
        "recseg": {"paper": {**_KARKALOUSOS, "alpha": "0.5", "reconstruction_scale": "1"}},
        "idslr": {"paper": {**_KARKALOUSOS, "alpha": "0.00001", "loss_scale": "1"}},
        "semunet": {
            "paper": {
                **_UNTOUCHED,
                "phase_share": "0",
                "noise_share": "0",
                "coil_share": "0",
                "steps": "7200",
                "batch_size": "32",
                "learning_rate": "0.001",
                "schedule": "constant",
                "slope": "5",
                "loss_seg": "bce",
                "segmentation_weight": "0.1",
            }
        },
        "mtinet": {
            "paper": {
                **_UNTOUCHED,
                "largest_norm": "5",
                "batch_size": "4",
                "learning_rate": "0.0001",
                "weight_decay": "0.00001",
            }
        },
    }
)
"""By method and preset, as typed after ``--set``. `multiunet` has its own, see `mrviewer_models.multiunet.options`."""
