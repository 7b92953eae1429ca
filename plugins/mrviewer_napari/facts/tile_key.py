"""Which tile is which: the image of the reference or of a method, or its error map. No Qt."""

from dataclasses import dataclass
from enum import Enum
from typing import Self

__all__ = ["REFERENCE", "TileKey", "TileKind", "TileSpec"]

REFERENCE = "reference"


class TileKind(Enum):
    """What a tile shows."""

    IMAGE = "image"
    ERROR = "error"


class TileKey(str):
    """Which tile: the image of something, or its error map. As text ``d5c5`` and ``d5c5:error``.

    Parameters
    ----------
    image
        Name of the image: of a method, or of the reference.
    kind
        Which of its tiles.
    """

    __slots__ = ("image", "kind")
    image: str
    kind: TileKind

    def __new__(cls, image: str, kind: TileKind = TileKind.IMAGE) -> Self:
        """Name a tile."""
        key = super().__new__(cls, image if kind is TileKind.IMAGE else f"{image}:{kind.value}")
        key.image, key.kind = image, kind
        return key


@dataclass(frozen=True)
class TileSpec:
    """One tile.

    Parameters
    ----------
    key
        Name of the tile in every call.
    title
        First text on the tile, until `TileGrid.set_text` replaces it.
    """

    key: TileKey
    title: str

    @property
    def kind(self) -> TileKind:
        """What the tile shows."""
        return self.key.kind
