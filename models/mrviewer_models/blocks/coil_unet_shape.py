"""Size of an encoder with two decoders, one for the images of all coils and one for the labels."""

from dataclasses import dataclass, replace

from mrviewer_models.blocks.data_consistency import Consistency
from mrviewer_models.blocks.unet import Head, UNetShape
from mrviewer_models.blocks.unet_presets import unet_in

__all__ = ["CoilUNetShape"]


@dataclass(frozen=True)
class CoilUNetShape:
    """Sizes and switches.

    Parameters
    ----------
    base, pools
        Channels of the first level and poolings.
    max_coils
        Coils that there are channels for; fewer are filled up with zeros.
    classes
        Background included.
    consistency
        ``learned``: soft, its weight learned. ``hard``.
    dropout
        Share of the channels dropped while training.
    """

    base: int = 64
    pools: int = 2
    max_coils: int = 32
    classes: int = 2
    consistency: Consistency = "learned"
    dropout: float = 0.0

    @property
    def head(self) -> Head:
        """What the first decoder gives."""
        return "correction"

    @property
    def reconstruction(self) -> UNetShape:
        """Encoder and first decoder."""
        channels = 2 * self.max_coils
        return unet_in(channels, channels, self.base, self.pools, dropout=self.dropout, head=self.head)

    @property
    def segmentation(self) -> UNetShape:
        """Second decoder."""
        return replace(self.reconstruction, outputs=self.classes, head="classes")
