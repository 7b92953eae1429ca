"""Which tiles there are, and what is written over them: pure functions of a scan, a method and a result. No Qt."""

from collections.abc import Sequence

import numpy as np

from mrviewer.method import Card, Task
from mrviewer.metrics.metric_list import METRICS_BY_KEY
from mrviewer.metrics.quality import slice_quality
from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer.sampling import Mask
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.tile_key import REFERENCE, TileKey, TileKind, TileSpec

__all__ = [
    "MISSING",
    "NO_ERROR_MAP",
    "OUTSIDE",
    "has_error_map",
    "mask_text",
    "step_note",
    "step_text",
    "tile_specs",
    "tile_text",
]

_FULL = "fully sampled"
NO_ERROR_MAP = "no error map: acquired undersampled"
"""What a tile says of a scan that has no reference."""


MISSING = "missing slice"
"""What tiles say of a slice that the files lack."""

OUTSIDE = "outside its card: see Methods"
"""What a tile says where the image is unlike those that the method was made for."""


def has_error_map(card: Card, scan: Scan) -> bool:
    """Whether an error map can be made: the method reconstructs, and a reference exists."""
    return Task.RECONSTRUCT in card.tasks and scan.reference is not None


def tile_specs(scan: Scan, cards: Sequence[Card]) -> tuple[TileSpec, ...]:
    """Tiles to show: the reference if there is one, each method, and an error map where one can be made."""
    tiles = []
    if scan.reference is not None:
        tiles.append(TileSpec(TileKey(REFERENCE), "Reference"))
    tiles += [TileSpec(TileKey(card.name), card.name) for card in cards]
    tiles += [
        TileSpec(TileKey(card.name, TileKind.ERROR), f"{card.name}: error")
        for card in cards
        if has_error_map(card, scan)
    ]
    return tuple(tiles)


def mask_text(mask: Mask) -> str:
    """Mask in a few characters, for titles."""
    return _FULL if mask.achieved_acceleration == 1 else f"R = {mask.achieved_acceleration:.3g}"


def tile_text(card: Card, scan: Scan, result: SliceResult | None, mask_text: str, step: str = "") -> str:
    """Text over a method's tile.

    Title, mask, and the quality of the shown slice where it can be known; `step` says what is shown in the place of the
    result, and then comes first. Of a slice that the files lack there is nothing to be told. A method that looks at the
    full image is fully sampled, whatever the mask.
    """
    mask_text = mask_text if card.needs.kspace else _FULL
    if result is not None and scan.is_missing(result.index):
        return f"{card.name}  {mask_text}\n{MISSING}"
    if Task.RECONSTRUCT not in card.tasks:
        titles = (card.name, f"from {mask_text}, over the reference")
        if not card.needs.kspace:
            titles = (f"{card.name}  {mask_text}", "over the reference")
        return f"{titles[0]}\n{titles[1] if result is not None else 'computing ...'}"
    if result is None:
        return f"{card.name}  {mask_text}\ncomputing ..."
    lines = [f"{card.name}  {mask_text}", step, _quality_text(scan, result)]
    return "\n".join(line for line in lines if line)


def _quality_text(scan: Scan, result: SliceResult) -> str:
    if scan.reference is None:
        return NO_ERROR_MAP
    if result.image is None:
        return ""
    reference = np.ascontiguousarray(scan.plane(scan.reference, result.index), np.float32)
    quality = slice_quality(result.image, reference, scan.data_range)
    numbers = (METRICS_BY_KEY["psnr"].sentence(quality.psnr), METRICS_BY_KEY["ssim"].sentence(quality.ssim))
    return "  ".join(text for text in numbers if text)


def step_note(names: Sequence[str], number: int) -> str:
    """What a tile says while it shows a step, so that nobody takes it for the result."""
    return f"NOT THE RESULT: {step_text(names, number)}" if 0 <= number < len(names) else ""


def step_text(names: Sequence[str], number: int) -> str:
    """Name of a step, and which of how many it is."""
    return f"{names[number]} ({number + 1} of {len(names)})"
