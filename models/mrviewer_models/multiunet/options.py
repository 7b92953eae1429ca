"""What the joint training over databases can be told."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from mrviewer.options import NUMBER, SHARE, option
from mrviewer.training.options import TrainingOptions
from mrviewer_models.multiunet.shape import PRESETS, MultiUNetShape

__all__ = ["TRAINING", "MultiUNetOptions", "Preset", "names_in"]

Preset = Literal["paper", "small", "tiny"]

_SMALL = TrainingOptions(
    steps=450, batch_size=1, learning_rate=2e-3, weight_decay=0.0, crop=48, lesion_share=0.7, contrast_spread=0.1
)

TRAINING = MappingProxyType(
    {
        "paper": TrainingOptions(
            steps=138000,
            batch_size=2,
            learning_rate=1e-3,
            weight_decay=0.0,
            schedule="step",
            decay=0.1,
            decay_epochs=150,
            decay_times=1,
            crop=128,
            lesion_share=0.0,
            contrast_spread=0.0,
        ),
        "small": _SMALL,
        "tiny": TrainingOptions(steps=20, batch_size=1, learning_rate=2e-3, weight_decay=0.0, crop=32),
    }
)
"""Defaults of the options of every recipe, by preset. The paper's 600 epochs are 138,000 steps for its 459 cases."""


@dataclass(frozen=True)
class MultiUNetOptions:
    """Every switch of Multi-Unet; the defaults of `preset=paper` are those of the paper (arXiv:2405.18511).

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    kind, mask_absent, background_zero
        See `MultiUNetShape`.
    modalities
        Modalities of the first channels, separated by commas. With `start_from` the weights say them.
    free_channels
        Channels behind them, for modalities that a later database brings.
    voxel_mm, window
        Edge of the voxels, and of the windows in voxels that a volume is looked at in; 0 leaves them to the preset, or
        to the weights of `start_from`.
    drop_modalities
        Whether each sample loses a random number of its modalities.
    loss_seg
        ``dice`` (the paper's), ``bce``, or their sum.
    rotate_share, flip_share
        Share of crops turned by quarters in the axial plane, and mirrored left and right.
    column
        ``progressive`` freezes the network of `start_from` and trains a second one beside it.
    extend_modalities
        Modalities that the weights of `start_from` do not know, separated by commas: they take free channels, then new
        ones.
    adapt_from
        Where `start_from` went: its weights are fitted to this network before training.
    """

    preset: Preset = "small"
    kind: Literal["multi", "lf", "maf"] = "multi"
    mask_absent: bool = False
    background_zero: bool = False
    modalities: str = "FLAIR,T1,T1Gd,T2"
    free_channels: int = option(2, NUMBER)
    voxel_mm: float = option(0.0, NUMBER, common=True, of_run=True)
    window: int = option(0, NUMBER, of_run=True)
    drop_modalities: bool = option(True, common=True)
    loss_seg: Literal["dice", "bce", "dice_bce"] = "dice"
    rotate_share: float = option(0.1, SHARE)
    flip_share: float = option(0.0, SHARE)
    column: Literal["none", "progressive"] = option("none", common=True, of_run=True)
    extend_modalities: str = option("", common=True, of_run=True)
    adapt_from: str = option("", is_path=True, of_run=True, starts_from=True, is_asked=False)
    shape: MultiUNetShape = field(default_factory=lambda: PRESETS["small"])


def names_in(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
