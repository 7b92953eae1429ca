"""What the coils of one slice see, as pixels: images and sensitivities, magnitude and phase. No Qt."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from mrviewer.progress import Progress
from mrviewer.raw import coil_images, coil_maps
from mrviewer.study import Origin, RawData
from mrviewer_napari.facts.scan import Scan

__all__ = ["CoilPictureKind", "CoilPictures", "DrawingArea", "coil_facts", "look_at_coils"]

_WHITE = 99.5
"""Percentile of the coil images that is shown white."""
_FAINT = 0.05
"""Part of the largest magnitude below which a phase fades into black: there it is the phase of noise."""
_HUES = np.array([0.0, 2 / 3, 4 / 3]) * np.pi
"""Phase at which red, green and blue are brightest."""


class CoilPictureKind(Enum):
    """A picture of every coil; the value is its title."""

    IMAGE = "Coil images"
    IMAGE_PHASE = "Phase of the coil images"
    MAP = "Sensitivities"
    MAP_PHASE = "Phase of the sensitivities"

    @property
    def is_phase(self) -> bool:
        """Whether colours mean angles."""
        return self in (CoilPictureKind.IMAGE_PHASE, CoilPictureKind.MAP_PHASE)


@dataclass(frozen=True, eq=False)
class CoilPictures:
    """Pictures of one slice.

    Parameters
    ----------
    index
        Which slice.
    pixels : uint8, (coil, y, x, colour)
        Of every kind, red, green and blue.
    """

    index: int
    pixels: dict[CoilPictureKind, NDArray[np.uint8]]


def look_at_coils(raw: RawData, index: int) -> Generator[Progress, None, CoilPictures]:
    """Transform one slice of every coil, and estimate the sensitivities if nobody has yet."""
    yield Progress(0, 2, "coil images")
    images = coil_images(raw, index)
    yield Progress(1, 2, "sensitivities")
    maps = coil_maps(raw, index)
    white = float(np.percentile(np.abs(images), _WHITE))
    return CoilPictures(
        index,
        {
            CoilPictureKind.IMAGE: _grey(np.abs(images), white),
            CoilPictureKind.IMAGE_PHASE: _hue(images),
            CoilPictureKind.MAP: _grey(np.abs(maps), 1.0),
            CoilPictureKind.MAP_PHASE: _hue(maps),
        },
    )


def coil_facts(scan: Scan) -> tuple[str, ...]:
    """What a person should know of the coils of a scan, as sentences."""
    count = scan.raw.shape[1]
    facts = [f"{count} coils, all of them used: none are compressed."]
    if scan.raw.origin is not Origin.SCANNER:
        return (*facts, "The sensitivities are those of the simulated scanner.")
    noise = [note for note in scan.study.notes if "noise" in note]
    facts.append(f"{noise[0][0].upper()}{noise[0][1:]}." if noise else "Noise is not whitened: there is no noise scan.")
    facts.append("Sensitivities are estimated from the centre of k-space, slice by slice.")
    return tuple(facts)


@dataclass(frozen=True)
class DrawingArea:
    """A rectangle to fill with pictures, all of one shape.

    Parameters
    ----------
    width, height
        In pixels.
    aspect
        Width of a picture over its height.
    """

    width: float
    height: float
    aspect: float

    def columns(self, count: int) -> int:
        """Columns in which `count` pictures become largest."""
        return max(range(1, count + 1), key=lambda columns: self.edge(count, columns))

    def edge(self, count: int, columns: int) -> float:
        """Height of each of `count` pictures in so many columns."""
        return min(self.width / columns / self.aspect, self.height / -(-count // columns))

    def block_columns(self, n_blocks: int, count: int, head: float) -> int:
        """Columns for blocks of `count` pictures, each under a line of height `head`, in which these become largest."""

        def edge(columns: int) -> float:
            block = self.block(n_blocks, columns, head)
            return block.edge(count, block.columns(count))

        return max(range(1, n_blocks + 1), key=edge)

    def block(self, n_blocks: int, columns: int, head: float) -> "DrawingArea":
        """What one of so many blocks in so many columns leaves for its pictures."""
        rows = -(-n_blocks // columns)
        return DrawingArea(self.width / columns, max(1.0, self.height / rows - head), self.aspect)


def _grey(values: NDArray[np.floating], white: float) -> NDArray[np.uint8]:
    shades = np.clip(values / (white or 1.0) * 255, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(shades[..., None], (*shades.shape, 3)))


def _hue(values: NDArray[np.complexfloating]) -> NDArray[np.uint8]:
    """Angles as colours that come round: red at 0, green at 120 and blue at 240 degrees."""
    magnitude = np.abs(values)
    light = np.clip(magnitude / (_FAINT * float(magnitude.max(initial=0.0)) or 1.0), 0, 1)
    colours = 0.5 + 0.5 * np.cos(np.angle(values)[..., None] - _HUES)
    return np.ascontiguousarray((colours * light[..., None] * 255).astype(np.uint8))
