"""What tells one network of joint learning over databases from another, saved beside its weights."""

from dataclasses import dataclass, replace
from typing import Literal

from mrviewer.errors import InputError

__all__ = ["PRESETS", "MultiUNetShape"]

_MODALITIES = ("FLAIR", "T1", "T1Gd", "T2", "", "")


@dataclass(frozen=True)
class MultiUNetShape:
    """Size of the network, and all that decides what its inputs mean.

    Parameters
    ----------
    kind
        ``multi``: one U-Net sees all modalities (Multi-Unet). ``lf``: one U-Net sees each modality by itself and its
        last features are fused (LFUnet). ``maf``: one encoder for each modality, fused at every scale (MAFUnet).
    channels
        Modality of each input channel; an empty name is a channel that no database used yet. It is a list of names and
        no rule, because sorting the names of the published model gives another order than its weights have.
    base
        Channels of the first residual unit.
    dropout
        Of every convolution.
    mask_absent
        Whether ``lf`` and ``maf`` give modalities that are absent no attention at all. The published networks do not.
    progressive
        Whether a second column learns beside a first one that is frozen.
    voxel_mm
        Edge of the voxels that it sees.
    window
        Edge of the windows that it sees, in voxels.
    background_zero
        Whether the background of a present modality is 0, like an absent one, in place of minus mean over deviation.
    """

    kind: Literal["multi", "lf", "maf"] = "multi"
    channels: tuple[str, ...] = _MODALITIES
    base: int = 16
    dropout: float = 0.2
    mask_absent: bool = False
    progressive: bool = False
    voxel_mm: float = 1.0
    window: int = 128
    background_zero: bool = False

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that it knows, in the order of their channels."""
        return tuple(name for name in self.channels if name)

    def extended(self, modalities: tuple[str, ...]) -> "MultiUNetShape":
        """The same with further modalities: in the unused channels, then in new ones behind the others.

        New channels are appended and never inserted, because the residual path adds the inputs to the first features.
        """
        new = [name for name in modalities if name not in self.channels]
        channels = [name or (new.pop(0) if new else "") for name in self.channels]
        return replace(self, channels=(*channels, *new))

    def __post_init__(self) -> None:
        """Refuse a map in which a modality has no channel or two."""
        names = self.modalities
        if not names or len(set(names)) < len(names):
            raise InputError(f"the channels are {', '.join(names) or 'empty'}; give every modality one channel")


PRESETS = {
    "paper": MultiUNetShape(),
    "small": MultiUNetShape(base=8, dropout=0.0, voxel_mm=2.0, window=64),
    "tiny": MultiUNetShape(base=8, dropout=0.0, voxel_mm=4.0, window=32),
}
