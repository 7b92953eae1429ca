"""What follows from the wishes and the data: pure functions, no Qt, no state of their own."""

from collections.abc import Sequence

import numpy as np

from mrviewer.method import Card, Task
from mrviewer.metrics.metric_list import METRICS_BY_KEY
from mrviewer.metrics.quality import slice_quality
from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer.sampling import Mask
from mrviewer.study import Origin
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.tiles.layout import TileKey, TileKind, TileSpec

__all__ = [
    "DISCLAIMER",
    "MISSING",
    "NO_ERROR_MAP",
    "REFERENCE",
    "first_slice",
    "has_error_map",
    "mask_facts",
    "mask_text",
    "origin_note",
    "step_note",
    "step_text",
    "study_facts",
    "tile_specs",
    "tile_text",
]

DISCLAIMER = "Research software, not for diagnosis"
REFERENCE = "reference"
_FULL = "fully sampled"
NO_ERROR_MAP = "no error map: acquired undersampled"
"""What a tile says of a scan that has no reference."""


MISSING = "missing slice"
"""What tiles say of a slice that the files lack."""


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


def origin_note(origin: Origin) -> str:
    """What a picture must say of where its k-space comes from; empty for a scanner's own."""
    return "" if origin is Origin.SCANNER else str(origin)


def mask_text(mask: Mask) -> str:
    """Mask in a few characters, for titles."""
    return _FULL if mask.achieved_acceleration == 1 else f"R = {mask.achieved_acceleration:.3g}"


def mask_facts(mask: Mask) -> str:
    """What a mask really acquires, in words."""
    acquired, total = int(np.count_nonzero(mask.pattern)), mask.pattern.size
    unit = "lines" if mask.is_line_mask else "samples"
    return f"{acquired} of {total} {unit}, achieved acceleration {mask.achieved_acceleration:.2f}"


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


def first_slice(scan: Scan) -> int:
    """Slice to begin with: the one with most labels, or the middle one."""
    if scan.labels is None or not scan.labels.any():
        return scan.n_slices // 2
    others = tuple(axis for axis in range(3) if axis != scan.slice_axis)
    return int(np.argmax(np.count_nonzero(scan.labels, axis=others)))


def study_facts(scan: Scan) -> tuple[tuple[str, str], ...]:
    """Rows of the Study section."""
    matrix = " x ".join(str(n) for n in scan.geometry.shape[::-1])
    n_coils = scan.raw.shape[1]
    rows = [
        ("Matrix", matrix),
        ("Slices", f"{scan.n_slices} {_plane_word(scan.slice_axis) if scan.geometry.is_placed else ''}".strip()),
        ("Coils", "1, zero phase" if scan.raw.origin is Origin.MAGNITUDE else str(n_coils)),
        ("K-space", str(scan.raw.origin)),
        ("Reference", "fully sampled" if scan.reference is not None else "none: acquired undersampled"),
        ("Labels", "none" if scan.labels is None else f"{_label_volume_ml(scan):.2f} ml"),
    ]
    return tuple(rows)


def _plane_word(slice_axis: int) -> str:
    return ("axial", "coronal", "sagittal")[slice_axis]


def _label_volume_ml(scan: Scan) -> float:
    return 0.0 if scan.labels is None else float(np.count_nonzero(scan.labels)) * scan.geometry.voxel_volume_ml
